"""The settings of a team of admins."""

from __future__ import annotations

import dataclasses

from chatd.settings.setting import setting


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TeamConfig:
    """Settings that have an effect only with `admin_messages = "team"`."""

    claim_timeout_s: float = setting(
        60.0,
        "seconds after which an admin who is offline loses the claims of conversations",
        minimum=0.1,
        maximum=86_400,
    )
    admin_names: str = setting(
        "off",
        "on: users can ask for the display name of an admin who has written to them, and the widget shows it; off: "
        "users see only the user name of an admin",
        choices=("off", "on"),
    )
