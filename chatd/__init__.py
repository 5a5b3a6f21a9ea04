"""A support-chat daemon that speaks Socket.IO v4. `chatd.app` puts the floors together, `chatd.cli` starts it."""

__version__ = "0.1.0"
