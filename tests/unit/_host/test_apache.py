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
            return 0, (fixture.DUMPS / f"{name}.config.txt").read_text(), "Syntax OK"
        if "DUMP_VHOSTS" in command:
            assert "DUMP_MODULES" in command
            return 0, "".join((fixture.DUMPS / f"{name}.{dump}.txt").read_text() for dump in ("vhosts", "modules")), ""
        return 0, "Server version: Apache/2.4.71 (Debian)\n", ""

    return run


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
