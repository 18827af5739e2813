# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_status import parse_status
from ansible_collections.phpops.webhost.plugins.module_utils._host import opcache_size
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_probe import Measured, OpcacheOff, ProbeError
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_sites import SizedSite
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_size import Limits, hand_over, size_site

MIB = 1024 * 1024
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "opcache"
LIMITS = Limits(512, 60, 1000, [], [".php"], {}, True, None, 86400, 100)


def status(name: str) -> dict[str, Any]:
    return parse_status((FIXTURES / name).read_text(encoding="utf-8"))


def php(words: list[str], stdin: bytes) -> tuple[int, str, str]:
    """Play a PHP whose every file takes 1 MiB of scripts and 10 KiB of strings."""
    if stdin == b"":
        return 0, '{"version": "8.2.35", "sapi": "cli", "opcache": false, "fork": true}', ""
    count = stdin.count(b"\0")

    def told(scripts: int) -> dict[str, Any]:
        return {
            "memory_usage": {"used_memory": scripts * MIB},
            "interned_strings_usage": {"used_memory": scripts * 10240, "number_of_strings": scripts},
            "opcache_statistics": {"num_cached_scripts": scripts, "num_cached_keys": scripts},
        }

    return 0, json.dumps({"done": count, "stop": None, "failed": [], "before": told(0), "after": told(count)}), ""


@pytest.fixture(name="site")
def _site(tmp_path: Path) -> SizedSite:
    for number in range(20):
        (tmp_path / f"{number}.php").write_text("<?php")
    return SizedSite("wiki", [str(tmp_path)], php_version="8.2", decision_path=f"{tmp_path}/opcache.json")


def running(monkeypatch: pytest.MonkeyPatch, name: str, segment: int | None, age: int = 100, **changes: Any) -> None:
    """Let a master with this status answer."""
    answer = Measured({**status(name), **changes}, {"opcache.enable": "1"}, "8.2.35", age)
    monkeypatch.setattr(opcache_size, "measure", lambda *_words: answer)
    monkeypatch.setattr(opcache_size, "master_pid", lambda _path: 1)
    monkeypatch.setattr(opcache_size, "segment_bytes", lambda _pid: segment)


def test_without_a_master_the_compiled_size_is_taken(site: SizedSite) -> None:
    found = size_site(site, php, LIMITS)
    assert (found["files"], found["source_bytes"], found["source"]) == (20, 100, "compiled")
    assert found["compiled"]["used_bytes"] == 20 * MIB + 20 * 10240
    assert found["compiled"]["need"] == {"scripts_bytes": 24 * MIB, "interned_bytes": MIB + 204800, "keys": 40}
    assert found["opcache"]["opcache.memory_consumption"] == "28"
    assert found["measured"]["reason"].startswith("No socket of a running master")
    assert found["budget"]["segment_bytes"] == 28 * MIB
    assert found["decision"]["source"] == "compiled"


def test_a_running_master_is_believed_and_both_are_told(site: SizedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, "php82-mediawiki-primed.json", 40 * MIB)
    site.socket = "/run/x.sock"
    found = size_site(site, php, LIMITS)
    assert found["source"] == "measured"
    assert (found["compiled"]["available"], found["measured"]["segment_bytes"]) == (True, 40 * MIB)
    assert found["warnings"] == []
    assert found["opcache"]["opcache.memory_consumption"] == "36"
    assert "1092 scripts of the running master" in found["measured"]["recommendation"]["memory_consumption"]["reason"]


def test_a_lying_pool_is_sized_by_its_real_segment(site: SizedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, "php82-pool-directive-512.json", 128 * MIB)
    site.socket = "/run/x.sock"
    found = size_site(site, php, LIMITS)
    assert "the master's segment has 128.0 MiB" in found["warnings"][0]
    assert found["opcache"]["opcache.memory_consumption"] == "8"


def test_a_starved_cache_is_no_measure(site: SizedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, "php82-key-table-full.json", 8 * MIB)
    site.socket = "/run/x.sock"
    found = size_site(site, php, LIMITS)
    assert (found["source"], found["opcache"]["opcache.memory_consumption"]) == ("compiled", "28")
    assert "The cache is full" in found["warnings"][0]


@pytest.mark.parametrize(("age", "memory"), [(100, "70"), (90000, "36")])
def test_a_young_master_does_not_forget(
    site: SizedSite, monkeypatch: pytest.MonkeyPatch, age: int, memory: str
) -> None:
    running(monkeypatch, "php82-mediawiki-primed.json", 40 * MIB, age)
    site.socket = "/run/x.sock"
    need = {"scripts_bytes": 48 * MIB, "interned_bytes": 3 * MIB, "keys": 3000}
    site.decision = {"source": "measured", "need": need, "directives": []}
    assert size_site(site, php, LIMITS)["opcache"]["opcache.memory_consumption"] == memory


