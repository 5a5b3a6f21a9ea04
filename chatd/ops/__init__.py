"""The interfaces for operators' tools: metrics, health, systemd, the admin socket.

config.py       the settings
readiness.py    starting, ready or stopping
watched.py      the parts of the daemon that have counters
metrics.py      the metrics of the daemon itself; each part has its own metrics.py, chatd/daemon/metrics.py lists all
exposition.py   the metrics as text for Prometheus
lag.py          the delay of the event loop
internal.py     the HTTP listener: /healthz, /readyz, /metrics
notify.py       messages to systemd
admin.py        the admin socket
"""

import logging

log = logging.getLogger("chatd.ops")
