# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import HEADER
from ansible_collections.phpops.webhost.plugins.module_utils._host.distribution_master import masters, stop_unused
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_files import references, serves
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_references import (
    apache_tree,
    nginx_tree,
    rewritten,
    spoilers,
)

POINTER = "/var/lib/phpops/a/ptr/live"


def test_enabled_files_are_named_by_their_real_path_and_comments_are_not(tmp_path: Path) -> None:
    available, enabled = tmp_path / "sites-available", tmp_path / "sites-enabled"
    for folder in (available, enabled):
        folder.mkdir()
    (available / "a.conf").write_text("#  /run/a.sock\n\n  SetHandler proxy:unix:/run/a.sock|fcgi://a\n")
    (available / "b.conf").write_text("SetHandler proxy:unix:/run/a.sock|fcgi://b\n")
    (enabled / "a.conf").symlink_to(available / "a.conf")
    (enabled / "dangling.conf").symlink_to(available / "none.conf")
    assert references("/run/a.sock", [str(enabled), str(tmp_path / "none")]) == [f"{available}/a.conf:3"]
    assert references("/run/c.sock", [str(enabled), str(enabled / "a.conf")]) == []


def test_what_is_included_is_read_in_its_place(tmp_path: Path) -> None:
    enabled, parts = tmp_path / "apache2" / "sites-enabled", tmp_path / "apache2" / "parts"
    for folder in (enabled, parts):
        folder.mkdir(parents=True)
    php = parts / "php.conf"
    php.write_text(f'SetHandler "proxy:unix:{POINTER}/php.sock|fcgi://a"\nInclude {php}\n')
    (parts / "other.txt").write_text("ServerAdmin x\n")
    (enabled / "a.conf").write_text(
        f"<VirtualHost *:80>\nDocumentRoot /srv/a\nIncludeOptional {parts}/*.conf\nInclude ${{X}}/y\n</VirtualHost>\n"
        f"Include {enabled}/a.conf\n"
    )
    places = [str(enabled)]
    (host,) = apache_tree(places)
    assert [item.key for item in host.children] == ["documentroot", "sethandler"]
    assert serves(POINTER, places) == [f"{php}:1"]
    assert [(item.file, item.line) for item in spoilers("a", POINTER, True, places)] == [(f"{enabled}/a.conf", 2)]
    assert spoilers("a", POINTER, False, places) == []


def test_what_nginx_includes_is_read_in_its_place(tmp_path: Path) -> None:
    root = tmp_path / "nginx"
    root.mkdir()
    (root / "php.inc").write_text(f"location / {{ fastcgi_pass unix:{POINTER}/php.sock; }}\n")
    (root / "site.conf").write_text(f"server {{\n root /srv/a;\n include {root}/php.*;\n}}\n")
    (root / "nginx.conf").write_text(f"http {{\n include {root}/site.conf;\n}}\n")
    places = [str(root / "nginx.conf")]
    (server,) = [item for item in nginx_tree(places) if item.name == "server"]
    assert [item.name for item in server.children] == ["root", "location"]
    assert serves(POINTER, places) == [f"{root}/php.inc:1"]
    assert [(item.file, item.line) for item in spoilers("a", POINTER, True, places)] == [(f"{root}/site.conf", 2)]


class PlayedSystemd:
    """Every unit is active and enabled until it is stopped."""

    def __init__(self) -> None:
        self.verbs: list[str] = []

    def __call__(self, words: list[str]) -> tuple[int, str, str]:
        self.verbs.append(words[2])
        return 0, {"show": "ActiveState=active\n", "is-enabled": "enabled\n"}.get(words[2], ""), ""


def test_a_virtual_host_that_is_written_anew_is_not_judged_by_its_old_text(tmp_path: Path) -> None:
    for server, bad in (
        ("apache2", f'DocumentRoot /srv/old\nSetHandler "proxy:unix:{POINTER}/php.sock|fcgi://a"\n'),
        ("nginx", f"root /srv/old;\nlocation / {{ fastcgi_pass unix:{POINTER}/php.sock; }}\n"),
    ):
        available, enabled = tmp_path / server / "sites-available", tmp_path / server / "sites-enabled"
        for folder in (available, enabled):
            folder.mkdir(parents=True)
        main = tmp_path / server / "main.conf"
        main.write_text(f"IncludeOptional {enabled}/*\n" if server == "apache2" else f"include {enabled}/*;\n")
        text = f"<VirtualHost *:80>\n{bad}</VirtualHost>\n" if server == "apache2" else f"server {{\n{bad}}}\n"
        own = available / "phpops-a.conf"
        own.write_text(f"# {HEADER}\n{text}")
        (enabled / "phpops-a.conf").symlink_to("../sites-available/phpops-a.conf")
        places, root = [str(main), str(enabled)], str(tmp_path / server)
        assert [item.file for item in spoilers("a", POINTER, True, places)] == [str(own)]
        passed = rewritten("a", root)
        assert spoilers("a", POINTER, True, places, passed) == []
        # A migrated site's own file stays, and stays wrong.
        (enabled / "a.conf").write_text(text)
        assert [item.file for item in spoilers("a", POINTER, True, places, passed)] == [f"{enabled}/a.conf"]
        # Of another hand: site_vhost would not replace it.
        own.write_text(text)
        assert rewritten("a", root) == frozenset()


def test_a_master_of_the_distribution_is_stopped_when_no_server_names_its_socket(tmp_path: Path) -> None:
    for version in ("8.2", "8.4"):
        pool = tmp_path / version / "fpm" / "pool.d"
        pool.mkdir(parents=True)
        (pool / "www.conf").write_text(
            f";listen = 9000\n[www]\nlisten = /run/php/php{version}-fpm.sock\nlisten.owner = x\n"
        )
    run = PlayedSystemd()
    found = masters(run, str(tmp_path), lambda name: ["/etc/a:1"] if "8.4" in name else [])
    assert [(item["unit"], item["sockets"], item["used_by"]) for item in found] == [
        ("php8.2-fpm.service", ["/run/php/php8.2-fpm.sock"], []),
        ("php8.4-fpm.service", ["/run/php/php8.4-fpm.sock"], ["/etc/a:1"]),
    ]
    run.verbs.clear()
    assert stop_unused(run, found, check_mode=True) == ["php8.2-fpm.service"]
    assert run.verbs == []
    assert stop_unused(run, found, check_mode=False) == ["php8.2-fpm.service"]
    assert run.verbs == ["disable", "stop"]
