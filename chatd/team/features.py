"""The list of the features of a team. Rule D-01."""

from __future__ import annotations

from chatd.base.part import Part
from chatd.chat.chat import Chat
from chatd.team.cases import Cases
from chatd.team.config import TeamConfig
from chatd.team.listing import Listing
from chatd.team.names import Names
from chatd.team.notes import Notes
from chatd.team.replies import Replies
from chatd.team.work import Work


def join(config: TeamConfig, chat: Chat) -> Part:
    """Add the features of a team to `chat`."""
    work = Work()
    names = Names(chat)
    cases = Cases(config, chat, work)
    for part in (names, cases, Listing(chat, names, cases), Notes(chat, work), Replies(chat, work)):
        chat.router.add(part.feature)
    if config.admin_names == "on":
        from chatd.team.signatures import Signatures  # noqa: PLC0415 - loaded only when used

        chat.router.add(Signatures(chat).feature)
    names.begin()
    cases.begin(after=names.loaded)
    return Part(shown={"team": lambda: cases.waits})
