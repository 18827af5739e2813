# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml
from ansible_collections.phpops.webhost.plugins.module_utils._core.beancounter_risk import container_facts
from ansible_collections.phpops.webhost.plugins.module_utils._core.beancounters import parse_beancounters
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_log import OomLog
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_report import NO_MASTER
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import NO_SLOTS
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import TABLE, judge
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import BadThreshold, Thresholds
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.text import render_text
from hypothesis import given, settings
from hypothesis import strategies as st

MIB = 2**20
SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "samples" / "beancounters"
QUIET: dict[str, Any] = {
    "phpops_shm": {"available": True, "groups": [], "limits": [], "tmpfs": []},
    "phpops_slab": {"available": True, "dentry": {}},
    "phpops_php_sites": {"available": True, "sites": []},
    "phpops_beancounters": {"available": False, "supported": False, "reason": "There is no file."},
    "phpops_oom": {"available": True, "events": [], "units": []},
    "phpops_opcache": {"available": False, "reason": NO_MASTER, "masters": []},
    "phpops_slot": {"available": False, "reason": f"{NO_SLOTS} /var/lib/phpops on this host.", "sites": []},
    "phpops_oom_policy": {"available": True, "honoured": True, "units": []},
    "budget": {"fits": True, "short_bytes": 0, "limits": []},
}


def facts(**parts: Any) -> dict[str, Any]:
    """Return the facts of a quiet host with parts merged in."""
    merged = {key: dict(value) for key, value in QUIET.items()}
    for key, part in parts.items():
        merged[key] = {**merged.get(key, {}), **part}
    return merged


def counters(*rows: str) -> dict[str, Any]:
    containers = parse_beancounters("1: kmemsize 1 1 99 99 0\n" + "\n".join(rows) + "\n", 4096)
    return facts(phpops_beancounters={"available": True, "containers": container_facts(containers, 0.9, 4096)})


def with_delta(found: dict[str, Any], name: str, delta: int) -> dict[str, Any]:
    found["phpops_beancounters"]["containers"]["1"]["resources"][name]["failcnt_delta"] = delta
    return found


def shm(**part: Any) -> dict[str, Any]:
    return facts(phpops_shm=part)


def slab(size: int, share: float, memory: int = 1000 * MIB, **part: Any) -> dict[str, Any]:
    dentry = {"objects": 1880000, "bytes": size, "share": share, "negative": 5}
    return facts(phpops_slab={"memory_total_bytes": memory, "dentry": dentry, **part})


def php_cgi(processes: int, segments: int, size: int = 64 * MIB, **part: Any) -> dict[str, Any]:
    group = {"name": "php-cgi", "kind": "php-cgi", "processes": processes, "opcache_segments": segments}
    return shm(groups=[{**group, "opcache_bytes": segments * size}], **part)


def site(name: str, method: str = "fcgid_wrapper", migratable: bool = True, **part: Any) -> dict[str, Any]:
    php = {"method": method, "server_wide": part.pop("server_wide", False)}
    return {"name": name, "php": php, "migratable": migratable, "reasons": [], "underneath": None, **part}


def moved(found: dict[str, Any]) -> dict[str, Any]:
    """Return a site as php_sites_facts shows it after its migration: its old handler stands underneath."""
    php = {**found["php"], "method": "proxy_fcgi"}
    below = {"php": found["php"], "wrapper": {}}
    return {**found, "php": php, "underneath": below, "migratable": False, "reasons": ["PHP-FPM serves it."]}


def sites(*all_sites: dict[str, Any]) -> dict[str, Any]:
    return facts(phpops_php_sites={"sites": list(all_sites)})


def keeping(*kept: int) -> dict[str, Any]:
    limits = [{"directives": {"FcgidMinProcessesPerClass": {"value": value, "source": "default"}}} for value in kept]
    return sites(*(site(f"s{index}.example.org", fcgid=limit) for index, limit in enumerate(limits)))


def of_the_server(found: dict[str, Any]) -> dict[str, Any]:
    """Return sites whose handler is the whole server's."""
    given = found["phpops_php_sites"]["sites"]
    return sites(*({**one, "php": {**one["php"], "server_wide": True}} for one in given))


def after_migration(found: dict[str, Any]) -> dict[str, Any]:
    return sites(*(moved(one) for one in found["phpops_php_sites"]["sites"]))


def errors(count: int) -> dict[str, Any]:
    return {"count": count, "first": "2026-01-01 10:00:00", "last": "2026-01-02 10:00:00", "segment_bytes": [64 * MIB]}


def oom(*victims: str | None, **part: Any) -> dict[str, Any]:
    events = [{"time": None, "unit": "x.service", "victim": victim and {"comm": victim}} for victim in victims]
    return facts(phpops_oom={"events": events, **part})


def policies(*units: tuple[str, str, bool], honoured: bool = True) -> dict[str, Any]:
    named = [{"unit": unit, "oom_policy": policy, "active": active} for unit, policy, active in units]
    return facts(phpops_oom_policy={"available": True, "honoured": honoured, "units": named})


def large(processes: int, private: int, kind: str) -> dict[str, Any]:
    unit = "php8.2-fpm.service" if kind == "php-fpm" else None
    group = {"name": kind, "kind": kind, "unit": unit, "processes": processes, "swap_bytes": MIB}
    return shm(groups=[{**group, "anon_bytes": private - MIB}])


def swap(total: int | None, free: int | None, container: str | None = None) -> dict[str, Any]:
    memory = {"swap_total_bytes": total, "swap_free_bytes": free}
    return facts(phpops_shm={"memory": memory}, phpops_slab={"container": container})


def shm_of(found: dict[str, Any]) -> dict[str, Any]:
    return {"phpops_shm": found["phpops_shm"]}


def slots(active: bool | None) -> dict[str, Any]:
    slot = {"unit": "phpops-fpm@wiki-blue.service", "active": active}
    site_of = {"name": "wiki", "live_slot": "blue", "slots": {"blue": slot, "green": {"active": False}}}
    return facts(phpops_slot={"available": True, "sites": [site_of]})


def opcache(*masters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**facts(phpops_opcache={"available": True, "reason": None, "masters": list(masters)}), **more}


def master(site: str | None = "wiki", **part: Any) -> dict[str, Any]:
    """Return a healthy master: 32 of 128 MiB and 500 of 3907 keys in use."""
    return {
        **{"reason": None, "site": site, "slot": "blue" if site else None, "pools": []},
        "unit": f"phpops-fpm@{site}-blue.service" if site else "php8.2-fpm.service",
        **{"memory_bytes": 128 * MIB, "used_bytes": 32 * MIB, "free_bytes": 96 * MIB, "wasted_bytes": 0},
        **{"wasted_ratio": 0.0, "keys": 500, "max_keys": 3907, "interned_used_bytes": 4 * MIB},
        **{"interned_bytes": 8 * MIB, "oom_restarts": 0, "hash_restarts": 0, "manual_restarts": 0},
        **{"cache_full": False, "restart_pending": False, "restart_in_progress": False, "age_seconds": 3600},
        **{"directives_disagree": False, "jit": None, "config": {}, "temp_folder": "/tmp", "temp_fstype": "tmpfs"},
        **part,
    }


