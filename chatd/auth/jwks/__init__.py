"""The keys of an identity provider: a JSON Web Key Set (https://www.rfc-editor.org/rfc/rfc7517) that it publishes.

    keyset.py    which keys of a set verify tokens, and by which algorithm
    fetch.py     gets the set over HTTP, on a thread
    provider.py  when the provider is asked, and how long its last answer counts

Imported only where there is a provider, or a file with its set.
"""

from __future__ import annotations

import logging

log = logging.getLogger("chatd.auth")
