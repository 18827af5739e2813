# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.block import any_extension
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.pages import target
from ansible_collections.phpops.webhost.plugins.module_utils._host.migration_sources import (
    entry_points,
    ini_files,
    last_extensions,
)


def _etc(root: Path) -> str:
    for sapi in ("cgi", "fpm"):
        (root / "8.2" / sapi / "conf.d").mkdir(parents=True)
        (root / "8.2" / sapi / "php.ini").write_text(f"name = {sapi}\n")
        (root / "8.2" / sapi / "conf.d" / "20-b.ini").write_text("b = 1\n")
        (root / "8.2" / sapi / "conf.d" / "10-a.ini").write_text("a = 1\n")
        (root / "8.2" / sapi / "conf.d" / "README").write_text("no = 1\n")
    return str(root)


def _names(files: tuple[tuple[str, str], ...]) -> list[str]:
    return ["/".join(Path(path).parts[-3:]) for path, _text in files]


def test_the_default_files_in_phps_order(tmp_path: Path) -> None:
    found = ini_files({"wrapper": {}}, "8.2", _etc(tmp_path))
    assert _names(found.cgi) == ["8.2/cgi/php.ini", "cgi/conf.d/10-a.ini", "cgi/conf.d/20-b.ini"]
    assert _names(found.fpm) == ["8.2/fpm/php.ini", "fpm/conf.d/10-a.ini", "fpm/conf.d/20-b.ini"]
    assert (found.php_ini, found.unreadable) == (None, ())


def test_phprc_names_a_folder_or_a_file_or_nothing(tmp_path: Path) -> None:
    etc = _etc(tmp_path / "etc")
    own = tmp_path / "own"
    own.mkdir()
    assert ini_files({"wrapper": {"phprc": str(own)}}, "8.2", etc).php_ini is None
    (own / "php.ini").write_text("x = 1\n")
    assert ini_files({"wrapper": {"phprc": str(own)}}, "8.2", etc).php_ini == str(own / "php.ini")
    (own / "php-cgi-fcgi.ini").write_text("x = 2\n")
    found = ini_files({"wrapper": None, "fcgid": {"initial_env": {"PHPRC": str(own)}}}, "8.2", etc)
    assert found.php_ini == str(own / "php-cgi-fcgi.ini")
    assert found.cgi[0] == found.fpm[0] == (str(own / "php-cgi-fcgi.ini"), "x = 2\n")
    assert ini_files({"wrapper": {"ini_path": str(own / "php.ini")}}, "8.2", etc).php_ini == str(own / "php.ini")


def test_a_scan_path_replaces_the_folder(tmp_path: Path) -> None:
    etc = _etc(tmp_path / "etc")
    own = tmp_path / "own"
    own.mkdir()
    (own / "z.ini").write_text("z = 1\n")
    site = {"wrapper": {"environment": {"PHP_INI_SCAN_DIR": f":{own}"}}}
    found = ini_files(site, "8.2", etc)
    assert _names(found.cgi)[1:3] == ["cgi/conf.d/10-a.ini", "cgi/conf.d/20-b.ini"]
    assert found.cgi[3] == (str(own / "z.ini"), "z = 1\n")
    assert found.fpm[-1] == (str(own / "z.ini"), "z = 1\n")


def test_last_extensions_follow_links_and_end(tmp_path: Path) -> None:
    root, other = tmp_path / "web", tmp_path / "other"
    (root / "a").mkdir(parents=True)
    other.mkdir()
    (root / "a" / "loop").symlink_to(root)
    (root / "linked").symlink_to(other)
    (root / "broken").symlink_to(tmp_path / "nothing")
    for name in ("p.php.de", "i.php", "UP.PHP", "x.txt", ".php", "w.php.we ird"):
        (root / name).touch()
    (other / "q.php.fr").touch()
    rules = [any_extension([".php"])]
    assert last_extensions(str(root), rules) == ((".PHP", ".de", ".fr", ".php"), True)
    assert last_extensions(str(root), rules, entries=2)[1] is False
    assert last_extensions(str(root), rules, seconds=-1)[1] is False
    assert last_extensions(str(tmp_path / "none"), rules) == ((), True)


def test_urls_of_php_files_become_entry_points(tmp_path: Path) -> None:
    (tmp_path / "index.php").touch()
    (tmp_path / "style.css").touch()
    site = {"document_root": str(tmp_path), "names": ["a.example"]}
    urls = ["http://a.example/index.php?x=1", "http://a.example/style.css", "http://a.example/none.php"]
    urls += ["http://b.example/index.php", "http://a.example/"]
    targets = [target({"url": url}) for url in urls]
    assert entry_points(site, targets, [any_extension([".php"])]) == [
        {"path": "/index.php", "query": "x=1", "host": "a.example"}
    ]