def pool(**fpm: Any) -> dict[str, Any]:
    return {"pool": "www", "fpm": {"max_children": 5, "max_children_reached": 0, "listen_queue": 0, "active": 1, **fpm}}


def slot_site(release: bool = True, opcache_of: dict[str, str] | None = None, **part: Any) -> dict[str, Any]:
    found = {
        **{"name": "wiki", "live_slot": "blue", "slots": {"blue": {"active": True}}},
        "release": {"id": "r1", "path": "/srv/r1"} if release else None,
        "spec": {"opcache": opcache_of or {}},
        **part,
    }
    return facts(phpops_slot={"available": True, "sites": [found]})


def written(count: int, looks: str, **part: Any) -> dict[str, Any]:
    lines = {"left_out": ["/srv/old/"], "blacklist": ["/srv/wiki/cache/"]}
    files = {"written": count, "examples": ["/srv/wiki/cache/a.php"], **lines, **part}
    return slot_site(False, {"opcache.validate_timestamps": looks}, php_files=files)


def grown(seconds: float, **counts: Any) -> dict[str, Any]:
    """Return a dentry cache that is small, and grew so much in this time."""
    growth = {"seconds": seconds, **dict.fromkeys(("objects", "bytes", "unused", "negative")), **counts}
    return facts(phpops_slab={"memory_total_bytes": 1000 * MIB, "dentry": {"share": 0.1, "growth": growth}})


def on_disk(fstype: str | None, **more: Any) -> dict[str, Any]:
    folder = {"path": "/tmp", "fstype": fstype, "processes": 3}
    return {**more, "phpops_shm": {**QUIET["phpops_shm"], "groups": [{"name": "apache2", "temp_folders": [folder]}]}}


def zone(*blocks: int, name: str = "Normal") -> dict[str, Any]:
    free = [order for order, count in enumerate(blocks) if count]
    size = sum(count << order for order, count in enumerate(blocks)) * 4096
    return {"zone": name, "free_bytes": size, "largest_order_free": free[-1] if free else None, "blocks": list(blocks)}


def wanting(order: int, *zones: dict[str, Any]) -> dict[str, Any]:
    event = {"time": "2026-01-01T10:00:00", "trigger": {"comm": "apache2", "order": order}, "victim": {"comm": "x"}}
    return facts(phpops_oom={"events": [{**event, "fragmentation": list(zones)}]})


def pieces(*zones: dict[str, Any]) -> dict[str, Any]:
    return facts(phpops_slab={"page_size": 4096, "fragmentation": list(zones)})


def stopped(active: bool, result: str) -> dict[str, Any]:
    found = policies(("apache2.service", "continue", active), honoured=False)
    found["phpops_oom_policy"]["units"][0]["result"] = result
    return found


def second(both: int) -> dict[str, Any]:
    cache = {"name": "XCache", "processes": 4, "beside_opcache": both}
    return shm(groups=[{"name": "php-cgi", "kind": "php-cgi", "opcode_caches": [cache]}])


FULL = {"cache_full": True, "free_bytes": MIB, "used_bytes": 123 * MIB, "wasted_bytes": 4 * MIB}
KEYS_GONE = {"cache_full": True, "keys": 3907}
KEPT = {
    "file": "/etc/apache2/x.conf",
    "line": 7,
    "why": "`enablereuse=on` keeps connections open",
    "cure": "take it out",
}
SHMPAGES = {"name": "shmpages", "kind": "reserved", "path": "/x", "used_bytes": 0, "limit_bytes": 1024 * MIB}
LIMITED = {**QUIET["phpops_shm"], "limits": [SHMPAGES]}
OLD = {"age_seconds": 86400, "used_bytes": 20 * MIB}


def limit(name: str, kind: str, used: int, size: int | None) -> dict[str, Any]:
    return {"name": name, "kind": kind, "path": "/x", "used_bytes": used, "limit_bytes": size}


