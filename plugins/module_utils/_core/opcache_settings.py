# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""OPcache's directives in PHP 7.4 to 8.5: what exists, its bounds, what a segment costs, and the two profiles."""

from __future__ import annotations

import re
from typing import Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_directives import (
    DIRECTIVES,
    LONG_GONE,
    MAX_ACCELERATED_FILES,
    MIN_ACCELERATED_FILES,
    MIN_MEMORY_MIB,
    Directive,
)

MIB = 1024 * 1024
PHP_VERSIONS = ("7.4", "8.0", "8.1", "8.2", "8.3", "8.4", "8.5")

# prime_numbers[] of zend_accel_hash.c: the key table's size is the first one that is not below the setting.
PRIMES = (
    5,
    11,
    19,
    53,
    107,
    223,
    463,
    983,
    1979,
    3907,
    7963,
    16229,
    32531,
    65407,
    130987,
    262237,
    524521,
    1048793,
)

# A key table slot: one zend_accel_hash_entry of 40 bytes and one pointer of 8 (64-bit); seen on 8.2 and 8.4: used
# memory grows by exactly 48 bytes from each prime's key to the next, over a rest of 336.
KEY_SLOT_BYTES = 48
FIXED_OVERHEAD_BYTES = 336


class SettingsError(ValueError):
    """A profile or directive that cannot be written; the message says which and what to do."""


_TRUE = frozenset(("1", "on", "yes", "true"))
_FALSE = frozenset(("", "0", "off", "no", "false", "none"))
_UNITS = {"k": 1024, "m": MIB, "g": 1024 * MIB}

# Code that is edited in place: PHP itself must notice a changed file.
_IN_PLACE = {
    "enable": "1",
    "validate_timestamps": "1",
    "revalidate_freq": "2",
    "revalidate_path": "0",
    "use_cwd": "1",
    "enable_file_override": "0",
    "save_comments": "1",
    "consistency_checks": "0",
    "max_wasted_percentage": "5",
    # Debian's own ini says "off", which still reserves jit_buffer_size: 64 MiB more with PHP 8.4.
    "jit": "disable",
}
# Code that never changes below a running master. use_cwd=0 and enable_file_override=1 can break a site
# (relative includes, files tested by file_exists()), so they stay an override.
_RELEASE = dict(_IN_PLACE, validate_timestamps="0", revalidate_freq="0", file_update_protection="0")
PROFILES: dict[str, dict[str, str]] = {"in_place": _IN_PLACE, "release": _RELEASE}


def prime_for(setting: int) -> int:
    """Return the number of keys that OPcache makes room for when max_accelerated_files is ``setting``.

    The setting is clamped to PHP's bounds (200 to 1000000) first, so 223 is the real minimum.
    Source: zend_accel_hash_init() and OnUpdateMaxAcceleratedFiles.
    """
    wanted = min(max(setting, MIN_ACCELERATED_FILES), MAX_ACCELERATED_FILES)
    return next(prime for prime in PRIMES if prime >= wanted)


def version_key(php_version: str) -> tuple[int, int]:
    """Return ``(major, minor)`` of "8.2" or "8.2.35"; raises SettingsError for anything else."""
    match = re.match(r"(\d+)\.(\d+)(?:\.|$)", php_version)
    if match is None:
        raise SettingsError(f"PHP version {php_version!r} is not of the form 8.2: name major and minor version.")
    return int(match.group(1)), int(match.group(2))


def exists(name: str, php_version: str) -> bool:
    """Tell whether the directive (with or without "opcache.") exists in that PHP version."""
    directive = DIRECTIVES.get(_short(name))
    if directive is None:
        return False
    version = version_key(php_version)
    if version < version_key(directive.since):
        return False
    return directive.removed is None or version < version_key(directive.removed)


