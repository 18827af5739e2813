# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import tmpdir_apache
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.config_lines import LineError
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration import block
from hypothesis import given
from hypothesis import strategies as st

HOST = "<VirtualHost *:{0}>\n    ServerName {1}\n</VirtualHost>\n"
TWO = HOST.format(80, "a") + HOST.format(443, "a") + HOST.format(80, "b")
PLACES = [(1, "a", "/t/a"), (4, "a", "/t/a"), (7, "b", "/t/b")]


@pytest.mark.parametrize("text", [TWO, TWO.replace("\n", "\r\n"), TWO.rstrip("\n"), TWO + "# caf\xe9 \xa0\n"])
def test_there_again_and_back(text: str) -> None:
    new = tmpdir_apache.with_blocks(text, PLACES)
    assert new.count('FcgidInitialEnv TMPDIR "/t/a"') == 2
    assert tmpdir_apache.sites_in(new) == ["a", "a", "b"]
    # The lines of the virtual hosts have moved.
    starts = [number for number, line in enumerate(new.split("\n"), 1) if line.startswith("<VirtualHost")]
    places = [(line, site, path) for line, (_old, site, path) in zip(starts, PLACES)]
    assert tmpdir_apache.with_blocks(new, places) == new
    assert tmpdir_apache.without_blocks(new, ["a", "b"]) == text
    assert tmpdir_apache.with_blocks(new, []) == text


def test_another_folder_replaces_the_line() -> None:
    new = tmpdir_apache.with_blocks(HOST.format(80, "a"), [(1, "a", "/t/a")])
    other = tmpdir_apache.with_blocks(new, [(1, "a", "/u/a")])
    assert other == new.replace("/t/a", "/u/a")


def test_a_block_of_a_migration_stays_where_it_is() -> None:
    own = "    # BEGIN phpops.webhost a\n    # END phpops.webhost a\n"
    text = block.place(HOST.format(80, "a"), [(1, "a", own)])
    new = tmpdir_apache.with_blocks(text, [(1, "a", "/t/a")])
    assert own in new
    assert block.place(new, [(1, "a", own)]).count("FcgidInitialEnv") == 1
    assert tmpdir_apache.with_blocks(new, []) == text


def test_a_line_that_is_no_virtual_host_is_refused() -> None:
    with pytest.raises(LineError, match="gather the facts again"):
        tmpdir_apache.with_blocks(TWO, [(2, "a", "/t/a")])


@given(st.text(max_size=100))
def test_any_text_without_blocks_stays(text: str) -> None:
    assert tmpdir_apache.with_blocks(text, []) == text or "phpops.webhost" in text


def test_folders_of_cgi_programs() -> None:
    inside = Directive("ScriptAlias", '/php/ "/var/www/fcgi-bin/"', "f", 3)
    dump = [
        Directive("ScriptAlias", "/cgi-bin/ /usr/lib/cgi-bin/", "f", 1),
        Directive("ScriptAlias", "/again/ /usr/lib/cgi-bin", "f", 2),
        Directive("ScriptAlias", "/relative/ cgi/", "f", 4),
        Directive("VirtualHost", "*:80", "f", 2, True, [inside]),
    ]
    assert tmpdir_apache.cgi_folders(dump, []) == ["/usr/lib/cgi-bin", "/var/www/fcgi-bin"]
    assert tmpdir_apache.cgi_folders(dump, ["/var/www/fcgi-bin/php", ""]) == ["/usr/lib/cgi-bin"]


def test_texts() -> None:
    assert tmpdir_apache.conf_text([], "/t") == ""
    assert '<Directory "/usr/lib/cgi-bin">\n        SetEnv TMPDIR "/t"\n' in tmpdir_apache.conf_text(
        ["/usr/lib/cgi-bin"], "/t"
    )
    assert tmpdir_apache.unit_text("/t").endswith("[Service]\nEnvironment=TMPDIR=/t\n")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("export TMPDIR=/srv\n", 1),
        ("# x\nTMPDIR='/srv'\n", 2),
        ("export TMPDIR=/t\n", None),
        ("#export TMPDIR=/srv\nMY_TMPDIR=/x\n", None),
    ],
)
def test_envvars_that_win_are_told(text: str, line: int | None) -> None:
    found = tmpdir_apache.envvars_warning(text, "/t", "/etc/apache2/envvars")
    assert (found is None) is (line is None)
    assert f":{line} sets TMPDIR=" in (found or f":{line} sets TMPDIR=")


def test_what_changes() -> None:
    assert tmpdir_apache.changed({"a": b"1", "b": None}, {"a": b"2", "b": None, "c": b""}) == ["a", "c"]


def test_the_ports_that_apache_listens_on() -> None:
    inside = Directive("Listen", "[::]:443 https", "f", 3)
    dump = [Directive("Listen", "80", "f", 1), Directive("IfModule", "ssl_module", "f", 2, True, [inside])]
    assert tmpdir_apache.listen_ports(dump) == {"80", "443"}


@pytest.mark.parametrize(
    ("envvars", "environment", "value"),
    [
        ("", "", None),
        ("", "A=b TMPDIR=/srv", "/srv"),
        ("", 'A=b "TMPDIR=/a b" XTMPDIR=/x', "/a b"),
        ("", "A=$'it\\'s' TMPDIR=/srv", "/srv"),
        ("TMPDIR=/a\nexport TMPDIR='/b'\n", "TMPDIR=/srv", "/b"),
    ],
)
def test_whoever_sets_it_last_has_the_say(envvars: str, environment: str, value: str | None) -> None:
    assert tmpdir_apache.at_next_start(envvars, environment) == value