# (code, severity, facts that fire it, words of its sentence)
FIRES: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "shmpages_failing",
        "critical",
        counters("shmpages 247122 262144 262144 262144 10067"),
        "shmpages holds 965.3 MiB, 94 % of its limit of 1 GiB; 10067 requests were refused.",
    ),
    (
        "shmpages_failing",
        "critical",
        with_delta(counters("shmpages 5 99 99 99 10"), "shmpages", 3),
        "10 requests were refused, 3 of them since the last run.",
    ),
    (
        "shmpages_failing",
        "warning",
        with_delta(counters("shmpages 5 99 99 99 10"), "shmpages", 0),
        "10 requests were refused, 0 of them since the last run.",
    ),
    ("shmpages_near_limit", "warning", counters("shmpages 90 99 100 100 0"), "90 % of its limit of 400 KiB"),
    ("beancounter_failed", "warning", counters("numproc 92 100 100 100 96"), "numproc holds 92, 92 % of its limit"),
    ("beancounter_failed", "critical", counters("oomguarpages 5 9 4 4 1"), "1 process was killed"),
    ("beancounter_near_limit", "warning", counters("numfile 95 99 100 100 0"), "numfile holds 95, 95 %"),
    (
        "opcache_segment_per_process",
        "warning",
        php_cgi(11, 11),
        "11 php-cgi processes with 11 OPcache segments of their own, 704 MiB reserved; "
        "under PHP-FPM 1 site would take about 64 MiB.",
    ),
    (
        "idle_php_cgi_stay",
        "warning",
        {**keeping(3, 3, 0), "phpops_shm": php_cgi(11, 11)["phpops_shm"]},
        "mod_fcgid keeps up to 6 idle php-cgi of 2 sites for ever (FcgidMinProcessesPerClass); 11 php-cgi run now and"
        " hold 704 MiB of OPcache.",
    ),
    # The sites still have their handlers, and the next request starts one.
    (
        "idle_php_cgi_stay",
        "warning",
        keeping(3, 3),
        "of 2 sites for ever (FcgidMinProcessesPerClass); 0 php-cgi run now.",
    ),
    (
        "idle_php_cgi_stay",
        "warning",
        {**of_the_server(keeping(3, 3)), **shm_of(php_cgi(1, 1))},
        "1 php-cgi runs now and holds 64 MiB of OPcache.",
    ),
    (
        "opcache_segment_per_process",
        "critical",
        php_cgi(11, 11, limits=[limit("shmpages", "reserved", 0, 1024 * MIB)]),
        "704 MiB reserved",
    ),
    (
        "reserved_near_limit",
        "critical",
        shm(limits=[limit("commit_limit", "reserved", 95, 100), limit("shmpages", "reserved", 10, 100)]),
        "Reserved memory is 95 B, 95 % of the limit commit_limit (/x) of 100 B.",
    ),
    (
        "memory_near_limit",
        "warning",
        shm(limits=[limit("memory_cgroup", "touched", 96, 100)]),
        "Used memory is 96 B, 96 % of the limit memory_cgroup (/x) of 100 B.",
    ),
    (
        "tmpfs_near_full",
        "warning",
        shm(tmpfs=[{"path": "/dev/shm", "size_bytes": 100, "used_bytes": 85}]),
        "The tmpfs /dev/shm holds 85 B, 85 % of its 100 B.",
    ),
    (
        "dentry_share",
        "warning",
        slab(100 * MIB, 0.5),
        "The dentry cache holds 100 MiB in 1880000 entries, 10 % of the host's memory and 50 % of all slab caches.",
    ),
    ("dentry_share", "critical", slab(375 * MIB, 0.8), "37 % of the host's memory"),
    ("dentry_share", "warning", slab(100 * MIB, 0.5, container="podman"), "this container (podman) shares."),
    (
        "shm_allocation_errors",
        "critical",
        sites(site("a.example.org", shm_errors=errors(3)), site("b.example.org", shm_errors=errors(7))),
        "PHP was refused its shared memory segment of 64 MiB 10 times, as the error logs say "
        "(b.example.org 7, a.example.org 3); the last one: 2026-01-02 10:00:00.",
    ),
    (
        "shm_allocation_errors",
        "critical",
        facts(
            phpops_php_sites={
                "apache": {"error_log": "/log", "shm_errors": errors(9)},
                # The site without a log of its own writes to the server's.
                "sites": [
                    site("a", error_log="/log", shm_errors=errors(9)),
                    site("b", error_log="/b", shm_errors=errors(1)),
                ],
            }
        ),
        "64 MiB 10 times, as the error logs say (Apache's own log 9, b 1)",
    ),
    (
        "shm_allocation_errors",
        "critical",
        opcache(
            master("wiki", error_log="/log", shm_errors=errors(2)),
            # Both slots of a site may write to one log.
            master("wiki", slot="green", error_log="/log", shm_errors=errors(2)),
            master(None, error_log="/fpm.log", shm_errors=errors(1)),
        ),
        "64 MiB 3 times, as the error logs say (wiki 2, php8.2-fpm.service 1)",
    ),
    (
        "error_logs_unreadable",
        "info",
        opcache(master(error_log="/log", shm_errors={"count": None, "reason": "/log can't be read: use become."})),
        "Whether PHP was refused shared memory is unknown for wiki: /log can't be read: use become.",
    ),
    (
        "unit_ends_with_a_process",
        "warning",
        policies(("apache2.service", "continue", True), *((f"php8.{n}-fpm.service", "stop", True) for n in range(5))),
        "(OOMPolicy: php8.0-fpm.service stop, php8.1-fpm.service stop, php8.2-fpm.service stop, 2 others).",
    ),
    (
        "oom_kills",
        "warning",
        oom("php-fpm", "mysqld", "php-fpm", None),
        "Memory ran out 4 times and processes were killed (php-fpm 2, mysqld 1, x.service 1).",
    ),
    (
        "oom_kills",
        "critical",
        facts(
            phpops_oom={
                "events": [{"time": "2026-01-01T10:00:00", "victim": {"comm": "php-cgi"}}, {"time": None}],
                "units": [
                    {"unit": "apache2.service", "result": "oom-kill", "count": 1},
                    {"unit": "system.slice", "result": None, "count": 2},
                ],
            }
        ),
        "Memory ran out 2 times and processes were killed (php-cgi 1, unknown 1), the last time at "
        "2026-01-01T10:00:00; systemd ended apache2.service because of it.",
    ),
    (
        "php_workers_large",
        "warning",
        large(9, 8 * 256 * MIB, "php-fpm"),
        "8 PHP workers of php8.2-fpm.service hold 2 GiB of private memory, 256 MiB each.",
    ),
    ("php_workers_large", "warning", large(1, 300 * MIB, "php-cgi"), "1 PHP worker of php-cgi holds 300 MiB"),
    (
        "opcache_full",
        "critical",
        opcache(master(**FULL)),
        "OPcache is full and no restart is due, so files that are new to it run uncached: wiki (127 MiB of 128 MiB "
        "taken, 4 MiB of it wasted).",
    ),
    (
        "opcache_full",
        "warning",
        opcache(master(free_bytes=6 * MIB), master(None, free_bytes=96 * MIB)),
        "OPcache is nearly full: wiki (122 MiB of 128 MiB taken, 0 B of it wasted).",
    ),
    ("opcache_full", "warning", opcache(master(**FULL, restart_pending=True)), "OPcache is nearly full"),
    (
        "opcache_keys_full",
        "critical",
        opcache(master(**KEYS_GONE)),
        "OPcache has no key left and no restart is due, so files that are new to it run uncached: wiki (3907 of 3907 "
        "keys).",
    ),
    (
        "opcache_keys_full",
        "warning",
        opcache(master(keys=3517)),
        "OPcache has few keys left: wiki (3517 of 3907 keys).",
    ),
    (
        "opcache_strings_full",
        "warning",
        opcache(master(interned_used_bytes=8 * MIB)),
        "each script then keeps its own copies: wiki (8 MiB of 8 MiB, 100 %).",
    ),
    (
        "opcache_wasted",
        "warning",
        opcache(master(wasted_bytes=13 * MIB, wasted_ratio=0.1016)),
        "OPcache holds scripts that are no longer valid, until it restarts: wiki (13 MiB, 10 % of the cache).",
    ),
    (
        "opcache_restarted",
        "warning",
        opcache(master(oom_restarts=2, hash_restarts=1)),
        "OPcache restarted for lack of room, and was empty each time: wiki (2 for memory, 1 for keys).",
    ),
    ("opcache_reset", "info", opcache(master(manual_restarts=1)), "A script or a tool reset OPcache: wiki (1 time)."),
    (
        "opcache_oversized",
        "info",
        opcache(master(**OLD)),
        "OPcache reserves far more than it needs: wiki (20 MiB of 128 MiB used).",
    ),
    ("opcache_oversized", "warning", opcache(master(**OLD), phpops_shm=LIMITED), "far more than it needs"),
    (
        "opcache_directive_ineffective",
        "warning",
        opcache(
            master(
                None,
                directives_disagree=True,
                config={
                    "opcache.memory_consumption": "512",
                    "opcache.max_accelerated_files": "20000",
                    "opcache.interned_strings_buffer": "16",
                },
            )
        ),
        "Directives of OPcache have no effect: php8.2-fpm.service (opcache.memory_consumption=512, the cache has 128 "
        "MiB, opcache.max_accelerated_files=20000, the cache has 3907 keys, opcache.interned_strings_buffer=16, the "
        "buffer has 8 MiB).",
    ),
    (
        "opcache_directive_ineffective",
        "warning",
        opcache(
            master(config={"opcache.save_comments": "1", "opcache.revalidate_freq": "2"}),
            phpops_slot=slot_site(False, {"opcache.save_comments": "off", "opcache.revalidate_freq": "2"})[
                "phpops_slot"
            ],
        ),
        "wiki (opcache.save_comments=off, the master has 1).",
    ),
    (
        "opcache_directive_ineffective",
        "info",
        opcache(master(jit={"enabled": True, "on": False, "buffer_bytes": 64 * MIB})),
        "opcache.jit_buffer_size reserves memory for a JIT that is off: wiki (64 MiB).",
    ),
    (
        "timestamps_validated",
        "warning",
        slot_site(True, {"opcache.validate_timestamps": "1"}),
        "(opcache.validate_timestamps=1) in 1 site whose code never changes below a running master: wiki.",
    ),
    (
        "timestamps_validated",
        "warning",
        opcache(
            master(config={"opcache.validate_timestamps": "1"}),
            phpops_slot=slot_site(True, {"opcache.validate_timestamps": "0"})["phpops_slot"],
        ),
        "in 1 site",
    ),
    (
        "php_written_at_run_time",
        "info",
        written(5, "1"),
        "wiki writes PHP while it runs (5 files, such as /srv/wiki/cache/a.php), and OPcache keeps it: each change of "
        "them wastes memory.",
    ),
    ("php_written_at_run_time", "warning", written(5, "0", examples=[]), "keeps it: it never sees a change of them."),
    (
        "second_opcode_cache",
        "warning",
        second(2),
        "2 processes of php-cgi have loaded XCache beside OPcache: two caches of one code.",
    ),
    (
        "max_children_reached",
        "warning",
        opcache(master(None, pools=[pool(max_children_reached=3, memory_by_worker=[{"anon_bytes": 40 * MIB}])])),
        "All workers were busy: www of php8.2-fpm.service (3 times since its start, with 5 workers at most).",
    ),
    (
        "max_children_reached",
        "warning",
        opcache(master(pools=[pool(max_children_reached=None, listen_queue=4, active=5)])),
        "wiki (now, with 5 workers at most, 4 requests wait).",
    ),
    (
        "deploy_blocked",
        "warning",
        slot_site(web_findings=[KEPT, KEPT]),
        "/etc/apache2/x.conf:7: `enablereuse=on` keeps connections open.",
    ),
    (
        "opcache_unknown",
        "info",
        opcache({"reason": "The task needs become.", "unit": "php8.2-fpm.service"}),
        "OPcache is unknown for php8.2-fpm.service: The task needs become.",
    ),
    (
        "dentry_growing",
        "warning",
        grown(30.0, bytes=30 * MIB),
        "The dentry cache grew by 30 MiB in 30 s, 3.5 GiB in an hour or 360 % of the memory.",
    ),
    (
        "tmpdir_on_disk",
        "warning",
        on_disk("ext4", **grown(60.0, objects=9000, negative=600)),
        "Temporary files are on a disk: apache2 in /tmp (ext4); since the last run at least 10 files in a second left "
        "a dentry.",
    ),
    ("tmpdir_on_disk", "warning", on_disk("ext4", **grown(60.0, objects=900)), "at least 15 files in a second"),
    (
        "tmpdir_on_disk",
        "warning",
        {**opcache(master(temp_fstype="xfs")), "phpops_slab": slab(100 * MIB, 0.5)["phpops_slab"]},
        "wiki in /tmp (xfs); the dentry cache is large already.",
    ),
    (
        "memory_fragmented",
        "warning",
        wanting(3, zone(900, 90), zone(*[0] * 10, 3, name="DMA")),
        "A process was killed at 2026-01-01T10:00:00 as there was no piece of 8 pages, although 4.2 MiB were free in "
        "smaller ones.",
    ),
    (
        "memory_fragmented",
        "info",
        pieces(zone(9000, 200, 50, 10), zone(*[0] * 10, 30, name="DMA32"), zone(*[0] * 10, 3, name="DMA")),
        "99 % of the free memory of zone Normal (37.8 MiB) are in pieces of less than 8 pages.",
    ),
    (
        "memory_fragmented",
        "info",
        wanting(0, zone(9000, 200, 50)),
        "100 % of the free memory of zone Normal (37.5 MiB) were in pieces of less than 8 pages when memory ran out at "
        "2026-01-01T10:00:00.",
    ),
    (
        "unit_stopped_by_oom_kill",
        "critical",
        stopped(False, "oom-kill"),
        "apache2.service is down since an OOM kill ended the whole unit.",
    ),
    ("swap_near_full", "warning", swap(100 * MIB, 10 * MIB), "Swap holds 90 MiB, 90 % of its 100 MiB."),
    ("swap_missing", "info", swap(0, 0), "The host has no swap: what is touched once and never again stays in memory."),
    ("swap_missing", "warning", {**oom("php-cgi"), **shm_of(swap(0, 0))}, "The host has no swap, and memory ran out."),
    (
        "error_logs_unreadable",
        "info",
        sites(site("a", shm_errors={"count": None, "reason": "/log can't be read: run the task with become."})),
        "Whether PHP was refused shared memory is unknown for a: /log can't be read: run the task with become.",
    ),
    (
        "live_slot_down",
        "critical",
        slots(False),
        "The live slot blue of wiki has no running master (phpops-fpm@wiki-blue.service): its PHP requests fail.",
    ),
    (
        "site_not_migratable",
        "info",
        sites(site("a.example.org", migratable=False, reasons=["Its wrapper can't be read."])),
        "a.example.org can't be moved to PHP-FPM: Its wrapper can't be read.",
    ),
    (
        "master_shared",
        "info",
        shm(groups=[{"kind": "php-fpm", "unit": "php8.2-fpm.service", "pools": ["www", "shop"]}]),
        "One PHP-FPM master (php8.2-fpm.service) runs 2 pools (www, shop)",
    ),
    (
        "budget_overrun",
        "critical",
        facts(budget={"fits": False, "short_bytes": 64 * MIB, "limits": [{"name": "shmpages", "fits": False}]}),
        "The memory budget is overrun by 64 MiB (limit shmpages).",
    ),
    (
        "processes_unreadable",
        "info",
        shm(groups=[{"name": "php-cgi", "kind": "php-cgi", "unreadable_processes": 4}]),
        "The memory of 4 processes can't be read (php-cgi 4)",
    ),
    ("processes_unreadable", "info", shm(processes={"hidden": True}), "mounted with hidepid"),
    (
        "facts_unavailable",
        "info",
        facts(phpops_slab={"available": False, "reason": "x: run the task with become."}),
        "Nothing is known about the slab caches: x: run the task with become.",
    ),
    (
        "facts_unavailable",
        "info",
        facts(phpops_slot={"reason": "/var/lib/phpops can't be read: run the task with become."}),
        "Nothing is known about the slots of sites: /var/lib/phpops can't be read: run the task with become.",
    ),
    (
        "facts_unavailable",
        "info",
        facts(phpops_oom_policy={"available": False, "reason": "`systemctl show` ended with 1: x"}),
        "Nothing is known about what systemd does after an OOM kill: `systemctl show` ended with 1: x",
    ),
    (
        "facts_unavailable",
        "info",
        facts(budget={"fits": None}),
        "Nothing is known about the memory budget: it was not gathered.",
    ),
    (
        "facts_unavailable",
        "info",
        facts(phpops_beancounters={"available": False, "supported": True, "reason": "Run it with become."}),
        "Nothing is known about the beancounters",
    ),
]

