# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_text import (
    COUNTER,
    GAUGE,
    MAX_LABEL_LETTERS,
    Metric,
    MetricError,
    Sample,
    Samples,
    clean,
    pack,
    render,
    unpack,
)
from hypothesis import given
from hypothesis import strategies as st

METRICS = {
    one.name: one
    for one in (
        Metric("phpops_up", GAUGE, "", "Whether it is up."),
        Metric("phpops_used_bytes", GAUGE, "a", "Used, by \\ site.", ("site", "slot"), 3),
        Metric("phpops_hits_total", COUNTER, "a", "Hits,\nall.", ("site",), 100),
    )
}
PLAIN = {"n": "\n", "\\": "\\", '"': '"'}


def samples() -> Samples:
    return Samples(METRICS)


def read(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read the format as Prometheus' own parser does: what is quoted may hold anything."""
    found = {}
    for line in text.split("\n"):
        if line and not line.startswith("#"):
            match = re.fullmatch(r"(\w+)(?:\{((?:\w+=\"(?:[^\"\\\n]|\\[\\n\"])*\",?)+)\})? (\S+)", line)
            assert match, line
            pairs = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match.group(2) or "")
            labels = tuple((name, re.sub(r"\\(.)", lambda one: PLAIN[one.group(1)], text)) for name, text in pairs)
            found[match.group(1), labels] = float(match.group(3))
    return found


def test_a_family_has_its_help_and_type_once_and_its_series_together() -> None:
    mine = samples()
    mine.add("phpops_hits_total", 7, site="wiki")
    mine.add("phpops_up", True)
    mine.add("phpops_hits_total", 2**60 + 1, site="blog")
    assert render(METRICS, mine.found) == (
        "# HELP phpops_up Whether it is up.\n"
        "# TYPE phpops_up gauge\n"
        "phpops_up 1\n"
        "# HELP phpops_hits_total Hits,\\nall.\n"
        "# TYPE phpops_hits_total counter\n"
        'phpops_hits_total{site="blog"} 1152921504606846977\n'
        'phpops_hits_total{site="wiki"} 7\n'
    )


def test_help_and_labels_are_escaped() -> None:
    mine = samples()
    mine.add("phpops_used_bytes", 0.5, site='a"b\\c\nd', slot=None)
    text = render(METRICS, mine.found)
    assert "# HELP phpops_used_bytes Used, by \\\\ site.\n" in text
    assert text.endswith('phpops_used_bytes{site="a\\"b\\\\c\\nd"} 0.5\n')


def test_a_number_that_is_not_known_has_no_series() -> None:
    mine = samples()
    mine.add("phpops_up", None)
    mine.add("phpops_up", float("nan"))
    assert (mine.found, mine.dropped, render(METRICS, [])) == ([], 0, "")


@pytest.mark.parametrize(
    ("value", "said"), [(float("inf"), "+Inf"), (float("-inf"), "-Inf"), (1e-7, "1e-07"), (-3, "-3")]
)
def test_values_are_as_prometheus_reads_them(value: float, said: str) -> None:
    mine = samples()
    mine.add("phpops_up", value)
    assert render(METRICS, mine.found).splitlines()[-1] == f"phpops_up {said}"


def test_more_series_than_the_bound_and_the_same_one_twice_are_dropped_and_counted() -> None:
    mine = samples()
    for number in range(5):
        mine.add("phpops_used_bytes", number, site=f"s{number}", slot="blue")
    mine.add("phpops_used_bytes", 9, site="s0", slot="blue")
    mine.add("phpops_hits_total", 1, site="s9")
    assert [dict(one.labels)["site"] for one in mine.found] == ["s0", "s1", "s2", "s9"]
    assert (mine.dropped, mine.found[0].value) == (3, 0)


@pytest.mark.parametrize(
    ("name", "labels"),
    [("phpops_other", {}), ("phpops_up", {"site": "a"}), ("phpops_used_bytes", {"site": "a"})],
)
def test_what_is_not_declared_is_refused(name: str, labels: dict[str, str]) -> None:
    with pytest.raises(MetricError, match=name):
        samples().add(name, 1, **labels)
    with pytest.raises(MetricError):
        render({}, [Sample(name, (), 1)])


@pytest.mark.parametrize(
    "declaration",
    [
        ("phpops_hits", COUNTER, "", "x"),
        ("phpops_hits_total", GAUGE, "", "x"),
        ("phpops-hits", GAUGE, "", "x"),
        ("phpops_up", "histogram", "", "x"),
        ("phpops_up", GAUGE, "", "x", ("instance",), 2),
        ("phpops_up", GAUGE, "", "x", ("Site",), 2),
        ("phpops_up", GAUGE, "", "x", (), 2),
        ("phpops_up", GAUGE, "", "x", ("site",), 0),
    ],
)
def test_names_that_the_conventions_forbid_can_not_be_declared(declaration: tuple[object, ...]) -> None:
    with pytest.raises(MetricError):
        Metric(*declaration)  # type: ignore[arg-type]


@given(st.text() | st.text(alphabet='\\"\n{},= \ud800'), st.text())
def test_any_label_comes_back_as_it_was(site: str, slot: str) -> None:
    mine = samples()
    mine.add("phpops_used_bytes", 1, site=site, slot=slot)
    text = render(METRICS, mine.found)
    text.encode("utf-8")
    (labels,) = [series[1] for series in read(text)]
    wanted = (("site", clean(site)), ("slot", clean(slot)))
    assert labels == tuple(pair for pair in wanted if pair[1])
    assert all(len(value) <= MAX_LABEL_LETTERS for _label, value in labels)


def test_samples_go_through_json() -> None:
    mine = samples()
    mine.add("phpops_used_bytes", 1, site="a", slot="b")
    mine.add("phpops_up", False)
    assert unpack(pack(mine.found)) == mine.found


@pytest.mark.parametrize("row", [[], ["a"], ["a", [["b"]], 1], [1, [], 1], ["a", [], "1"], ["a", 5, 1]])
def test_what_is_no_sample_is_refused(row: list[object]) -> None:
    with pytest.raises(MetricError, match="no sample"):
        unpack([row])
