"""What counts as an e-mail address: a mailbox in ASCII without a name, a comment or quotes. Pure."""

from __future__ import annotations

import re
from typing import Final

MAX_CHARS: Final = 254
"""https://www.rfc-editor.org/errata/eid1690"""

_ADDRESS: Final = re.compile(r"[!#-'*+\-./0-9=?A-Z^-~]{1,64}@[A-Za-z0-9.-]{1,253}")


def is_address(text: str) -> bool:
    return len(text) <= MAX_CHARS and _ADDRESS.fullmatch(text) is not None