# (code, facts just below the mark)
QUIETS: list[tuple[str, dict[str, Any]]] = [
    ("shmpages_failing", counters("shmpages 99 100 100 100 0")),
    ("shmpages_near_limit", counters("shmpages 89 99 100 100 0")),
    ("shmpages_near_limit", counters("shmpages 99 100 100 100 4")),
    ("shmpages_near_limit", counters("shmpages 99 100 2147483647 2147483647 0")),
    ("beancounter_failed", counters("shmpages 1 1 9 9 7", "numproc 1 1 9 9 0")),
    ("beancounter_near_limit", counters("vmguarpages 99 99 9 9 0", "physpages 99 99 9 9 0", "numfile 89 99 100 100 0")),
    ("opcache_segment_per_process", php_cgi(1, 1)),
    (
        "opcache_segment_per_process",
        shm(groups=[{"kind": "php-fpm", "processes": 11, "opcache_segments": 11, "opcache_bytes": 11}]),
    ),
    ("reserved_near_limit", shm(limits=[limit("commit_limit", "reserved", 89, 100), limit("x", "reserved", 9, None)])),
    ("memory_near_limit", shm(limits=[limit("ram", "touched", 94, 100), limit("tmpfs", "touched", 99, 100)])),
    ("tmpfs_near_full", shm(tmpfs=[{"path": "/tmp", "size_bytes": 100, "used_bytes": 84}, {"size_bytes": None}])),
    ("tmpfs_near_full", shm(tmpfs=[{"path": "/run/x", "size_bytes": 9, "used_bytes": 9, "options": "ro,nr_inodes=9"}])),
    ("dentry_share", slab(100 * MIB, 0.39)),
    ("dentry_share", slab(49 * MIB, 0.9)),
    ("dentry_share", slab(100 * MIB, 0.9, memory_total_bytes=None)),
    ("shm_allocation_errors", sites(site("a", shm_errors=errors(0)), site("b"))),
    ("shm_allocation_errors", opcache(master(error_log="/log", shm_errors=errors(0)), master(shm_errors=None))),
    ("error_logs_unreadable", opcache(master(error_log="/log", shm_errors=errors(0)), master(shm_errors=None))),
    ("oom_kills", oom()),
    ("unit_ends_with_a_process", policies(("nginx.service", "continue", True), ("php8.2-fpm.service", "stop", False))),
    ("unit_ends_with_a_process", policies(("nginx.service", "stop", True), honoured=False)),
    ("oom_kills", facts(phpops_oom={"available": False, "reason": "No log.", "events": []})),
    ("live_slot_down", slots(True)),
    ("live_slot_down", slots(None)),
    ("error_logs_unreadable", sites(site("a", shm_errors=errors(0)), site("b"))),
    (
        "site_not_migratable",
        sites(site("a"), site("b", "mod_php", False), moved(site("c"))),
    ),
    ("idle_php_cgi_stay", keeping(3, 2, 0)),
    ("idle_php_cgi_stay", after_migration(keeping(3, 3, 3))),
    ("idle_php_cgi_stay", {**after_migration(keeping(3, 3, 3)), **shm_of(php_cgi(2, 2))}),
    ("idle_php_cgi_stay", of_the_server(keeping(3, 3))),
    ("php_workers_large", large(9, 8 * 256 * MIB - 1, "php-fpm")),
    ("php_workers_large", large(1, 300 * MIB, "php-fpm")),
    ("php_workers_large", large(2, 600 * MIB, "apache")),
    ("opcache_full", opcache(master(free_bytes=7 * MIB), master(None, **KEYS_GONE))),
    ("opcache_full", opcache(master(reason="It does not answer.", **FULL), master(free_bytes=None))),
    ("opcache_keys_full", opcache(master(keys=3516), master(max_keys=0))),
    ("opcache_strings_full", opcache(master(interned_used_bytes=7 * MIB), master(interned_bytes=None))),
    ("opcache_wasted", opcache(master(wasted_bytes=12 * MIB, wasted_ratio=0.0999))),
    ("opcache_restarted", opcache(master(manual_restarts=3))),
    ("opcache_reset", opcache(master(oom_restarts=3))),
    ("opcache_oversized", opcache(master(age_seconds=86399, used_bytes=20 * MIB))),
    ("opcache_oversized", opcache(master(age_seconds=86400, used_bytes=33 * MIB))),
    ("opcache_oversized", opcache(master(age_seconds=86400, used_bytes=MIB, memory_bytes=32 * MIB))),
    (
        "opcache_directive_ineffective",
        opcache(
            master(
                jit={"enabled": False, "on": False, "buffer_bytes": 0},
                config={
                    "opcache.max_accelerated_files": "3000",
                    "opcache.interned_strings_buffer": "8",
                    "opcache.enable": "1",
                    "opcache.jit_buffer_size": "67108864",
                    "opcache.jit": "",
                },
            ),
            phpops_slot=slot_site(
                False, {"opcache.enable": "on", "opcache.jit_buffer_size": "64M", "opcache.jit": '"off"'}
            )["phpops_slot"],
        ),
    ),
    ("opcache_directive_ineffective", opcache(master(jit={"enabled": True, "on": True, "buffer_bytes": 64 * MIB}))),
    ("timestamps_validated", slot_site(True, {"opcache.validate_timestamps": "0"})),
    ("timestamps_validated", slot_site(False, {"opcache.validate_timestamps": "1"})),
    ("php_written_at_run_time", written(4, "0")),
    ("php_written_at_run_time", slot_site(php_files=None)),
    ("second_opcode_cache", second(0)),
    ("max_children_reached", opcache(master(pools=[pool(listen_queue=4, active=4), pool(active=5)]))),
    ("deploy_blocked", slot_site(web_findings=[])),
    ("opcache_unknown", opcache(master())),
    ("dentry_growing", grown(36000.0, bytes=99 * MIB)),
    ("dentry_growing", grown(9.0, bytes=99 * MIB)),
    ("dentry_growing", grown(10.0, bytes=3 * MIB)),
    ("dentry_growing", grown(10.0, bytes=-99 * MIB)),
    ("dentry_growing", slab(100 * MIB, 0.5)),
    ("tmpdir_on_disk", on_disk("tmpfs", **grown(60.0, negative=6000))),
    ("tmpdir_on_disk", on_disk("overlay", **grown(60.0, negative=6000))),
    ("tmpdir_on_disk", on_disk(None, **grown(60.0, negative=6000))),
    ("tmpdir_on_disk", on_disk("ext4", **grown(60.0, objects=6000, negative=599))),
    ("tmpdir_on_disk", on_disk("ext4")),
    ("memory_fragmented", wanting(0, zone(900, 90, 0, 20))),
    ("memory_fragmented", wanting(3, zone(900, 90, 0, 20))),
    ("memory_fragmented", wanting(3, zone(7, 0, 0, 0, 1))),
    ("memory_fragmented", wanting(3)),
    ("memory_fragmented", pieces(zone(9000, 200, 50, 90))),
    ("memory_fragmented", pieces(zone(900))),
    ("memory_fragmented", pieces()),
    ("unit_stopped_by_oom_kill", stopped(True, "oom-kill")),
    ("unit_stopped_by_oom_kill", stopped(False, "success")),
    ("swap_near_full", swap(100 * MIB, 11 * MIB)),
    ("swap_near_full", swap(100 * MIB, 1 * MIB, container="openvz")),
    ("swap_near_full", swap(None, None)),
    ("swap_missing", swap(0, 0, container="podman")),
    ("swap_missing", swap(1, 1)),
    ("swap_missing", swap(None, None)),
    ("master_shared", shm(groups=[{"kind": "php-fpm", "pools": ["www"]}, {"kind": "php-cgi", "pools": ["a", "b"]}])),
    ("master_shared", shm(groups=[{"kind": "php-fpm", "pools": ["shop", "shop_status"]}])),
    ("processes_unreadable", shm(groups=[{"name": "other", "kind": "other", "unreadable_processes": 1}])),
    ("budget_overrun", facts(budget={"fits": True, "short_bytes": 0})),
    ("budget_overrun", facts()),
    ("processes_unreadable", shm(groups=[{"name": "php-cgi", "unreadable_processes": 0}])),
    ("facts_unavailable", facts()),
    ("facts_unavailable", opcache({"reason": "It does not answer."})),
    ("facts_unavailable", facts(phpops_slot={"available": True, "reason": None})),
    ("facts_unavailable", facts(budget={"fits": False})),
]


