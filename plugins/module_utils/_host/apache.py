# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Asks Apache for its own configuration."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import (
    Directive,
    VhostName,
    config_part,
    parse_config_dump,
    parse_modules,
    parse_run_configuration,
    parse_version,
    parse_vhosts,
    version_in_program,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_bytes, read_text

CONTROLS = ("/usr/sbin/apache2ctl", "/usr/sbin/apachectl")
PROGRAM = "/usr/sbin/apache2"
MOD_INFO = "/usr/lib/apache2/modules/mod_info.so"
# apache2ctl raises its file limit with ulimit -n, which a container may forbid; nothing is started here, so it needn't.
ENVIRONMENT = {"APACHE_ULIMIT_MAX_FILES": "true", "LC_ALL": "C"}

Run = Callable[[Sequence[str]], "tuple[int, str, str]"]


class ApacheUnavailable(Exception):
    """Apache's configuration can't be had; the message is one sentence with the cure."""


@dataclass(frozen=True)
class Apache:
    """What Apache says of itself."""

    config: list[Directive]
    vhosts: list[VhostName]
    run: dict[str, str]
    modules: list[str]
    version: str | None

    @property
    def mpm(self) -> str | None:
        """event, worker, prefork or itk."""
        names = [name[4:] for name in self.modules if name.startswith("mpm_")]
        return "itk" if "itk" in names else names[0] if names else None


def read_apache(run: Run, control: str | None = None, mod_info: str = MOD_INFO) -> Apache:
    """Run apache2ctl's dumps. ``run`` must set ENVIRONMENT. Raises ApacheUnavailable.

    mod_info is loaded by -c for this one call, after the configuration, so that <IfModule mod_info.c> stays false;
    the module itself is left out of the modules.
    """
    wanted = (control,) if control else CONTROLS
    program = next((path for path in wanted if os.access(path, os.X_OK)), None)
    if program is None:
        raise ApacheUnavailable("Apache is not installed on this host: there is no " + " and no ".join(wanted) + ".")
    if not Path(mod_info).exists():
        raise ApacheUnavailable(
            f"Apache's module {mod_info} is not there, so Apache can't show its configuration: install apache2-bin."
        )
    # One call for all dumps: each start of Apache reads its whole configuration again.
    dumps = ("DUMP_CONFIG", "DUMP_VHOSTS", "DUMP_RUN_CFG", "DUMP_MODULES")
    defines = [word for dump in dumps for word in ("-D", dump)]
    text = _output(run, [program, "-c", f"LoadModule info_module {mod_info}", "-t", *defines])
    config = parse_config_dump(config_part(text))
    if not config:
        raise ApacheUnavailable(f"{program} -t -D DUMP_CONFIG printed no configuration: check {mod_info}.")
    return Apache(
        config=config,
        vhosts=parse_vhosts(text),
        run=parse_run_configuration(text),
        modules=[name for name in parse_modules(text) if name != "info"],
        version=(None if control else _version_of(PROGRAM)) or parse_version(_output(run, [program, "-v"])),
    )


def _version_of(path: str) -> str | None:
    """Return the version that the program's file holds; to ask it by -v takes as long as to read its configuration."""
    try:
        return version_in_program(read_bytes(path))
    except Unreadable:
        return None


def _output(run: Run, command: list[str]) -> str:
    code, out, err = run(command)
    if code == 0:
        return out
    shown = [line for line in (err + "\n" + out).split("\n") if line.strip() and not _NOISE.match(line)]
    said = " ".join(line.strip() for line in shown)[:1000] or f"it ended with {code} and said nothing"
    cure = "correct the configuration" if os.geteuid() == 0 else "correct it, or run the task with become"
    raise ApacheUnavailable(f"Apache's configuration does not pass {command[0]} -t ({said}): {cure}.")


_NOISE = re.compile(
    r"AH00558:|Action '.*' failed|The Apache error log may have|.*ulimit: error setting|Setting ulimit failed"
)


def is_running(pid_file: str | None, proc: str = "/proc") -> bool:
    """Tell whether the process of Apache's PID file lives and is Apache."""
    try:
        pid = int(read_text(pid_file or "").strip())
        name = read_text(f"{proc}/{pid}/comm").strip()
    except (Unreadable, ValueError):
        return False
    return name in ("apache2", "httpd")
