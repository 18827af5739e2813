# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible.playbook.task import Task
from ansible_collections.phpops.webhost.plugins.action.site_release import SMALL_BYTES, ActionModule


class Host:
    """What the plugin asked the host for; ``needs`` is what the module answers about the archive."""

    def __init__(self, needs: bool) -> None:
        self.needs, self.calls, self.sent, self.removed = needs, [], [], []  # type: ignore[var-annotated]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that runs the plugin against a host that is played."""

    def run(args: dict[str, Any], needs: bool = True) -> tuple[Host, dict[str, Any]]:
        host = Host(needs)
        shell = SimpleNamespace(tmpdir=None, join_path=lambda *parts: "/".join(parts))
        task = Task()
        task.args, task.async_val, task.action = args, 0, "phpops.webhost.site_release"
        plugin = ActionModule(task, SimpleNamespace(_shell=shell), SimpleNamespace(check_mode=False), None, None, None)

        def call(module_name: str, module_args: dict[str, Any], task_vars: Any) -> dict[str, Any]:
            host.calls.append(module_args)
            return {"needs_archive": host.needs and module_args["source"].get("remote_src") is False}

        def make_folder() -> None:
            shell.tmpdir = "/tmp/ansible"

        monkeypatch.setattr(plugin, "_execute_module", call)
        monkeypatch.setattr(plugin, "_make_tmp_path", make_folder)
        monkeypatch.setattr(plugin, "_transfer_file", lambda here, there: host.sent.append((here, there)))
        monkeypatch.setattr(plugin, "_fixup_perms2", lambda paths: None)
        monkeypatch.setattr(plugin, "_remove_tmp_path", host.removed.append)
        return host, plugin.run(task_vars={})

    return run


def _archive(folder: Path, size: int = 5) -> dict[str, Any]:
    (folder / "a.tar").write_bytes(b"x" * size)
    return {"kind": "archive", "path": f"{folder}/a.tar", "remote_src": False}


def test_an_archive_of_the_host_is_left_to_the_module(play: Any) -> None:
    source = {"kind": "archive", "path": "/srv/a.tar"}
    host, _result = play({"site": "wiki", "source": source})
    assert (host.calls, host.sent) == ([{"site": "wiki", "source": source}], [])
    assert play({"site": "wiki", "source": {"kind": "git"}, "state": "pruned"})[0].sent == []


def test_a_small_archive_is_sent_at_once(play: Any, tmp_path: Path) -> None:
    host, _result = play({"site": "wiki", "source": _archive(tmp_path)})
    assert host.sent == [(f"{tmp_path}/a.tar", "/tmp/ansible/source")]
    assert host.removed == ["/tmp/ansible"]
    source = host.calls[0]["source"]
    assert (source["path"], source["remote_src"], len(host.calls)) == ("/tmp/ansible/source", True, 1)
    assert source["sha256"] == hashlib.sha256(b"xxxxx").hexdigest()


@pytest.mark.parametrize(("needs", "calls", "sent"), [(True, 2, 1), (False, 1, 0)])
def test_a_large_archive_is_sent_when_the_host_needs_it(
    play: Any, tmp_path: Path, needs: bool, calls: int, sent: int
) -> None:
    host, result = play({"site": "wiki", "source": _archive(tmp_path, SMALL_BYTES + 1)}, needs)
    assert (len(host.calls), len(host.sent)) == (calls, sent)
    assert result == {"needs_archive": False}


def test_a_wrong_sum_and_a_missing_archive_are_named_before_anything_is_sent(play: Any, tmp_path: Path) -> None:
    with pytest.raises(AnsibleActionFail, match="not abc as asked"):
        play({"site": "wiki", "source": {**_archive(tmp_path), "sha256": "ABC"}})
    with pytest.raises(AnsibleActionFail, match=r"none\.tar of the controller can't be read: No such file"):
        play({"site": "wiki", "source": {**_archive(tmp_path), "path": f"{tmp_path}/none.tar"}})