@pytest.mark.parametrize(("code", "severity", "found", "words"), FIRES, ids=[f"{c[0]}-{c[1]}" for c in FIRES])
def test_a_verdict_fires_with_its_numbers(code: str, severity: str, found: dict[str, Any], words: str) -> None:
    hits = [verdict for verdict in judge(found) if verdict["code"] == code]
    assert [(verdict["severity"]) for verdict in hits] == [severity]
    assert words in hits[0]["sentence"]
    assert hits[0]["evidence"]
    assert hits[0]["cure"]["text"]


@pytest.mark.parametrize(("code", "found"), QUIETS, ids=[case[0] for case in QUIETS])
def test_a_verdict_keeps_quiet_below_its_mark(code: str, found: dict[str, Any]) -> None:
    assert code not in [verdict["code"] for verdict in judge(found)]


def test_every_verdict_has_a_case_that_fires_it_and_one_that_does_not() -> None:
    assert {case[0] for case in FIRES} == {case[0] for case in QUIETS}


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: str(rule.__name__))
def test_every_rule_fires_in_some_case(rule: Callable[[Any, Thresholds], list[Any]]) -> None:
    assert any(rule(case[2], Thresholds()) for case in FIRES)


def test_a_quiet_host_has_no_verdict() -> None:
    assert judge(QUIET) == []
    assert render_text("web1", []) == "web1: no problem found."


