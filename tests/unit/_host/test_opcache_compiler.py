# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import re
from typing import Any, Callable

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_compile import CompileError, Php
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_compiler import (
    Bounds,
    as_user,
    compile_files,
    probe,
)

PHP = Php("/usr/bin/php8.2", "8.2.35", False)


class FakePhp:
    """Takes ``room`` files per process; files that begin with bad fail, big ones never fit."""

    def __init__(self, room: int = 100, largest_mib: int = 4096) -> None:
        self.room, self.largest_mib = room, largest_mib
        self.commands: list[list[str]] = []

    def __call__(self, words: list[str], stdin: bytes) -> tuple[int, str, str]:
        self.commands.append(words)
        memory = int(re.search(r"memory_consumption=(\d+)", " ".join(words)).group(1))  # type: ignore[union-attr]
        if memory > self.largest_mib:
            return 254, "", "Fatal Error Unable to allocate shared memory segment of 1 bytes: mmap: Cannot allocate"
        files = stdin.decode().split("\0")[:-1]
        done, cached, failed, stop = 0, 0, [], None
        for index, file in enumerate(files):
            if file.startswith("big") or cached >= self.room:
                stop = "memory"
                break
            done += 1
            if file.startswith("bad"):
                failed.append([index, "Cannot redeclare f()"])
            else:
                cached += 1
        after = self.status(1000 + cached * 10, cached)
        said = {"done": done, "stop": stop, "failed": failed, "before": self.status(1000, 0), "after": after}
        return 0, json.dumps(said), ""

    @staticmethod
    def status(used: int, scripts: int) -> dict[str, Any]:
        return {
            "memory_usage": {"used_memory": used},
            "opcache_statistics": {"num_cached_scripts": scripts, "num_cached_keys": scripts},
        }


def compiled(run: Callable[..., Any], files: list[str], seconds: int = 60, **options: Any) -> dict[str, Any]:
    return compile_files(run, PHP, files, Bounds(512, seconds), **options)


def test_one_pass_takes_all() -> None:
    found = compiled(FakePhp(), ["a", "bad", "b"])
    assert (found["scripts"], found["passes"], found["compiled_files"], found["truncated"]) == (2, 1, 3, None)
    assert found["failed_files"] == [{"path": "bad", "error": "Cannot redeclare f()"}]
    assert found["scripts_bytes"] == 20


def test_a_full_segment_goes_on_in_a_new_process() -> None:
    found = compiled(FakePhp(room=2), ["a", "b", "bad", "c", "d", "e"])
    assert (found["scripts"], found["passes"], found["scripts_bytes"]) == (5, 3, 50)
    assert [one["path"] for one in found["failed_files"]] == ["bad"]


def test_a_file_that_never_fits_is_named_and_passed_over() -> None:
    found = compiled(FakePhp(), ["a", "big", "b"])
    assert found["scripts"] == 2
    assert found["failed_files"] == [{"path": "big", "error": "compiled code is larger than a segment of 512 MiB"}]


def test_a_host_that_refuses_the_segment_gets_half_of_it() -> None:
    run = FakePhp(largest_mib=100)
    found = compiled(run, ["a"])
    assert (found["segment_mib"], found["scripts"], len(run.commands)) == (64, 1, 4)


def test_a_host_without_room_for_the_least_segment() -> None:
    with pytest.raises(CompileError, match="Unable to allocate"):
        compiled(FakePhp(largest_mib=0), ["a"])


def test_time_ends_it_and_says_so() -> None:
    ticks = iter([0.0, 1.0, 70.0])
    found = compiled(FakePhp(room=1), ["a", "b", "c"], clock=lambda: next(ticks))
    assert (found["truncated"], found["compiled_files"]) == ("time", 1)


def test_no_files_start_no_process() -> None:
    run = FakePhp()
    assert compiled(run, [])["scripts"] == 0
    assert run.commands == []


def test_as_user_bounds_time_drops_rights_and_environment() -> None:
    words = as_user(["php", "-v"], "wiki", None, 60)
    assert words[:4] == ["timeout", "-k", "5", "75"]
    assert words[4:11] == ["setpriv", "--reuid", "wiki", "--regid", "wiki", "--init-groups", "--no-new-privs"]
    assert words[11:13] == ["env", "-i"]
    assert "setpriv" not in as_user(["php"], None, None, 60)
    assert as_user(["php"], "web1", "client1", 60)[8] == "client1"


def test_probe_has_a_time_limit() -> None:
    seen: list[list[str]] = []

    def run(words: list[str], _stdin: bytes) -> tuple[int, str, str]:
        seen.append(words)
        return 0, '{"version": "8.2.35", "sapi": "cli", "opcache": false, "fork": true}', ""

    assert probe(run, "/usr/bin/php8.2") == PHP
    assert seen[0][0] == "timeout"
