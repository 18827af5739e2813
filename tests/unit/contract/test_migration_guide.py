# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide of the migration has a row for each setting of mod_fcgid, and all that every site should know."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.notes import ALWAYS
from ansible_collections.phpops.webhost.tests.unit.contract.tree import ROOT

GUIDE = (ROOT / "docs" / "docsite" / "rst" / "guide_migration.rst").read_text(encoding="utf-8")
ROWS = [row.split("\n     - ") for row in GUIDE.partition(".. list-table::")[2].rstrip().split("\n   * - ")[1:]]
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


def test_every_directive_has_one_row():
    assert sorted(row[0] for row in ROWS if row[0].startswith("Fcgid")) == sorted(MOD_FCGID_2_3_9)


def test_every_row_has_an_answer_and_says_why():
    (_name, *titles), *rows = ROWS
    assert titles == ["Default", "PHP-FPM", "Why"]
    assert [row for row in rows if len(row) != 4 or not all(row) or not row[3].endswith(".")] == []


def test_the_guide_holds_the_sentences_for_every_site():
    assert [line for line in ALWAYS if line.replace("_", "\\_") not in GUIDE] == []
