# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real probes, on this host and over dumps of others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_catalogue import METRICS, PROBES
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_settings import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_text import render
from ansible_collections.phpops.webhost.plugins.module_utils._host import metrics_probes
from ansible_collections.phpops.webhost.plugins.module_utils._host.metrics_probes import count_refusals, probe, run

SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "samples"
REFUSED = "Unable to allocate shared memory segment of 67108864 bytes: mmap: Cannot allocate memory (12)\n"


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_probes, "RUN", str(tmp_path / "run"))
    monkeypatch.setattr(metrics_probes, "STATE", str(tmp_path / "state"))


def test_there_is_a_function_for_each_probe() -> None:
    assert tuple(metrics_probes.PROBES) == PROBES


@pytest.mark.parametrize("name", [name for name in PROBES if name not in ("opcache", "shm", "budget")])
def test_a_probe_answers_on_any_host(name: str) -> None:
    seen = probe(name, Settings())
    assert {METRICS[one.name].probe for one in seen.samples.found} <= {name}
    assert seen.available or seen.reason is None
    json.dumps(seen.as_dict())
    render(METRICS, seen.samples.found)


@pytest.mark.parametrize("path", sorted((SAMPLES / "slabinfo").glob("*.txt")), ids=lambda path: path.name)
def test_slab_dumps_of_real_hosts(path: Path) -> None:
    seen = probe("slab", Settings(slabinfo_path=str(path)))
    names = {one.name for one in seen.samples.found}
    assert ("phpops_slab_cache_size_bytes" in names) == (seen.reason is None)
    assert len([one for one in seen.samples.found if one.name == "phpops_slab_cache_objects"]) <= 11


@pytest.mark.parametrize("path", sorted((SAMPLES / "beancounters").glob("*.txt")), ids=lambda path: path.name)
def test_beancounter_dumps_of_real_hosts(path: Path) -> None:
    seen = probe("beancounters", Settings(beancounters_path=str(path)))
    assert bool(seen.samples.found) == (seen.reason is None)
    assert seen.available
    assert render(METRICS, seen.samples.found).count("\n") >= len(seen.samples.found)


def test_a_host_without_beancounters_has_no_failure_but_a_missing_dump_is_one() -> None:
    assert not Path("/proc/user_beancounters").exists()
    usual = probe("beancounters", Settings())
    assert (usual.available, usual.reason, usual.samples.found) == (False, None, [])
    given = probe("beancounters", Settings(beancounters_path="/nowhere"))
    assert given.available
    assert "There is no file /nowhere" in str(given.reason)


def test_refused_segments_are_counted_once(tmp_path: Path) -> None:
    log, state = tmp_path / "a-error.log", str(tmp_path / "state" / "logs.json")
    pattern = (f"{tmp_path}/*error.log",)
    assert count_refusals(pattern, state) == ({}, None)
    log.write_text("x\n" + REFUSED)
    assert count_refusals(pattern, state) == ({str(log): 1}, None)
    assert count_refusals(pattern, state) == ({str(log): 1}, None)
    with log.open("a") as file:
        file.write(REFUSED + REFUSED[:40])
    assert count_refusals(pattern, state)[0] == {str(log): 2}
    with log.open("a") as file:
        file.write(REFUSED[40:])
    assert count_refusals(pattern, state)[0] == {str(log): 3}


def test_a_rotation_and_an_emptied_log_lose_no_line(tmp_path: Path) -> None:
    log, state = tmp_path / "error.log", str(tmp_path / "state.json")
    log.write_text(REFUSED)
    count_refusals((str(log),), state)
    with log.open("a") as file:
        file.write(REFUSED)
    log.rename(f"{log}.1")
    log.write_text(REFUSED * 2)
    assert count_refusals((str(log),), state)[0] == {str(log): 4}
    log.write_text(REFUSED)
    assert count_refusals((str(log),), state)[0] == {str(log): 5}


def test_a_log_that_is_gone_keeps_its_count(tmp_path: Path) -> None:
    log, state = tmp_path / "error.log", str(tmp_path / "state.json")
    log.write_text(REFUSED)
    count_refusals((str(log),), state)
    log.unlink()
    assert count_refusals((str(log),), state) == ({str(log): 1}, None)


def test_a_log_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "error.log").mkdir()
    counts, reason = count_refusals((f"{tmp_path}/error.log",), str(tmp_path / "state.json"))
    assert counts == {}
    assert f"{tmp_path}/error.log can't be read" in str(reason)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"logs": {"/a": 5}}', '{"logs": {"/a": {"count": "x"}}}'])
def test_a_broken_state_counts_as_none(text: str, tmp_path: Path) -> None:
    state, log = tmp_path / "state.json", tmp_path / "error.log"
    state.write_text(text)
    log.write_text(REFUSED)
    assert count_refusals((str(log),), str(state))[0] == {str(log): 1}


def test_a_command_that_is_missing_is_told() -> None:
    assert run(["/nowhere/systemctl"])[0] == 127
    assert run(["printf", "a"]) == (0, "a", "")
