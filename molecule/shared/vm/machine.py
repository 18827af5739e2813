# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A test host that is a virtual machine in QEMU: started and stopped by molecule, reset and rebooted by tests.

Its files are in <cache>/vm/hosts/<name>; its image comes from tools/vm_images.py.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

VM = Path(os.environ.get("PHPOPS_CACHE") or Path.home() / ".cache" / "phpops") / "vm"
HOSTS = VM / "hosts"
SSH_CONFIG = Path(__file__).resolve().parents[1] / "ssh_config"
# How a processor is had: KVM is faster by far, where vm_images.py found that it works.
ACCELERATORS = {
    "kvm": ("-accel", "kvm", "-cpu", "host"),
    # Debian 13's kernel faults on QEMU's cmpxchg16b, and erms makes it clear memory byte by byte.
    "tcg": ("-accel", "tcg,thread=multi", "-cpu", "max,cx16=off,erms=off,fsrm=off"),
}
# Without KVM, the kernel would take the tsc for unstable, and ask an emulated device for each time.
CLOCKS = {"kvm": "", "tcg": " clocksource=tsc tsc=reliable"}
# 15 on a quiet machine; as many as that where others keep its cores busy.
BOOT_SECONDS = 600
CONSOLE_LINES = 40


class MachineError(RuntimeError):
    """A machine did not do what it was told to; the text says which and shows the end of its console."""


def accelerator() -> str:
    """Return what vm_images.py found to work here."""
    with suppress(OSError):
        found = (VM / "accelerator").read_text(encoding="utf-8").split()
        if found and found[0] in ACCELERATORS:
            return found[0]
    return "tcg"


