# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._core import opcache_report
from ansible_collections.phpops.webhost.plugins.module_utils._host import opcache_facts as host
from ansible_collections.phpops.webhost.plugins.modules import opcache_facts

CONTAINS = yaml.safe_load(opcache_facts.RETURN)["ansible_facts"]["contains"]["phpops_opcache"]["contains"]


def run(capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    with patch_module_args(options), pytest.raises(SystemExit):
        opcache_facts.main()
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_a_socket_of_nobody_is_no_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(opcache_facts, "Options", partial(host.Options, lock=str(tmp_path / "lock")))
    answer = run(capsys, sockets=["/nowhere.sock"], timeout_seconds=1, _ansible_check_mode=True)
    facts = answer["ansible_facts"]["phpops_opcache"]
    assert (answer["changed"], facts["available"]) == (False, False)
    assert facts["reason"].startswith("1 of 1 masters could not be asked: No PHP-FPM master of this host listens on")
    assert set(facts) == set(CONTAINS)
    # The sanity tests forbid to document the name of a method of dict as a key: the text has it.
    assert "C(keys) of a master" in CONTAINS["masters"]["description"][1]
    documented = {**CONTAINS["masters"]["contains"], "keys": {}}
    (master,) = facts["masters"]
    assert set(master) == set(documented)
    assert set(master["fpm"]) == set(documented["fpm"]["contains"])
    assert set(opcache_report.EMPTY) <= set(documented)


def test_options_reach_the_host(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(opcache_facts, "opcache_facts", lambda options: seen.append(options) or {})
    run(capsys, sockets=["127.0.0.1:9000"], probe_folders=["/srv/x"], timeout_seconds=2.5)
    run(capsys)
    assert seen == [
        host.Options(sockets=["127.0.0.1:9000"], probe_folders=["/srv/x"], timeout_seconds=2.5),
        host.Options(),
    ]


@pytest.mark.parametrize("seconds", [0, -1, 601])
def test_a_bound_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], seconds: float) -> None:
    assert "timeout_seconds is" in run(capsys, timeout_seconds=seconds)["msg"]
