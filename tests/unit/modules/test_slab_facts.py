# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import slab_facts

SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "samples"
SLABINFO = str(SAMPLES / "slabinfo" / "02-hotsos-openstack-5.4.0-97-slub.txt")
MEMINFO = str(SAMPLES / "procmem" / "01-meminfo-hotsos-5.4-ubuntu.txt")


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        slab_facts.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_the_facts_of_a_dump(capsys: pytest.CaptureFixture[str]) -> None:
    answer = run(capsys, path=SLABINFO, meminfo_path=MEMINFO, top=2, page_size=4096)
    found = answer["ansible_facts"]["phpops_slab"]
    assert (answer["changed"], found["available"], found["cache_count"]) == (False, True, 223)
    assert [cache["name"] for cache in found["caches"]] == ["ext4_inode_cache", "buffer_head"]
    assert found["dentry"]["objects"] == 445494
    assert found["reclaimable_bytes"] == 173756 * 1024


def test_the_page_size_is_the_hosts_unless_given(capsys: pytest.CaptureFixture[str]) -> None:
    found = [run(capsys, path=SLABINFO, page_size=size)["ansible_facts"]["phpops_slab"] for size in (4096, 65536)]
    assert found[1]["total_bytes"] == 16 * found[0]["total_bytes"]


def test_a_file_that_is_not_there_does_not_fail(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer = run(capsys, path=str(tmp_path / "none"), _ansible_check_mode=True)
    assert "failed" not in answer
    assert answer["ansible_facts"]["phpops_slab"]["available"] is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top": -1}, "top is -1: give a number of caches, or 0 for all."),
        ({"page_size": 4097000}, "page_size is 4097000: give the bytes of one page, such as 4096."),
    ],
)
def test_a_wrong_option_is_named(capsys: pytest.CaptureFixture[str], options: dict[str, Any], message: str) -> None:
    assert run(capsys, **options)["msg"] == message