def default_of(name: str, php_version: str) -> str:
    """Return the directive's built-in default in that PHP version; KeyError when no version has it."""
    directive = DIRECTIVES[_short(name)]
    changed = directive.default_changed
    if changed is not None and version_key(php_version) >= version_key(changed[0]):
        return changed[1]
    return directive.default


def maximum_of(name: str, php_version: str) -> int | None:
    """Return the directive's upper bound in that PHP version, None where it has none (64-bit PHP)."""
    directive = DIRECTIVES[_short(name)]
    changed = directive.maximum_changed
    if changed is not None and version_key(php_version) >= version_key(changed[0]):
        return changed[1]
    return directive.maximum


def atoi(text: str) -> int:
    """Read an integer as C's atoi does: leading blanks, sign and digits, the rest ignored ("1G" is 1, "x" is 0)."""
    match = re.match(r"\s*([+-]?\d{1,18})", text)
    return int(match.group(1)) if match else 0


def parse_bytes(text: str) -> int:
    """Read PHP's byte shorthand ("64M", "1g", "4096") as zend_atol() does; 0 when there is no number."""
    match = re.match(r"\s*([+-]?\d{1,18})\s*([kKmMgG]?)", text)
    if match is None:
        return 0
    return int(match.group(1)) * _UNITS.get(match.group(2).lower(), 1)


def is_true(text: str) -> bool:
    """Read a boolean as PHP's ini parser does: 1, on, yes, true, or any other number but 0."""
    word = text.strip().strip("\"'").lower()
    return word in _TRUE or atoi(word) != 0


def value_of(directives: Mapping[str, str], name: str, php_version: str) -> str:
    """Return the given or default value of a directive; ``directives`` may name it with or without "opcache."."""
    short = _short(name)
    for key in ("opcache." + short, short):
        if key in directives:
            return str(directives[key]).strip()
    return default_of(short, php_version)


def memory_bytes(directives: Mapping[str, str], php_version: str) -> int:
    """Return what memory_consumption reserves, in bytes.

    PHP reads it with atoi, in MiB ("1G" is 1). Below 8, PHP 7.4 takes 8; newer versions refuse the value and keep
    their default of 128. Source: OnUpdateMemoryConsumption.
    """
    wanted = atoi(value_of(directives, "memory_consumption", php_version))
    if wanted < MIN_MEMORY_MIB:
        wanted = MIN_MEMORY_MIB if version_key(php_version) < (8, 0) else 128
    return wanted * MIB


def jit_bytes(directives: Mapping[str, str], php_version: str) -> int:
    """Return the size of the JIT buffer that is added to the segment; 0 when JIT is disabled.

    "off" leaves JIT enabled for later, so its buffer is reserved all the same; only "disable" frees it (seen in
    /proc/PID/maps on 8.2 and 8.4).
    """
    if not exists("jit", php_version):
        return 0
    if value_of(directives, "jit", php_version).strip("\"'").lower() == "disable":
        return 0
    return max(parse_bytes(value_of(directives, "jit_buffer_size", php_version)), 0)


def segment_bytes(directives: Mapping[str, str], php_version: str) -> int:
    """Return the size in bytes of the shared segment that one master reserves with these ini values.

    ``directives`` maps names (with or without "opcache.") to ini strings; what is missing counts with the version's
    default. Interned strings come out of memory_consumption, the JIT buffer is added (zend_accel_init_shm,
    accel_startup). Nothing is reserved with enable=0 or file_cache_only=1.
    """
    if not is_true(value_of(directives, "enable", php_version)):
        return 0
    if is_true(value_of(directives, "file_cache_only", php_version)):
        return 0
    return memory_bytes(directives, php_version) + jit_bytes(directives, php_version)


def validate(directives: Mapping[str, str], php_version: str) -> list[str]:
    """Return one sentence per setting that this PHP version would refuse, ignore or misread; [] when all is well."""
    known = version_key(PHP_VERSIONS[0]) <= version_key(php_version) <= version_key(PHP_VERSIONS[-1])
    if not known:
        return [f"PHP {php_version} is not known to this table: it knows {PHP_VERSIONS[0]} to {PHP_VERSIONS[-1]}."]
    problems: list[str] = []
    for name in sorted(directives):
        sentence = _problem(name, str(directives[name]).strip(), php_version)
        if sentence:
            problems.append(sentence)
    return problems or _fits(directives, php_version)


