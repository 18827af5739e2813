# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the facts of hosts that the verdicts are tested with: a quiet host, and what is wrong with it."""

from __future__ import annotations

from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.beancounter_risk import container_facts
from ansible_collections.phpops.webhost.plugins.module_utils._core.beancounters import parse_beancounters
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_report import NO_MASTER
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import NO_SLOTS

MIB = 2**20
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
FULL = {"cache_full": True, "free_bytes": MIB, "used_bytes": 123 * MIB, "wasted_bytes": 4 * MIB}


def facts(**parts: Any) -> dict[str, Any]:
    """Return the facts of a quiet host with parts merged in."""
    merged = {key: dict(value) for key, value in QUIET.items()}
    for key, part in parts.items():
        merged[key] = {**merged.get(key, {}), **part}
    return merged


def beancounters(text: str) -> dict[str, Any]:
    """Return a host with this text of /proc/user_beancounters."""
    containers = container_facts(parse_beancounters(text, 4096), 0.9, 4096)
    return facts(phpops_beancounters={"available": True, "containers": containers})


def counters(*rows: str) -> dict[str, Any]:
    """Return a host of one container with these beancounters."""
    return beancounters("1: kmemsize 1 1 99 99 0\n" + "\n".join(rows) + "\n")


def shm(**part: Any) -> dict[str, Any]:
    """Return a host with this in its shared memory's facts."""
    return facts(phpops_shm=part)


def slab(size: int, share: float, memory: int = 1000 * MIB, **part: Any) -> dict[str, Any]:
    """Return a host whose dentry cache has this size, and this share of all slab caches."""
    dentry = {"objects": 1880000, "bytes": size, "share": share, "negative": 5}
    return facts(phpops_slab={"memory_total_bytes": memory, "dentry": dentry, **part})


def php_cgi(processes: int, segments: int, size: int = 64 * MIB, **part: Any) -> dict[str, Any]:
    """Return a host with php-cgi processes, and OPcache segments of this size."""
    group = {"name": "php-cgi", "kind": "php-cgi", "processes": processes, "opcache_segments": segments}
    return shm(groups=[{**group, "opcache_bytes": segments * size}], **part)


def site(name: str, method: str = "fcgid_wrapper", migratable: bool = True, **part: Any) -> dict[str, Any]:
    """Return a site as php_sites_facts shows it."""
    php = {"method": method, "server_wide": part.pop("server_wide", False)}
    return {"name": name, "php": php, "migratable": migratable, "reasons": [], "underneath": None, **part}


def moved(found: dict[str, Any]) -> dict[str, Any]:
    """Return a site as php_sites_facts shows it after its migration: its old handler stands underneath."""
    php = {**found["php"], "method": "proxy_fcgi"}
    below = {"php": found["php"], "wrapper": {}}
    return {**found, "php": php, "underneath": below, "migratable": False, "reasons": ["PHP-FPM serves it."]}


def sites(*all_sites: dict[str, Any]) -> dict[str, Any]:
    """Return a host with these sites."""
    return facts(phpops_php_sites={"sites": list(all_sites)})


def keeping(*kept: int) -> dict[str, Any]:
    """Return a host with a site for each number of php-cgi that mod_fcgid keeps."""
    limits = [{"directives": {"FcgidMinProcessesPerClass": {"value": value, "source": "default"}}} for value in kept]
    return sites(*(site(f"s{index}.example.org", fcgid=limit) for index, limit in enumerate(limits)))


def errors(count: int) -> dict[str, Any]:
    """Return what an error log says of refused segments."""
    return {"count": count, "first": "2026-01-01 10:00:00", "last": "2026-01-02 10:00:00", "segment_bytes": [64 * MIB]}


def oom(*victims: str | None, **part: Any) -> dict[str, Any]:
    """Return a host that killed these processes; None is one whose name is unknown."""
    events = [{"time": None, "unit": "x.service", "victim": victim and {"comm": victim}} for victim in victims]
    return facts(phpops_oom={"events": events, **part})


def large(processes: int, private: int, kind: str) -> dict[str, Any]:
    """Return a host with a group of processes that hold so much private memory together."""
    unit = "php8.2-fpm.service" if kind == "php-fpm" else None
    group = {"name": kind, "kind": kind, "unit": unit, "processes": processes, "swap_bytes": MIB}
    return shm(groups=[{**group, "anon_bytes": private - MIB}])


def swap(total: int | None, free: int | None, container: str | None = None) -> dict[str, Any]:
    """Return a host with so much swap."""
    memory = {"swap_total_bytes": total, "swap_free_bytes": free}
    return facts(phpops_shm={"memory": memory}, phpops_slab={"container": container})


def shm_of(found: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of shared memory of a host, to be merged into another's."""
    return {"phpops_shm": found["phpops_shm"]}


def opcache(*masters: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a host with these masters; ``more`` replaces whole facts."""
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
    """Return a pool of five workers as its master shows it."""
    return {"pool": "www", "fpm": {"max_children": 5, "max_children_reached": 0, "listen_queue": 0, "active": 1, **fpm}}


def slot_site(release: bool = True, opcache_of: dict[str, str] | None = None, **part: Any) -> dict[str, Any]:
    """Return a host with a site that has slots, and maybe a release."""
    found = {
        **{"name": "wiki", "live_slot": "blue", "slots": {"blue": {"active": True}}},
        "release": {"id": "r1", "path": "/srv/r1"} if release else None,
        "spec": {"opcache": opcache_of or {}},
        **part,
    }
    return facts(phpops_slot={"available": True, "sites": [found]})


def written(count: int, looks: str, **part: Any) -> dict[str, Any]:
    """Return a host with a site that wrote so many PHP files while it ran."""
    lines = {"left_out": ["/srv/old/"], "blacklist": ["/srv/wiki/cache/"]}
    files = {"written": count, "examples": ["/srv/wiki/cache/a.php"], **lines, **part}
    return slot_site(False, {"opcache.validate_timestamps": looks}, php_files=files)


def grown(seconds: float, **counts: Any) -> dict[str, Any]:
    """Return a dentry cache that is small, and grew so much in this time."""
    growth = {"seconds": seconds, **dict.fromkeys(("objects", "bytes", "unused", "negative")), **counts}
    return facts(phpops_slab={"memory_total_bytes": 1000 * MIB, "dentry": {"share": 0.1, "growth": growth}})


def on_disk(fstype: str | None, **more: Any) -> dict[str, Any]:
    """Return facts, and with them temporary files on such a file system."""
    folder = {"path": "/tmp", "fstype": fstype, "processes": 3}
    return {**more, "phpops_shm": {**QUIET["phpops_shm"], "groups": [{"name": "apache2", "temp_folders": [folder]}]}}


def zone(*blocks: int, name: str = "Normal") -> dict[str, Any]:
    """Return a zone of memory with so many free blocks of each order."""
    free = [order for order, count in enumerate(blocks) if count]
    size = sum(count << order for order, count in enumerate(blocks)) * 4096
    return {"zone": name, "free_bytes": size, "largest_order_free": free[-1] if free else None, "blocks": list(blocks)}


def pieces(*zones: dict[str, Any]) -> dict[str, Any]:
    """Return a host whose free memory is in these zones."""
    return facts(phpops_slab={"page_size": 4096, "fragmentation": list(zones)})


def limit(name: str, kind: str, used: int, size: int | None) -> dict[str, Any]:
    """Return a limit on memory as shm_facts shows it."""
    return {"name": name, "kind": kind, "path": "/x", "used_bytes": used, "limit_bytes": size}
