# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the tests of a file's cases: facts that fire a verdict, and facts just below its mark."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge


def fires(cases: list[tuple[str, str, dict[str, Any], str]]) -> Callable[..., None]:
    """Return the test of all cases (code, severity, facts that fire it, words of its sentence)."""

    @pytest.mark.parametrize(("code", "severity", "found", "words"), cases, ids=[f"{c[0]}-{c[1]}" for c in cases])
    def test(code: str, severity: str, found: dict[str, Any], words: str) -> None:
        hits = [verdict for verdict in judge(found) if verdict["code"] == code]
        assert [verdict["severity"] for verdict in hits] == [severity]
        assert words in hits[0]["sentence"]
        assert hits[0]["evidence"]
        assert hits[0]["cure"]["text"]

    return test


def keeps_quiet(cases: list[tuple[str, dict[str, Any]]]) -> Callable[..., None]:
    """Return the test of all cases (code, facts just below its mark)."""

    @pytest.mark.parametrize(("code", "found"), cases, ids=[case[0] for case in cases])
    def test(code: str, found: dict[str, Any]) -> None:
        assert code not in [verdict["code"] for verdict in judge(found)]

    return test
