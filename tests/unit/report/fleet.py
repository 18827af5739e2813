# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet's records: beancounters, slab caches and OOM events are real samples, read by the real parsers."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.beancounter_risk import container_facts
from ansible_collections.phpops.webhost.plugins.module_utils._core.beancounters import parse_beancounters
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_record import record
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge
from ansible_collections.phpops.webhost.plugins.module_utils._host import oom, slab
from ansible_collections.phpops.webhost.tests.unit.contract.tree import ROOT

MIB = 2**20
GIB = 2**30
SAMPLES = ROOT / "tests" / "fixtures" / "samples"
TIME = "2026-11-21T12:00:00Z"
EVIL = "<script>document.title='owned'</script>\"'&.example.org"


def _beancounters(text: str) -> dict[str, Any]:
    containers = container_facts(parse_beancounters(text, 4096), 0.9, 4096)
    return {"available": True, "reason": None, "supported": True, "containers": containers}


@lru_cache(maxsize=None)
def slab_of(sample: str) -> dict[str, Any]:
    """Return the slab facts of a sample, on a host whose memory the sample of meminfo tells."""
    meminfo = SAMPLES / "procmem" / "01-meminfo-hotsos-5.4-ubuntu.txt"
    return slab.gather(str(SAMPLES / "slabinfo" / sample), str(meminfo), "/nonexistent", 20, 4096, None, "6.1.0")


@lru_cache(maxsize=None)
def oom_of(sample: str) -> dict[str, Any]:
    """Return the OOM facts of a sample's log."""
    path = str(SAMPLES / "oom" / sample)
    found, _warnings = oom.gather("file", path, None, oom.run_streamed, None, datetime(2026, 11, 21), 4096)
    return found


