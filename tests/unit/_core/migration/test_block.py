# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.block import (
    Block,
    BlockError,
    Rule,
    any_extension,
    last_extension,
    place,
    python_pattern,
    remove,
    render,
    sites_in,
)
from hypothesis import assume, given
from hypothesis import strategies as st

GOLDEN = r"""    # BEGIN phpops.webhost shop
    <Proxy "unix:/var/lib/phpops/shop/ptr/live/php.sock|fcgi://shop">
        ProxySet timeout=40
    </Proxy>
    <If "%{REQUEST_FILENAME} =~ m#^/srv/web/# && %{REQUEST_FILENAME} !~ m#^/srv/web/up/# && %{REQUEST_FILENAME} =~ m#([^/]*)$# && $1 =~ m#^\.*[^.].*\.(?:php|phtml)(?:\..*)?$#i && -f %{REQUEST_FILENAME}">
        SetHandler "proxy:unix:/var/lib/phpops/shop/ptr/live/php.sock|fcgi://shop"
        CGIPassAuth On
    </If>
    <If "%{REQUEST_FILENAME} =~ m#^/srv/web/# && %{REQUEST_FILENAME} !~ m#^/srv/web/up/# && %{REQUEST_FILENAME} =~ m#([^/]*)$# && $1 =~ m#^\.*[^.].*\.(?:php|phtml)(?:\..*)?$#i && ! -e %{REQUEST_FILENAME}">
        SetHandler default-handler
    </If>
    <If "%{REQUEST_FILENAME} =~ m#^/srv/web/# && %{REQUEST_FILENAME} !~ m#^/srv/web/up/# && %{REQUEST_FILENAME} =~ m#([^/]*)$# && $1 =~ m#^\.*[^.].*\.(?:php|phtml)(?:\..*)?$#i && %{HTTP:Content-Length} -gt 1000">
        Redirect 413
    </If>
    # END phpops.webhost shop
"""  # noqa: E501

FILE = """<VirtualHost *:80>
    ServerName a.example
</VirtualHost>

<virtualhost *:443>
    ServerName a.example
    # </VirtualHost> in a comment
  </VIRTUALHOST >
<VirtualHost *:80>
    ServerName b.example
</VirtualHost>
"""


def test_the_whole_block() -> None:
    rule = Rule(any_extension([".phtml", ".php"]).pattern, True, "/srv/web")
    block = Block("shop", (rule,), ("/srv/web/up",), True, 1000, 40)
    assert render(block) == GOLDEN


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("a.php", True),
        ("a.PHP", True),
        ("p.php.de", True),
        ("x.php.txt", True),
        ("a.phtml", True),
        (".php", False),
        ("..php", False),
        (".a.php", True),
        ("a..php", True),
        ("aphp", False),
        ("a.phpx", False),
        ("php", False),
        ("a.php5", False),
    ],
)
def test_any_extension_takes_what_mod_mime_takes(name: str, taken: bool) -> None:
    pattern = python_pattern(any_extension([".php", "phtml"]))
    assert pattern is not None
    assert bool(pattern.search(name)) is taken


@pytest.mark.parametrize(("name", "taken"), [("a.php", True), ("a.PHP", False), ("p.php.de", False), (".php", True)])
def test_last_extension(name: str, taken: bool) -> None:
    pattern = python_pattern(last_extension([".php"]))
    assert pattern is not None
    assert bool(pattern.search(name)) is taken


def test_an_expression_for_pcre_alone_is_none() -> None:
    assert python_pattern(Rule(r"\.ph(?|p|tml)\z")) is None


@pytest.mark.parametrize("pattern", ['a"b', "#!,;~@%", "a\nb", "a\\\\b"])
def test_a_pattern_that_cannot_be_written_is_refused(pattern: str) -> None:
    with pytest.raises(BlockError, match="can't be written"):
        render(Block("shop", (Rule(pattern),)))


