"""What a team of admins can do: the list of its features. Rule D-01."""

from __future__ import annotations

from chatd.chat.config import ChatConfig
from chatd.chat.router import ChatRouter
from chatd.team.cases import Cases
from chatd.team.config import TeamConfig
from chatd.team.listing import Listing
from chatd.team.names import Names
from chatd.team.notes import Notes
from chatd.team.replies import Replies
from chatd.team.work import Work


def join(config: TeamConfig, chat: ChatConfig, router: ChatRouter) -> Cases:
    """Let `router` do what a team can. What is returned counts for the metrics."""
    work = Work()
    names = Names(router)
    cases = Cases(config, router, work)
    for feature in (
        names,
        cases,
        Listing(router, names, cases),
        Notes(chat, router, work),
        Replies(router, work),
    ):
        router.add(feature)
    names.begin()
    cases.begin(after=names.loaded)
    return cases
