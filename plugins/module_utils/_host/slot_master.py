# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""One slot's PHP-FPM master: check its configuration, start it, ask it, and see what it still has to do."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.proc_stat import parse_stat
from ansible_collections.phpops.webhost.plugins.module_utils._core.procmaps import opcache_segment_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._core.queues import (
    PoolStatus,
    Quiet,
    Worker,
    accept_queues,
    pool_status,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import SiteSpec
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import (
    PING_PATH,
    STATUS_PATH,
    Layout,
    ini_scan_path,
    unit_name,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host import systemd
from ansible_collections.phpops.webhost.plugins.module_utils._host.fastcgi import FastCgiError, request, script_params
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_text

POLL_SECONDS = 0.05
STATUS_TRIES, STATUS_SECONDS = 2, 5.0
# What is queued when stuck workers are killed gets this long to be answered.
KILLED_SECONDS = 10.0
# What systemd calls a unit whose processes may run.
UP = ("active", "reloading", "activating", "deactivating")
NAMESPACE_STATUS = "226"


def php_fpm(spec: SiteSpec, slot: str | None, layout: Layout) -> list[str]:
    """Return the command that runs PHP-FPM with a slot's ini files, as the site's user; None: with none of a slot.

    Never as root: php.ini may be the site's own, and its extension= lines are libraries that are loaded.
    """
    command = ["timeout", "-k", "5", "60", "runuser", "-u", spec.user, "-g", spec.group, "--", "env"]
    scanned = ini_scan_path(spec, slot, layout)
    # An empty path would be no folder at all, also not the one that is compiled in.
    command += [f"PHP_INI_SCAN_DIR={scanned}" if scanned else "--unset=PHP_INI_SCAN_DIR"]
    command += [f"/usr/sbin/php-fpm{spec.php_version}"]
    return [*command, "--php-ini", spec.php_ini] if spec.php_ini else command


class Master:
    """The master of one slot of one site; ``run`` starts commands on the host."""

    def __init__(self, run: systemd.Run, site: str, slot: str, layout: Layout) -> None:
        self.run, self.site, self.slot, self.layout = run, site, slot, layout
        self.unit = unit_name(site, slot)
        self.socket = layout.web_socket(site, slot)
        self.status_socket = layout.status_socket(site, slot)

    def active(self) -> bool:
        """Return whether systemd calls the master running; one that is starting or stopping counts too."""
        return systemd.show(self.run, self.unit, ["ActiveState"])["ActiveState"] in UP

    def pid(self) -> int:
        return systemd.main_pid(self.run, self.unit)

    def segment_bytes(self, pid: int | None = None) -> int | None:
        """Return the size of the OPcache segment that the master really has, None when it can't be read.

        pid: the master's process where that is known.
        """
        try:
            return opcache_segment_bytes(Path(f"/proc/{pid or self.pid()}/maps").read_text(errors="replace"))
        except OSError:
            return None

    def check_configuration(self, spec: SiteSpec, new_unit: bool = True) -> None:
        """Let PHP-FPM (as the site's user: as root it may leave root's files behind) and systemd read the files.

        new_unit: whether systemd has not read the unit as it is now.
        """
        config = self.layout.config_dir(self.site, self.slot)
        command = php_fpm(spec, self.slot, self.layout)
        status, out, err = self.run([*command, "--test", "--fpm-config", f"{config}/fpm.conf"])
        if status != 0:
            said = [line for line in (err + out).splitlines() if line.strip()]
            raise StepFailed(f"php-fpm{spec.php_version} refuses {config}/fpm.conf: {' / '.join(said[:3]) or status}")
        if not new_unit:
            return
        systemd.daemon_reload(self.run)
        status, out, err = self.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", self.unit])
        if status != 0:
            raise StepFailed(f"systemd refuses {self.unit}: {' / '.join((err + out).splitlines()[:3])}")

    def start(self, timeout_seconds: float, failed: bool = True) -> int:
        """Start the master, wait until systemd calls it ready, return its process; StepFailed says what its log says.

        failed: whether systemd may remember failures of the unit, which count against its start limit.
        """
        if failed:
            systemd.reset_failed(self.run, self.unit)
        systemd.systemctl(self.run, ["start", "--no-block", self.unit])
        deadline = time.monotonic() + timeout_seconds
        wanted = ["ActiveState", "SubState", "NRestarts", "ExecMainStatus", "Result", "MainPID"]
        while True:
            state = systemd.show(self.run, self.unit, wanted)
            if state["ActiveState"] == "active":
                return int(state["MainPID"] or "0")
            if state["ActiveState"] == "failed" or state["SubState"] == "auto-restart" or state["NRestarts"] != "0":
                raise StepFailed(self._why(state["ExecMainStatus"], state["Result"]))
            if time.monotonic() > deadline:
                raise StepFailed(f"{self.unit} was not ready after {timeout_seconds:g} s. {self._log()}")
            time.sleep(POLL_SECONDS)

    def _why(self, status: str, result: str) -> str:
        lines = systemd.last_log_lines(self.run, self.unit, 20)
        # An ExecStartPre that ends so is told by the log alone.
        if status == NAMESPACE_STATUS or any("226/NAMESPACE" in line for line in lines):
            return (
                f"{self.unit} can't have a view of its own of the live path (226/NAMESPACE): this host gives units no"
                " mount namespace; a container needs CAP_SYS_ADMIN (podman run --cap-add SYS_ADMIN)."
            )
        return f"{self.unit} did not start ({result}, status {status}). {self._log()}"

    def _log(self) -> str:
        lines = [line for line in systemd.last_log_lines(self.run, self.unit, 20) if "systemd" not in line]
        said = [line for line in lines if "ERROR" in line or "ALERT" in line or "atal" in line or "WARN" in line]
        return "Its log says: " + " / ".join((said or lines)[-3:]) if lines else "Its log is empty."

    def wait_until_it_answers(self, timeout_seconds: float) -> None:
        """Wait until a request to the master's own socket works."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                answer = request(self.socket, script_params(PING_PATH, "/", PING_PATH), timeout_seconds=5)
                if answer.status == 200 and answer.body.strip() == b"pong":
                    return
                why = f"its ping gave {answer.status}"
            except FastCgiError as error:
                why = str(error)
            if time.monotonic() > deadline:
                raise StepFailed(f"{self.unit} runs, but no request works: {why}.")
            time.sleep(POLL_SECONDS)

    def status(self) -> PoolStatus:
        """Ask for FPM's status on the socket that a saturated pool doesn't block; StepFailed when it doesn't answer.

        Asked twice: FPM forks a worker for it, and on a busy host the first answer has been missed.
        """
        params = script_params(STATUS_PATH, "/", STATUS_PATH, "json&full")
        problem: Exception | None = None
        for _turn in range(STATUS_TRIES):
            try:
                answer = request(self.status_socket, params, timeout_seconds=STATUS_SECONDS)
                return pool_status(answer.body.decode("utf-8", "replace"))
            except (FastCgiError, ValueError) as error:
                problem = error
        raise StepFailed(f"{self.unit} does not tell its status: {problem}") from problem

    def queue(self) -> int:
        """Return how many connections wait in the accept queue; StepFailed where ss has no row for the socket."""
        bound = Path(self.layout.socket(self.site, self.slot))
        # Only its folder is resolved: the site's user may replace the socket itself.
        path = str(Path(os.path.realpath(bound.parent), bound.name))
        queues = _ss(self.run)
        if path not in queues:
            raise StepFailed(f"`ss -xl` shows no listening socket {path}: its queue can't be read.")
        return queues[path]

    def prove_that_queues_show(self) -> None:
        """StepFailed on a host where no drain could be proved."""
        prove_that_queues_show(self.run)

    def drain(self, timeout_seconds: float, kill_stuck: bool) -> dict[str, Any]:
        """Wait until the master has nothing left to do.

        Returns {finished, seconds, queue, active, stuck, killed}; not finished: it was still busy at the end, and
        ``stuck`` names the workers. With kill_stuck they are killed then, and what is queued is still answered.
        """
        self.prove_that_queues_show()
        started = time.monotonic()
        quiet, tried = Quiet(), False
        killed: list[dict[str, Any]] = []
        deadline = started + timeout_seconds
        while True:
            queue, status = self.queue(), self.status()
            busy = max(status.active, len(status.workers))
            finished = quiet.look(queue, busy)
            if finished or time.monotonic() > deadline:
                if not finished and kill_stuck and not tried and status.workers:
                    # Once: a status may go on to name workers that are not the master's.
                    tried, killed = True, self._kill(status.workers)
                    deadline = time.monotonic() + KILLED_SECONDS
                    continue
                return {
                    "finished": finished,
                    "seconds": round(time.monotonic() - started, 3),
                    "queue": queue,
                    "active": busy,
                    "stuck": [] if finished else [worker.as_dict() for worker in status.workers],
                    "killed": killed,
                }
            time.sleep(POLL_SECONDS)

    def _kill(self, workers: Sequence[Worker]) -> list[dict[str, Any]]:
        """Kill the workers that are the master's children, and return them.

        The status comes from a socket of the site's user: it could name any process of the host.
        """
        killed, master = [], self.pid()
        for worker in workers:
            if master > 0 and worker.pid > 0 and parent(worker.pid) == master:
                with suppress(ProcessLookupError):
                    os.kill(worker.pid, signal.SIGKILL)
                    killed.append(worker.as_dict())
        return killed

    def stop(self) -> None:
        """Stop the master; StepFailed when systemd can't."""
        try:
            systemd.stop(self.run, self.unit)
        except systemd.SystemctlError as error:
            raise StepFailed(str(error)) from error
        systemd.reset_failed(self.run, self.unit)

    def hold_workers(self, count: int, timeout_seconds: float) -> tuple[ExitStack, int]:
        """Make the master fork until it has ``count`` workers: hold that many connections open that say nothing.

        Returns what closes them, and how many workers there are; fewer, when time is up or max_children is less.
        """
        held = ExitStack()
        total = self.status().total
        if total < count:
            for _number in range(count):
                connection = held.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
                connection.settimeout(1)
                with suppress(OSError):
                    connection.connect(self.socket)
        deadline = time.monotonic() + timeout_seconds
        while total < count and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            total = self.status().total
        return held, total


def parent(pid: int) -> int | None:
    """Return a process's parent, None when there is no such process."""
    try:
        found = parse_stat(read_text(f"/proc/{pid}/stat"))
    except Unreadable:
        return None
    return found.parent if found else None


def _ss(run: systemd.Run) -> dict[str, int]:
    status, out, err = run(["ss", "-xlnH"])
    if status != 0:
        said = " ".join(err.split()) or "no output"
        raise StepFailed(f"`ss -xlnH` ended with {status} ({said}); its package is iproute2.")
    return accept_queues(out)


def prove_that_queues_show(run: systemd.Run) -> None:
    """Show with a socket of our own that ss can see accept queues on this host; StepFailed where it can't."""
    with tempfile.TemporaryDirectory(prefix="phpops-") as folder, ExitStack() as stack:
        path = f"{folder}/queue"
        listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        listener.bind(path)
        listener.listen(4)
        for _number in range(2):
            client = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            client.connect(path)
        seen = _ss(run).get(path)
    if seen != 2:
        raise StepFailed(
            f"`ss -xl` shows {seen} waiting connections on a socket that has 2: this host hides accept queues, so no"
            " drain could be proved."
        )
