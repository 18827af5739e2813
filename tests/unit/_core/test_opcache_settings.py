# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_directives import DIRECTIVES
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import (
    MIB,
    PHP_VERSIONS,
    PRIMES,
    PROFILES,
    SettingsError,
    atoi,
    default_of,
    exists,
    maximum_of,
    parse_bytes,
    prime_for,
    render_profile,
    segment_bytes,
    validate,
    version_key,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("setting", "prime"),
    [
        (-1, 223),
        (0, 223),
        (200, 223),
        (223, 223),
        (224, 463),
        (4000, 7963),
        (4096, 7963),
        (10000, 16229),
        (100000, 130987),
        (1000000, 1048793),
        (5000000, 1048793),
    ],
)
def test_prime_for(setting: int, prime: int) -> None:
    assert prime_for(setting) == prime


def test_primes_are_primes_in_order() -> None:
    assert list(PRIMES) == sorted(PRIMES)
    assert all(all(prime % divisor for divisor in range(2, int(prime**0.5) + 1)) for prime in PRIMES)


# Each row was read from /proc/PID/maps of PHP 8.2.35 and 8.4.27.
@pytest.mark.parametrize("version", ["8.2", "8.4"])
@pytest.mark.parametrize(
    ("directives", "mib"),
    [
        ({"memory_consumption": "8"}, 8),
        ({"memory_consumption": "4"}, 128),
        ({"memory_consumption": "7"}, 128),
        ({"memory_consumption": "1G"}, 128),
        ({"memory_consumption": "64M"}, 64),
        ({"memory_consumption": "16", "jit": "disable", "jit_buffer_size": "32M"}, 16),
        ({"memory_consumption": "16", "jit": "off", "jit_buffer_size": "32M"}, 48),
        ({"memory_consumption": "16", "jit": "0", "jit_buffer_size": "32M"}, 48),
        ({"memory_consumption": "16", "jit": "tracing", "jit_buffer_size": "32M"}, 48),
        ({"memory_consumption": "16", "jit": "1255", "jit_buffer_size": "32M"}, 48),
        ({"memory_consumption": "16", "jit": "tracing", "jit_buffer_size": "0"}, 16),
        ({"memory_consumption": "16"}, 16),
        ({"memory_consumption": "16", "enable": "0"}, 0),
        ({"memory_consumption": "16", "file_cache": "/tmp", "file_cache_only": "1"}, 0),
        ({"memory_consumption": "16", "interned_strings_buffer": "8"}, 16),
    ],
)
def test_segment_bytes_is_what_the_kernel_shows(directives: dict[str, str], mib: int, version: str) -> None:
    assert segment_bytes(directives, version) == mib * MIB
    assert segment_bytes({f"opcache.{name}": value for name, value in directives.items()}, version) == mib * MIB


def test_segment_bytes_of_debian_13_with_its_own_ini() -> None:
    assert segment_bytes({"opcache.jit": "off"}, "8.4") == (128 + 64) * MIB
    assert segment_bytes({"opcache.jit": "off"}, "8.2") == 128 * MIB


def test_php_7_4_clamps_a_small_segment_and_has_no_jit() -> None:
    assert segment_bytes({"memory_consumption": "4", "jit_buffer_size": "64M"}, "7.4") == 8 * MIB


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("consistency_checks", ["7.4", "8.0", "8.1", "8.2"]),
        ("jit", ["8.0", "8.1", "8.2", "8.3", "8.4", "8.5"]),
        ("record_warnings", ["8.0", "8.1", "8.2", "8.3", "8.4", "8.5"]),
        ("file_cache_read_only", ["8.5"]),
        ("fast_shutdown", []),
        ("opcache.memory_consumption", list(PHP_VERSIONS)),
    ],
)
def test_exists(name: str, there: list[str]) -> None:
    assert [version for version in PHP_VERSIONS if exists(name, version)] == there


@pytest.mark.parametrize(
    ("name", "version", "default"),
    [
        ("jit", "8.3", "tracing"),
        ("jit", "8.4", "disable"),
        ("jit_buffer_size", "8.3", "0"),
        ("jit_buffer_size", "8.5", "64M"),
        ("jit_hot_loop", "8.4", "64"),
        ("jit_hot_loop", "8.5", "61"),
    ],
)
def test_default_of(name: str, version: str, default: str) -> None:
    assert default_of(name, version) == default


def test_maximum_of_interned_strings_buffer_grew() -> None:
    assert [maximum_of("interned_strings_buffer", version) for version in ("8.3", "8.4")] == [4095, 32767]


