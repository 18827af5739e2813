# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import gzip
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_log import OomLog
from ansible_collections.phpops.webhost.plugins.module_utils._host import oom
from ansible_collections.phpops.webhost.tests.unit._core.oom_fixture import KILLED, report

NOW = datetime(2025, 8, 12, 14, 30)


class Journal:
    """Plays journalctl: hands its bytes on in odd pieces, and keeps the commands."""

    def __init__(self, content: str = "", status: int = 0, errors: str = "") -> None:
        self.commands: list[list[str]] = []
        self.content, self.status, self.errors = content.encode(), status, errors

    def __call__(self, command: list[str], take: Callable[[bytes], None]) -> tuple[int, str]:
        self.commands.append(command)
        for start in range(0, len(self.content), 97):
            take(self.content[start : start + 97])
        return self.status, self.errors


def no_journalctl(command: list[str], take: Callable[[bytes], None]) -> tuple[int, str]:
    raise FileNotFoundError(command[0])


@pytest.fixture
def paths(tmp_path: Path) -> oom.Paths:
    """A host with a journal, a syslog and a counter."""
    folder = tmp_path / "journal" / "0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / "system.journal").write_bytes(b"LPKSHHRH")
    (tmp_path / "vmstat").write_text("nr_free_pages 5\noom_kill 20\noom_kill_other 3\n")
    names = ("syslog", "messages", "kern.log")
    return oom.Paths(
        tuple(str(tmp_path / name) for name in names),
        (str(tmp_path / "none"), str(tmp_path / "journal")),
        str(tmp_path / "vmstat"),
    )


def syslog(path: str, pid: int, stamp: str = "Aug 12 03:54:03", modified: datetime = NOW) -> None:
    Path(path).write_text("".join(f"{stamp} web1 kernel: {line}\n" for line in report(pid)))
    os.utime(path, (modified.timestamp(), modified.timestamp()))


def entries(pid: int) -> str:
    lines = [{"MESSAGE": line, "_TRANSPORT": "kernel", "SYSLOG_IDENTIFIER": "kernel"} for line in report(pid)]
    lines.append({"MESSAGE": f"php8.2-fpm.service: {KILLED}", "_TRANSPORT": "journal", "SYSLOG_IDENTIFIER": "systemd"})
    stamp = {"__REALTIME_TIMESTAMP": "1754963643123456", "_HOSTNAME": "web1"}
    return "".join(json.dumps({**line, **stamp}) + "\n" for line in lines)


def facts(paths: oom.Paths, source: str = "auto", stream: oom.Stream = no_journalctl, **options: Any) -> dict[str, Any]:
    found, warnings = oom.gather(
        source, options.get("path"), options.get("since"), stream, options.get("container"), NOW, 4096, paths
    )
    assert list(found) == ["available", "reason", "events", "units", "oom_kill_counter"]
    return {**found, "warnings": warnings}


def pids(found: dict[str, Any]) -> list[int]:
    return [event["victim"]["pid"] for event in found["events"]]


def test_one_call_gives_the_kernels_lines_and_systemds(paths: oom.Paths) -> None:
    journal = Journal(entries(4711))
    found = facts(paths, stream=journal, since="-1d")
    assert (found["available"], found["reason"], pids(found), found["warnings"]) == (True, None, [4711], [])
    assert found["events"][0]["time"] == "2025-08-12T01:54:03.123456+00:00"
    assert found["units"] == [{"unit": "php8.2-fpm.service", "result": None, "count": 1}]
    assert found["oom_kill_counter"] == 20
    (command,) = journal.commands
    since = int(datetime(2025, 8, 11, 14, 30).timestamp())
    assert command[0] == "journalctl"
    assert f"--since=@{since}" in command
    # Fields with _ are the journal's own: any user may call himself systemd, but not process 1.
    assert " ".join(command).endswith(
        " _TRANSPORT=kernel + SYSLOG_IDENTIFIER=systemd _PID=1"
        " + SYSLOG_IDENTIFIER=systemd-oomd _SYSTEMD_UNIT=systemd-oomd.service"
    )
    # That would be this boot only.
    assert "--dmesg" not in command


def test_auto_takes_the_journal_before_the_files(paths: oom.Paths) -> None:
    syslog(paths.files[0], 815)
    assert pids(facts(paths, stream=Journal(entries(4711)))) == [4711]


def test_auto_takes_the_files_without_a_journal(paths: oom.Paths) -> None:
    syslog(paths.files[1], 815)
    syslog(paths.files[2], 816)
    found = facts(paths)
    assert (found["available"], found["reason"], pids(found)) == (True, None, [815])
    assert found["events"][0]["time"] == "2025-08-12T03:54:03"


def test_the_file_rotated_before_it_comes_first(paths: oom.Paths) -> None:
    syslog(paths.files[0], 815)
    syslog(paths.files[0] + ".1", 814, "Aug 11 03:54:03")
    assert pids(facts(paths, "file")) == [814, 815]
    assert pids(facts(paths, "file", since="2025-08-12")) == [815]


def test_a_year_is_that_before_the_last_change(paths: oom.Paths) -> None:
    syslog(paths.files[0], 815, "Dec 30 03:54:03", datetime(2025, 1, 2))
    (event,) = facts(paths, "file")["events"]
    assert event["time"] == "2024-12-30T03:54:03"


