# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.queues import Worker
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import slot_master
from ansible_collections.phpops.webhost.plugins.module_utils._host.fastcgi import FastCgiError
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_master import Master, prove_that_queues_show


def real(words: list[str]) -> tuple[int, str, str]:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_this_machine_shows_its_queues() -> None:
    prove_that_queues_show(real)


@pytest.mark.parametrize(
    ("answer", "match"),
    [
        ((0, "", ""), "shows None waiting connections on a socket that has 2"),
        ((127, "", "not found"), r"ended with 127 \(not found\); its package is iproute2"),
    ],
)
def test_a_host_that_hides_queues_is_refused(answer: tuple[int, str, str], match: str) -> None:
    with pytest.raises(StepFailed, match=match):
        prove_that_queues_show(lambda words: answer)


def test_no_row_is_an_error_and_never_zero(tmp_path: Path) -> None:
    layout = Layout(run=str(tmp_path))
    with pytest.raises(StepFailed, match="shows no listening socket"):
        Master(lambda words: (0, "", ""), "wiki", "blue", layout).queue()


@pytest.mark.parametrize(("missed", "told"), [(1, True), (2, False)])
def test_a_status_that_is_missed_once_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, missed: int, told: bool
) -> None:
    answers: list[object] = [FastCgiError("no whole answer")] * missed

    def request(*_arguments: object, **_options: object) -> SimpleNamespace:
        if answers:
            raise answers.pop()  # type: ignore[misc]
        return SimpleNamespace(body=b'{"active processes": 1, "total processes": 2, "accepted conn": 3}')

    monkeypatch.setattr(slot_master, "request", request)
    master = Master(lambda words: (0, "", ""), "wiki", "blue", Layout())
    if told:
        assert master.status().total == 2
    else:
        with pytest.raises(StepFailed, match="does not tell its status: no whole answer"):
            master.status()


def test_the_queue_is_read_from_the_resolved_path(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "run")
    layout = Layout(run=str(tmp_path / "link"))
    row = f"u_str LISTEN 3 511 {tmp_path.resolve()}/run/wiki-blue/php.sock 1 * 0\n"
    assert Master(lambda words: (0, row, ""), "wiki", "blue", layout).queue() == 3


@pytest.mark.parametrize(
    ("state", "match"),
    [
        ("ActiveState=failed\nExecMainStatus=226", "CAP_SYS_ADMIN"),
        ("ActiveState=activating\nSubState=auto-restart\nExecMainStatus=78\nResult=exit-code", "status 78.*ERROR: no"),
        ("ActiveState=activating\nNRestarts=2", "did not start"),
        ("ActiveState=activating\nNRestarts=0", "not ready after 0.1 s"),
    ],
)
def test_a_master_that_does_not_start_is_told_at_once(state: str, match: str) -> None:
    def run(words: list[str]) -> tuple[int, str, str]:
        if "show" in words:
            return 0, "NRestarts=0\n" + state + "\n", ""
        return 0, "ERROR: no\n" if words[0] == "journalctl" else "", ""

    with pytest.raises(StepFailed, match=match):
        Master(run, "wiki", "blue", Layout()).start(0.1)


def test_a_missing_namespace_is_seen_when_the_first_command_of_the_unit_meets_it() -> None:
    def run(words: list[str]) -> tuple[int, str, str]:
        if "show" in words:
            return 0, "ActiveState=failed\nNRestarts=0\nExecMainStatus=0\nResult=exit-code\n", ""
        log = "x.service: Control process exited, code=exited, status=226/NAMESPACE\n"
        return 0, log if words[0] == "journalctl" else "", ""

    with pytest.raises(StepFailed, match="a container needs CAP_SYS_ADMIN"):
        Master(run, "wiki", "blue", Layout()).start(0.1)


def test_only_the_masters_own_workers_are_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The status comes from a socket of the site's user, who may name processes of root in it."""
    killed: list[int] = []
    monkeypatch.setattr(slot_master, "os", SimpleNamespace(kill=lambda pid, signal: killed.append(pid)))
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            workers = [Worker(pid, "/s.php", 1.0) for pid in (-1, 0, 1, os.getpid(), 2**80, child.pid)]
            run = Master(lambda words: (0, f"MainPID={os.getpid()}\n", ""), "wiki", "blue", Layout())
            assert [entry["pid"] for entry in run._kill(workers)] == killed == [child.pid]
        finally:
            child.terminate()


def test_a_drain_ends_although_no_worker_that_the_status_names_may_be_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site whose status names processes of others for ever must not keep a deploy waiting."""
    monkeypatch.setattr(slot_master, "KILLED_SECONDS", 0.0)
    master = Master(lambda words: (0, f"MainPID={os.getpid()}\n", ""), "wiki", "blue", Layout())
    status = SimpleNamespace(active=1, workers=[Worker(1, "/s.php", 1.0)])
    monkeypatch.setattr(master, "prove_that_queues_show", lambda: None)
    monkeypatch.setattr(master, "queue", lambda: 0)
    looks: list[int] = []

    def look() -> SimpleNamespace:
        looks.append(1)
        assert len(looks) < 20, "the drain never ends"
        return status

    monkeypatch.setattr(master, "status", look)
    found = master.drain(0.0, kill_stuck=True)
    assert (found["finished"], found["killed"], [worker["pid"] for worker in found["stuck"]]) == (False, [], [1])
