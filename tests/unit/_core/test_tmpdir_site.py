# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import tmpdir_site
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import TmpdirError
from hypothesis import given
from hypothesis import strategies as st

PATH = "/dev/shm/phpops-wiki"
# As Debian's PHP 8.2 has them.
PHP = {"session.save_path": "/var/lib/php/sessions", "session.save_handler": "files", "open_basedir": ""}
ENVIRONMENT = {"SECRET": "x"}
MIB = 1 << 20


def change(ini: dict[str, Any], record: Any = None, environment: Any = None, **more: Any) -> tmpdir_site.Change:
    options = {"php": PHP, "path": PATH, "size_bytes": 256 * MIB, "sessions": False, "extend": True, **more}
    return tmpdir_site.change(environment or ENVIRONMENT, ini, record or {}, **options)


def test_what_a_site_is_told() -> None:
    found = change({"memory_limit": "64M"})
    assert found.environment == {"SECRET": "x", "TMPDIR": PATH}
    assert found.ini == {"memory_limit": "64M", "sys_temp_dir": PATH, "upload_tmp_dir": PATH}
    assert found.notes == ()
    assert found.record["environment.TMPDIR"] == {"old": None, "new": PATH}


@pytest.mark.parametrize(
    ("environment", "ini", "options"),
    [
        ({}, {}, {}),
        ({"TMPDIR": "/srv/tmp"}, {"sys_temp_dir": "/srv/tmp", "open_basedir": "/srv"}, {}),
        ({}, {"session.save_path": ""}, {}),
        ({}, {"session.save_path": "/srv/sessions"}, {"sessions": True}),
        ({}, {"extension": ["a", "b"]}, {}),
    ],
)
def test_there_again_and_back(environment: dict[str, str], ini: dict[str, Any], options: dict[str, Any]) -> None:
    first = change(ini, environment=environment or None, **options)
    again = change(first.ini, first.record, first.environment, **options)
    assert (again.environment, again.ini, again.record) == (first.environment, first.ini, first.record)
    back = tmpdir_site.before(first.environment, first.ini, first.record)
    assert back == (environment or ENVIRONMENT, ini, [])


def test_what_somebody_else_changed_since_stays() -> None:
    first = change({"upload_tmp_dir": "/srv/uploads"})
    changed = {**first.ini, "upload_tmp_dir": "/mnt"}
    environment, ini, foreign = tmpdir_site.before(first.environment, changed, first.record)
    assert (environment, ini, foreign) == (ENVIRONMENT, {"upload_tmp_dir": "/mnt"}, ["ini.upload_tmp_dir"])


def test_open_basedir_is_extended_or_refused() -> None:
    found = change({"open_basedir": "/srv/wiki"})
    assert found.ini["open_basedir"] == f"/srv/wiki:{PATH}"
    assert found.notes == (f"open_basedir is extended by {PATH}.",)
    assert change({}, php={**PHP, "open_basedir": "/srv"}).ini["open_basedir"] == f"/srv:{PATH}"
    assert "open_basedir" not in change({"open_basedir": ""}, php={**PHP, "open_basedir": "/srv"}).ini["open_basedir"]
    with pytest.raises(TmpdirError, match="open_basedir is /srv/wiki, which shuts /dev/shm/phpops-wiki out"):
        change({"open_basedir": "/srv/wiki"}, extend=False)


@pytest.mark.parametrize(
    ("allowed", "is_inside"),
    [
        (PATH, True),
        (f"{PATH}/", True),
        ("/srv:/dev/shm", True),
        ("/", True),
        ("/dev/sh", False),
        (f"{PATH}-2", False),
        (".", False),
        ("/srv", False),
    ],
)
def test_inside(allowed: str, is_inside: bool) -> None:
    assert tmpdir_site.inside(PATH, allowed) is is_inside