def test_each_virtual_host_gets_its_block_and_gives_it_back() -> None:
    blocks = [(1, "a", "    # BEGIN phpops.webhost a\n    one\n    # END phpops.webhost a\n")]
    blocks += [(5, "a", blocks[0][2]), (9, "b", blocks[0][2].replace("webhost a", "webhost b"))]
    placed = place(FILE, blocks)
    assert sites_in(placed) == ["a", "a", "b"]
    assert placed.splitlines()[5] == "</VirtualHost>"
    assert placed.splitlines()[13] == "  </VIRTUALHOST >"
    assert remove(remove(placed, "a"), "b") == FILE
    assert sites_in(remove(placed, "a")) == ["b"]


def test_placing_twice_changes_nothing_and_a_new_block_replaces_the_old() -> None:
    old = "# BEGIN phpops.webhost a\none\n# END phpops.webhost a\n"
    placed = place(FILE, [(1, "a", old)])
    assert place(placed, [(1, "a", old)]) == placed
    assert place(placed, [(1, "a", old.replace("one", "two"))]) == placed.replace("one", "two")


def test_windows_line_ends_and_foreign_bytes_survive() -> None:
    text = "# caf\xe9 \x85\x1c\r\n<VirtualHost *>\r\n</VirtualHost>"
    placed = place(text, [(2, "a", "# BEGIN phpops.webhost a\nx\n# END phpops.webhost a\n")])
    assert "x\n" in placed
    assert remove(placed, "a") == text
    crlf = text + "\r\n"
    assert "\nx\r\n" in place(crlf, [(2, "a", "# BEGIN phpops.webhost a\nx\n# END phpops.webhost a\n")])


def test_a_site_whose_name_begins_another_is_left_alone() -> None:
    text = "# BEGIN phpops.webhost a-b\nx\n# END phpops.webhost a-b\n"
    assert remove(text, "a") == text


@pytest.mark.parametrize(
    ("line", "text", "said"),
    [
        (2, FILE, "Line 2 is not the start"),
        (99, FILE, "Line 99 is not the start"),
        (0, FILE, "Line 0 is not the start"),
        (1, "<VirtualHost *>\n", "is not closed"),
        (1, "<VirtualHost *>\n# goes on \\\n</VirtualHost>\n", "is not closed"),
        (1, "Use MyMacro x\n</VirtualHost>\n", "not the start"),
    ],
)
def test_no_place(line: int, text: str, said: str) -> None:
    with pytest.raises(BlockError, match=said):
        place(text, [(line, "a", "x\n")])


@given(st.binary(max_size=200), st.binary(max_size=200), st.sampled_from(["\n", "\r\n"]))
def test_any_bytes_come_back(head: bytes, inside: bytes, end: str) -> None:
    before, middle = head.decode("latin-1"), inside.decode("latin-1")
    text = f"{before}\n<VirtualHost *>{end}{middle}\n</VirtualHost>{end}tail"
    line = before.count("\n") + 2
    block = "    # BEGIN phpops.webhost a\n    x\n    # END phpops.webhost a\n"
    assume(not re.search(r"BEGIN|VirtualHost", before + middle) and not middle.rstrip("\r").endswith("\\"))
    assert remove(place(text, [(line, "a", block)]), "a") == text


def test_a_folders_name_can_neither_begin_a_line_nor_change_its_bytes() -> None:
    """A .htaccess that takes PHP away brings the name of its folder into the block, and that is its user's choice."""
    host = "<VirtualHost *:80>\n</VirtualHost>\n"
    rendered = render(Block("wiki", (Rule(r"\.php$"),), ("/srv/wiki/x\u2028y\x85é€",)))
    placed = place(host, [(1, "wiki", rendered)])
    assert placed.count("\n") == host.count("\n") + rendered.count("\n")
    assert "/srv/wiki/x\u2028y\x85é€/".encode() in placed.encode("latin-1")
    for name in ("x\ny", "x\ry", "x\x1cy", 'x"y'):
        with pytest.raises(BlockError, match="can't be written"):
            render(Block("wiki", (Rule(r"\.php$"),), (f"/srv/wiki/{name}",)))
