"""The numbers of /metrics as JSON. Rule A-17."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from chatd.api.words import Counts, Sample
from chatd.base.histogram import Histogram
from chatd.base.metric import Metric, Reading
from chatd.ops.metrics import readings
from chatd.ops.sources import Sources


def counts(sources: Sources) -> Counts:
    return Counts([sample for metric, reading in readings(sources) for sample in _samples(metric, reading)])


def _samples(metric: Metric[Any], reading: Reading) -> Iterator[Sample]:
    """Of a histogram the count and the sum, as Prometheus calls them."""
    if isinstance(reading, Histogram):
        yield Sample(f"{metric.name}_count", float(reading.count), {})
        yield Sample(f"{metric.name}_sum", float(reading.sum), {})
    elif isinstance(reading, Mapping):
        for values, number in reading.items():
            yield Sample(metric.name, float(number), dict(zip(metric.labels, values, strict=True)))
    else:
        yield Sample(metric.name, None if math.isnan(reading) else float(reading), {})
