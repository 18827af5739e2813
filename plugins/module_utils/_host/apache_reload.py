# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""One graceful reload of Apache that costs no php-cgi its request, and whether one is still due."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.phpops.webhost.plugins.module_utils._core.proc_stat import parse_stat
from ansible_collections.phpops.webhost.plugins.module_utils._host import php_cgi
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import Apache, children


@dataclass
class Reload:
    """What became of a reload. ``seconds`` is None when it was not made, as php-cgi served requests all the time."""

    waited_seconds: float
    before: int
    working: list[php_cgi.Process]
    seconds: float | None = None
    ended: list[int] = field(default_factory=list)
    left: list[php_cgi.Process] = field(default_factory=list)

    def warnings(self, gone_timeout_seconds: float) -> list[str]:
        """Return a sentence for each thing that a reload which was made did not do well."""
        found = []
        if self.working:
            found.append(
                f"{len(self.working)} php-cgi still served a request when Apache was reloaded after"
                f" {self.waited_seconds:.0f} s of waiting: those requests may have been cut or hang until the client"
                " gives up."
            )
        if self.left:
            found.append(
                f"{len(self.left)} php-cgi of before the reload still run after {gone_timeout_seconds:g} s: "
                + ", ".join(str(process.pid) for process in self.left)
                + "."
            )
        return found


def reload_idle(
    apache: Apache,
    idle_timeout_seconds: float,
    reload_timeout_seconds: float,
    gone_timeout_seconds: float,
    even_if_busy: bool,
    quiet_seconds: float = 0.0,
) -> Reload:
    """Wait for idle php-cgi, reload once, and see the old php-cgi end. Raises ApacheError.

    A graceful reload sends SIGTERM to the php-cgi of all sites. While one serves a request after the time is over,
    nothing is done unless ``even_if_busy`` says so. A request that comes while the reload goes on may hang: the longer
    it was quiet before, the less likely one comes.
    """
    waited, working = php_cgi.wait_idle(idle_timeout_seconds, quiet_seconds)
    old = php_cgi.php_cgi()
    done = Reload(waited, len(old), working)
    if working and not even_if_busy:
        return done
    done.seconds = apache.graceful(reload_timeout_seconds)
    done.ended, done.left = php_cgi.wait_gone(old, gone_timeout_seconds)
    return done


def is_due(apache: Apache, written: float, proc: str = "/proc") -> bool:
    """Tell whether Apache still runs with a configuration of before ``written`` (seconds since 1970).

    It does while a child of its parent is older, as a reload starts all of them anew. One that ends after a long
    request is older too: then a reload is made that was not needed.
    """
    parent = apache.parent()
    if not parent:
        return False
    starts = [started(pid, proc) for pid in children(parent)]
    return any(start is not None and start < written for start in starts)


def started(pid: int, proc: str = "/proc") -> float | None:
    """Return when a process began, in seconds since 1970, None if it is gone."""
    try:
        found = parse_stat(Path(proc, str(pid), "stat").read_text(encoding="utf-8", errors="replace"))
        lines = Path(proc, "stat").read_text(encoding="ascii", errors="replace").splitlines()
        boot = next(int(line.split()[1]) for line in lines if line.startswith("btime "))
    except (OSError, ValueError, IndexError, StopIteration):
        return None
    return boot + found.start / os.sysconf("SC_CLK_TCK") if found else None
