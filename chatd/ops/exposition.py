"""The metrics as text, by prometheus-client.

That package imports a web server, `ssl`, `wsgiref` and `urllib.request` for ways of publishing that chatd does not use:
5 MB of resident memory. So it is imported without them, and without its own metric types, which chatd does not need:
1.1 MB. If a version of it needs more than is listed here, the whole package is imported.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import PathFinder
from typing import Any, Final

from chatd.base.histogram import Histogram
from chatd.base.lean import hollow, hollow_package
from chatd.base.metric import Kind, Metric, Reading
from chatd.ops.metrics import readings
from chatd.ops.sources import Sources

_PACKAGE: Final = "prometheus_client"

# Names that its module `exposition` reads from other modules while it is imported.
_UNUSED: Final[Mapping[str, tuple[str, ...]]] = {
    "gzip": (),
    "http.server": ("BaseHTTPRequestHandler",),
    "socketserver": ("ThreadingMixIn",),
    "ssl": ("SSLContext", "TLSVersion", "PROTOCOL_TLS_CLIENT", "PROTOCOL_TLS_SERVER"),
    "urllib.error": ("HTTPError",),
    "urllib.request": (
        "BaseHandler", "HTTPHandler", "HTTPRedirectHandler", "HTTPSHandler", "Request", "build_opener",
    ),
    "wsgiref.simple_server": ("WSGIRequestHandler", "WSGIServer", "make_server"),
}  # fmt: skip


def _import_lean() -> None:
    """Import the package's modules without those of _UNUSED. Does nothing if the package is imported already."""
    if _PACKAGE in sys.modules or PathFinder.find_spec(_PACKAGE) is None:
        return
    with contextlib.ExitStack() as stack:
        for name, attributes in _UNUSED.items():
            stack.enter_context(hollow(name, *attributes))
        stack.enter_context(hollow_package(_PACKAGE))
        try:
            for name in ("exposition", "process_collector"):
                importlib.import_module(f"{_PACKAGE}.{name}")
        except (ImportError, AttributeError):
            for name in [name for name in sys.modules if name.startswith(f"{_PACKAGE}.")]:
                del sys.modules[name]


_import_lean()

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest  # noqa: E402
from prometheus_client.metrics_core import Metric as Family  # noqa: E402
from prometheus_client.process_collector import ProcessCollector  # noqa: E402
from prometheus_client.registry import Collector, CollectorRegistry  # noqa: E402

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4


class ChatdCollector(Collector):
    """Reads every metric at each scrape."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Family]:
        for metric, reading in readings(self._sources):
            yield _family(metric, reading)


class Exposition:
    """The metrics of chatd and of its process (memory, CPU, open files), as text for Prometheus."""

    def __init__(self, sources: Sources) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(ChatdCollector(sources))
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        return generate_latest(self._registry)


def _family(metric: Metric[Any], reading: Reading) -> Family:
    name = metric.name.removesuffix("_total") if metric.kind is Kind.COUNTER else metric.name
    family = Family(name, metric.help, metric.kind.value)
    if isinstance(reading, Histogram):
        for bound, count in reading.cumulative():
            family.add_sample(f"{name}_bucket", {"le": "+Inf" if bound == math.inf else repr(float(bound))}, count)
        family.add_sample(f"{name}_count", {}, reading.count)
        family.add_sample(f"{name}_sum", {}, reading.sum)
    elif isinstance(reading, Mapping):
        for values, number in reading.items():
            family.add_sample(metric.name, dict(zip(metric.labels, values, strict=True)), number)
    else:
        family.add_sample(metric.name, {}, float(reading))
    return family
