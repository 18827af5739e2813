# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.program_settings import SettingsError
from ansible_collections.phpops.webhost.plugins.module_utils._core.recycle import (
    Settings,
    Worker,
    cgi_names,
    fpm_names,
    is_above,
    plan,
    settings,
    settings_text,
    table,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.worker_memory import Memory
from hypothesis import given
from hypothesis import strategies as st

MIB = 1 << 20


def worker(pid: int, mib: int | None, pool: str = "app", site: str = "app", kind: str = "php-fpm") -> Worker:
    memory = None if mib is None else Memory(mib * MIB + MIB, MIB, mib * MIB)
    return Worker(pid, 7, kind, pool, site, memory)


@pytest.mark.parametrize(
    ("workers", "share", "allowed"), [(1, 0.25, 1), (3, 0.0, 1), (8, 0.25, 2), (9, 0.5, 4), (4, 1.0, 4)]
)
def test_a_share_of_the_pool_may_go_and_always_one(workers: int, share: float, allowed: int) -> None:
    members = [worker(pid, 100) for pid in range(1, workers + 1)]
    (pool,) = plan(members, Settings(50 * MIB, share))
    assert (pool.workers, len(pool.above), pool.allowed) == (workers, workers, allowed)


def test_the_largest_comes_first_and_each_pool_counts_for_itself() -> None:
    members = [worker(1, 60), worker(2, 90), worker(3, 10), worker(4, 70, "other"), worker(5, 5, "small")]
    found = plan(members, Settings(50 * MIB, 0.5))
    assert [(pool.name, [one.pid for one in pool.above], pool.workers) for pool in found] == [
        ("app", [2, 1], 3),
        ("other", [4], 1),
    ]


def test_a_pool_of_fpm_and_one_of_php_cgi_with_the_same_name_are_two() -> None:
    found = plan([worker(1, 60), worker(2, 60, kind="php-cgi")], Settings(MIB, 1.0))
    assert [pool.workers for pool in found] == [1, 1]


def test_a_site_has_its_own_threshold_and_what_is_not_known_stays() -> None:
    chosen = Settings(50 * MIB, 1.0, {"wiki": 80 * MIB})
    assert is_above(worker(1, 60), chosen)
    assert not is_above(worker(1, 50), chosen)
    assert not is_above(worker(1, 60, site="wiki"), chosen)
    assert is_above(worker(1, 81, site="wiki"), chosen)
    assert not is_above(worker(1, None), chosen)


def test_a_slot_is_named_by_its_unit_and_another_pool_by_its_title() -> None:
    slot = "phpops-fpm@my-shop-blue.service"
    assert fpm_names("php-fpm: pool my-shop", slot, 5) == (f"my-shop of {slot}", "my-shop")
    assert fpm_names("php-fpm: pool www", "php8.2-fpm.service", 5) == ("www of php8.2-fpm.service", "www")
    assert fpm_names("php-fpm: pool www", None, 5) == ("www of master 5", "www")
    assert fpm_names("something", None, 5) == ("unknown of master 5", "unknown")


def test_what_a_process_says_of_itself_can_not_forge_a_line() -> None:
    pool, site = fpm_names('php-fpm: pool a"\x1b[31m', None, 5)
    assert (pool, site) == ("a??[31m of master 5", "a??[31m")
    assert cgi_names("app", ["php-cgi", '-d"x\nrecycled pid=1']) == ("app: php-cgi -d?x?recycled pid=1", "app")
    assert len(cgi_names("app", ["x" * 5000])[0]) == 200


def test_a_line_names_process_site_pool_and_size() -> None:
    line = worker(12, 60, "www of php8.2-fpm.service", "www").words()
    assert line == f'pid=12 kind=php-fpm site=www pool="www of php8.2-fpm.service" private_peak_bytes={60 * MIB}'
    assert worker(12, None).words().endswith("private_peak_bytes=unknown")


def test_the_table_shows_every_worker() -> None:
    lines = table([worker(1, 10), worker(2, 60), worker(3, None)], Settings(50 * MIB, 0.5))
    assert [line.split()[0] for line in lines[1:]] == ["2", "1", "3"]
    assert "60.0 MiB" in lines[1] and " above " in lines[1]
    assert "above" not in lines[2]
    assert "unknown" in lines[3]


@given(st.integers(1, 2**60), st.floats(0, 1), st.dictionaries(st.text(min_size=1), st.integers(1, 2**60)))
def test_settings_are_read_back_as_they_were_written(threshold: int, share: float, sites: dict[str, int]) -> None:
    chosen = Settings(threshold, share, sites)
    assert settings(settings_text(chosen)) == chosen


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ("[]", "no object"),
        ('{"share": 0.5}', "threshold_bytes is None"),
        ('{"threshold_bytes": true, "share": 0.5}', "threshold_bytes is True"),
        ('{"threshold_bytes": 0, "share": 0.5}', "threshold_bytes is 0"),
        ('{"threshold_bytes": 1}', "share is None"),
        ('{"threshold_bytes": 1, "share": 1.5}', "share is 1.5"),
        ('{"threshold_bytes": 1, "share": NaN}', "share is nan"),
        ('{"threshold_bytes": 1, "share": 1, "sites": []}', "sites is []"),
        ('{"threshold_bytes": 1, "share": 1, "sites": {"a": "b"}}', "sites.a is 'b'"),
    ],
)
def test_settings_that_can_not_be_used_are_named(text: str, said: str) -> None:
    with pytest.raises(SettingsError) as told:
        settings(text)
    assert said in str(told.value)
