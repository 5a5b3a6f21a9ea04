"""Whether the console and the widget are served."""

from __future__ import annotations

from chatd.cli.deployment import Deployment
from chatd.cli.outside.outcome import FoundError, SkippedError


def console(deployment: Deployment) -> str:
    """Check the pages of the console and the widget, which a proxy must pass as well."""
    for page in ("/chatd/", "/chatd/widget.js"):
        answer = deployment.get(page)
        if answer.status != 200 or "chatd" not in answer.body:
            seen = f"{page} is answered with {answer.status}"
            if not deployment.console:
                raise SkippedError(f"{seen}: fine if chatd runs without --console; if not, ask again with --console")
            raise FoundError(seen, "start chatd with --console, and let the proxy pass /chatd/ as it does the path")
    return "/chatd/ and the widget are served"