def render_profile(profile: str, php_version: str, overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return ``{"opcache.x": "value"}`` of a profile with overrides, only what exists in that PHP version.

    Keys come out sorted and values as ini strings. Raises SettingsError with every sentence of ``validate`` when the
    profile or an override can't be written for this version.
    """
    if profile not in PROFILES:
        raise SettingsError(f"OPcache profile {profile!r} does not exist: choose one of {', '.join(sorted(PROFILES))}.")
    wanted = {"opcache." + name: value for name, value in PROFILES[profile].items() if exists(name, php_version)}
    for name, value in (overrides or {}).items():
        wanted["opcache." + _short(name)] = str(value).strip()
    problems = validate(wanted, php_version)
    if problems:
        raise SettingsError(" ".join(problems))
    return dict(sorted(wanted.items()))


def _short(name: str) -> str:
    return name[len("opcache.") :] if name.startswith("opcache.") else name


def _problem(name: str, value: str, php_version: str) -> str | None:
    short = _short(name)
    full = "opcache." + short
    if short in LONG_GONE:
        return f"{full} was removed in PHP {LONG_GONE[short]}: leave it out."
    directive = DIRECTIVES.get(short)
    if directive is None:
        return f"{full} is not an OPcache directive of PHP {PHP_VERSIONS[0]} to {PHP_VERSIONS[-1]}: check its spelling."
    if not exists(short, php_version):
        when = f"was removed in {directive.removed}" if directive.removed else ""
        if version_key(php_version) < version_key(directive.since):
            when = f"came with {directive.since}"
        return f"{full} does not exist in PHP {php_version} (it {when}): leave it out."
    if re.search(r"[\x00-\x1f\x7f\"]", value):
        return f"{full}={value!r} holds a control character or a double quote: an ini file can't carry it."
    return _bad_value(full, directive, value, php_version)


def _bad_value(full: str, directive: Directive, value: str, php_version: str) -> str | None:
    if directive.kind == "text":
        return None
    if directive.kind == "bool":
        if value.lower() in _TRUE or value.lower() in _FALSE:
            return None
        return f"{full}={value} is not a boolean: write 0 or 1."
    pattern = r"\d{1,18}[kKmMgG]?" if directive.kind == "bytes" else r"-?\d{1,18}"
    if not re.fullmatch(pattern, value):
        cure = "a whole number of MiB without a unit letter" if directive.kind == "mib" else "a whole number"
        return f"{full}={value} is not what PHP would read: write {cure}."
    number = parse_bytes(value)
    maximum = maximum_of(full, php_version)
    if directive.minimum is not None and number < directive.minimum:
        return f"{full}={value} is below PHP's minimum of {directive.minimum}."
    if maximum is not None and number > maximum:
        return f"{full}={value} is above the maximum of {maximum} in PHP {php_version}."
    return None


def _fits(directives: Mapping[str, str], php_version: str) -> list[str]:
    memory = memory_bytes(directives, php_version)
    interned = atoi(value_of(directives, "interned_strings_buffer", php_version)) * MIB
    keys = prime_for(atoi(value_of(directives, "max_accelerated_files", php_version)))
    needed = interned + keys * KEY_SLOT_BYTES + FIXED_OVERHEAD_BYTES
    if needed < memory:
        return []
    return [
        f"opcache.memory_consumption={memory // MIB} MiB leaves no room for scripts: the interned strings buffer takes "
        f"{interned // MIB} MiB and the table of {keys} keys {keys * KEY_SLOT_BYTES / MIB:.1f} MiB of it; "
        "raise it, or lower opcache.interned_strings_buffer."
    ]
