# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_compile import (
    SCRIPT,
    CompileError,
    Php,
    compile_command,
    encode_files,
    headroom_mib,
    no_shared_memory,
    parse_pass,
    parse_probe,
    pass_sizes,
    total,
)
from hypothesis import given
from hypothesis import strategies as st

MIB = 1024 * 1024
PHP = Php("/usr/bin/php8.2", "8.2.35", False)


def status(used: int, interned: int, scripts: int, strings: int) -> dict[str, Any]:
    return {
        "memory_usage": {"used_memory": used, "free_memory": 100 * MIB, "wasted_memory": 0},
        "interned_strings_usage": {"used_memory": interned, "number_of_strings": strings},
        "opcache_statistics": {"num_cached_scripts": scripts, "num_cached_keys": scripts},
    }


def output(**changes: Any) -> str:
    said = {"done": 3, "stop": None, "failed": [[1, "Unclosed '{'"]], "version": "8.2.35"}
    measured = {"before": status(1000, 100, 0, 10), "after": status(5000, 400, 2, 60)}
    return json.dumps({**said, **measured, **changes})


def test_parse_pass_takes_differences() -> None:
    one = parse_pass(0, output(), "")
    assert (one.done, one.stop, one.failed) == (3, None, [(1, "Unclosed '{'")])
    assert (one.need.scripts_bytes, one.need.interned_bytes, one.need.keys) == (4000, 300, 2)
    assert (one.scripts, one.strings) == (2, 50)


@pytest.mark.parametrize(
    ("status_code", "out", "err", "said"),
    [
        (254, "", "Fatal Error Insufficient shared memory!", "ended with 254 and gave no result: Fatal Error"),
        (137, "", "", "ended with 137 and gave no result: no output"),
        (0, output(after=False), "", "OPcache did not start"),
        (0, output(failed=3), "", "gave no result"),
        (0, "[]", "", "gave no result"),
    ],
)
def test_parse_pass_refuses(status_code: int, out: str, err: str, said: str) -> None:
    with pytest.raises(CompileError) as error:
        parse_pass(status_code, out, err)
    assert said in str(error.value)


@given(st.text(), st.text())
def test_no_output_crashes_parse_pass(out: str, err: str) -> None:
    with pytest.raises(CompileError):
        parse_pass(1, out, err)


@pytest.mark.parametrize(
    ("out", "php"),
    [
        ({"version": "8.2.35", "sapi": "cli", "opcache": False, "fork": True}, PHP),
        ({"version": "8.5.0", "sapi": "cli", "opcache": True, "fork": True}, Php("/usr/bin/php8.2", "8.5.0", True)),
    ],
)
def test_parse_probe(out: dict[str, Any], php: Php) -> None:
    assert parse_probe("/usr/bin/php8.2", 0, json.dumps(out), "") == php


@pytest.mark.parametrize(
    ("out", "err", "said"),
    [
        ("", "timeout: failed to run command", "is not a PHP that can be used (timeout: failed to run command)"),
        ("{}", "", "is not a PHP that can be used"),
        (
            '{"version": "8.2.1", "sapi": "cgi-fcgi", "fork": true}',
            "",
            "is PHP's cgi-fcgi flavour: name the CLI",
        ),
        ('{"version": "8.2.1", "sapi": "cli", "fork": false}', "", "has no pcntl_fork()"),
        ('{"version": "x", "sapi": "cli", "fork": true}', "", "is not of the form 8.2"),
    ],
)
def test_parse_probe_refuses(out: str, err: str, said: str) -> None:
    with pytest.raises(CompileError) as error:
        parse_probe("/usr/bin/php", 1, out, err)
    assert said in str(error.value)


def settings_of(command: list[str]) -> dict[str, str]:
    pairs = [command[index + 1] for index, word in enumerate(command) if word == "-d"]
    return dict(pair.split("=", 1) for pair in pairs)


def test_the_command_reads_no_ini_file_and_runs_no_code_of_the_site() -> None:
    command = compile_command(PHP, 512, 6000, 60, {"short_open_tag": "1"})
    assert command[:2] == ["/usr/bin/php8.2", "-n"]
    found = settings_of(command)
    assert found["opcache.memory_consumption"] == "512"
    assert found["opcache.max_accelerated_files"] == "6001"
    assert found["opcache.file_update_protection"] == "0"
    assert (found["short_open_tag"], found["zend_extension"]) == ("1", "opcache")
    assert not {"auto_prepend_file", "opcache.preload", "opcache.blacklist_filename"} & set(found)
    assert command[-3:-1] == ["-r", SCRIPT]
    assert "include" not in SCRIPT.replace("include_path", "")
    assert "require" not in SCRIPT


@pytest.mark.parametrize(
    ("version", "builtin", "extension", "jit"), [("7.4", False, True, False), ("8.5", True, False, True)]
)
def test_the_command_fits_the_php_version(version: str, builtin: bool, extension: bool, jit: bool) -> None:
    found = settings_of(compile_command(Php("/usr/bin/php", version, builtin), 64, 10, 60))
    assert ("zend_extension" in found, "opcache.jit" in found) == (extension, jit)


@pytest.mark.parametrize("memory", [16, 64, 1024, 65536])
@pytest.mark.parametrize("files", [1, 2000000])
def test_the_commands_segment_is_one_that_php_starts_with(memory: int, files: int) -> None:
    found = settings_of(compile_command(PHP, memory, files, 60))
    assert 200 <= int(found["opcache.max_accelerated_files"]) <= 1000000
    assert 1 <= int(found["opcache.interned_strings_buffer"]) <= memory // 2


def test_file_names_of_any_bytes_reach_php() -> None:
    assert encode_files(["/a b\n.php", "/\udcff.php"]) == b"/a b\n.php\0/\xff.php\0"


def test_total_adds_up_passes() -> None:
    one = parse_pass(0, output(), "")
    assert total([one, one])["scripts_bytes"] == 8000
    assert total([one, one])["passes"] == 2
    assert total([])["scripts"] == 0


@pytest.mark.parametrize(
    ("free", "bound", "mib"), [(None, 1024, 1024), (8 * 1024 * MIB, 1024, 1024), (300 * MIB, 1024, 150), (0, 1024, 16)]
)
def test_the_segment_leaves_half_of_what_is_free(free: int | None, bound: int, mib: int) -> None:
    assert headroom_mib(free, bound) == mib


@pytest.mark.parametrize(("limit", "sizes"), [(1024, [1024, 512, 256, 128, 64, 32, 16]), (16, [16]), (40, [40, 20])])
def test_pass_sizes(limit: int, sizes: list[int]) -> None:
    assert pass_sizes(limit) == sizes


def test_no_shared_memory() -> None:
    assert no_shared_memory("Fatal Error Unable to allocate shared memory segment of 67108864 bytes: mmap: Cannot")
    assert not no_shared_memory("Segmentation fault")
