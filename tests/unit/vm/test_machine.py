# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test hosts in QEMU: what must not go wrong with one that was left, and what is said of one that stays down."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time

import pytest
from ansible_collections.phpops.webhost.molecule.shared.vm import machine as vm
from ansible_collections.phpops.webhost.molecule.shared.vm.machine import Machine, MachineError


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with a folder and no QEMU."""
    monkeypatch.setattr(vm, "VM", tmp_path)
    monkeypatch.setattr(vm, "HOSTS", tmp_path)
    machine = Machine("host-debian12")
    machine.folder.mkdir()
    return machine


def sleeper(*words):
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", *words])


def test_a_process_that_got_the_id_of_an_ended_qemu_is_left_alone(machine):
    with sleeper() as other:
        (machine.folder / "pid").write_text(f"{other.pid}\n")
        assert machine.pid() is None
        machine.remove()
        assert other.poll() is None
        other.kill()
    assert not machine.folder.exists()


def test_what_a_killed_run_left_is_stopped_and_removed(machine):
    with sleeper(f"file={machine.folder}/disk.qcow2") as qemu:
        # Its parent must take note of its end, as init does of a real one's.
        threading.Thread(target=qemu.wait).start()
        (machine.folder / "pid").write_text(f"{qemu.pid}\n")
        assert machine.pid() == qemu.pid
        machine.remove()
        assert qemu.wait(5) == -9
    assert not machine.folder.exists()


def test_one_without_qemu_fails_at_once_and_shows_its_console(machine):
    (machine.folder / "port").write_text("1")
    lines = [f"line {number}" for number in range(100)]
    (machine.folder / "console.log").write_text("\n".join(lines))
    started = time.monotonic()
    with pytest.raises(MachineError, match=r"QEMU does not run\.\n.*\nline 60\n") as failed:
        machine.wait(60)
    assert str(failed.value).endswith("\nline 99")
    assert time.monotonic() - started < 50


def test_one_that_was_never_started_says_so(machine):
    with pytest.raises(MachineError, match="host-debian12 was not started"):
        machine.wait(60)


def test_a_missing_image_names_the_cure(machine, tmp_path):
    with pytest.raises(MachineError, match="run make images"):
        machine.start(tmp_path / "images" / "bookworm")


@pytest.mark.parametrize(
    ("written", "expected"), [(None, "tcg"), ("", "tcg"), ("kvm 6.1 abc", "kvm"), ("tcg 6.1", "tcg"), ("xen", "tcg")]
)
def test_only_what_was_found_to_work_is_used(machine, tmp_path, written, expected):
    if written is not None:
        (tmp_path / "accelerator").write_text(written)
    assert vm.accelerator() == expected


def test_an_event_between_request_and_answer_is_no_answer(machine):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(machine.folder / "qmp"))
        server.listen()

        def serve():
            connection, _address = server.accept()
            with connection, connection.makefile("rw") as stream:
                for answers in ([{"QMP": {}}], [{"return": {}}], [{"event": "RESET"}, {"error": {"desc": "unknown"}}]):
                    if "QMP" not in answers[0]:
                        stream.readline()
                    stream.writelines(json.dumps(answer) + "\n" for answer in answers)
                    stream.flush()

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(MachineError, match="system_rest: unknown"):
            machine.qmp("system_rest")
        thread.join(10)
