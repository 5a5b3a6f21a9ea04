"""The settings of a team of admins."""

from __future__ import annotations

import dataclasses

from chatd.settings.setting import setting


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TeamConfig:
    """What holds where admin_messages is team."""

    claim_timeout_s: float = setting(
        60.0,
        "seconds after which an admin who is gone no longer holds a conversation of the team",
        minimum=0.1,
        maximum=86_400,
    )
    admin_names: str = setting(
        "off",
        "on: a user may ask for the name of an admin of the team who has written to it, and the widget shows it; off: "
        "users see the user names alone",
        choices=("off", "on"),
    )
