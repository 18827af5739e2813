# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import memory_budget_info

MIB = 1024 * 1024


@pytest.fixture
def proc(tmp_path: Path) -> str:
    """A simulated OpenVZ container: 1 GiB of shmpages, 10 GiB of RAM, nothing runs."""
    (tmp_path / "meminfo").write_text("MemTotal: 10485760 kB\nMemAvailable: 9437184 kB\n")
    row = "{:>12} {:>20} {:>20} {:>20} {:>20} {:>20} {:>20}\n"
    header = row.format("uid", "resource", "held", "maxheld", "barrier", "limit", "failcnt")
    rows = [row.format("101:", "kmemsize", 1, 1, 99, 99, 0), row.format("", "shmpages", 25600, 1, 262144, 262144, 0)]
    (tmp_path / "user_beancounters").write_text("Version: 2.5\n" + header + "".join(rows))
    return str(tmp_path)


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        memory_budget_info.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_twenty_sites_are_refused_with_a_way_out(capsys: pytest.CaptureFixture[str], proc: str, tmp_path: Path) -> None:
    sites = [{"name": f"site{number}", "segment_bytes": 64 * MIB} for number in range(20)]
    options = {"proc_path": proc, "reservations_path": str(tmp_path / "none")}
    answer = run(capsys, sites=sites, **options)
    documented = yaml.safe_load(memory_budget_info.RETURN)
    assert set(answer) - {"changed", "invocation"} == set(documented)
    for key in ("lines", "limits", "ways_out"):
        assert set(answer[key][0]) == set(documented[key]["contains"])
    assert (answer["fits"], answer["short_bytes"]) == (False, 356 * MIB)
    smaller = answer["ways_out"][0]["sites"]
    cured = [{**site, **smaller.get(site["name"], {})} for site in sites]
    assert run(capsys, sites=cured, **options)["fits"] is True


def test_a_negative_size_is_one_sentence(capsys: pytest.CaptureFixture[str], proc: str) -> None:
    answer = run(capsys, proc_path=proc, sites=[{"name": "wiki", "segment_bytes": -5}])
    assert answer["failed"] is True
    assert answer["msg"] == "sites: segment_bytes of wiki is -5: give 0 or more."
