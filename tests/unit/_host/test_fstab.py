# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""fstab is replaced after findmnt has looked at it, and by nobody who read an older one."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host.fstab import FstabError, read_fstab, replace_fstab

OLD, NEW = "UUID=0a / ext4 defaults 0 1\n", "UUID=0a / ext4 defaults 0 1\n/a none swap sw 0 0\n"


@pytest.fixture
def fstab(tmp_path: Path) -> Path:
    path = tmp_path / "fstab"
    path.write_text(OLD)
    path.chmod(0o664)
    return path


def replace(fstab, before=OLD, after=NEW, answer=(0, "", "")):
    """Replace it; findmnt gives this answer about the new text. Returns the commands."""
    commands = []

    def run(words):
        commands.append(words[:2])
        new = words[0] == "findmnt" and Path(words[-1]).read_bytes() == after.encode(errors="surrogateescape")
        return answer if new else (0, "", "")

    replace_fstab(run, before, after, str(fstab), str(fstab.parent / "scratch"))
    return commands


def test_it_is_checked_replaced_and_read_by_systemd(fstab):
    assert replace(fstab) == [["findmnt", "--verify"], ["findmnt", "--verify"], ["systemctl", "--no-pager"]]
    assert fstab.read_text() == NEW
    assert fstab.stat().st_mode & 0o7777 == 0o664
    assert list((fstab.parent / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ((1, "none\n   [E] no such thing\n", ""), "findmnt --verify refuses the new one: no such thing"),
        ((1, "", "findmnt: /x: parse error at line 2 -- ignored\n"), "refuses the new one: parse error"),
        ((127, "", "findmnt can't be started"), "findmnt .package mount. is needed to check the new fstab"),
    ],
)
def test_a_refusal_leaves_it(fstab, answer, sentence):
    with pytest.raises(FstabError, match=sentence):
        replace(fstab, answer=answer)
    assert fstab.read_text() == OLD


def test_a_change_of_somebody_else_is_left_alone(fstab):
    with pytest.raises(FstabError, match="was changed by somebody else just now"):
        replace(fstab, before="")
    assert fstab.read_text() == OLD


def test_the_file_behind_a_symlink_is_replaced(fstab):
    real = fstab.rename(fstab.parent / "real")
    fstab.symlink_to("real")
    replace(fstab)
    assert fstab.is_symlink()
    assert real.read_text() == NEW


def test_a_host_without_one_gets_one(fstab):
    fstab.unlink()
    assert read_fstab(str(fstab)) == ""
    replace(fstab, before="")
    assert fstab.stat().st_mode & 0o7777 == 0o644


def test_bytes_that_are_no_text_survive(fstab):
    fstab.write_bytes(b"# caf\xe9\n")
    text = read_fstab(str(fstab))
    replace(fstab, before=text, after=text + "/a none swap sw 0 0\n")
    assert fstab.read_bytes() == b"# caf\xe9\n/a none swap sw 0 0\n"
