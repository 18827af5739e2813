# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.modules import site_lease


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return a function that runs the module and returns what it printed."""
    monkeypatch.setattr(site_lease, "refusal", lambda: None)
    monkeypatch.setattr(site_lease, "serves", lambda pointer: [f"/etc/nginx/nginx.conf:3 of {pointer}"])
    monkeypatch.setattr(site_lease, "LAYOUT", Layout(run=str(tmp_path)))

    def start(**arguments: Any) -> Any:
        with patch_module_args({"site": "wiki", "deploy_id": "d1", **arguments}), pytest.raises(SystemExit):
            site_lease.main()
        return json.loads(capsys.readouterr().out)

    return start


def test_a_lease_is_taken_renewed_and_released(run: Any, tmp_path: Path) -> None:
    taken = run(holder="alice", action="roll")
    assert taken["served_by"] == ["/etc/nginx/nginx.conf:3 of /var/lib/phpops/wiki/ptr/live"]
    assert (taken["changed"], taken["holder"], taken["taken_over"], taken["waited_seconds"]) == (True, "alice", None, 0)
    assert json.loads((tmp_path / "lease" / "wiki.json").read_text())["action"] == "roll"
    assert run(holder="alice")["changed"] is False
    other = run(deploy_id="d2", state="released")
    assert (other["changed"], other["holder"]) == (False, "alice")
    released = run(state="released")
    assert (released["changed"], released["holder"]) == (True, "")
    assert run(state="released")["changed"] is False


def test_a_slice_of_a_wait_says_what_it_waits_for(run: Any) -> None:
    run(holder="alice")
    waiting = run(deploy_id="d2", slice_seconds=0.1)
    assert (waiting["pending"], waiting["changed"], waiting["carry"]["deploy_id"]) == (True, False, "d1")
    assert waiting["progress"].startswith("wiki: waiting for alice (deploy d1, step lease) to go on, or for its lease")
    run(state="released")
    taken = run(deploy_id="d2", slice_seconds=0.1, carry=waiting["carry"])
    assert (taken["pending"], taken["changed"], taken["progress"]) == (False, True, "")


def test_check_mode_takes_nothing_and_names_another_holder(run: Any, tmp_path: Path) -> None:
    assert run(_ansible_check_mode=True)["changed"] is True
    assert not (tmp_path / "lease").exists()
    run(holder="alice")
    failed = run(deploy_id="d2", _ansible_check_mode=True)
    assert failed["failed"] is True
    assert "by alice (step lease" in failed["msg"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [({"site": "../x"}, "'../x'"), ({"deploy_id": "a b"}, "'a b'"), ({"seconds": 0}, "0 seconds")],
)
def test_what_is_no_use_is_refused(run: Any, arguments: dict[str, Any], said: str) -> None:
    assert said in run(**arguments)["msg"]


def test_another_system_is_refused(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_lease, "refusal", lambda: "This host runs Plan 9.")
    assert run()["msg"] == "This host runs Plan 9."


@pytest.mark.parametrize("state", ["taken", "released"])
def test_a_lock_that_can_not_be_made_is_one_sentence(run: Any, tmp_path: Path, state: str) -> None:
    run()
    lock = Path(Layout(run=str(tmp_path)).lock("wiki"))
    lock.unlink()
    lock.symlink_to("elsewhere")
    told = run(state=state)["msg"]
    assert told == (
        f"The lease of site wiki could not be changed: [Errno 40] Too many levels of symbolic links: '{lock}'."
    )
