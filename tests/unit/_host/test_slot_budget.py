# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site's master will reserve, asked before any of its files is written."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget import MIB
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import build
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_budget import planned

SAID = """opcache.enable => Off => Off
opcache.memory_consumption => 128 => 96
opcache.jit => tracing => tracing
opcache.jit_buffer_size => 64M => 64M
"""
RELEASE = {"id": "r1", "path": "/srv/wiki/releases/r1"}


def reserved(php: str = "8.4", **options: Any) -> tuple[int, int, list[str]]:
    """Return the MiB of segment and JIT buffer that are planned, and the command that asked."""
    asked: list[str] = []

    def run(words: list[str]) -> tuple[int, str, str]:
        asked.extend(words)
        return 0, SAID, ""

    root = {"document_root": "/srv/wiki/releases/r1"}
    site = planned(run, build({"name": "wiki", "user": "wiki", "php_version": php, **root, **options}), Layout())
    return site.segment_bytes // MIB, site.jit_bytes // MIB, asked


@pytest.mark.parametrize(
    ("options", "segment", "jit"),
    [
        ({}, 96, 64),
        ({"opcache": {"opcache.memory_consumption": "32"}}, 32, 64),
        ({"opcache": {"opcache.jit": "disable"}}, 96, 0),
        ({"opcache": {"opcache.enable": "0"}}, 0, 0),
        ({"ini": {"opcache.memory_consumption": "48", "extension": ["a.so", "b.so"]}}, 48, 64),
        ({"release": RELEASE}, 96, 0),
        ({"release": RELEASE, "opcache": {"opcache.jit": "tracing", "opcache.jit_buffer_size": "8M"}}, 96, 8),
    ],
)
def test_the_site_s_own_directives_go_over_php_s(options: dict[str, Any], segment: int, jit: int) -> None:
    assert reserved(**options)[:2] == (segment, jit)


def test_folders_of_the_site_are_asked_and_no_slot_s() -> None:
    asked = reserved(ini_scan_dirs=["/home/wiki/ini", "/home/wiki/more"])[2]
    assert "PHP_INI_SCAN_DIR=:/home/wiki/ini:/home/wiki/more" in asked
    assert "--unset=PHP_INI_SCAN_DIR" in reserved()[2]


def test_php_that_can_t_be_asked_is_told() -> None:
    spec = build({"name": "wiki", "user": "wiki", "php_version": "8.2", "document_root": "/srv/wiki"})
    with pytest.raises(StepFailed, match=r"php-fpm8.2 can't read its ini files: syntax error"):
        planned(lambda _words: (78, "", "syntax error\nmore"), spec, Layout())