def test_what_is_in_force_is_kept_with_its_decision(site: SizedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    running(monkeypatch, "php82-mediawiki-primed.json", 40 * MIB)
    site.socket = "/run/x.sock"
    first = size_site(site, php, LIMITS)
    site.current, site.decision = first["opcache"], {**first["decision"], "need": {**first["decision"]["need"]}}
    running(monkeypatch, "php82-mediawiki-primed.json", 40 * MIB, free_memory_bytes=9000000, used_memory_bytes=32943040)
    second = size_site(site, php, LIMITS)
    assert (second["kept"], second["changes"]) == (True, [])
    assert second["decision"] == first["decision"]


def test_given_sizes_start_no_process(site: SizedSite) -> None:
    def none(words: list[str], stdin: bytes) -> tuple[int, str, str]:
        raise AssertionError(words)

    site.size, site.directives = "given", {"opcache.memory_consumption": "48"}
    found = size_site(site, none, LIMITS)
    assert found["compiled"] == {"available": False, "reason": "Not asked for."}
    assert found["segment_bytes"] == 48 * MIB


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"php_version": "8.4"}, "is PHP 8.2.35, but the site runs 8.4"),
        ({"user": "no-such-user"}, "does not exist on this host"),
        ({"paths": ["/proc/self"]}, "There is no PHP file below /proc/self"),
    ],
)
def test_why_nothing_was_compiled(site: SizedSite, changes: dict[str, Any], reason: str) -> None:
    for name, value in changes.items():
        setattr(site, name, value)
    found = size_site(site, php, LIMITS)
    assert reason in found["compiled"]["reason"]
    assert (found["opcache"], found["source"]) == (None, "given")
    assert "No size is known" in found["reason"]


def test_a_master_that_cannot_be_asked_is_no_failure(site: SizedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_words: Any) -> Measured:
        raise ProbeError("The pool could not run the script.")

    monkeypatch.setattr(opcache_size, "measure", silent)
    site.socket = "/run/x.sock"
    found = size_site(site, php, LIMITS)
    assert found["measured"] == {"available": False, "reason": "The pool could not run the script."}
    assert "Not measured: The pool could not" in hand_over([found])["summary"][0]


def test_a_master_without_opcache_stays_without(site: SizedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def off(*_words: Any) -> Measured:
        raise OpcacheOff("The running master has opcache.enable=0.")

    monkeypatch.setattr(opcache_size, "measure", off)
    site.socket = "/run/x.sock"
    found = size_site(site, php, LIMITS)
    assert (found["opcache"]["opcache.enable"], found["segment_bytes"]) == ("0", 0)
    assert "OPcache is off for this site and stays off" in hand_over([found])["summary"][0]


def test_hand_over_names_what_roles_need(site: SizedSite, tmp_path: Path) -> None:
    site.blacklist, site.blacklist_path = ["/srv/cache/"], f"{tmp_path}/opcache-blacklist-new.txt"
    (tmp_path / "opcache-blacklist-old.txt").write_text("/x/\n")
    site.current = {"opcache.memory_consumption": "64"}
    found = hand_over([size_site(site, php, LIMITS)])
    assert found["slots"][0]["opcache"]["opcache.blacklist_filename"] == site.blacklist_path
    assert found["blacklists"] == [{"path": site.blacklist_path, "text": "/srv/cache/\n"}]
    assert found["stale_files"] == [f"{tmp_path}/opcache-blacklist-old.txt"]
    assert found["decisions"][0]["path"] == site.decision_path
    assert json.loads(found["decisions"][0]["text"])["source"] == "compiled"
    assert "opcache.memory_consumption 64 -> 28" in found["summary"][0]
    assert [one["name"] for one in found["budget"]] == ["wiki"]


def test_the_first_directives_of_a_site_are_not_listed(site: SizedSite) -> None:
    site.current = {}
    found = hand_over([size_site(site, php, LIMITS)])
    assert "unset" not in found["summary"][0]
    assert "opcache.memory_consumption" in found["slots"][0]["opcache"]


def test_a_site_without_a_size_is_not_handed_over(site: SizedSite) -> None:
    site.paths = ["/proc/self"]
    found = hand_over([size_site(site, php, LIMITS)])
    assert (found["slots"], found["budget"], found["decisions"]) == ([], [], [])
    assert "No size is known" in found["summary"][0]
