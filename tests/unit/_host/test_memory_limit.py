# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits by a slot flip, on a host that is played."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._host.memory_limit import RECORD, bring, effect
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot import Settings
from ansible_collections.phpops.webhost.tests.unit._host.played_host import Fleet, fleet

__all__ = ["fleet"]

MIB = 1 << 20
PAGE = os.sysconf("SC_PAGE_SIZE")


def limit(fleet: Fleet, state: str = "present", most: int | None = None, **settings: Any) -> dict[str, Any]:
    values = {"drain_timeout_seconds": 0.2, "start_timeout_seconds": 0.3, **settings}
    everywhere = {"memory_high_bytes": None, "memory_max_bytes": most}
    return bring(fleet.host.run, state, everywhere, [], Settings(**values), True, fleet.layout)


def drop_ins(fleet: Fleet) -> str:
    return "\n".join(path.read_text() for path in Path(fleet.layout.units).glob("*/10-phpops.conf"))


def stored(fleet: Fleet) -> Any:
    return json.loads(Path(fleet.layout.stored_spec("wiki")).read_text())["memory_max_bytes"]


def test_a_limit_comes_by_a_flip_and_goes_by_another(fleet: Fleet) -> None:
    fleet.first()
    result = limit(fleet, most=512 * MIB)
    assert (result["changed"], result["failed"], result["sites"][0]["flipped"]) == (True, False, True)
    assert f"MemoryMax={512 * MIB}" in drop_ins(fleet)
    assert not limit(fleet, most=512 * MIB)["changed"]
    back = limit(fleet, "absent")
    assert (back["changed"], stored(fleet)) == (True, None)
    assert not (Path(fleet.layout.state) / RECORD).exists()
    assert not limit(fleet, "absent")["changed"]


def test_absent_gives_back_the_limit_that_the_site_had(fleet: Fleet) -> None:
    fleet.run(options={**fleet.new(), "memory_max_bytes": 256 * MIB})
    limit(fleet, most=512 * MIB)
    limit(fleet, most=768 * MIB)
    limit(fleet, "absent")
    assert stored(fleet) == 256 * MIB


def test_zero_takes_a_limit_away(fleet: Fleet) -> None:
    fleet.run(options={**fleet.new(), "memory_max_bytes": 256 * MIB})
    assert limit(fleet, most=0)["changed"]
    assert stored(fleet) is None


def test_check_mode_says_what_would_flip_and_leaves_no_record(fleet: Fleet) -> None:
    fleet.first()
    before = fleet.tree()
    assert limit(fleet, most=512 * MIB, check_mode=True)["changed"]
    assert fleet.tree() == before


def test_a_flip_that_failed_is_tried_again_and_the_first_limit_is_kept(fleet: Fleet) -> None:
    fleet.first()
    fleet.host.broken.add("start")
    assert limit(fleet, most=512 * MIB)["failed"]
    fleet.host.broken.clear()
    assert not limit(fleet, most=512 * MIB)["failed"]
    limit(fleet, "absent")
    assert stored(fleet) is None


def test_a_record_that_can_not_be_read_is_named(fleet: Fleet) -> None:
    fleet.first()
    (Path(fleet.layout.state) / RECORD).write_text("[1]")
    with pytest.raises(StepFailed, match=RECORD):
        limit(fleet, most=512 * MIB)


@pytest.mark.parametrize(
    ("group", "files", "in_force", "said"),
    [
        ("/x", {"memory.high": "max", "memory.max": str(100 * MIB), "memory.current": "5"}, True, ""),
        ("/x", {"memory.high": "max", "memory.max": "max"}, False, "other limits"),
        ("/x", {}, False, "no cgroup v2"),
        ("", {}, False, "does not run"),
    ],
)
def test_whether_the_kernel_keeps_a_limit_is_read_back(
    fleet: Fleet, tmp_path: Path, group: str, files: dict[str, str], in_force: bool, said: str
) -> None:
    fleet.first()
    (tmp_path / "cg" / "x").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "cg" / "x" / name).write_text(text + "\n")

    def run(_words: list[str]) -> tuple[int, str, str]:
        return 0, f"MemoryHigh=infinity\nMemoryMax={100 * MIB}\nControlGroup={group}\n", ""

    found = effect(run, "wiki", fleet.layout, str(tmp_path / "cg"))
    assert (found["memory_high_bytes"], found["memory_max_bytes"]) == (None, 100 * MIB)
    assert found["in_force"] is in_force
    assert said in found["reason"]
    assert found["used_bytes"] == (5 if "memory.current" in files else None)


@pytest.mark.parametrize(("kernel", "in_force"), [(10**9 // PAGE * PAGE, True), (10**9 // PAGE * PAGE - PAGE, False)])
def test_the_kernel_counts_a_limit_in_pages(fleet: Fleet, tmp_path: Path, kernel: int, in_force: bool) -> None:
    fleet.first()
    (tmp_path / "x").mkdir()
    (tmp_path / "x/memory.max").write_text(f"{kernel}\n")

    def run(_words: list[str]) -> tuple[int, str, str]:
        return 0, f"MemoryHigh=infinity\nMemoryMax={10**9}\nControlGroup=/x\n", ""

    assert effect(run, "wiki", fleet.layout, str(tmp_path))["in_force"] is in_force