def group(kind: str, name: str, processes: int, segments: int, **part: Any) -> dict[str, Any]:
    """Return one process group of shm_facts, with 64 MiB for each OPcache segment."""
    size = segments * 64 * MIB
    found = {
        **{"name": name, "kind": kind, "unit": None, "processes": processes, "readable": True, "reason": None},
        **{"segments": segments, "segments_bytes": size, "opcache_segments": segments, "opcache_bytes": size},
        **{"resident_bytes": size * 3 // 4, "pss_bytes": size * 3 // 4 + processes * 9 * MIB},
        **{"anon_bytes": processes * 9 * MIB, "swap_bytes": 0, "unreadable_processes": 0},
    }
    return {**found, **part}


def shm(*groups: dict[str, Any], total: int = 2 * GIB, limit: int | None = None) -> dict[str, Any]:
    """Return shm_facts with the groups, the host's memory, and a limit on reserved memory."""
    shared = sum(item["resident_bytes"] or 0 for item in groups)
    used = sum(item["pss_bytes"] or 0 for item in groups) + 210 * MIB
    limits = [{"name": "ram", "kind": "touched", "path": "/proc/meminfo", "limit_bytes": total, "used_bytes": used}]
    if limit:
        reserved = sum(item["segments_bytes"] or 0 for item in groups) + 24 * MIB
        limits.append({"name": "commit_limit", "kind": "reserved", "path": "x", "limit_bytes": limit})
        limits[-1]["used_bytes"] = reserved
    memory = {"total_bytes": total, "shmem_bytes": shared, "swap_total_bytes": GIB, "swap_free_bytes": GIB // 3}
    tmpfs = [{"path": "/dev/shm", "size_bytes": total // 2, "used_bytes": 12 * MIB, "used_ratio": 0.01}]
    return {
        "available": True,
        "reason": None,
        "groups": list(groups),
        "limits": limits,
        "tmpfs": tmpfs,
        "memory": memory,
    }


def master(site: str, used: int, free: int, **part: Any) -> dict[str, Any]:
    """Return one master of opcache_facts; sizes in MiB."""
    found = {
        **{"master_pid": 812, "unit": f"phpops-fpm@{site}-blue.service", "site": site, "slot": "blue"},
        **{"php_version": "8.2", "segment_bytes": (used + free + 2) * MIB, "used_bytes": used * MIB},
        **{"free_bytes": free * MIB, "wasted_bytes": 2 * MIB, "keys": 3120, "max_keys": 7963, "scripts": 1573},
        **{"interned_used_bytes": 5 * MIB, "interned_bytes": 8 * MIB, "hit_ratio": 0.994, "oom_restarts": 0},
        **{"hash_restarts": 0, "manual_restarts": 0, "cache_full": False, "directives_disagree": False},
        "fpm": {"active": 2, "idle": 3, "total": 5, "max_children": 5, "max_children_reached": 4, "listen_queue": 0},
    }
    return {**found, **part}


def of(host: str, facts: dict[str, Any], time: str = TIME) -> dict[str, Any]:
    """Return the record of a host that answered, judged by the real verdicts."""
    return record(host, "answered", time, facts, judge(facts))


def vps(host: str, migrated: bool, time: str = TIME) -> dict[str, Any]:
    """Return field report 000: a container of 1 GiB whose php-cgi hold a segment each, or the same with PHP-FPM."""
    dump = (ROOT / "molecule" / "diagnose" / "files" / "user_beancounters").read_text(encoding="utf-8")
    apache = group("apache", "apache2", 6, 0)
    if migrated:
        dump = dump.replace(" 247122 ", "  17920 ").replace("10067", "    0")
        unit = "phpops-fpm@wiki-blue.service"
        groups = [group("php-fpm", unit, 5, 1, unit=unit), apache]
        cached = {"available": True, "reason": None, "masters": [master("wiki", 38, 24), master("shop", 60, 2)]}
    else:
        groups = [group("php-cgi", "php-cgi", 11, 11), apache]
        cached = {"available": False, "reason": "No PHP-FPM master runs.", "masters": []}
        told = {"kind": "php-cgi", "processes": 11, "opcache_bytes": 11 * 64 * MIB, "reason": "No socket leads to it."}
        cached["not_asked"] = [told]
    facts = {
        "phpops_beancounters": _beancounters(dump),
        "phpops_shm": shm(*groups, total=12 * GIB),
        "phpops_slab": slab_of("03-jc-ubuntu-slub-long-names.txt"),
        "phpops_oom": {"available": True, "events": [], "units": []},
        "phpops_opcache": cached,
    }
    return of(host, facts, time)


def killed(host: str, sample: str, slabs: str) -> dict[str, Any]:
    """Return a host with OOM kills and the slab caches of two samples."""
    unit = "php8.2-fpm.service"
    facts = {
        "phpops_beancounters": {"available": False, "supported": False, "reason": "There is no file."},
        "phpops_shm": shm(group("php-fpm", unit, 21, 1, unit=unit), group("apache", "apache2", 9, 0), limit=GIB // 10),
        "phpops_slab": slab_of(slabs),
        "phpops_oom": oom_of(sample),
        "phpops_php_sites": {
            "available": True,
            "sites": [{"name": EVIL, "php": {"method": "fcgid_wrapper"}, "migratable": False, "reasons": [EVIL]}],
        },
        "phpops_opcache": {
            "available": True,
            "masters": [
                master(EVIL, 125, 0, cache_full=True, oom_restarts=3, keys=7900),
                master("shop", 70, 56, directives_disagree=True),
            ],
        },
    }
    return of(host, facts)


def quiet(host: str) -> dict[str, Any]:
    """Return a host without a problem."""
    facts = {
        "phpops_beancounters": {"available": False, "supported": False, "reason": "There is no file."},
        "phpops_shm": shm(group("php-fpm", "php8.4-fpm.service", 5, 1), total=8 * GIB),
        "phpops_slab": slab_of("01-hotsos-k8s-5.4.0-99-slub.txt"),
        "phpops_php_sites": {"available": True, "sites": []},
        "phpops_slot": {"available": True, "sites": []},
        "phpops_oom": {"available": True, "events": [], "units": []},
        "phpops_oom_policy": {"available": True, "honoured": True, "units": []},
        "phpops_opcache": {"available": True, "masters": [master("blog", 40, 84)]},
        "budget": {"fits": True, "short_bytes": 0, "limits": []},
    }
    return of(host, facts)


def fleet(migrated: bool = True) -> list[dict[str, Any]]:
    """Return the records of a small fleet in which each state occurs."""
    return [
        vps("vps-000.example.org", migrated),
        vps("vps-001.example.org", False),
        killed("web-10.example.org", "07-rhel6-phpfpm-storm-2incidents.txt", "09-lkml-xfs-backupserver-5.4.54.txt"),
        killed("web-2.example.org", "01-proxmox-lxc-phpfpm-dmesgT-german.txt", "02-hotsos-openstack-5.4.0-97-slub.txt"),
        quiet("blog-1.example.org"),
        record("lost.example.org", "unreachable", TIME, reason="Failed to connect: <b>timed out</b>"),
        record("broken.example.org", "failed", TIME, reason="The run ended before the facts were read."),
    ]


def earlier() -> list[dict[str, Any]]:
    """Return the same fleet before its first host was migrated."""
    return [{**item, "time": "2026-11-20T12:00:00Z"} for item in fleet(migrated=False)]


def large(hosts: int) -> list[dict[str, Any]]:
    """Return so many hosts of all kinds."""
    few = fleet()
    return [{**few[index % len(few)], "host": f"web-{index:04}.example.org"} for index in range(hosts)]
