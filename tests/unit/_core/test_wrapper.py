# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrapper scripts: every real sample, the shell's forms one by one, and any text at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.wrapper import (
    Wrapper,
    read_direct_binary,
    read_wrapper,
)
from hypothesis import given
from hypothesis import strategies as st

SAMPLES = Path(__file__).parents[2] / "fixtures" / "samples" / "apachefcgid"


def sample(name: str, path: str = "/home/x/fcgi-bin/php.fcgi") -> Wrapper:
    (file,) = SAMPLES.glob(f"{name}-*.txt")
    return read_wrapper(file.read_text(), path)


def script(*lines: str, initial: dict[str, str] | None = None, arguments: list[str] | None = None) -> Wrapper:
    return read_wrapper("\n".join(("#!/bin/sh", *lines)) + "\n", "/srv/bin/wrapper", initial, arguments)


# number, binary, children, requests, phprc, umask, how many lines aren't understood
REAL = [
    ("03", "/bin/php-cgi", None, 99999, "/home/x/etc/php5", "022", 0),
    ("04", "/opt/rh/rh-php70/root/usr/bin/php-cgi", None, 99999, "/home/x/etc/php7.0", "022", 0),
    ("06", "/usr/bin/php-cgi", 5, 1000, None, None, 0),
    ("07", "/opt/phpfarm/inst/bin/php-cgi-5.6.40", None, None, "/etc/php/7.0/cgi/5.6.40", None, 0),
]


@pytest.mark.parametrize(("number", "binary", "children", "requests", "phprc", "umask", "unresolved"), REAL)
def test_real_wrappers(number, binary, children, requests, phprc, umask, unresolved):
    read = sample(number)
    assert read.execs
    assert (read.binary, read.php_fcgi_children, read.php_fcgi_max_requests) == (binary, children, requests)
    assert (read.phprc, read.umask, len(read.unresolved)) == (phprc, umask, unresolved)
    assert (read.ini, read.environment, read.no_ini, read.ini_path) == ({}, {}, False, None)


def test_exported_but_never_set_is_said():
    assert sample("03").warnings == ["PHP_FCGI_CHILDREN is exported but never set: PHP uses its default."]


def test_misspelt_variables_are_unset_and_named():
    warnings = " ".join(sample("07").warnings)
    assert "PHP_FCGI_FCGI_CHILDREN is set but neither exported nor used" in warnings
    assert "PHP_FCGI_MAX_REQESTS is set but neither exported nor used" in warnings


def test_placeholders_are_unresolved():
    read = sample("17")
    assert (read.php_fcgi_children, read.php_fcgi_max_requests, read.umask) == (0, 1500, "027")
    assert read.binary == "{PHP5_FASTCGI_BIN}"
    assert [line.rsplit(" ", 1)[1] for line in read.unresolved] == ["binary", "PHPRC", "TMPDIR"]


EXPORTS = [
    ("export A=b", {"A": "b"}),
    ("A=b; export A", {"A": "b"}),
    ("export A B\nA=1\nB=2", {"A": "1", "B": "2"}),
    ("A=b", {}),
    ("export A", {}),
    ("export A=", {}),
    ('export A=\'x y\' B="p \\"q\\" \\$r" C=a\\ b', {"A": "x y", "B": 'p "q" $r', "C": "a b"}),
    ("X=1\nexport A=$X-${X}2", {"A": "1-12"}),
    ("X='a  b'\nexport A=$X", {"A": "a  b"}),
    ("export A='$X'", {"A": "$X"}),
    ('export A="two\nlines"', {"A": "two\nlines"}),
    ("export A=1 # why", {"A": "1"}),
    ("export A=1#2", {"A": "1#2"}),
    ("export A=${X:-fallback}", {"A": "fallback"}),
    ("export A=1\nunset A", {}),
    ("A=1 exec /usr/bin/php-cgi", {"A": "1"}),
    ("exec env A=1 /usr/bin/php-cgi", {"A": "1"}),
    ("export A=$PWD/../x", {"A": "/srv/bin/../x"}),
    ("export SCRIPT_FILENAME=$PATH_TRANSLATED", {}),
    ("export A=$B", {}),
]


@pytest.mark.parametrize(("lines", "environment"), EXPORTS)
def test_exports(lines, environment):
    read = script(lines, "exec /usr/bin/php-cgi")
    assert (read.environment, read.unresolved, read.binary) == (environment, [], "/usr/bin/php-cgi")


OPTIONS = [
    ("exec /usr/bin/php-cgi -c /etc/x", {"ini_path": "/etc/x"}),
    ("exec /usr/bin/php-cgi -c/etc/x -n", {"ini_path": "/etc/x", "no_ini": True}),
    ("exec /usr/bin/php-cgi -c ../etc", {"ini_path": "/srv/etc"}),
    ("exec php-cgi -d a=1 -db=2 -d c", {"ini": {"a": "1", "b": "2", "c": "1"}, "binary": "php-cgi"}),
    ('exec php-cgi -d "mail=/bin/m -t -i"', {"ini": {"mail": "/bin/m -t -i"}}),
    ("exec php-cgi -d 'a=\"x y\"'", {"ini": {"a": "x y"}}),
    ("exec php-cgi -d a=b=c", {"ini": {"a": "b=c"}}),
    ("exec php-cgi \\\n -d a=1 \\\n -d b=2", {"ini": {"a": "1", "b": "2"}}),
    ("P='php-cgi -d a=1'\nO=\"-d b=2 -n\"\nexec $P $O", {"ini": {"a": "1", "b": "2"}, "no_ini": True}),
    ('exec php-cgi $1 "$@"', {"binary": "php-cgi"}),
    ("exec ./php-cgi8.2", {"binary": "./php-cgi8.2"}),
    ("umask 2\nulimit -n 512\nexec php-cgi", {"umask": "002", "ulimits": ["-n 512"]}),
    ("set -e\n:\ncd /opt\nexec php-cgi -c etc", {"ini_path": "/opt/etc"}),
    ("/usr/bin/php5-cgi", {"binary": "/usr/bin/php5-cgi", "execs": False}),
]


