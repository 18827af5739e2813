# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Verdicts over how OPcache is set up, and over code that does not go with it."""

from __future__ import annotations

from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_directives import DIRECTIVES
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import (
    MIB,
    atoi,
    is_true,
    parse_bytes,
    prime_for,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.units import count_of, human_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.masters import (
    SIZE,
    Hit,
    answered,
    name_of,
    tell,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    INFO,
    WARNING,
    Cure,
    Evidence,
    Facts,
    Thresholds,
    Verdict,
    entries,
    listed,
    number,
    section,
    sub,
)

_PREFIX = "opcache."
_LOOKS = "opcache.validate_timestamps"


def _sizes(master: Facts, config: Facts) -> list[str]:
    """Return the sizes that a pool or a late ini file asks for, and that the running cache does not have."""
    found = []
    memory = str(config.get("opcache.memory_consumption") or "")
    if master.get("directives_disagree") is True:
        found.append(
            f"opcache.memory_consumption={memory}, the cache has {human_bytes(number(master, 'memory_bytes'))}"
        )
    keys, most = str(config.get("opcache.max_accelerated_files") or ""), number(master, "max_keys")
    if most and atoi(keys) > 0 and prime_for(atoi(keys)) != most:
        found.append(f"opcache.max_accelerated_files={keys}, the cache has {most} keys")
    strings, size = str(config.get("opcache.interned_strings_buffer") or ""), number(master, "interned_bytes")
    # PHP 7.4 tells the buffer without its table.
    if atoi(strings) > 0 and size and size % MIB == 0 and atoi(strings) * MIB != size:
        found.append(f"opcache.interned_strings_buffer={strings}, the buffer has {human_bytes(size)}")
    return found


def _same(name: str, wanted: str, has: str) -> bool:
    """Tell whether two ini strings mean the same to a directive."""
    directive = DIRECTIVES.get(name[len(_PREFIX) :])
    kind = directive.kind if directive else "text"
    one, other = wanted.strip().strip("\"'"), has.strip().strip("\"'")
    if kind == "bool":
        return is_true(one) == is_true(other)
    if kind == "bytes":
        return parse_bytes(one) == parse_bytes(other)
    return _plain(one) == _plain(other) if kind == "text" else atoi(one) == atoi(other)


def _plain(value: str) -> str:
    """Return a text as PHP's ini parser has it, which turns these words into nothing."""
    word = value.lower()
    return "" if word in ("off", "no", "none", "false") else word


def _stored(facts: Facts, master: Facts, config: Facts) -> list[str]:
    """Return the directives of a site's own file that its live master has otherwise."""
    for site in entries(section(facts, "phpops_slot"), "sites"):
        if (site.get("name"), site.get("live_slot")) == (master.get("site"), master.get("slot")) and master.get("site"):
            wanted = sub(sub(site, "spec"), "opcache")
            names = [str(name) for name in wanted if str(name).startswith(_PREFIX) and config.get(name) is not None]
            other = [name for name in names if not _same(name, str(wanted[name]), str(config[name]))]
            return [f"{name}={wanted[name]}, the master has {config[name]}" for name in other]
    return []


def opcache_directive_ineffective(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """A directive says something that the running master does not do, or reserves memory for what is off."""
    wrong, idle = [], []
    for master in answered(facts):
        config, name, jit = sub(master, "config"), name_of(master), sub(master, "jit")
        lines = list(dict.fromkeys([*_sizes(master, config), *_stored(facts, master, config)]))
        ours = bool(master.get("site"))
        if lines:
            text = "Set it in the ini that the master starts with, not in a pool, and restart the master."
            evidence = [Evidence(f"directives of {name} without effect", len(lines), "directives")]
            wrong.append(Hit(name, listed(lines), evidence, SIZE if ours else Cure(text)))
        buffer = number(jit, "buffer_bytes")
        if jit.get("enabled") is True and jit.get("on") is False and buffer:
            text = "Set opcache.jit=disable, or opcache.jit_buffer_size=0, in the ini that the master starts with."
            evidence = [Evidence(f"JIT buffer of {name}", buffer, "bytes")]
            idle.append(Hit(name, human_bytes(buffer), evidence, SIZE if ours else Cure(text)))
    begin = "Directives of OPcache have no effect"
    reserved = "opcache.jit_buffer_size reserves memory for a JIT that is off"
    return [
        *tell("opcache_directive_ineffective", WARNING, begin, wrong),
        *tell("opcache_directive_ineffective", INFO, reserved, idle),
    ]


def _live_config(facts: Facts, site: Facts) -> Facts:
    """Return OPcache's directives of a site's live slot: what is stored for it, and what its master says instead."""
    stored = sub(sub(site, "spec"), "opcache")
    for master in answered(facts):
        if (master.get("site"), master.get("slot")) == (site.get("name"), site.get("live_slot")):
            return {**stored, **sub(master, "config")}
    return stored


def timestamps_validated(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """A site that is deployed by releases still looks at each file's time at each request."""
    names = [
        str(site.get("name"))
        for site in entries(section(facts, "phpops_slot"), "sites")
        if site.get("release") and is_true(str(_live_config(facts, site).get(_LOOKS, "1")))
    ]
    if not names:
        return []
    sentence = (
        f"OPcache looks for changed files ({_LOOKS}=1) in {count_of(len(names), 'site')} whose code never changes "
        f"below a running master: {listed(names)}."
    )
    variables = {"opcache_sites": [{"name": name, "profile": "release"} for name in names]}
    text = "Set profile: release for it in opcache_sites, beside what stands there."
    cure = Cure(text, "phpops.webhost.tune", variables, ["opcache"])
    evidence = [Evidence("releases with validated timestamps", len(names), "sites")]
    return [Verdict("timestamps_validated", WARNING, sentence, evidence, cure)]


def php_written_at_run_time(facts: Facts, marks: Thresholds) -> list[Verdict]:
    """A site writes PHP that its OPcache keeps: each change wastes memory, and with a release is never seen."""
    found = []
    for site in entries(section(facts, "phpops_slot"), "sites"):
        files, name = sub(site, "php_files"), str(site.get("name"))
        count = number(files, "written")
        if count < marks.written_php_files:
            continue
        blind = not is_true(str(_live_config(facts, site).get(_LOOKS, "1")))
        effect = "it never sees a change of them" if blind else "each change of them wastes memory"
        examples = files.get("examples")
        example = f", such as {examples[0]}" if isinstance(examples, (list, tuple)) and examples else ""
        sentence = (
            f"{name} writes PHP while it runs ({count_of(count, 'file')}{example}), and OPcache keeps it: {effect}."
        )
        lines = [str(line) for key in ("left_out", "blacklist") for line in files.get(key) or []]
        entry: dict[str, Any] = {"name": name, "profile": "release" if blind else "in_place", "blacklist": lines}
        text = "Leave these paths out of the cache: blacklist for it in opcache_sites, beside what stands there."
        cure = Cure(text, "phpops.webhost.tune", {"opcache_sites": [entry]}, ["opcache"])
        evidence = [Evidence(f"PHP files that {name} wrote", count, "files")]
        severity = WARNING if blind else INFO
        found.append(Verdict("php_written_at_run_time", severity, sentence, evidence, cure))
    return found


def second_opcode_cache(facts: Facts, _marks: Thresholds) -> list[Verdict]:
    """PHP has loaded another cache of compiled code beside OPcache."""
    found = []
    for group in entries(section(facts, "phpops_shm"), "groups"):
        for cache in entries(group, "opcode_caches"):
            both, name = number(cache, "beside_opcache"), str(cache.get("name"))
            if not both:
                continue
            owner = group.get("unit") or group.get("name")
            sentence = (
                f"{count_of(both, 'process', 'processes')} of {owner} {'has' if both == 1 else 'have'} loaded {name} "
                "beside OPcache: two caches of one code."
            )
            cure = Cure(f"Take the extension {name} out of PHP's ini files; APCu stays, as it caches no code.")
            evidence = [Evidence(f"processes with {name} and OPcache", both, "processes")]
            found.append(Verdict("second_opcode_cache", WARNING, sentence, evidence, cure))
    return found
