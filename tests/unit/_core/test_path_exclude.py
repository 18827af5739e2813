# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.path_exclude import excluded
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("path", "patterns", "out"),
    [
        (".git", [".git"], True),
        (".git/config", [".git"], True),
        ("lib/.git/config", [".git"], True),
        (".gitignore", [".git"], False),
        ("a/b.log", ["*.log"], True),
        ("var/cache/x", ["var/cache"], True),
        ("var/cachet", ["var/cache"], False),
        ("lib/var/cache/x", ["var/cache"], False),
        ("build", ["/build"], True),
        ("lib/build", ["/build"], False),
        ("node_modules/a", ["node_modules/"], True),
        ("var/cache/x", ["var/*"], True),
        ("index.php", [], False),
        ("index.php", ["", "/"], False),
    ],
)
def test_a_pattern_leaves_out_what_it_names(path: str, patterns: list[str], out: bool) -> None:
    assert excluded(path, patterns) is out


@given(st.text(min_size=1), st.lists(st.text()))
def test_any_text_is_an_answer(path: str, patterns: list[str]) -> None:
    assert excluded(path, patterns) in (True, False)