def test_nothing_gathered_is_never_taken_for_healthy() -> None:
    assert [verdict["code"] for verdict in judge({})] == ["facts_unavailable"] * 9


def test_the_worst_come_first() -> None:
    found = {**php_cgi(11, 11), **counters("shmpages 99 99 99 99 9", "numproc 99 99 99 99 0")}
    found["phpops_shm"] = php_cgi(11, 11)["phpops_shm"]
    del found["phpops_slab"]
    assert [(verdict["severity"], verdict["code"]) for verdict in judge(found)] == [
        ("critical", "shmpages_failing"),
        ("warning", "opcache_segment_per_process"),
        ("warning", "beancounter_near_limit"),
        ("info", "facts_unavailable"),
    ]


def test_shmpages_among_the_limits_is_not_told_twice() -> None:
    found = counters("shmpages 99 99 100 100 0")
    found["phpops_shm"]["limits"] = [limit("shmpages", "reserved", 99, 100)]
    assert [verdict["code"] for verdict in judge(found)] == ["shmpages_near_limit"]


def test_the_cure_of_shared_memory_depends_on_who_holds_it() -> None:
    found = counters("shmpages 99 99 99 99 9")
    found["phpops_shm"]["groups"] = [{"kind": "php-fpm", "processes": 5}]
    assert judge(found)[0]["cure"]["play"] == "phpops.webhost.tune"
    found["phpops_shm"]["groups"].append({"kind": "php-cgi", "processes": 5})
    found["phpops_php_sites"]["sites"] = [site("a"), site("b", migratable=False), moved(site("c"))]
    assert judge(found)[0]["cure"]["play"] == "phpops.webhost.migrate"
    assert judge(found)[0]["cure"]["variables"] == {"fpm_migrate_sites": ["a"]}


def test_a_unit_that_outlives_kills_by_now_is_no_alarm_any_more() -> None:
    ended = {"phpops_oom": oom("php-fpm")["phpops_oom"]}
    ended["phpops_oom"]["units"] = [{"unit": "nginx.service", "result": "oom-kill", "count": 1}]
    found = {**policies(("nginx.service", "continue", True)), **ended}
    assert [(verdict["code"], verdict["severity"]) for verdict in judge(found)] == [("oom_kills", "warning")]
    found = {**policies(("nginx.service", "stop", True)), **ended}
    text = render_text("web1", judge(found))
    assert "[critical] oom_kills" in text
    assert text.count("ansible-playbook phpops.webhost.tune --limit web1 --tags oom_policy\n") == 1


def test_the_cure_of_refused_segments_depends_on_whom_they_were_refused() -> None:
    (verdict,) = judge(opcache(master(error_log="/log", shm_errors=errors(1))))
    assert (verdict["cure"]["play"], verdict["cure"]["tags"]) == ("phpops.webhost.tune", ["opcache"])
    found = opcache(
        master(error_log="/log", shm_errors=errors(1)), phpops_php_sites=sites(site("a"))["phpops_php_sites"]
    )
    assert judge(found)[0]["cure"]["play"] == "phpops.webhost.migrate"


def test_php_that_was_killed_is_recycled_earlier_and_others_are_not() -> None:
    assert judge(oom("mysqld", "php-fpm8.2"))[0]["cure"]["tags"] == ["worker_recycle"]
    assert judge(oom("mysqld"))[0]["cure"]["play"] is None


def test_a_cure_names_a_few_sites_and_leaves_many_to_the_default() -> None:
    for count, variables in ((5, {"fpm_migrate_sites": list("abcde")}), (6, {})):
        found = sites(*(site(name, shm_errors=errors(1)) for name in "abcdef"[:count]))
        assert judge(found)[0]["cure"]["variables"] == variables


