# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of Apache files, changed and given back byte for byte."""

from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.config_lines import (
    LineEdit,
    LineError,
    apply_all,
    closing_line,
    directive_lines,
    moved_includes,
    rewritten,
    split_lines,
    undo,
    without_block,
)
from hypothesis import given
from hypothesis import strategies as st

FILE = (
    "# mine\r\nMaxProcessCount 10\r\n\tFcgidProcessLifeTime \\\r\n  7200\r\n"
    "<VirtualHost *:80>\n  BusyTimeout 9\n</VirtualHost>\n"
)
TEXT = st.text(alphabet=st.characters(max_codepoint=255), max_size=200)


@pytest.mark.parametrize(
    ("line", "name", "value", "edit"),
    [
        (2, "MaxProcessCount", None, LineEdit(2, "MaxProcessCount 10\r\n", "FcgidX 10\r\n")),
        (2, "maxprocesscount", "5", LineEdit(2, "MaxProcessCount 10\r\n", "FcgidX 5\r\n")),
        (
            4,
            "FcgidProcessLifeTime",
            None,
            LineEdit(3, "\tFcgidProcessLifeTime \\\r\n  7200\r\n", "\tFcgidX \\\r\n  7200\r\n"),
        ),
        (3, "FcgidProcessLifeTime", "5", LineEdit(3, "\tFcgidProcessLifeTime \\\r\n  7200\r\n", "\tFcgidX 5\r\n")),
    ],
)
def test_a_directive_gets_a_new_name_or_value(line, name, value, edit):
    assert rewritten(split_lines(FILE), line, name, "FcgidX", value) == edit
    changed = apply_all(FILE, [edit], [])
    assert changed != FILE
    assert undo(changed, [edit]) == (FILE, [])


@pytest.mark.parametrize(("line", "said"), [(1, "does not hold"), (0, "no line 0"), (99, "no line 99")])
def test_a_file_that_is_not_what_apache_read(line, said):
    with pytest.raises(LineError, match=said):
        directive_lines(split_lines(FILE), line, "MaxProcessCount")


def test_a_longer_name_is_another_directive():
    with pytest.raises(LineError, match="does not hold"):
        directive_lines(["FcgidMaxProcessesPerClass 3\n"], 1, "FcgidMaxProcesses")


def test_edits_and_blocks_of_one_file_do_not_move_each_other():
    edits = [
        rewritten(split_lines(FILE), 2, "MaxProcessCount", "A", "1"),
        rewritten(split_lines(FILE), 6, "BusyTimeout", "B", None),
    ]
    text = apply_all(FILE, edits, [(5, "  # BEGIN x\n  C 1\n  # END x\n")])
    assert text == (
        "# mine\r\nA 1\r\n\tFcgidProcessLifeTime \\\r\n  7200\r\n<VirtualHost *:80>\n  B 9\n"
        "  # BEGIN x\n  C 1\n  # END x\n</VirtualHost>\n"
    )
    assert undo(without_block(text, "# BEGIN x", "# END x"), edits) == (FILE, [])


def test_a_block_ends_its_lines_as_the_file_does():
    assert (
        apply_all("<VirtualHost *>\r\n</VirtualHost>\r\n", [], [(1, "x\ny\n")])
        == "<VirtualHost *>\r\nx\r\ny\r\n</VirtualHost>\r\n"
    )


def test_lines_that_moved_are_found_and_others_are_told():
    edit = LineEdit(2, "MaxProcessCount 10\n", "FcgidMaxProcesses 5\n")
    text = "FcgidMaxProcesses 5\n# a\n# b\n# c\n# d\nFcgidMaxProcesses 5\n"
    assert undo(text, [edit])[0].startswith("MaxProcessCount 10\n# a\n")
    assert undo(text, [LineEdit(5, edit.old, edit.new)])[0].endswith("# d\nMaxProcessCount 10\n")
    assert undo("FcgidMaxProcesses 7\n", [edit]) == ("FcgidMaxProcesses 7\n", [edit])
    assert undo("a\n", [LineEdit(1, "a\n", "a\n")]) == ("a\n", [])


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a\n", 1, "not the start"),
        ("<VirtualHost *>\n", 1, "not closed"),
        ("<VirtualHost *>\n\\\n</VirtualHost>\n", 1, "not closed"),
    ],
)
def test_a_virtual_host_without_an_end(text, line, said):
    with pytest.raises(LineError, match=said):
        closing_line(split_lines(text), line)


@pytest.mark.parametrize(
    ("line", "moved"),
    [
        ("IncludeOptional /etc/apache2/conf-enabled/*.conf\n", "IncludeOptional /s/conf-enabled/*.conf\n"),
        ('include "/etc/apache2/ports.conf"\r\n', 'include "/s/ports.conf"\r\n'),
        ("ServerRoot /etc/apache2\n", "ServerRoot /s\n"),
        ("Include /etc/apache2x/a.conf\n", "Include /etc/apache2x/a.conf\n"),
        ("# Include /etc/apache2/a.conf\n", "# Include /etc/apache2/a.conf\n"),
        ("SSLCertificateFile /etc/apache2/a.pem\n", "SSLCertificateFile /etc/apache2/a.pem\n"),
    ],
)
def test_a_copy_reads_itself(line, moved):
    assert moved_includes(line, "/etc/apache2/", "/s") == moved


@given(TEXT, TEXT, st.integers(1, 9))
def test_any_line_comes_back(before, after, value):
    text = before.replace("FcgidX", "") + "\nFcgidX 10\n" + after.replace("FcgidX", "")
    line = before.replace("FcgidX", "").count("\n") + 2
    try:
        edit = rewritten(split_lines(text), line, "FcgidX", "FcgidX", f"{value}")
    except LineError:
        # A backslash before it took the line in.
        assert "\\" in before
        return
    assert undo(apply_all(text, [edit], []), [edit]) == (text, [])
