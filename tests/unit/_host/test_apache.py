# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking Apache, and the errors that it may answer with."""

from __future__ import annotations

import os

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host import apache
from ansible_collections.phpops.webhost.tests.unit._core import apache_fixture as fixture


def answers(name: str):
    def run(command):
        if "DUMP_CONFIG" in command:
            assert command[1:3] == ["-c", command[2]]
            assert {"DUMP_VHOSTS", "DUMP_RUN_CFG", "DUMP_MODULES"} <= set(command)
            return 0, together(name), "Syntax OK"
        return 0, "Server version: Apache/2.4.71 (Debian)\n", ""

    return run


def saved(name: str, dump: str) -> str:
    return (fixture.DUMPS / f"{name}.{dump}.txt").read_bytes().decode("utf-8", "replace")


def together(name: str) -> str:
    """Return the dumps in the order in which Apache prints them when it is asked for all in one call."""
    config, rest, modules = (
        (fixture.DUMPS / f"{name}.{dump}.txt").read_text() for dump in ("config", "vhosts", "modules")
    )
    vhosts, mark, run_configuration = rest.partition("ServerRoot: ")
    return f"{vhosts}{config}{mark}{run_configuration}{modules} info_module (shared)\n"


def test_everything_is_asked(tmp_path):
    (tmp_path / "mod_info.so").touch()
    read = apache.read_apache(answers("three-sites-debian12"), "/bin/true", str(tmp_path / "mod_info.so"))
    assert (read.version, read.mpm, len(read.vhosts)) == ("2.4.71", "event", 4)


def test_a_broken_configuration_gives_its_own_error(tmp_path):
    (tmp_path / "mod_info.so").touch()
    said = (
        "AH00558: apache2: Could not reliably determine the server's name\n"
        "AH00526: Syntax error on line 1 of /etc/apache2/sites-enabled/zz.conf:\nInvalid command 'Nonsense'\n"
    )
    with pytest.raises(apache.ApacheUnavailable) as raised:
        apache.read_apache(
            lambda command: (1, "Action '-t' failed.\nThe Apache error log may have more.\n", said),
            "/bin/true",
            str(tmp_path / "mod_info.so"),
        )
    text = str(raised.value)
    assert "Syntax error on line 1 of /etc/apache2/sites-enabled/zz.conf: Invalid command 'Nonsense'" in text
    assert "AH00558" not in text
    assert "Action" not in text


def test_without_apache(monkeypatch):
    monkeypatch.setattr(apache, "CONTROLS", ("/nowhere/apache2ctl",))
    with pytest.raises(apache.ApacheUnavailable, match="not installed"):
        apache.read_apache(lambda command: (0, "", ""))


def test_without_mod_info():
    with pytest.raises(apache.ApacheUnavailable, match="install apache2-bin"):
        apache.read_apache(lambda command: (0, "", ""), "/bin/true", "/nowhere/mod_info.so")


def test_an_empty_dump_is_no_configuration(tmp_path):
    (tmp_path / "m").touch()
    with pytest.raises(apache.ApacheUnavailable, match="printed no configuration"):
        apache.read_apache(lambda command: (0, "Syntax OK\n", ""), "/bin/true", str(tmp_path / "m"))


def test_running(tmp_path):
    pid = str(os.getpid())
    (tmp_path / pid).mkdir()
    (tmp_path / pid / "comm").write_text("apache2\n")
    (tmp_path / "pid").write_text(pid + "\n")
    assert apache.is_running(str(tmp_path / "pid"), str(tmp_path))
    (tmp_path / pid / "comm").write_text("bash\n")
    assert not apache.is_running(str(tmp_path / "pid"), str(tmp_path))
    assert not apache.is_running(None)
    assert not apache.is_running(str(tmp_path / "gone"))


@pytest.mark.parametrize("name", sorted(path.name.partition(".")[0] for path in fixture.DUMPS.glob("*.config.txt")))
def test_one_call_says_what_three_did(name, tmp_path):
    (tmp_path / "mod_info.so").touch()
    read = apache.read_apache(answers(name), "/bin/true", str(tmp_path / "mod_info.so"))
    # Directives compare by identity.
    assert repr(read.config) == repr(apache.parse_config_dump(saved(name, "config")))
    assert read.vhosts == apache.parse_vhosts(saved(name, "vhosts"))
    assert read.run == apache.parse_run_configuration(saved(name, "vhosts"))
    assert read.modules == apache.parse_modules(saved(name, "modules"))