@pytest.mark.parametrize(
    ("php", "ini", "environment", "place"),
    [
        ({}, {}, {}, None),
        ({"session.save_path": ""}, {}, {}, "/tmp"),
        ({"session.save_path": ""}, {}, {"TMPDIR": "/srv/t"}, "/srv/t"),
        ({"session.save_path": ""}, {"sys_temp_dir": "/srv/s"}, {"TMPDIR": "/srv/t"}, "/srv/s"),
        ({"session.save_path": "", "session.save_handler": "redis"}, {}, {}, None),
        ({}, {"session.save_path": ""}, {}, "/tmp"),
    ],
)
def test_sessions_stay(
    php: dict[str, str], ini: dict[str, str], environment: dict[str, str], place: str | None
) -> None:
    found = change(ini, environment=environment or {"A": "b"}, php={**PHP, **php})
    assert found.ini.get("session.save_path") == place


def test_sessions_go_where_that_is_asked_for() -> None:
    found = change({}, sessions=True)
    assert found.ini["session.save_path"] == f"{PATH}/sessions"
    other = change({}, sessions=True, php={**PHP, "session.save_handler": "memcached"})
    assert "session.save_path" not in other.ini
    assert other.notes == ("Sessions are kept by memcached, not in files: they stay where they are.",)
    # Not any more: they go back to where they were.
    assert "session.save_path" not in change(found.ini, found.record, found.environment).ini


def test_uploads_that_do_not_fit_are_told() -> None:
    found = change({"post_max_size": "1G"}, php={**PHP, "upload_max_filesize": "2M"})
    assert found.notes == ("post_max_size is 1 GiB, the tmpfs 256 MiB: larger uploads fail.",)


@pytest.mark.parametrize(
    ("text", "size"),
    [("8M", 8 * MIB), ("1g", 1 << 30), ("512", 512), ("2k", 2048), ("0", None), ("", None), ("x", None), ("-1", None)],
)
def test_sizes_of_php(text: str, size: int | None) -> None:
    assert tmpdir_site.php_bytes(text) == size


@given(st.text(max_size=20))
def test_any_size_is_read(text: str) -> None:
    assert (tmpdir_site.php_bytes(text) or 1) > 0


@pytest.mark.parametrize(
    ("environment", "directives", "said"),
    [
        ({}, {}, None),
        ({"TMPDIR": PATH}, {"open_basedir": "/dev/shm", "sys_temp_dir": ""}, None),
        ({"TMPDIR": "/srv"}, {}, "its wrapper exports TMPDIR=/srv itself"),
        ({}, {"open_basedir": "/srv"}, "open_basedir is /srv, which shuts"),
        ({}, {"session.save_path": ""}, "session.save_path is empty"),
        ({}, {"session.save_path": "", "session.save_handler": "redis"}, None),
        ({}, {"sys_temp_dir": "/srv"}, "sys_temp_dir is /srv, which wins"),
    ],
)
def test_which_php_cgi_is_refused(environment: dict[str, str], directives: dict[str, str], said: str | None) -> None:
    found = tmpdir_site.php_cgi_refusal(environment, directives, PATH)
    assert (found or "").startswith(said or "")
    assert (found is None) is (said is None)


def test_the_cure_for_suexec_names_the_wrapper() -> None:
    assert "`export TMPDIR=/t` into /var/www/w/php," in tmpdir_site.wrapper_cure("w", "/var/www/w/php", "/t")
    assert "into its wrapper," in tmpdir_site.wrapper_cure("w", "", "/t")


@pytest.mark.parametrize(
    ("hardening", "path", "refused"),
    [
        ([], "/var/lib/phpops-tmp/w", False),
        (["ProtectSystem=full"], "/var/lib/phpops-tmp/w", False),
        (["ProtectSystem=strict"], "/dev/shm/phpops-w", False),
        (["ProtectSystem=strict"], "/var/lib/phpops-tmp/w", True),
        (["ProtectSystem=strict", "ReadWritePaths=/srv /var/lib/phpops-tmp"], "/var/lib/phpops-tmp/w", False),
        (["ProtectSystem=strict", "ReadWritePaths=-/var/lib/phpops-tmp/other"], "/var/lib/phpops-tmp/w", True),
    ],
)
def test_a_unit_that_makes_the_folder_read_only_is_refused(hardening: list[str], path: str, refused: bool) -> None:
    assert (tmpdir_site.hardening_refusal(hardening, path) is not None) is refused
