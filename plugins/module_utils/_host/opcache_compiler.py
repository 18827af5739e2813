# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Runs the throw-away PHP process that compiles a site, under the site's user, within bounds of time and memory."""

from __future__ import annotations

import time
from typing import Any, Callable, List, Mapping, NamedTuple, Sequence, Tuple

from ansible_collections.phpops.webhost.plugins.module_utils._core import opcache_compile as core

# run(words, stdin) -> (status, stdout, stderr); it must neither expand variables in the words nor use a shell.
Run = Callable[[List[str], bytes], Tuple[int, str, str]]

KILL_AFTER_SECONDS = 5
GRACE_SECONDS = 15


class Bounds(NamedTuple):
    """How much a measurement may take: MiB of shared memory, seconds in all."""

    memory_mib: int
    seconds: int


def probe(run: Run, binary: str) -> core.Php:
    """Return what the PHP binary is; raises CompileError with the cure."""
    status, out, err = run(["timeout", "-k", "5", "20", *core.probe_command(binary)], b"")
    return core.parse_probe(binary, status, out, err)


def as_user(words: Sequence[str], user: str | None, group: str | None, seconds: int) -> list[str]:
    """Return the command run as the site's user (when given), with a time limit from outside as the last resort."""
    command = ["timeout", "-k", str(KILL_AFTER_SECONDS), str(seconds + GRACE_SECONDS)]
    if user:
        command += ["setpriv", "--reuid", user, "--regid", group or user, "--init-groups", "--no-new-privs"]
    return [*command, "env", "-i", "PATH=/usr/bin:/bin", "LC_ALL=C", *words]


def compile_files(
    run: Run,
    php: core.Php,
    files: Sequence[str],
    bounds: Bounds,
    user: str | None = None,
    group: str | None = None,
    ini: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Compile ``files`` and return the sums, failed_files, truncated (None, time, fork) and the segment's MiB.

    When the host refuses the segment, half of it is tried, down to 16 MiB; when it fills up, a new process goes on
    with the rest. Raises CompileError when PHP gives no result at all.
    """
    end = clock() + bounds.seconds
    sizes = core.pass_sizes(bounds.memory_mib)
    passes: list[core.CompilePass] = []
    failed: list[dict[str, str]] = []
    taken, truncated = 0, None
    while taken < len(files) and truncated is None:
        left = int(end - clock())
        if left <= 0:
            truncated = "time"
            break
        rest = files[taken:]
        words = as_user(core.compile_command(php, sizes[0], len(rest), left, ini), user, group, left)
        status, out, err = run(words, core.encode_files(rest))
        if core.no_shared_memory(err) and len(sizes) > 1:
            sizes.pop(0)
            continue
        one = core.parse_pass(status, out, err)
        passes.append(one)
        failed += [{"path": rest[index], "error": text} for index, text in one.failed]
        taken += one.done
        if one.stop == "memory" and one.done == 0:
            failed.append({"path": rest[0], "error": f"compiled code is larger than a segment of {sizes[0]} MiB"})
            taken += 1
        elif one.stop in ("time", "fork"):
            truncated = one.stop
    result = core.total(passes)
    result.update(failed_files=failed, truncated=truncated, compiled_files=taken, segment_mib=sizes[0])
    return result
