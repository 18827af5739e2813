# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Gathers the OOM facts from the journal or from log files, as a stream: a log of any size costs the same memory."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, List, Sequence, Tuple

from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_log import OomLog, is_telling
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_time import read_since
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_pieces, read_text

# Runs a command, hands its output on piece by piece, and returns its status and what it said on stderr.
# FileNotFoundError when there is no such command. Evaluated at run time, so typing's own names.
Stream = Callable[[List[str], Callable[[bytes], None]], Tuple[int, str]]

_PIECE_BYTES = 128 * 1024
_MOST_LINE = 64 * 1024
_JOURNAL = (
    *("journalctl", "--no-pager", "--quiet", "--all", "--output=json"),
    "--output-fields=MESSAGE,SYSLOG_IDENTIFIER,_TRANSPORT,_HOSTNAME,_SOURCE_MONOTONIC_TIMESTAMP",
)
# All boots, where --dmesg would mean this one; and what systemd says of its units, in the order of time. Any user may
# write under the name of systemd: what journald itself notes of the writer decides (systemd.journal-fields(7)).
_MATCHES = (
    *("_TRANSPORT=kernel", "+", "SYSLOG_IDENTIFIER=systemd", "_PID=1"),
    *("+", "SYSLOG_IDENTIFIER=systemd-oomd", "_SYSTEMD_UNIT=systemd-oomd.service"),
)
_PACKED = (b"\x1f\x8b", b"\xfd7zXZ", b"BZh", b"(\xb5/\xfd")
_JOURNAL_FILE = b"LPKSHHRH"


@dataclass(frozen=True)
class Paths:
    """Where the host's logs are. Of the files the first that is there is read: Debian's syslog has them all."""

    files: tuple[str, ...] = ("/var/log/syslog", "/var/log/messages", "/var/log/kern.log")
    journals: tuple[str, ...] = ("/var/log/journal", "/run/log/journal")
    vmstat: str = "/proc/vmstat"


HOST = Paths()


class Lines:
    """Splits pieces of a log into lines for OomLog; a line without end is kept to its first 64 KiB."""

    def __init__(self, log: OomLog) -> None:
        self._log = log
        self._rest = b""

    def take(self, piece: bytes) -> None:
        """Take the next piece."""
        if len(self._rest) >= _MOST_LINE:
            # The rest of a line that is longer than any of ours.
            end = piece.find(b"\n")
            piece = b"" if end < 0 else piece[end:]
        data = self._rest + piece
        if not self._log.active and not is_telling(data):
            self._rest = data[data.rfind(b"\n") + 1 :][:_MOST_LINE]
            return
        lines = data.split(b"\n")
        self._rest = lines.pop()[:_MOST_LINE]
        feed = self._log.feed
        for line in lines:
            feed(line)

    def end(self) -> None:
        """Take what is left, a last line without its newline."""
        if self._rest:
            self._log.feed(self._rest)
            self._rest = b""


