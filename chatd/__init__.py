"""A support-chat daemon that speaks Socket.IO v4. `chatd.daemon` puts the floors together, `chatd.cli` starts it."""

from chatd.base.lean import absent

__version__ = "0.1.0"

# Where it is installed, msgspec imports it for Pythons older than ours: 1 MB of memory.
with absent("typing_extensions"):
    import msgspec as _msgspec  # noqa: F401
