"""What an operator's tools ask the daemon.

config.py       what an operator can set
readiness.py    how far the daemon is in its life
watched.py      the parts that count
metrics.py      every metric: name, meaning, what to do when it moves
exposition.py   the same as text for Prometheus
lag.py          how late the event loop is
internal.py     the listener for all of it
"""

import logging

log = logging.getLogger("chatd.ops")
