# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Sizes an OPcache segment: from the need (scripts, interned strings, keys) to the three directives, with reasons."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple

from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_directives import (
    MAX_ACCELERATED_FILES,
    MIN_MEMORY_MIB,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import (
    FIXED_OVERHEAD_BYTES,
    KEY_SLOT_BYTES,
    MIB,
    atoi,
    maximum_of,
    prime_for,
    value_of,
)

# Sizes move in steps of 2 MiB: the kernel can back them with huge pages, and noise moves no size.
MEMORY_STEP_MIB = 2
# The key table of a small site has room for growth: 1979 keys cost 93 KiB.
LEAST_KEYS = 1979
SIZE_DIRECTIVES = ("memory_consumption", "interned_strings_buffer", "max_accelerated_files")


class Need(NamedTuple):
    """What code takes in OPcache, apart from the buffers themselves: bytes of scripts and of strings, and keys."""

    scripts_bytes: int
    interned_bytes: int
    keys: int


class Setting(NamedTuple):
    """The three sizes as they go into the ini: MiB, MiB, and the number of keys."""

    memory_consumption: int
    interned_strings_buffer: int
    max_accelerated_files: int


def interned_table_bytes(buffer_mib: int) -> int:
    """Return the bytes that the strings' own hash table takes out of a buffer of ``buffer_mib`` MiB.

    Four bytes for each of the next power of two above 32768 per MiB (accel_init_interned_strings); seen alike on PHP
    8.2 and 8.4 for 1 to 128 MiB: a buffer of 16 MiB holds less than one of 15.
    """
    if buffer_mib <= 0:
        return 0
    return (1 << (buffer_mib * 32768).bit_length()) * 4


def interned_capacity_bytes(buffer_mib: int) -> int:
    """Return the bytes of strings that an interned strings buffer of ``buffer_mib`` MiB can hold."""
    return max(buffer_mib * MIB - interned_table_bytes(buffer_mib), 0)


def interned_buffer_mib(strings_bytes: int, php_version: str) -> int:
    """Return the smallest interned_strings_buffer (MiB, at least 1) that holds ``strings_bytes`` of strings."""
    top = maximum_of("interned_strings_buffer", php_version) or 4095
    size = max(strings_bytes // MIB, 1)
    while size < top and interned_capacity_bytes(size) < strings_bytes:
        size += 1
    return min(size, top)


def memory_mib(scripts_bytes: int, buffer_mib: int, max_accelerated_files: int) -> int:
    """Return the memory_consumption (MiB) for scripts plus what comes out of it: string buffer, key table, rest."""
    table = prime_for(max_accelerated_files) * KEY_SLOT_BYTES
    total = scripts_bytes + buffer_mib * MIB + table + FIXED_OVERHEAD_BYTES
    step = MEMORY_STEP_MIB * MIB
    return max(-(-total // step) * MEMORY_STEP_MIB, MIN_MEMORY_MIB)


def setting_for(need: Need, factor: float, php_version: str) -> Setting:
    """Return the three sizes that hold ``need`` times ``factor`` (headroom, 1.0 for none)."""
    keys = min(prime_for(max(int(need.keys * factor), LEAST_KEYS)), MAX_ACCELERATED_FILES)
    strings = interned_buffer_mib(int(need.interned_bytes * factor), php_version)
    return Setting(memory_mib(int(need.scripts_bytes * factor), strings, keys), strings, keys)


def setting_of(directives: Mapping[str, str], php_version: str) -> Setting:
    """Return the three sizes that a set of ini values (names with or without "opcache.") stands for."""
    values = [atoi(value_of(directives, name, php_version)) for name in SIZE_DIRECTIVES]
    return Setting(values[0], values[1], values[2])


def as_directives(setting: Setting) -> dict[str, str]:
    """Return the sizes as ``{"opcache.x": "value"}``."""
    return {"opcache." + name: str(value) for name, value in zip(SIZE_DIRECTIVES, setting)}


def explain(need: Need, factor: float, setting: Setting, basis: str, keys_basis: str = "") -> dict[str, dict[str, Any]]:
    """Return each size with its reason in words; ``basis`` says where the need comes from, as in "for 5466 scripts"."""
    table = prime_for(setting.max_accelerated_files) * KEY_SLOT_BYTES
    return {
        "memory_consumption": {
            "value": setting.memory_consumption,
            "unit": "MiB",
            "reason": f"{_mib(need.scripts_bytes)} MiB {basis}, times {factor:g}, plus "
            f"{setting.interned_strings_buffer} MiB for interned strings and {_mib(table)} MiB for the key table.",
        },
        "interned_strings_buffer": {
            "value": setting.interned_strings_buffer,
            "unit": "MiB",
            "reason": f"{_mib(need.interned_bytes)} MiB of strings, times {factor:g}; a buffer of this size keeps "
            f"{_mib(interned_table_bytes(setting.interned_strings_buffer))} MiB for its own table.",
        },
        "max_accelerated_files": {
            "value": setting.max_accelerated_files,
            "prime": prime_for(setting.max_accelerated_files),
            "unit": "keys",
            "reason": f"{need.keys} keys {keys_basis or basis}, times {factor:g}; PHP takes the next prime of its "
            f"list, {prime_for(setting.max_accelerated_files)}.",
        },
    }


def _mib(count: int) -> str:
    return f"{count / MIB:.1f}"
