# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import getpass
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host.runtime_files import blacklist, look


def site(tmp_path: Path) -> Path:
    root = tmp_path / "site"
    (root / "cache").mkdir(parents=True)
    (root / "index.php").write_text("<?php\n")
    for number in range(8):
        (root / "cache" / f"page{number}.php").write_text("<?php // auto-generated\n")
    return root


def test_what_a_generator_signed_is_counted_and_a_few_are_named(tmp_path: Path) -> None:
    root = site(tmp_path)
    found = look([str(root)], getpass.getuser(), None, [])
    assert (found["files"], found["complete"], found["written"]) == (9, True, 8)
    assert len(found["examples"]) == 5
    assert found["blacklist"] == [f"{root}/cache/"]


def test_what_the_blacklist_leaves_out_does_not_count(tmp_path: Path) -> None:
    root = site(tmp_path)
    file = tmp_path / "blacklist.txt"
    file.write_text(f"; ours\n\n{root}/cache/\n")
    lines = blacklist({"opcache.blacklist_filename": str(file)})
    assert lines == [f"{root}/cache/"]
    found = look([str(root)], getpass.getuser(), None, lines)
    assert (found["files"], found["written"], found["blacklist"], found["left_out"]) == (9, 0, [], lines)


@pytest.mark.parametrize("path", ["", "relative.txt", "/none/blacklist.txt"])
def test_no_blacklist_that_can_be_read_has_no_lines(path: str) -> None:
    assert blacklist({"opcache.blacklist_filename": path}) == []


def test_a_walk_that_had_no_time_says_so(tmp_path: Path) -> None:
    assert look([str(site(tmp_path))], getpass.getuser(), None, [], max_seconds=-1.0)["complete"] is False


def test_an_account_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        look([str(tmp_path)], "no-such-user", None, [])
