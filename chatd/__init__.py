"""A support-chat daemon that speaks Socket.IO v4. `chatd.app` puts the floors together, `chatd.cli` starts it."""

from chatd.lean import absent

__version__ = "0.1.0"

# Where it is installed, msgspec imports it for Pythons older than ours: 1 MB of memory.
with absent("typing_extensions"):
    import msgspec as _msgspec  # noqa: F401
