# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Turns a site's sizes, profile and overrides into the OPcache directives of its master, without needless flips."""

from __future__ import annotations

from typing import Any, Collection, Mapping, NamedTuple

from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import (
    MIB,
    PROFILES,
    SettingsError,
    exists,
    jit_bytes,
    prime_for,
    render_profile,
    segment_bytes,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_sizing import (
    SIZE_DIRECTIVES,
    Need,
    Setting,
    as_directives,
    interned_capacity_bytes,
    memory_mib,
    setting_for,
    setting_of,
)

# A size stays while it leaves half of the headroom and is no more than this much larger than asked for.
KEEP_LARGER = 1.25
KEEP_LARGER_MIB = 4
# What a compiled site needs on top: classes that PHP links at run time go into the segment too (8.1 and later). A
# MediaWiki's scripts took 14 % more in a running master than compiled alone with PHP 8.2, 5 % more with 8.4.
COMPILED_FACTOR = 1.2
# Compiling gives one key per file; at run time a script may have several (922 scripts with 1817 keys were seen).
COMPILED_KEYS_FACTOR = 2
# Strings of extensions and of PHP itself that are in every master's buffer but not in the process that compiles.
COMPILED_STRINGS_BYTES = MIB


# Directives of the profiles that a site may have decided for itself, before anybody tuned it.
SITES_OWN = ("enable", "jit")


class Wish(NamedTuple):
    """What the user wants: profile, overrides (ini strings), headroom (1.3 is 30 %), and the file of the blacklist."""

    profile: str
    directives: Mapping[str, str]
    headroom: float = 1.3
    blacklist_filename: str | None = None


class Choice(NamedTuple):
    """Where a size comes from (measured, compiled or given), and what the code needs (None when given)."""

    source: str
    need: Need | None


def compiled_need(scripts_bytes: int, interned_bytes: int, keys: int) -> Need:
    """Return the upper bound of what a site needs, from what its compiled files took."""
    return Need(
        int(scripts_bytes * COMPILED_FACTOR), interned_bytes + COMPILED_STRINGS_BYTES, keys * COMPILED_KEYS_FACTOR
    )


def peak(now: Need, stored: Need | None, age_seconds: int | None, trust_after_seconds: int) -> Need:
    """Return the need to size by: a young master has not seen all of its code yet, so an earlier need counts too."""
    if stored is None or (age_seconds is not None and age_seconds >= trust_after_seconds):
        return now
    return Need(*(max(pair) for pair in zip(now, stored)))


def settle(current: Setting | None, need: Need, headroom: float, php_version: str) -> Setting:
    """Return the sizes to set: those in force where they still do, else those for ``need`` times ``headroom``.

    In force still does: it holds the need with at least half of the headroom, and is at most 25 % (and 4 MiB) larger
    than what would be set now. Each of the three is judged alone, but memory is judged with the other two as settled.
    """
    wanted = setting_for(need, headroom, php_version)
    if current is None:
        return wanted
    least = 1 + (headroom - 1) / 2
    strings = wanted.interned_strings_buffer
    if interned_capacity_bytes(current.interned_strings_buffer) >= need.interned_bytes * least and _near(
        current.interned_strings_buffer, strings
    ):
        strings = current.interned_strings_buffer
    keys = wanted.max_accelerated_files
    primes = [prime_for(current.max_accelerated_files), prime_for(keys)]
    if primes[0] >= need.keys * least and primes[0] <= prime_for(primes[1] + 1):
        keys = current.max_accelerated_files
    fixed = need._replace(interned_bytes=0, keys=0)
    offset = Setting(0, strings, keys)
    enough, full = (_memory(fixed, factor, offset) for factor in (least, headroom))
    keep = enough <= current.memory_consumption and _near(current.memory_consumption, full)
    return Setting(current.memory_consumption if keep else full, strings, keys)


def plan(
    wish: Wish,
    choice: Choice,
    current: Mapping[str, str],
    php_version: str,
    earlier: Collection[str] = (),
    inherited: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return {opcache, segment_bytes, jit_bytes, kept}: directives ready for site_slot, and what they cost.

    ``current`` holds the directives that the site stores now, ``inherited`` those that its other ini sets. What they
    have beyond sizes and profile (preload, a JIT, an OPcache that is off) stays, but not what an earlier run put there
    as an override (``earlier``) and nobody wants now. Sizes in ``wish`` win over those computed. Raises SettingsError
    when no size is known, or for a directive that PHP would refuse.
    """
    overrides = {full_name(name): str(value) for name, value in wish.directives.items()}
    sizes = {full_name(name) for name in SIZE_DIRECTIVES}
    dropped = {full_name(name) for name in PROFILES.get(wish.profile, {}) if name not in SITES_OWN}
    dropped |= sizes | set(earlier) | {"opcache.blacklist_filename"}
    has = {**(inherited or {}), **current}
    settled = {key: str(has[key]) for key in has if key not in dropped and exists(key, php_version)}
    if choice.need is not None:
        now = setting_of(has, php_version) if "opcache.memory_consumption" in has else None
        settled.update(as_directives(settle(now, choice.need, wish.headroom, php_version)))
    elif not sizes & set(overrides):
        raise SettingsError("No size is known: give opcache.memory_consumption, or let it be measured or compiled.")
    if wish.blacklist_filename:
        settled["opcache.blacklist_filename"] = wish.blacklist_filename
    settled.update(overrides)
    if choice.need is not None and "opcache.memory_consumption" not in overrides and sizes & set(overrides):
        settled = _refit(settled, choice.need, wish.headroom, php_version)
    opcache = render_profile(wish.profile, php_version, settled)
    reserved = segment_bytes(opcache, php_version)
    jit = jit_bytes(opcache, php_version) if reserved else 0
    return {
        "opcache": opcache,
        "segment_bytes": reserved - jit,
        "jit_bytes": jit,
        "kept": dict(current) == opcache,
    }


def _refit(settled: dict[str, str], need: Need, headroom: float, php_version: str) -> dict[str, str]:
    """Return the directives with a memory_consumption that holds a given string buffer or key table as well."""
    given = setting_of(settled, php_version)
    full = _memory(need, headroom, given)
    if full <= given.memory_consumption:
        return settled
    return {**settled, "opcache.memory_consumption": str(full)}


def _memory(need: Need, factor: float, buffers: Setting) -> int:
    scripts = int(need.scripts_bytes * factor)
    return memory_mib(scripts, buffers.interned_strings_buffer, buffers.max_accelerated_files)


def _near(current: int, wanted: int) -> bool:
    return current <= max(wanted * KEEP_LARGER, wanted + KEEP_LARGER_MIB)


def full_name(name: str) -> str:
    """Return a directive's name with "opcache." in front."""
    return name if name.startswith("opcache.") else "opcache." + name