@pytest.mark.parametrize(
    ("directives", "version", "said"),
    [
        ({"fast_shutdown": "1"}, "8.2", "opcache.fast_shutdown was removed in PHP 7.2: leave it out."),
        ({"consistency_checks": "0"}, "8.4", "(it was removed in 8.3)"),
        ({"jit": "off"}, "7.4", "(it came with 8.0)"),
        ({"memory_consumtion": "64"}, "8.2", "check its spelling"),
        ({"memory_consumption": "256M"}, "8.2", "write a whole number of MiB without a unit letter"),
        ({"memory_consumption": "7"}, "8.2", "is below PHP's minimum of 8"),
        ({"interned_strings_buffer": "5000", "memory_consumption": "9000"}, "8.3", "is above the maximum of 4095"),
        ({"max_accelerated_files": "2000000"}, "8.2", "is above the maximum of 1000000"),
        ({"max_wasted_percentage": "60"}, "8.2", "is above the maximum of 50"),
        ({"use_cwd": "maybe"}, "8.2", "is not a boolean: write 0 or 1."),
        ({"blacklist_filename": 'a"b'}, "8.2", "an ini file can't carry it"),
        ({"blacklist_filename": "a\nextension=x"}, "8.2", "an ini file can't carry it"),
        ({"memory_consumption": "16", "interned_strings_buffer": "16"}, "8.2", "leaves no room for scripts"),
        (
            {"memory_consumption": "8", "interned_strings_buffer": "7", "max_accelerated_files": "20000"},
            "8.4",
            "the table of 32531 keys 1.5 MiB",
        ),
        ({}, "5.6", "PHP 5.6 is not known to this table: it knows 7.4 to 8.5."),
    ],
)
def test_validate_names_what_php_would_refuse(directives: dict[str, str], version: str, said: str) -> None:
    problems = validate(directives, version)
    assert len(problems) == 1
    assert said in problems[0]


@pytest.mark.parametrize("version", PHP_VERSIONS)
def test_defaults_are_valid(version: str) -> None:
    assert validate({name: default_of(name, version) for name in DIRECTIVES if exists(name, version)}, version) == []


@pytest.mark.parametrize("version", PHP_VERSIONS)
@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_profiles_hold_only_what_the_version_has(profile: str, version: str) -> None:
    found = render_profile(profile, version)
    assert all(exists(name, version) for name in found)
    assert ("opcache.consistency_checks" in found) == (version < "8.3")
    assert ("opcache.jit" in found) == (version >= "8.0")
    assert list(found) == sorted(found)


def test_profiles_are_those_of_the_mission() -> None:
    place, release = render_profile("in_place", "8.2"), render_profile("release", "8.2")
    expected = {"opcache.validate_timestamps": "1", "opcache.use_cwd": "1", "opcache.enable_file_override": "0"}
    assert expected.items() <= place.items()
    assert {**expected, "opcache.validate_timestamps": "0", "opcache.revalidate_path": "0"}.items() <= release.items()
    assert release["opcache.file_update_protection"] == "0"
    assert "opcache.file_update_protection" not in place


def test_use_cwd_and_file_override_are_opt_in() -> None:
    found = render_profile("release", "8.4", {"use_cwd": "0", "opcache.enable_file_override": "1"})
    assert (found["opcache.use_cwd"], found["opcache.enable_file_override"]) == ("0", "1")


@pytest.mark.parametrize(
    ("profile", "overrides", "said"),
    [
        ("fast", {}, "OPcache profile 'fast' does not exist: choose one of in_place, release."),
        ("release", {"memory_consumption": "1G"}, "opcache.memory_consumption=1G is not what PHP would read"),
    ],
)
def test_render_profile_refuses(profile: str, overrides: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as error:
        render_profile(profile, "8.2", overrides)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "value"), [("1G", 1), (" 64", 64), ("x", 0), ("-3", -3), ("", 0), ("9" * 30, 10**18 - 1)]
)
def test_atoi(text: str, value: int) -> None:
    assert atoi(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("64M", 64 * MIB), ("1g", 1024 * MIB), ("4096", 4096), ("", 0), ("2k", 2048)]
)
def test_parse_bytes(text: str, value: int) -> None:
    assert parse_bytes(text) == value


@pytest.mark.parametrize("text", ["8", "", "x.y", "8.", "v8.2"])
def test_version_key_refuses(text: str) -> None:
    with pytest.raises(SettingsError):
        version_key(text)


@given(
    st.dictionaries(st.one_of(st.text(), st.sampled_from(sorted(DIRECTIVES))), st.text()), st.sampled_from(PHP_VERSIONS)
)
def test_no_value_crashes_validate_or_segment_bytes(directives: dict[str, str], version: str) -> None:
    validate(directives, version)
    assert segment_bytes(directives, version) >= 0
