# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""/etc/fstab: its entries, and edits that leave all other bytes alone."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.fstab import (
    Entry,
    new_errors,
    parse_fstab,
    with_lines,
    with_replaced,
    without_lines,
)
from hypothesis import given
from hypothesis import strategies as st

TEXT = """# a comment
UUID=0a /  ext4\terrors=remount-ro 0 1

/dev/sr0 /media/my\\040disc udf,iso9660 user,noauto 0 0
tmpfs /dev/shm tmpfs
half a
"""
SWAP = "/var/lib/x/phpops-1.swap none swap sw,nofail 0 0"


def test_entries():
    assert parse_fstab(TEXT) == [
        Entry(1, "UUID=0a", "/", "ext4", ("errors=remount-ro",)),
        Entry(3, "/dev/sr0", "/media/my disc", "udf,iso9660", ("user", "noauto")),
        Entry(4, "tmpfs", "/dev/shm", "tmpfs", ()),
    ]


def test_a_line_is_replaced_in_its_place():
    assert with_replaced(TEXT, {4: "new"}) == TEXT.replace("tmpfs /dev/shm tmpfs", "new")


@given(st.text(alphabet="a #/\n\r\t\\0\u2028", max_size=60))
def test_what_was_added_can_be_taken_out_again_to_the_byte(text):
    added = with_lines(text, [SWAP])
    numbers = [entry.number for entry in parse_fstab(added) if entry.source.endswith("phpops-1.swap")]
    assert len(numbers) == 1
    assert without_lines(added, numbers) == text


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    for entry in parse_fstab(text):
        assert entry.source and not entry.source.startswith("#")


OLD = "/\n   [E] unreachable on boot required source: UUID=0a\n\n0 parse errors, 1 error, 0 warnings\n"


def test_only_errors_that_are_new_count():
    more = "none\n   [W] non-bind mount source /x is a directory or regular file\n"
    assert new_errors(OLD, OLD + more) == []
    assert new_errors(OLD, OLD + "/srv\n   [E] unreachable source: x\n") == ["unreachable source: x"]
    assert new_errors(OLD, OLD + OLD) == ["unreachable on boot required source: UUID=0a"]


def test_a_line_that_can_not_be_parsed_is_an_error_wherever_it_is():
    before, after = (f"findmnt: /run/x: parse error at line {number} -- ignored\n" for number in (3, 4))
    assert new_errors("", before) == ["parse error"]
    assert new_errors(before, after) == []
