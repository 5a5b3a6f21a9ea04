"""Tells other systems of what happens, by HTTP. Rules W-01 to W-16 of protocol.md.

The log of messages is the queue: a hook has a position in the database, and what it has not delivered is read again.
"""

import logging

log = logging.getLogger("chatd.webhooks")