@pytest.mark.parametrize(("lines", "expected"), OPTIONS)
def test_php_options(lines, expected):
    read = script(lines)
    assert {name: getattr(read, name) for name in expected} == expected
    assert read.unresolved == []


def test_without_exec_is_said():
    assert "without exec" in script("/usr/bin/php-cgi").warnings[0]


UNRESOLVED = [
    "export A=$(id -un)",
    "export A=`id -un`",
    ". /etc/default/php",
    "source /etc/default/php",
    "[ -f /x ] && export A=1",
    "if [ -f /x ]; then export A=1; fi",
    "if true\nthen\nexec php-cgi5 -n\nfi",
    "for f in a b; do export A=$f; done",
    "echo x > /tmp/log",
    "logger started",
    "export PATH=$HOME/bin",
    "export A=/x/$B",
    "export A=x$@",
    "exec $UNKNOWN",
    "exec php-cgi -b 127.0.0.1:9000",
    "exec php-cgi *.php",
    "exec nice php-cgi",
    "exec php-cgi 2>&1",
    "eval exec php-cgi",
    "export A='unclosed",
    "declare -x A=1",
    "export A=${B%x}",
    "export A=$((1+1))",
    "function run { exec php-cgi; }",
]


@pytest.mark.parametrize("lines", UNRESOLVED)
def test_what_is_not_plain_is_unresolved(lines):
    read = script(lines, "exec /usr/bin/php-cgi")
    assert read.unresolved != []
    assert "A" not in read.environment


def test_a_line_in_a_condition_names_itself():
    read = script("if test -d /x", "then", "  export PHPRC=/x", "fi", "exec php-cgi")
    assert read.phprc is None
    assert read.unresolved[2] == "line 4: export PHPRC=/x (a condition or a loop)"
    assert read.binary == "php-cgi"


def test_nothing_after_php_cgi_counts():
    assert script("exec php-cgi", "logger never", "export A=1").environment == {}
    assert script("exec php-cgi", "logger never").unresolved == []


def test_the_initial_environment_is_seen_but_not_repeated():
    read = script("export B=$A", "exec php-cgi", initial={"A": "x", "PHP_FCGI_CHILDREN": "4", "PHPRC": "/etc/q"})
    assert (read.environment, read.php_fcgi_children, read.phprc) == ({"B": "x"}, 4, "/etc/q")


def test_arguments_of_the_wrapper_directive():
    read = script("exec php-cgi -d a=$1 -d b=2", arguments=["7"])
    assert read.ini == {"a": "7", "b": "2"}


@pytest.mark.parametrize(("value", "expected"), [("5", 5), ("5x", 5), ("x", 0), ("''", None)])
def test_children(value, expected):
    assert script(f"export PHP_FCGI_CHILDREN={value}", "exec php-cgi").php_fcgi_children == expected


@pytest.mark.parametrize("first", ["", "#!/usr/bin/perl\n", "#!/usr/bin/env bash\n", "exec php-cgi\n", "\x7fELF\x00"])
def test_other_interpreters_are_refused(first):
    read = read_wrapper(first + "exec php-cgi\n", "/x")
    assert read.binary is None
    assert "the interpreter" in read.unresolved[0]


def test_a_script_without_php():
    assert script("umask 022").unresolved == ["the script runs no php-cgi"]


def test_crlf_is_not_php_cgi():
    assert read_wrapper("#!/bin/sh\r\nexport A=1\r\nexec php-cgi\r\n", "/x").unresolved != []


def test_php_cgi_itself_as_the_wrapper():
    read = read_direct_binary("/usr/bin/php-cgi", ["-d", "a=1"], {"PHPRC": "/etc/p"})
    assert (read.binary, read.execs, read.ini, read.phprc) == ("/usr/bin/php-cgi", True, {"a": "1"}, "/etc/p")
    assert read_direct_binary("/usr/bin/php-cgi", ["-b", "x"]).unresolved != []


@given(st.one_of(st.text(), st.text(alphabet="aX=$ {}'\"\\\n;#-exportc/&|()*~`0:", max_size=200)))
def test_any_text_is_read(text):
    read = read_wrapper("#!/bin/sh\n" + text, "/srv/bin/wrapper")
    assert read.binary is not None or read.unresolved != []
    read_wrapper(text, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A=xx\n" + "A=$A$A\n" * 60 + "exec php-cgi\n", "values that are too long"),
        ("A=" + "x" * 60000 + "\nulimit " + "$A " * 1000 + "\n", "values that are too long"),
        ("# nothing\n" * 10000, "longer than 65536 characters"),
        ("frobnicate\n" * 1000, "frobnicate"),
    ],
)
def test_a_hostile_wrapper_costs_neither_memory_nor_time(text: str, said: str) -> None:
    wrapper = read_wrapper("#!/bin/sh\n" + text, "/home/a/w")
    assert said in wrapper.unresolved[0]
    assert len(wrapper.unresolved) <= 21