class Machine:
    """One machine, known by the name that it has in the inventory."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.folder = HOSTS / name

    def start(
        self,
        image: Path,
        memory_mib: int = 640,
        cpus: int = 2,
        accelerated_by: str | None = None,
        reboots: bool = True,
    ) -> None:
        """Boot it from a new overlay of the image; what had its name is stopped and removed first.

        Without reboots its QEMU ends where it would boot again, as it does after a panic.
        """
        if not (image / "root.img").exists():
            raise MachineError(f"{self.name}: there is no image {image}: run make images")
        self.remove()
        self.folder.mkdir(parents=True, mode=0o700)
        overlay = self.folder / "disk.qcow2"
        self._run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(image / "root.img"), str(overlay))
        by = accelerated_by or accelerator()
        command_line = "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet mitigations=off panic=-1" + CLOCKS[by]
        self._run(
            "qemu-system-x86_64",
            *ACCELERATORS[by],
            *("-name", self.name, "-m", str(memory_mib), "-smp", str(cpus), "-display", "none", "-nodefaults"),
            *("-kernel", str(image / "kernel"), "-initrd", str(image / "initrd")),
            *("-append", f"{command_line} systemd.hostname={self.name}"),
            *("-drive", f"file={overlay},if=virtio,format=qcow2,cache=unsafe,discard=unmap"),
            # Port 0: the kernel chooses a free one. The network leads nowhere else.
            *("-netdev", "user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:0-:22", "-device", "virtio-net-pci,netdev=n0"),
            *("-device", "virtio-rng-pci", "-serial", f"file:{self.folder}/console.log"),
            *("-qmp", f"unix:{self.folder}/qmp,server=on,wait=off"),
            *("-pidfile", f"{self.folder}/pid", "-daemonize"),
            *(() if reboots else ("-no-reboot",)),
        )
        forwarded = re.search(r"HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)", self.monitor("info usernet"))
        if not forwarded:
            raise MachineError(f"{self.name}: QEMU forwards no port")
        (self.folder / "port").write_text(forwarded[1], encoding="ascii")

    def remove(self) -> None:
        """Stop it, if it runs, and remove its files."""
        pid = self.pid()
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            self._wait_for_end(pid)
        shutil.rmtree(self.folder, ignore_errors=True)

    def reset(self, seconds: float = BOOT_SECONDS) -> float:
        """Press its reset button; return the seconds until it is up again."""
        started = time.monotonic()
        self.qmp("system_reset")
        self._drop_connections()
        self.wait(seconds)
        return time.monotonic() - started

    def reboot(self, seconds: float = BOOT_SECONDS) -> float:
        """Let its systemd reboot it; return the seconds until it is up again."""
        started = time.monotonic()
        before = self.boot_id()
        # Until its sshd goes: asking again and again would keep a processor without KVM busy.
        self.ssh("systemctl --no-block reboot; sleep 600", seconds)
        while self.boot_id() in (before, ""):
            self._go_on(started, seconds, "did not reboot")
        self._drop_connections()
        self.wait(seconds)
        return time.monotonic() - started

    def wait(self, seconds: float = BOOT_SECONDS) -> None:
        """Wait until SSH answers and systemd has started everything; no unit may have failed."""
        started = time.monotonic()
        while True:
            left = max(1, seconds - (time.monotonic() - started))
            state = self.ssh("systemctl is-system-running --wait", left).stdout.strip()
            if state == "running":
                return
            if state in ("degraded", "maintenance"):
                failed = self.ssh("systemctl --no-pager --no-legend --plain --failed").stdout
                raise MachineError(f"{self.name} is {state}: {failed}{self._console_tail()}")
            self._go_on(started, seconds, f"did not come up (systemd: {state or 'no answer'})")

    def boot_id(self) -> str:
        """Return what is another one after each boot, or "" while it does not answer."""
        return self.ssh("cat /proc/sys/kernel/random/boot_id").stdout.strip()

    def ssh(self, command: str, seconds: float = 20) -> subprocess.CompletedProcess[str]:
        """Run a command on it by SSH, over a connection of its own; 255 tells that there is none."""
        words = ["ssh", "-F", str(SSH_CONFIG), "-p", str(self.port())]
        own = ("HostName=127.0.0.1", "ProxyCommand=none", "ProxyUseFdpass=no", "ControlPath=none", "ConnectTimeout=10")
        for option in own:
            words += ["-o", option]
        words += [self.name, command]
        known = {**os.environ, "PHPOPS_CACHE": str(VM.parent)}
        try:
            return subprocess.run(
                words, env=known, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(words, 255, "", f"no answer in {seconds} s")

    def console(self) -> str:
        """Return what it wrote to its serial console since it was started."""
        with suppress(OSError):
            return (self.folder / "console.log").read_text(encoding="utf-8", errors="replace")
        return ""

    def pid(self) -> int | None:
        """Return the id of its QEMU, or None when it does not run."""
        with suppress(OSError, ValueError):
            pid = int((self.folder / "pid").read_text(encoding="ascii"))
            # The id may have gone to another process since.
            if os.fsencode(self.folder) in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        return None

    def port(self) -> int:
        """Return the port on 127.0.0.1 that leads to its SSH server."""
        try:
            return int((self.folder / "port").read_text(encoding="ascii"))
        except FileNotFoundError:
            raise MachineError(f"{self.name} was not started: run molecule create") from None

    def monitor(self, command: str) -> str:
        """Run a command of QEMU's monitor for people; return its answer."""
        return str(self.qmp("human-monitor-command", {"command-line": command}))

    def qmp(self, command: str, arguments: dict[str, str] | None = None) -> object:
        """Run a command of QEMU's machine protocol; return its answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(str(self.folder / "qmp"))
            with connection.makefile("rw", encoding="utf-8") as stream:
                stream.readline()
                self._qmp_answer(stream, {"execute": "qmp_capabilities"})
                return self._qmp_answer(stream, {"execute": command, "arguments": arguments or {}})

    def _qmp_answer(self, stream: IO[str], request: dict[str, object]) -> object:
        stream.write(json.dumps(request) + "\n")
        stream.flush()
        for line in stream:
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise MachineError(f"{self.name}: {request['execute']}: {answer['error']['desc']}")
        raise MachineError(f"{self.name}: QEMU ended")

    def _go_on(self, started: float, seconds: float, problem: str) -> None:
        """Pause between two looks, unless the time is up or QEMU has ended."""
        if not self.pid():
            raise MachineError(f"{self.name}: QEMU does not run.{self._console_tail()}")
        if time.monotonic() - started > seconds:
            raise MachineError(f"{self.name} {problem} in {seconds:.0f} s.{self._console_tail()}")
        time.sleep(1)

    def _console_tail(self) -> str:
        lines = self.console().splitlines()[-CONSOLE_LINES:]
        return "\nThe end of its console:\n" + "\n".join(lines)

    def _drop_connections(self) -> None:
        """End the SSH connections that Ansible keeps: they lead to a system that is gone."""
        listing = self._run("ss", "-Htnp", "state", "established", "dst", f"127.0.0.1:{self.port()}")
        for pid in set(re.findall(r'"ssh",pid=(\d+)', listing)):
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGTERM)

    def _wait_for_end(self, pid: int) -> None:
        for _turn in range(100):
            if not Path(f"/proc/{pid}").exists():
                return
            time.sleep(0.1)
        raise MachineError(f"{self.name}: QEMU (pid {pid}) does not end")

    def _run(self, *words: str) -> str:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode:
            raise MachineError(f"{self.name}: {words[0]} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout


def machines() -> list[Machine]:
    """Return all machines that have files in the cache, running or not."""
    return [Machine(folder.name) for folder in sorted(HOSTS.glob("*"))]


def main() -> int:
    """Do what molecule's playbooks ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=("start", "wait", "remove", "reset", "reboot", "console"))
    parser.add_argument("name")
    parser.add_argument("--release", default="bookworm")
    parser.add_argument("--memory-mib", type=int, default=640)
    parser.add_argument("--cpus", type=int, default=2)
    asked = parser.parse_args()
    machine = Machine(asked.name)
    try:
        if asked.verb == "start":
            machine.start(VM / "images" / asked.release, asked.memory_mib, asked.cpus)
        elif asked.verb == "console":
            print(machine.console(), end="")
        else:
            getattr(machine, asked.verb)()
    except (OSError, MachineError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
