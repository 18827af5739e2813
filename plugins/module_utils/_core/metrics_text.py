# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Metrics in Prometheus' text format 0.0.4, each family declared once and bounded in its number of series."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Iterable, Mapping, Sequence, Tuple, Union

GAUGE, COUNTER = "gauge", "counter"
# Longer values are cut: what a host says of itself must not make the file grow without end.
MAX_LABEL_LETTERS = 200
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
# What the format or the scrape adds by itself.
_RESERVED = ("le", "quantile", "job", "instance")
_TYPES = (GAUGE, COUNTER)

Number = Union[int, float, bool]
Labels = Tuple[Tuple[str, str], ...]


class MetricError(ValueError):
    """A metric is declared or used wrongly; the text names it."""


@dataclass(frozen=True)
class Metric:
    """One family: at most ``most`` series with exactly these labels, made by one probe ("" is the exporter itself)."""

    name: str
    kind: str
    probe: str
    help: str
    labels: tuple[str, ...] = ()
    most: int = 1

    def __post_init__(self) -> None:
        """Refuse names that Prometheus' conventions don't allow (naming practices: base units, _total for counters)."""
        if not _NAME.match(self.name) or self.kind not in _TYPES:
            raise MetricError(f"{self.name} is no name or {self.kind} no type of a metric.")
        if self.name.endswith("_total") != (self.kind == COUNTER):
            raise MetricError(f"{self.name}: the names of counters, and no others, end in _total.")
        if any(not _NAME.match(label) or label in _RESERVED for label in self.labels):
            raise MetricError(f"{self.name}: {', '.join(self.labels)} are no labels of ours.")
        if self.most < 1 or (not self.labels and self.most != 1):
            raise MetricError(f"{self.name}: {self.most} series don't go with {len(self.labels)} labels.")


@dataclass(frozen=True)
class Sample:
    """One series with its value."""

    name: str
    labels: Labels
    value: float


@dataclass
class Samples:
    """What one probe measured. ``dropped`` counts the series that had no room, or were there already."""

    metrics: Mapping[str, Metric]
    found: list[Sample] = field(default_factory=list)
    dropped: int = 0
    _seen: dict[str, set[Labels]] = field(default_factory=dict)

    def add(self, name: str, value: Number | None, **labels: object) -> None:
        """Add a series unless its value is not known (None, NaN); the most important ones must come first.

        MetricError for a family that is not declared, or with other labels.
        """
        metric = self.metrics.get(name)
        if metric is None or set(labels) != set(metric.labels):
            raise MetricError(f"{name} with the labels {', '.join(labels) or 'none'} is not declared.")
        if value is None or math.isnan(value):
            return
        row = tuple((label, clean(labels[label])) for label in metric.labels)
        seen = self._seen.setdefault(name, set())
        if row in seen or len(seen) >= metric.most:
            self.dropped += 1
            return
        seen.add(row)
        self.found.append(Sample(name, row, float(value) if isinstance(value, float) else int(value)))


def clean(value: object) -> str:
    """Return a label's value: text that is valid UTF-8 and not too long. None is the empty text, as if not there."""
    text = "" if value is None else str(value)
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= MAX_LABEL_LETTERS else text[: MAX_LABEL_LETTERS - 1] + "…"


def pack(samples: Iterable[Sample]) -> list[list[object]]:
    """Return samples in a form that JSON can hold; see unpack()."""
    return [[one.name, list(map(list, one.labels)), one.value] for one in samples]


def unpack(rows: Sequence[Sequence[object]]) -> list[Sample]:
    """Return the samples that pack() was given. MetricError when the rows are not its own."""
    found = []
    for row in rows:
        try:
            name, labels, value = row
            pairs = tuple((str(label), str(text)) for label, text in labels)  # type: ignore[attr-defined]
        except (TypeError, ValueError) as error:
            raise MetricError(f"{row!r} is no sample.") from error
        if not isinstance(name, str) or not isinstance(value, (int, float)):
            raise MetricError(f"{row!r} is no sample.")
        found.append(Sample(name, pairs, value))
    return found


def render(metrics: Mapping[str, Metric], samples: Iterable[Sample]) -> str:
    """Return the text: for each family with a series HELP, TYPE and its series together, and no timestamps.

    Families come in the order of ``metrics``, series in that of their labels. Source: Prometheus, exposition formats.
    MetricError for a family that is not declared.
    """
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        if sample.name not in metrics:
            raise MetricError(f"{sample.name} is not declared.")
        by_name.setdefault(sample.name, []).append(sample)
    lines = []
    for name, metric in metrics.items():
        if name in by_name:
            lines.append(f"# HELP {name} {_escaped(metric.help)}")
            lines.append(f"# TYPE {name} {metric.kind}")
            lines += [_line(sample) for sample in sorted(by_name[name], key=lambda one: one.labels)]
    return "".join(line + "\n" for line in lines)


def _line(sample: Sample) -> str:
    # An empty label is the same as none.
    labels = ",".join(f'{name}="{_quoted(value)}"' for name, value in sample.labels if value)
    return f"{sample.name}{{{labels}}} {_value(sample.value)}" if labels else f"{sample.name} {_value(sample.value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')


def _value(value: float) -> str:
    if isinstance(value, float) and math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value)
