# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_catalogue import PROBES
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_settings import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._host.host_timer import Placed
from ansible_collections.phpops.webhost.plugins.module_utils._host.metrics_timer import Exported
from ansible_collections.phpops.webhost.plugins.modules import metrics_exporter

EFFECT = {"timer": "t.timer", "active": True, "enabled": True, "last_result": "success", "last_run": "today"}
LAST = {"series": 7, "probes": [{"probe": "slab", "success": False, "reason": "closed"}]}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the module and returns (what it printed, what it asked for)."""
    asked: list[Any] = []

    def change(_run: Any, program: str, chosen: Settings, check_mode: bool) -> Exported:
        asked.append((program, chosen, check_mode))
        if chosen.textfile_directory == "/missing":
            raise StepFailed("There is no folder /missing.")
        return Exported(Placed(True, [{"before": "", "after": "x"}], EFFECT), None if check_mode else LAST, "/p")

    monkeypatch.setattr(metrics_exporter, "refusal", lambda: None)
    monkeypatch.setattr(metrics_exporter, "present", change)
    monkeypatch.setattr(metrics_exporter, "absent", change)

    def start(**arguments: Any) -> Any:
        with patch_module_args(arguments), pytest.raises(SystemExit):
            metrics_exporter.main()
        return json.loads(capsys.readouterr().out), asked

    return start


def test_without_options_the_defaults_are_the_exporters_own(run: Any) -> None:
    answer, asked = run()
    assert asked == [("/usr/local/lib/phpops/metrics.pyz", Settings(), False)]
    assert (answer["changed"], answer["series"], answer["probes"]) == (True, 7, LAST["probes"])
    assert answer["summary"][1] == "/p: 7 series from 1 probes; failed: slab (closed)"


def test_options_become_settings(run: Any) -> None:
    answer, asked = run(interval_seconds=30, probes=["slab"], opcache_folders=["/srv/x"], _ansible_check_mode=True)
    ((_program, chosen, check_mode),) = asked
    assert (chosen.interval_seconds, chosen.probes, chosen.opcache_folders) == (30, ("slab",), ("/srv/x",))
    assert check_mode
    assert (answer["series"], answer["probes"]) == (None, [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"interval_seconds": 4}, "interval_seconds is 4; give at least 15"),
        ({"probe_timeout_seconds": 0}, "probe_timeout_seconds is 0"),
        ({"probes": []}, "probes is ; give each once"),
        ({"probes": ["cpu"]}, "value of probes must be one or more of"),
        ({"textfile_directory": "/missing"}, "There is no folder /missing."),
    ],
)
def test_options_that_can_not_be_used_are_refused(run: Any, arguments: dict[str, Any], said: str) -> None:
    assert said in run(**arguments)[0]["msg"]


def test_another_system_is_refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_exporter, "refusal", lambda: "This host runs Plan 9.")
    assert run()[0]["msg"] == "This host runs Plan 9."


def test_module_and_role_have_every_setting_and_its_default() -> None:
    documented = yaml.safe_load(metrics_exporter.DOCUMENTATION)["options"]
    role = Path(__file__).resolve().parents[3] / "roles" / "metrics" / "meta" / "argument_specs.yml"
    options = yaml.safe_load(role.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]
    for name, field in Settings.__dataclass_fields__.items():
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        assert options[f"metrics_{name}"]["default"] == default
        assert documented[name].get("default", list(PROBES)) == default
