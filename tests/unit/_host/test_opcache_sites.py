# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import SettingsError
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_sites import SizedSite, build_sites


@pytest.fixture(name="layout")
def _layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path / "state"), str(tmp_path / "config"), str(tmp_path / "run"), str(tmp_path / "units"))


def add_slot(layout: Layout, name: str, **options: Any) -> None:
    pointer, config = Path(layout.pointer(name)), Path(layout.config_dir(name, "green"))
    pointer.parent.mkdir(parents=True)
    Path(layout.slot_dir(name, "green")).mkdir(parents=True)
    config.mkdir(parents=True)
    pointer.symlink_to("../slots/green")
    stored = {"name": name, "user": "wiki", "group": "web", "php_version": "8.2", "document_root": "/usr", **options}
    (config / "site.json").write_text(json.dumps(stored))


def test_without_names_every_site_with_slots_is_taken(layout: Layout) -> None:
    add_slot(layout, "wiki", opcache={"opcache.memory_consumption": "64"})
    add_slot(layout, "shop", php_version="8.4")
    found = build_sites([], {}, layout)
    assert [site.name for site in found] == ["shop", "wiki"]
    wiki = found[1]
    assert (wiki.user, wiki.group, wiki.php_version, wiki.php_binary) == ("wiki", "web", "8.2", "/usr/bin/php8.2")
    assert (wiki.paths, wiki.current) == (["/usr"], {"opcache.memory_consumption": "64"})
    assert wiki.socket == layout.web_socket("wiki", "green")
    assert wiki.probe_folders == [layout.slot_dir("wiki", "green"), "/usr"]
    assert (found[0].php_binary, wiki.profile, wiki.size) == ("/usr/bin/php8.4", "in_place", "measured")


def test_a_host_without_sites_is_no_error(layout: Layout) -> None:
    assert build_sites([], {}, layout) == []


def test_a_sites_own_options_win(layout: Layout) -> None:
    add_slot(layout, "wiki")
    common = {"profile": "in_place", "directives": {"use_cwd": 0, "max_file_size": 5}, "memory_consumption": 64}
    given = {"name": "wiki", "profile": "release", "directives": {"opcache.use_cwd": True}, "memory_consumption": 32}
    site = build_sites([given], common, layout)[0]
    assert site.profile == "release"
    assert site.directives == {
        "opcache.use_cwd": "1",
        "opcache.max_file_size": "5",
        "opcache.memory_consumption": "32",
    }


def test_the_blacklists_name_changes_with_its_lines(layout: Layout) -> None:
    add_slot(layout, "wiki")
    one, two = (build_sites([{"name": "wiki", "blacklist": [line]}], {}, layout)[0] for line in ("/a/", "/b/"))
    assert one.blacklist_path != two.blacklist_path
    assert str(one.blacklist_path).startswith(f"{layout.config}/wiki/opcache-blacklist-")
    assert build_sites([{"name": "wiki"}], {}, layout)[0].blacklist_path is None


@pytest.mark.parametrize("text", ["{", "[]", ""])
def test_a_broken_decision_counts_as_none(layout: Layout, text: str) -> None:
    add_slot(layout, "wiki")
    path = Path(layout.config) / "wiki" / "opcache.json"
    path.write_text('{"source": "measured"}')
    assert build_sites([], {}, layout)[0].decision == {"source": "measured"}
    path.write_text(text)
    assert build_sites([], {}, layout)[0].decision == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([{"name": "new"}], "has no slot on this host and no paths"),
        ([{"name": "wiki"}, {"name": "wiki"}], "sites names wiki twice"),
        ([{"name": "wiki", "headroom": 0.5}], "headroom is 0.5; give a factor from 1.0 to 10."),
        ([{"name": "wiki", "paths": ["/nowhere/at/all"]}], "there is no /nowhere/at/all on this host"),
        ([{"name": "wiki", "blacklist": ["cache/"]}], "begin it with a slash"),
        ([{"name": "wiki", "blacklist": ["/a\n/b"]}], "no absolute path"),
    ],
)
def test_what_cannot_be_sized(layout: Layout, given: list[dict[str, Any]], said: str) -> None:
    add_slot(layout, "wiki")
    with pytest.raises(SettingsError, match=said):
        build_sites(given, {}, layout)


@pytest.mark.parametrize(("found", "fits"), [("8.2.35", True), ("8.2", True), ("8.4.27", False)])
def test_the_binary_must_be_of_the_sites_version(found: str, fits: bool) -> None:
    site = SizedSite("wiki", ["/usr"], php_version="8.2")
    if fits:
        site.check_version(found)
        return
    with pytest.raises(SettingsError, match=r"is PHP 8.4.27, but the site runs 8.2"):
        site.check_version(found)
