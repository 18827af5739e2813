# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""systemctl over an injected run(list of words) -> (status, stdout, stderr)."""

from __future__ import annotations

from typing import Callable, List, Sequence, Tuple

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed

Run = Callable[[List[str]], Tuple[int, str, str]]  # evaluated at run time, so typing's own names


def runner(run_command: Callable[..., tuple[int, str, str]]) -> Callable[..., tuple[int, str, str]]:
    """Return how commands are started: ``run_command`` is a module's own, and gets what is named besides the words.

    A program that is missing is a failure as in a shell (127). The module's own way would end it at once, without what
    undoes a step that was begun.
    """

    def run(words: list[str], **more: object) -> tuple[int, str, str]:
        try:
            return run_command(words, handle_exceptions=False, **more)
        except OSError as error:
            return 127, "", f"{words[0]} can't be started ({error.strerror or error})"

    return run


class SystemctlError(StepFailed):
    """A systemctl command failed; the text names the command and says what systemd said."""


def systemctl(run: Run, words: Sequence[str]) -> str:
    """Run systemctl and return its output; SystemctlError when it fails."""
    command = ["systemctl", "--no-pager", *words]
    status, out, err = run(command)
    if status != 0:
        said = (err.strip() or out.strip() or "no output").splitlines()[0]
        raise SystemctlError(f"`systemctl {' '.join(words)}` ended with {status}: {said}")
    return out


def show(run: Run, unit: str, properties: Sequence[str]) -> dict[str, str]:
    """Return a unit's properties by name; a property that this systemd lacks is "" (systemctl show, systemctl(1))."""
    out = systemctl(run, ["show", "--property=" + ",".join(properties), unit])
    found = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    return {name: found.get(name, "") for name in properties}


def show_manager(run: Run, properties: Sequence[str]) -> dict[str, str]:
    """Return properties of systemd itself, as show() does those of a unit."""
    out = systemctl(run, ["show", "--property=" + ",".join(properties)])
    found = dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
    return {name: found.get(name, "") for name in properties}


def show_all(run: Run, units: Sequence[str], properties: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the properties of several units, by unit, in one call; see show(). A unit that is not there has some, too.

    SystemctlError also where systemd answers for another number of units.
    """
    # After "--" a unit may begin with a dash, as the root slice does.
    out = systemctl(run, ["show", "--property=" + ",".join(properties), "--", *units])
    # One block of lines for each unit, in their order, with an empty line between (systemctl(1)).
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in out.split("\n\n")]
    if len(blocks) != len(units):
        raise SystemctlError(f"`systemctl show` told of {len(blocks)} units, not of {len(units)}: {', '.join(units)}.")
    return {unit: {name: found.get(name, "") for name in properties} for unit, found in zip(units, blocks)}


def is_active(run: Run, unit: str) -> bool:
    """Return whether the unit is active now (reloading counts, activating doesn't)."""
    return show(run, unit, ["ActiveState"])["ActiveState"] in ("active", "reloading")


def main_pid(run: Run, unit: str) -> int:
    """Return the unit's main process, 0 when there is none."""
    return int(show(run, unit, ["MainPID"])["MainPID"] or "0")


def start(run: Run, unit: str) -> None:
    """Start a unit and wait until systemd calls it ready; SystemctlError when it doesn't."""
    systemctl(run, ["start", unit])


def stop(run: Run, unit: str) -> None:
    """Stop a unit and wait for its end; a unit that is not active is no error, nor one that was never complete."""
    try:
        systemctl(run, ["stop", unit])
    except SystemctlError as error:
        # An instance without its drop-in has no ExecStart=: systemd doesn't load it, so nothing runs.
        if "not loaded" not in str(error):
            raise


def reset_failed(run: Run, unit: str) -> None:
    """Forget a unit's failures and start limit; a unit that systemd doesn't know is no error."""
    run(["systemctl", "--no-pager", "reset-failed", unit])


def enable(run: Run, unit: str) -> None:
    """Start the unit at every boot from now on."""
    systemctl(run, ["enable", "--quiet", unit])


def disable(run: Run, unit: str) -> None:
    """Don't start the unit at boot any more."""
    systemctl(run, ["disable", "--quiet", unit])


def is_enabled(run: Run, unit: str) -> bool:
    """Return whether the unit starts at boot."""
    status, out, _err = run(["systemctl", "--no-pager", "is-enabled", unit])
    return status == 0 and out.strip() in ("enabled", "enabled-runtime")


def daemon_reload(run: Run) -> None:
    """Let systemd read the unit files again."""
    systemctl(run, ["daemon-reload"])


def last_log_lines(run: Run, unit: str, lines: int = 5) -> list[str]:
    """Return the last lines that the unit's own processes logged ([] when the journal can't be read)."""
    status, out, _err = run(["journalctl", "--no-pager", "--quiet", "-o", "cat", "-n", str(lines), "-u", unit])
    return [line for line in out.splitlines() if line.strip()] if status == 0 else []
