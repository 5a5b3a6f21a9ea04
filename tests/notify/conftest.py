from __future__ import annotations

from tests.webhooks.conftest import db

__all__ = ["db"]