def test_without_any_log_the_reasons_are_told(paths: oom.Paths) -> None:
    found = facts(paths)
    assert found == {
        "available": False,
        "reason": f"This host has no journalctl. This host has none of {', '.join(paths.files)}.",
        "events": [],
        "units": [],
        "oom_kill_counter": 20,
        "warnings": [],
    }
    assert facts(paths, "journal")["reason"] == "This host has no journalctl."
    assert facts(paths, "file")["reason"] == f"This host has none of {', '.join(paths.files)}."


def test_a_host_without_a_journal_says_so(paths: oom.Paths, tmp_path: Path) -> None:
    empty = oom.Paths(paths.files, (str(tmp_path / "none"),), paths.vmstat)
    assert facts(empty, "journal", Journal(entries(1)))["reason"] == "This host keeps no journal."


def test_a_closed_journal_is_not_taken_for_an_empty_one(paths: oom.Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "access", lambda *_: False)
    journal = Journal()
    found = facts(paths, "journal", journal)
    wanted = "The journal may not be read by the user with id 1000: run the task with become."
    assert (found["available"], found["reason"], journal.commands) == (False, wanted, [])


def test_a_closed_file_names_become(paths: oom.Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    syslog(paths.files[0], 815)

    def closed(*_arguments: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "open", closed)
    wanted = f"{paths.files[0]} may not be read by the user with id 1000: run the task with become."
    assert facts(paths, "file")["reason"] == wanted


def test_a_journalctl_that_fails_is_told(paths: oom.Paths) -> None:
    found = facts(paths, "journal", Journal(entries(1)[:50], 1, "Failed to open: Bad message\nmore\n"))
    assert found["reason"] == "journalctl ended with 1 (Failed to open: Bad message): name a log file in path."
    assert found["events"] == []
    # What it said before it failed does not stand beside the files' events.
    syslog(paths.files[0], 815)
    assert pids(facts(paths, "auto", Journal(entries(1), 1))) == [815]


def test_a_path_alone_is_a_file_of_any_host(paths: oom.Paths, tmp_path: Path) -> None:
    syslog(str(tmp_path / "dump"), 99)
    journal = Journal(entries(4711))
    found = facts(paths, "auto", journal, path=str(tmp_path / "dump"), container="podman")
    assert (pids(found), found["oom_kill_counter"], found["warnings"], journal.commands) == ([99], None, [], [])


def test_what_journalctl_wrote_as_json_is_a_log_too(paths: oom.Paths, tmp_path: Path) -> None:
    (tmp_path / "dump").write_text(entries(4711))
    assert facts(paths, path=str(tmp_path / "dump"))["events"][0]["unit"] == "php8.2-fpm.service"


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (gzip.compress(b"x", mtime=0), "is compressed: unpack it and name the unpacked file."),
        (b"LPKSHHRH\0\0", "is a journal in its own format: write it out with journalctl --file="),
    ],
)
def test_a_file_that_is_no_text_is_refused(paths: oom.Paths, tmp_path: Path, content: bytes, wanted: str) -> None:
    (tmp_path / "dump").write_bytes(content)
    found = facts(paths, path=str(tmp_path / "dump"))
    assert not found["available"]
    assert found["reason"].startswith(f"{tmp_path}/dump {wanted}")


def test_a_file_that_is_not_there_is_named(paths: oom.Paths) -> None:
    assert facts(paths, path="/none/log")["reason"] == "There is no file /none/log on this host."


def test_a_container_is_warned_about(paths: oom.Paths) -> None:
    (warning,) = facts(paths, stream=Journal(), container="podman")["warnings"]
    assert warning.startswith("This host is a container (podman): the kernel's reports are in the log of the machine")


@pytest.mark.parametrize(
    ("text", "count"), [("oom_kill 0\n", 0), ("nr 1\noom_kill 7", 7), ("nr 1\n", None), ("oom_kill x\n", None)]
)
def test_the_counter_is_one_line_of_vmstat(text: str, count: int | None) -> None:
    assert oom.oom_kill_counter(text) == count


@pytest.mark.parametrize("size", [101, 1000, 10**6])
def test_pieces_of_any_size_give_the_same_lines(size: int) -> None:
    raw = "\n".join(["nothing " * 20] * 5 + report(4711) + ["x" * 90_000] + report(815)).encode()
    log = OomLog()
    lines = oom.Lines(log)
    for start in range(0, len(raw), size):
        lines.take(raw[start : start + size])
    lines.end()
    found = log.finish().shown(4096)["events"]
    assert [event["victim"]["pid"] for event in found] == [4711, 815]


def test_a_real_command_is_read_to_its_end() -> None:
    pieces: list[bytes] = []
    code = "import sys; print('a' * 300000); print('why', file=sys.stderr); sys.exit(3)"
    assert oom.run_streamed([sys.executable, "-c", code], pieces.append) == (3, "why\n")
    assert b"".join(pieces) == b"a" * 300000 + b"\n"
    with pytest.raises(FileNotFoundError):
        oom.run_streamed(["/none/journalctl"], pieces.append)


def test_a_reader_that_fails_leaves_no_command_behind() -> None:
    def fails(_piece: bytes) -> None:
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        oom.run_streamed([sys.executable, "-c", "while True: print('a' * 1000)"], fails)