def test_a_cure_is_written_once() -> None:
    found = facts(phpops_shm=php_cgi(3, 3)["phpops_shm"], phpops_php_sites={"sites": [site("a", shm_errors=errors(1))]})
    lines = render_text("web1", judge(found)).split("\n")
    assert [line.split(":")[0] for line in lines[1:]] == [
        "[critical] shm_allocation_errors",
        "    Move the sites from php-cgi to PHP-FPM, whose workers share one segment.",
        """    ansible-playbook phpops.webhost.migrate --limit web1 --extra-vars '{fpm_migrate_sites""",
        "[warning] opcache_segment_per_process",
        "    The cure is told above.",
    ]


@pytest.mark.parametrize(
    "variables",
    [
        {"fpm_migrate_sites": ["a.example.org", "b-c.example.org"]},
        {"fpm_migrate_sites": ["1.5", "no", "1e.3", "x: y", 'q"', "it's", "a.1", "[x].y", "#a.b"]},
        {"ansible_become": True, "x": None, "y": 1, "z": 0.5, "deep": {"a": []}},
    ],
)
def test_the_command_carries_the_variables_as_they_are(variables: dict[str, Any]) -> None:
    verdict = {
        "code": "x",
        "severity": "info",
        "sentence": "X.",
        "cure": {"text": "", "play": "p", "variables": variables},
    }
    words = shlex.split(render_text("web1", [verdict]).rsplit("\n", maxsplit=1)[-1])
    assert words[:-1] == ["ansible-playbook", "p", "--limit", "web1", "--extra-vars"]
    assert yaml.safe_load(words[-1]) == variables


def test_several_containers_are_named_and_one_is_not() -> None:
    parsed = parse_beancounters((SAMPLES / "10-ubc-monitor-3uids-subset.txt").read_text(), 4096)
    found = facts(phpops_beancounters={"available": True, "containers": container_facts(parsed, 0.9, 4096)})
    sentences = [verdict["sentence"] for verdict in judge(found)]
    assert (
        "dgramrcvbuf of container 102 holds 0 B, 0 % of its limit of 128 KiB; 345 requests were refused." in sentences
    )
    assert len(sentences) == 4


def test_real_logs_tell_where_memory_was_in_pieces() -> None:
    fragmented = []
    for path in sorted((SAMPLES.parent / "oom").glob("*.txt")):
        log = OomLog()
        for line in path.read_bytes().split(b"\n"):
            log.feed(line)
        found = judge({"phpops_oom": {"available": True, **log.finish().shown(4096)}})
        fragmented += [path.name[:2] for verdict in found if verdict["code"] == "memory_fragmented"]
    assert fragmented == ["06", "07", "08"]


def test_a_real_dump_gives_its_verdicts() -> None:
    parsed = parse_beancounters((SAMPLES / "16-geofftech-shmpages12-numproc96.txt").read_text(), 4096)
    found = facts(phpops_beancounters={"available": True, "containers": container_facts(parsed, 0.9, 4096)})
    assert [(verdict["code"], verdict["severity"]) for verdict in judge(found)] == [
        ("shmpages_failing", "critical"),
        ("beancounter_failed", "warning"),
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"nearlimit": 0.5}, "nearlimit is no threshold: use one of near_limit,"),
        ({"near_limit": 90}, "near_limit is 90: give a share"),
        ({"near_limit": "0.9"}, "near_limit is '0.9': give a share"),
        ({"near_limit": 0}, "near_limit is 0: give a share"),
        ({"near_limit": True}, "near_limit is True: give a share"),
        ({"own_segments": 0}, "own_segments is 0: give a whole number"),
        ({"own_segments": 2.5}, "own_segments is 2.5: give a whole number"),
        ({"shm_errors": None}, "shm_errors is None: give a whole number"),
    ],
)
def test_a_threshold_that_makes_no_sense_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(BadThreshold, match="^" + message.replace("(", r"\(")):
        Thresholds.of(values)


@pytest.mark.parametrize(
    ("name", "value", "code", "found"),
    [
        ("near_limit", 0.5, "shmpages_near_limit", counters("shmpages 60 99 100 100 0")),
        ("near_limit", 0.5, "beancounter_near_limit", counters("numproc 60 99 100 100 0")),
        ("near_limit", 0.5, "reserved_near_limit", shm(limits=[limit("commit_limit", "reserved", 60, 100)])),
        ("memory_near_limit", 0.5, "memory_near_limit", shm(limits=[limit("ram", "touched", 60, 100)])),
        ("tmpfs_near_full", 0.5, "tmpfs_near_full", shm(tmpfs=[{"path": "/", "size_bytes": 9, "used_bytes": 6}])),
        ("dentry_slab_share", 0.1, "dentry_share", slab(100 * MIB, 0.2)),
        ("dentry_memory_share", 0.01, "dentry_share", slab(20 * MIB, 0.5)),
        ("kept_php_cgi", 5, "idle_php_cgi_stay", keeping(2, 3)),
        ("own_segments", 1, "opcache_segment_per_process", php_cgi(1, 1)),
        ("worker_bytes", 64 * MIB, "php_workers_large", large(3, 200 * MIB, "php-fpm")),
        ("swap_near_full", 0.5, "swap_near_full", swap(100 * MIB, 50 * MIB)),
        ("opcache_near_full", 0.2, "opcache_full", opcache(master())),
        ("opcache_keys_near_full", 0.1, "opcache_keys_full", opcache(master())),
        ("opcache_strings_near_full", 0.5, "opcache_strings_full", opcache(master())),
        ("opcache_wasted", 0.05, "opcache_wasted", opcache(master(wasted_ratio=0.06))),
        ("opcache_oversized", 0.5, "opcache_oversized", opcache(master(age_seconds=86400, used_bytes=60 * MIB))),
        ("opcache_settled_seconds", 60, "opcache_oversized", opcache(master(age_seconds=60, used_bytes=20 * MIB))),
        ("written_php_files", 1, "php_written_at_run_time", written(1, "0")),
        ("dentry_growth", 0.001, "dentry_growing", grown(36000.0, bytes=50 * MIB)),
        ("removed_files_per_second", 1, "tmpdir_on_disk", on_disk("ext4", **grown(60.0, negative=60))),
        ("fragmented", 0.5, "memory_fragmented", pieces(zone(9000, 200, 50, 500))),
    ],
)
def test_a_threshold_moves_its_mark(name: str, value: float, code: str, found: dict[str, Any]) -> None:
    assert code not in [verdict["code"] for verdict in judge(found)]
    assert code in [verdict["code"] for verdict in judge(found, Thresholds.of({name: value}))]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("dentry_memory_share_critical", 0.05, slab(100 * MIB, 0.5)),
        (
            "own_segments_share_critical",
            0.1,
            php_cgi(3, 3, limits=[limit("shmpages", "reserved", 0, 1024 * MIB)]),
        ),
    ],
)
def test_a_threshold_moves_its_severity(name: str, value: float, found: dict[str, Any]) -> None:
    assert judge(found)[0]["severity"] == "warning"
    assert judge(found, Thresholds.of({name: value}))[0]["severity"] == "critical"


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("opcache_restarts", 2, opcache(master(oom_restarts=1))),
        ("opcache_restarts", 2, opcache(master(manual_restarts=1))),
        ("max_children_reached", 4, opcache(master(pools=[pool(max_children_reached=3)]))),
        ("shared_pools", 3, shm(groups=[{"kind": "php-fpm", "unit": "x", "pools": ["www", "shop"]}])),
        ("oom_kills", 3, oom("php-fpm", "php-fpm")),
    ],
)
def test_a_threshold_that_is_raised_silences(name: str, value: int, found: dict[str, Any]) -> None:
    assert len(judge(found)) == 1
    assert judge(found, Thresholds.of({name: value})) == []