def run_streamed(command: Sequence[str], take: Callable[[bytes], None]) -> tuple[int, str]:
    """Run a command as Stream says; its messages are in English."""
    environment = {**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"}
    with tempfile.TemporaryFile() as errors:
        # run_command would hold a whole journal in memory.
        with subprocess.Popen(  # pylint: disable=ansible-bad-function
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=environment
        ) as process:
            try:
                while True:
                    piece = process.stdout.read1(_PIECE_BYTES) if process.stdout else b""  # type: ignore[attr-defined]
                    if not piece:
                        break
                    take(piece)
            except BaseException:
                process.kill()
                raise
        errors.seek(0)
        return process.returncode, errors.read(4096).decode("utf-8", "replace")


def _journal_is_closed(paths: Paths) -> str | None:
    """Return why the system's journal can't be read; None when it can. journalctl itself would show us our own only."""
    found: list[Path] = []
    for folder in paths.journals:
        try:
            boots = [path for path in Path(folder).iterdir() if path.is_dir()]
        except FileNotFoundError:
            continue
        except OSError:
            boots = [Path(folder)]
        for boot in boots:
            # A folder that we may not look into counts as a journal that we may not read.
            found += boot.glob("system*.journal") if os.access(boot, os.R_OK | os.X_OK) else [boot]
    if not found:
        return "This host keeps no journal."
    if any(os.access(file, os.R_OK) and file.is_file() for file in found):
        return None
    return f"The journal may not be read by the user with id {os.geteuid()}: run the task with become."


def _read_journal(log: OomLog, since: float | None, stream: Stream, paths: Paths) -> str | None:
    """Read the journal; return why it can't be read, or None."""
    reason = _journal_is_closed(paths)
    if reason:
        return reason
    options = [] if since is None else [f"--since=@{int(since)}"]
    lines = Lines(log)
    try:
        status, errors = stream([*_JOURNAL, *options, *_MATCHES], lines.take)
    except FileNotFoundError:
        return "This host has no journalctl."
    lines.end()
    if status == 0:
        return None
    said = (errors.strip() or "no output").splitlines()[0][:300]
    return f"journalctl ended with {status} ({said}): name a log file in path."


def _read_file(path: str, log: OomLog) -> None:
    """Read one file. Raises Unreadable."""
    lines = Lines(log)
    first = True
    for piece in read_pieces(path, _PIECE_BYTES):
        if first and piece.startswith(_PACKED):
            raise Unreadable(path, f"{path} is compressed: unpack it and name the unpacked file.")
        if first and piece.startswith(_JOURNAL_FILE):
            text = f"{path} is a journal in its own format: write it out with journalctl --file={path} --output=json."
            raise Unreadable(path, text)
        first = False
        lines.take(piece)
    lines.end()


def _last_change(path: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(Path(path).stat().st_mtime)
    except (OSError, OverflowError, ValueError):
        return None


def _read_usual(since: float | None, paths: Paths) -> tuple[OomLog, str | None]:
    """Read the first of the usual files that is there, its predecessor first; return why none can be, or None."""
    reasons = []
    for path in paths.files:
        log = OomLog(_last_change(path), since)
        try:
            if Path(f"{path}.1").is_file():
                _read_file(f"{path}.1", log)
            _read_file(path, log)
            return log, None
        except Unreadable as error:
            reasons += [] if error.missing else [error.reason]
    return OomLog(), reasons[0] if reasons else f"This host has none of {', '.join(paths.files)}."


def oom_kill_counter(text: str) -> int | None:
    """Return how many processes the kernel has killed since its start, from /proc/vmstat (Linux 4.13 and later)."""
    for line in text.splitlines():
        name, _blank, value = line.partition(" ")
        if name == "oom_kill" and value.isascii() and value.isdigit() and len(value) < 20:
            return int(value)
    return None


def _counter(paths: Paths) -> int | None:
    try:
        return oom_kill_counter(read_text(paths.vmstat))
    except Unreadable:
        return None


def gather(
    source: str,
    path: str | None,
    since: str | None,
    stream: Stream,
    container: str | None,
    now: datetime,
    page_size: int,
    paths: Paths = HOST,
) -> tuple[dict[str, Any], list[str]]:
    """Return the facts and what to warn of; nothing is raised for a log that can't be read.

    ``source`` is auto, journal or file, ``path`` a file to read instead of the host's own, ``since`` a text for
    read_since (BadSince), ``container`` the kind of container that we are in, ``now`` the host's own time,
    ``page_size`` in bytes for a log that doesn't tell it.
    """
    start = read_since(since, now) if since else None
    log = OomLog(_last_change(path) if path else None, start)
    reason = None
    if path:
        page_size = 4096
        try:
            _read_file(path, log)
        except Unreadable as error:
            reason = error.reason
    else:
        if source != "file":
            reason = _read_journal(log, start, stream, paths)
        if source == "file" or (source == "auto" and reason):
            closed = reason
            log, reason = _read_usual(start, paths)
            reason = f"{closed} {reason}" if closed and reason else reason
    kept = log.finish()
    facts = {
        "available": reason is None,
        "reason": reason,
        **(kept.shown(page_size) if reason is None else {"events": [], "units": []}),
        # The counter is this host's, so it says nothing beside another host's log.
        "oom_kill_counter": None if path else _counter(paths),
    }
    warnings = kept.notes() if reason is None else []
    if container and not path and reason is None:
        warnings.append(
            f"This host is a container ({container}): the kernel's reports are in the log of the machine that it runs "
            "on, and its counter is that machine's. Here only what systemd says can be seen."
        )
    return facts, warnings
