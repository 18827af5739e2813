# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Checks and reloads Apache without losing its parent process."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import ssl
import tempfile
import time
from pathlib import Path
from typing import Callable, Collection, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import (
    Directive,
    parse_config_dump,
    parse_modules,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.config_lines import moved_includes
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache import ENVIRONMENT

# (words, variables to add) -> (status, stdout, stderr)
RunWith = Callable[[List[str], Dict[str, str]], Tuple[int, str, str]]
MaybeText = Optional[str]

INFO_MODULE = "/usr/lib/apache2/modules/mod_info.so"


class ApacheError(Exception):
    """Apache refused a configuration or did not survive a reload; one sentence."""


class Apache:
    """One host's Apache, by apache2ctl. Times are seconds; names are what the kernel calls its processes."""

    names = ("apache2",)

    def __init__(
        self,
        run: RunWith,
        config_root: str = "/etc/apache2",
        pid_file: str = "/run/apache2/apache2.pid",
        kill: Callable[[int, int], None] = os.kill,
    ):
        self._run = run
        self._kill = kill
        self.config_root = config_root
        self.pid_file = pid_file

    def _ctl(self, words: list[str], config_root: MaybeText = None) -> tuple[int, str, str]:
        environment = {**ENVIRONMENT, "APACHE_CONFDIR": config_root} if config_root else dict(ENVIRONMENT)
        return self._run(["apache2ctl", *words], environment)

    def complaint(self, config_root: MaybeText = None) -> MaybeText:
        """Return None when `apache2ctl -t` passes, else what Apache says, on one line."""
        status, out, err = self._ctl(["-t"], config_root)
        if status == 0:
            return None
        lines = [line.strip() for line in (err + "\n" + out).splitlines()]
        noise = ("AH00558", "Action '-t'", "The Apache error log", "Setting ulimit", "/usr/sbin/apache2ctl:")
        return " ".join(line for line in lines if line and not line.startswith(noise)) or f"status {status}"

    def staged_complaint(self, texts: Mapping[str, bytes], links: Mapping[str, str], gone: list[str]) -> MaybeText:
        """Return what Apache would say with these files, new symlinks and removed names; None when it passes.

        It is tried on a copy of the configuration's folder. A file outside of it can't be: the check after the
        swap, on the real files, covers those.
        """
        with self.staged(texts, links, gone) as stage:
            said = self.complaint(stage)
        return said.replace(stage, self.config_root.rstrip("/")) if said else None

    @contextlib.contextmanager
    def staged(self, texts: Mapping[str, bytes], links: Mapping[str, str], gone: list[str]) -> Iterator[str]:
        """Give the path of a copy of the configuration's folder with these changes, as in `staged_complaint`.

        Symlinks, Include and ServerRoot that name the folder itself name the copy there.
        """
        root = self.config_root.rstrip("/")
        with tempfile.TemporaryDirectory(prefix="phpops-stage-") as folder:
            stage = Path(folder) / "apache2"
            shutil.copytree(root, stage, symlinks=True)
            for path, text in texts.items():
                place = self._in_stage(path, stage)
                if place is not None:
                    place.write_bytes(text)
            for path in gone:
                place = self._in_stage(path, stage)
                if place is not None and (place.is_symlink() or place.is_file()):
                    place.unlink()
            for path, goal in links.items():
                place = self._in_stage(path, stage)
                if place is not None and not place.is_symlink():
                    place.symlink_to(goal)
            _name_the_copy(root, stage)
            yield str(stage)

    def reader(self, stage: MaybeText = None) -> Callable[[Sequence[str]], tuple[int, str, str]]:
        """Return what runs a command on the configuration, or on a copy of it whose path the output never shows."""

        def run(words: Sequence[str]) -> tuple[int, str, str]:
            extra = {"APACHE_CONFDIR": stage} if stage else {}
            status, out, err = self._run(list(words), {**ENVIRONMENT, **extra})
            root = self.config_root.rstrip("/")
            return (status, out.replace(stage, root), err.replace(stage, root)) if stage else (status, out, err)

        return run

    def _in_stage(self, path: str, stage: Path) -> Path | None:
        try:
            return stage / Path(path).relative_to(self.config_root)
        except ValueError:
            return None

    def dump(self) -> list[Directive]:
        """Return the configuration that is on disk, as Apache prints it. Raises ApacheError."""
        return self.dump_and_modules()[0]

    def dump_and_modules(self) -> tuple[list[Directive], str]:
        """Return dump() and what modules() has, by one start of Apache. Raises ApacheError."""
        load = ["-c", "LoadModule info_module " + INFO_MODULE] if Path(INFO_MODULE).exists() else []
        status, out, err = self._ctl([*load, "-t", "-D", "DUMP_CONFIG", "-D", "DUMP_MODULES"])
        if status != 0:
            raise ApacheError("Apache doesn't print its configuration: " + (err.strip() or f"status {status}"))
        return parse_config_dump(out), "".join(f" {name}_module \n" for name in parse_modules(out))

    def modules(self) -> str:
        """Return what `apache2ctl -M` prints, "" when it fails."""
        status, out, _err = self._ctl(["-M"])
        return out if status == 0 else ""

    def parent(self) -> int:
        """Return the pid of the running parent process, 0 when there is none."""
        return running(self.pid_file, self.names)

    def graceful(self, timeout_seconds: float) -> float:
        """Reload once and wait until the parent has children of the new generation; return the seconds it took.

        Raises ApacheError when the parent is gone afterwards, or makes no new children in time.
        """
        parent, before = self.parent(), time.monotonic()
        if not parent:
            raise ApacheError(f"Apache is not running ({self.pid_file} names no process): start it first.")
        old = children(parent)
        # What `apachectl graceful` sends after a `-t` of its own, which takes 0.1 s: php-cgi is idle now, not then.
        self._kill(parent, signal.SIGUSR1)
        while time.monotonic() - before < timeout_seconds:
            if self.parent() != parent:
                raise ApacheError(f"Apache's parent process {parent} ended at the reload: see its error log.")
            # mod_fcgid's process manager is one new child, the first worker process another.
            if len(children(parent) - old) >= 2:
                time.sleep(0.2)
                if self.parent() == parent:
                    return time.monotonic() - before
            time.sleep(0.05)
        raise ApacheError(f"Apache started no new processes within {timeout_seconds:g} s after the reload.")

    def start(self) -> str:
        """Start Apache again, after its parent ended; return "" or a sentence that it is down."""
        status, _out, _err = self._run(["systemctl", "start", "apache2.service"], {})
        return "Apache could not be started again: see `journalctl -u apache2`." if status else ""


def _name_the_copy(root: str, stage: Path) -> None:
    """Let what names the folder by its whole path name the copy: else the live files would be read through it."""
    for folder, folders, files in os.walk(stage):
        for path in (Path(folder) / name for name in [*folders, *files]):
            if path.is_symlink():
                goal = os.readlink(path)
                if goal.startswith(root + "/"):
                    path.unlink()
                    path.symlink_to(str(stage) + goal[len(root) :])
            elif path.is_file():
                text = path.read_bytes()
                if root.encode() in text:
                    moved = moved_includes(text.decode("latin-1"), root, str(stage))
                    path.write_bytes(moved.encode("latin-1"))


def running(pid_file: str, names: Collection[str]) -> int:
    """Return the pid that a file tells, when that process runs under one of the names that the kernel has; else 0."""
    try:
        pid = int(Path(pid_file).read_text(encoding="ascii").strip())
        # The file may be older than the process that has its number now.
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
        return pid if name in names else 0
    except (OSError, ValueError):
        return 0


def children(parent: int) -> frozenset[int]:
    """Return the pids of a process's children (/proc/PID/task/TID/children, proc(5))."""
    try:
        text = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii")
    except OSError:
        return frozenset()
    return frozenset(int(word) for word in text.split())


def broken_certificates(dump: list[Directive]) -> list[str]:
    """Return a sentence for each certificate that doesn't match its key.

    `-t` doesn't see it, and at a graceful reload the parent ends (tried with 2.4.71). A key with a passphrase is
    passed over: Apache asks for it at start alone.
    """
    found: list[str] = []
    for pair in _pairs(dump):
        problem = _mismatch(*pair)
        if problem and problem not in found:
            found.append(problem)
    return found


def _pairs(directives: list[Directive]) -> list[tuple[str, str]]:
    certificates = [item.words[0] for item in directives if item.key == "sslcertificatefile" and item.words]
    keys = [item.words[0] for item in directives if item.key == "sslcertificatekeyfile" and item.words]
    keys += certificates[len(keys) :]
    pairs = list(zip(certificates, keys))
    for item in directives:
        pairs += _pairs(item.children)
    return pairs


class _NeedsPassphrase(Exception):
    pass


def _mismatch(certificate: str, key: str) -> MaybeText:
    def ask() -> str:
        raise _NeedsPassphrase

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=ask)
    except _NeedsPassphrase:
        return None
    except (OSError, ssl.SSLError) as error:
        return f"The certificate {certificate} and the key {key} don't fit or can't be read: {error}."
    return None
