# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_catalogue import METRICS, PROBES
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_settings import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_text import Samples
from ansible_collections.phpops.webhost.plugins.module_utils._host import metrics
from ansible_collections.phpops.webhost.plugins.module_utils._host.metrics import collect, last_run, sentence, write
from ansible_collections.phpops.webhost.plugins.module_utils._host.metrics_probes import Seen

CHOSEN = Settings(probe_timeout_seconds=3)


def played(name: str, _chosen: Settings) -> Seen:
    """Answer as a host on which all is well but three probes: one fails half way, one hangs, one dies."""
    seen = Seen(Samples(METRICS))
    if name == "slab":
        seen.samples.add("phpops_slab_size_bytes", 5)
        seen.reason = "/proc/slabinfo is closed."
    elif name == "opcache":
        time.sleep(60)
    elif name == "oom":
        os._exit(9)
    elif name == "swap":
        seen.available = False
    elif name == "tmpfs":
        for number in range(70):
            seen.samples.add("phpops_tmpfs_size_bytes", number, mountpoint=f"/{number}")
    return seen


@pytest.fixture(scope="module")
def collected() -> metrics.Collected:
    return collect(CHOSEN, played, lambda: 1_800_000_000.25)


def test_the_failure_of_some_probes_loses_no_other(collected: metrics.Collected) -> None:
    lines = collected.text.splitlines()
    for name in PROBES:
        failed = name in ("slab", "opcache", "oom")
        assert f'phpops_probe_success{{probe="{name}"}} {0 if failed else 1}' in lines
        assert f'phpops_probe_available{{probe="{name}"}} {0 if name == "swap" else 1}' in lines
    assert "phpops_slab_size_bytes 5" in lines
    assert 'phpops_tmpfs_size_bytes{mountpoint="/63"} 63' in lines
    assert 'phpops_exporter_dropped_series{probe="tmpfs"} 6' in lines
    assert "phpops_exporter_last_run_timestamp_seconds 1800000000.25" in lines
    assert collected.series == len([line for line in lines if not line.startswith("#")])


def test_how_long_each_took_is_told(collected: metrics.Collected) -> None:
    took = {one["probe"]: one["seconds"] for one in collected.probes}
    assert 3 <= took.pop("opcache") < 30
    assert all(0 <= seconds < 3 for seconds in took.values())


def test_the_sentence_names_the_failed_ones_with_their_reasons(collected: metrics.Collected) -> None:
    said = sentence(collected.as_dict())
    assert said.startswith(
        f"{collected.series} series from {len(PROBES)} probes; failed: slab (/proc/slabinfo is closed.)"
    )
    assert "opcache (it was not done after 3 s)" in said
    assert "oom (its process ended with 9 and gave no answer)" in said
    assert (
        sentence({"series": 1, "probes": [{"probe": "a", "success": True}]}) == "1 series from 1 probes; none failed."
    )


def test_only_the_chosen_probes_run() -> None:
    found = collect(Settings(probes=("sites", "swap")), played)
    assert [one["probe"] for one in found.probes] == ["swap", "sites"]


@pytest.mark.parametrize("answer", [None, {}, {"samples": [1], "available": True, "dropped": 0, "reason": None}])
def test_an_answer_that_is_none_is_a_failure(answer: Any) -> None:
    class Odd:
        def as_dict(self) -> Any:
            return answer

    found = collect(Settings(probes=("slab",)), lambda _name, _chosen: Odd())  # type: ignore[return-value, arg-type]
    assert found.probes[0]["reason"].startswith("its answer is none")


def test_both_files_are_replaced_and_readable_by_all(collected: metrics.Collected, tmp_path: Path) -> None:
    last = tmp_path / "last.json"
    old = os.umask(0o077)
    try:
        write(collected, str(tmp_path), str(last))
        write(collected, str(tmp_path), str(last))
    finally:
        os.umask(old)
    file = tmp_path / "phpops.prom"
    assert file.read_text(encoding="utf-8") == collected.text
    assert [path.stat().st_mode & 0o777 for path in (file, last)] == [0o644, 0o644]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["last.json", "phpops.prom"]
    assert last_run(str(last)) == collected.as_dict()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"probes": 5}'])
def test_what_is_no_last_run_counts_as_none(text: str, tmp_path: Path) -> None:
    file = tmp_path / "last.json"
    assert last_run(str(file)) is None
    file.write_text(text)
    assert last_run(str(file)) is None


def test_the_last_run_holds_no_metric(collected: metrics.Collected) -> None:
    assert set(collected.as_dict()) == {"series", "probes"}
    json.dumps(collected.as_dict())
