# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.fcgid_table import (
    ROWS,
    directives,
    render_rst,
    row,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.notes import ALWAYS

# The names in mod_fcgid.so 2.3.9 of Debian 12, and the one that its Windows build adds.
MOD_FCGID_2_3_9 = [
    "FcgidAccessChecker",
    "FcgidAccessCheckerAuthoritative",
    "FcgidAuthenticator",
    "FcgidAuthenticatorAuthoritative",
    "FcgidAuthorizer",
    "FcgidAuthorizerAuthoritative",
    "FcgidBusyScanInterval",
    "FcgidBusyTimeout",
    "FcgidCmdOptions",
    "FcgidConnectTimeout",
    "FcgidErrorScanInterval",
    "FcgidFixPathinfo",
    "FcgidIOTimeout",
    "FcgidIPCDir",
    "FcgidIdleScanInterval",
    "FcgidIdleTimeout",
    "FcgidInitialEnv",
    "FcgidMaxProcesses",
    "FcgidMaxProcessesPerClass",
    "FcgidMaxRequestInMem",
    "FcgidMaxRequestLen",
    "FcgidMaxRequestsPerProcess",
    "FcgidMinProcessesPerClass",
    "FcgidOutputBufferSize",
    "FcgidPassHeader",
    "FcgidProcessLifeTime",
    "FcgidProcessTableFile",
    "FcgidSpawnScore",
    "FcgidSpawnScoreUpLimit",
    "FcgidTerminationScore",
    "FcgidTimeScore",
    "FcgidWrapper",
    "FcgidZombieScanInterval",
    "FcgidWin32PreventOrphans",
]


def test_every_directive_has_one_row() -> None:
    assert sorted(directives()) == sorted(MOD_FCGID_2_3_9)


def test_every_row_says_why() -> None:
    assert [item.name for item in ROWS if not item.why.endswith(".")] == []
    assert [item.name for item in ROWS if item.equivalent == ""] == []


def test_a_row_by_name() -> None:
    assert row("fcgidiotimeout").equivalent == "ProxySet timeout="
    with pytest.raises(KeyError):
        row("FcgidNothing")


def test_the_table_as_text() -> None:
    lines = render_rst().splitlines()
    assert lines[:3] == [".. list-table::", "   :header-rows: 1", ""]
    assert len(lines) == 3 + 4 * (len(ROWS) + 1)
    assert all(len(line) > 7 for line in lines[3:])


def test_the_guide_holds_the_table_and_the_sentences() -> None:
    guide = (Path(__file__).parents[4] / "docs" / "docsite" / "rst" / "guide_migration.rst").read_text(encoding="utf-8")
    assert guide.endswith(render_rst())
    assert [line for line in ALWAYS if line.replace("_", "\\_") not in guide] == []
