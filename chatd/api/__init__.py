"""The API for other systems of the operator: JSON over HTTP/1.1, with keys. Rules A-01 to A-33 of protocol.md."""

import logging

log = logging.getLogger("chatd.api")