def test_masters_of_one_cure_are_one_verdict_and_the_distributions_own_has_another() -> None:
    found = judge(opcache(master("a", **FULL), master("b", **FULL), master(None, **FULL)))
    assert [(verdict["code"], verdict["cure"]["play"]) for verdict in found] == [
        ("opcache_full", "phpops.webhost.tune"),
        ("opcache_full", None),
    ]
    assert found[0]["sentence"].count("127 MiB of 128 MiB taken") == 2
    assert [item["name"] for item in found[0]["evidence"]][::2] == ["OPcache of a taken", "OPcache of b taken"]
    assert "opcache.memory_consumption in the ini" in found[1]["cure"]["text"]


def test_waste_is_cured_by_a_new_master_where_there_is_a_release() -> None:
    waste = master(wasted_ratio=0.2, wasted_bytes=20 * MIB)
    released = slot_site(True, {"opcache.validate_timestamps": "0"})["phpops_slot"]
    (verdict,) = judge(opcache(waste, phpops_slot=released))
    assert verdict["cure"]["play"] == "phpops.webhost.roll"
    assert verdict["cure"]["variables"] == {"deploy_site": {"name": "wiki"}}
    (verdict,) = judge(opcache(waste))
    assert (verdict["cure"]["play"], verdict["cure"]["tags"]) == ("phpops.webhost.tune", ["opcache"])
    (verdict,) = judge(opcache(master(None, wasted_ratio=0.2)))
    assert verdict["cure"]["play"] is None


def test_the_blacklist_that_a_cure_gives_keeps_the_lines_that_are_there() -> None:
    (verdict,) = judge(written(9, "0"))
    entry = {"name": "wiki", "profile": "release", "blacklist": ["/srv/old/", "/srv/wiki/cache/"]}
    assert verdict["cure"]["variables"] == {"opcache_sites": [entry]}


def test_swap_is_told_by_whom() -> None:
    def user(name: str | None, size: int) -> dict[str, Any]:
        return {"user": name, "uid": 1000, "swap_bytes": size * MIB}

    found = swap(1000 * MIB, 10 * MIB)
    found["phpops_php_sites"]["sites"] = [
        site("shop.example.org", user="shop"),
        site("a", user="many"),
        site("b", user="many"),
    ]
    found["phpops_shm"]["groups"] = [
        {
            "kind": "php-fpm",
            "unit": "phpops-fpm@wiki-blue.service",
            "swap_bytes": 200 * MIB,
            "users": [user("wiki", 200)],
        },
        {"kind": "php-fpm", "unit": "phpops-fpm@wiki-green.service", "swap_bytes": 100 * MIB},
        {"kind": "php-cgi", "name": "php-cgi", "users": [user("shop", 90), user("many", 80), user("www-data", 1)]},
        {"kind": "other", "name": "other", "users": [user("mysql", 500), user(None, 2)]},
    ]
    (verdict,) = judge(found)
    assert verdict["sentence"].endswith("most is of mysql 500 MiB, site wiki 300 MiB, site shop.example.org 90 MiB.")
    assert {"name": "swap of mysql", "value": 500 * MIB, "unit": "bytes"} in verdict["evidence"]
    del found["phpops_shm"]["groups"][0]
    found["phpops_shm"]["groups"][-1]["users"] = []
    (verdict,) = judge(found)
    assert verdict["sentence"].endswith(
        "site wiki 100 MiB, site shop.example.org 90 MiB, 2 sites of many (php-cgi) 80 MiB."
    )


def test_the_kernel_that_a_container_shares_is_named() -> None:
    found = on_disk("ext4", **grown(30.0, bytes=30 * MIB, negative=900))
    found["phpops_slab"]["container"] = "podman"
    sentences = [verdict["sentence"] for verdict in judge(found)]
    assert len(sentences) == 2
    assert all(sentence.endswith("this container (podman) shares.") for sentence in sentences)


def test_errors_below_the_threshold_are_no_verdict() -> None:
    assert judge(sites(site("a", shm_errors=errors(4))), Thresholds.of({"shm_errors": 5})) == []


def test_the_text_names_the_host_the_counts_and_the_command() -> None:
    found = counters("shmpages 247122 262144 262144 262144 10067", "numproc 99 99 99 99 0")
    found["phpops_php_sites"]["sites"] = [site("it's")]
    assert render_text("web1", judge(found)).split("\n") == [
        "web1: 1 critical, 1 warning, 0 info",
        "[critical] shmpages_failing: shmpages holds 965.3 MiB, 94 % of its limit of 1 GiB; "
        "10067 requests were refused.",
        "    Move the sites from php-cgi to PHP-FPM, whose workers share one segment.",
        "    ansible-playbook phpops.webhost.migrate --limit web1 "
        """--extra-vars '{fpm_migrate_sites: ["it'"'"'s"]}'""",
        "[warning] beancounter_near_limit: numproc holds 99, 100 % of its limit of 99.",
        "    Raise numproc on the node before it fails, or let the container use less of it.",
    ]


def test_control_characters_of_a_host_do_not_reach_the_terminal() -> None:
    text = render_text("web\x1b[1m", judge(sites(site("a\x1b]0;x\x07\n", migratable=False))))
    assert all(line.isprintable() for line in text.split("\n"))
    assert len(text.split("\n")) == 3


KEYS = ("available", "groups", "limits", "tmpfs", "sites", "containers", "resources", "shmpages", "numproc", "kind")
KEYS += (
    "masters",
    "fpm",
    "growth",
    "seconds",
    "bytes",
    "fragmentation",
    "blocks",
    "zone",
    "trigger",
    "order",
    "events",
)
KEYS += (
    "config",
    "jit",
    "site",
    "slot",
    "spec",
    "opcache",
    "release",
    "live_slot",
    "php_files",
    "web_findings",
    "line",
)
KEYS += ("memory_bytes", "free_bytes", "users", "opcode_caches", "temp_folders", "fstype", "units", "result", "reason")
KEYS += ("pools", "processes", "dentry", "shm_errors", "php", "reasons", "failcnt", "used_ratio", "held", "ceiling")
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(sorted(QUIET)), JSON, max_size=5),
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=9),
)
def test_facts_of_any_shape_give_verdicts_that_can_be_shown(found: dict[str, Any], part: dict[str, Any]) -> None:
    whole = {key: {**part, "available": True} for key in [*QUIET, "phpops_slot", "phpops_oom_policy"]}
    text = render_text("web1", judge(json.loads(json.dumps({**whole, **found}))))
    assert text.startswith("web1: ")
