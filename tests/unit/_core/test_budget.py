# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget import (
    MASTER_BYTES,
    MIB,
    HostMemory,
    Limit,
    Master,
    PlannedSite,
    Reservation,
    Tmpfs,
    Verdict,
    judge,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.budget_sum import without_masters
from hypothesis import given
from hypothesis import strategies as st

GIB = 1024 * MIB


def _limit(name: str, kind: str, limit: int | None, used: int | None, **more: Any) -> Limit:
    return Limit(name, kind, "host", f"/{name}", limit, used, "test", **more)


def _openvz(used: int = 100 * MIB, **more: Any) -> HostMemory:
    """A VPS whose shmpages limit is 262144 pages of 4 KiB, with much more RAM than that."""
    limits = (
        _limit("shmpages", "reserved", 262144 * 4096, used),
        _limit("ram", "touched", 10 * GIB, GIB),
    )
    return HostMemory(limits=limits, ram_bytes=10 * GIB, **more)


def _ram(size: int = GIB, used: int = 300 * MIB, **more: Any) -> HostMemory:
    return HostMemory(limits=(_limit("ram", "touched", size, used),), ram_bytes=size, **more)


def _sites(count: int, size: int, **more: Any) -> list[PlannedSite]:
    return [PlannedSite(f"site{number:02}", size, user=f"user{number}", **more) for number in range(count)]


def _apply(sites: list[PlannedSite], way: Any) -> list[PlannedSite]:
    return [replace(site, **way.sites.get(site.name, {})) for site in sites]


def _check_sums(verdict: Verdict) -> None:
    for one in verdict.sums:
        own = [line for line in verdict.lines if one.label in line.limits]
        assert sum(line.bytes for line in own) == one.peak_bytes
        assert sum(line.after_bytes for line in own) == one.after_bytes
        assert one.peak_bytes >= one.after_bytes


# --- the host of the field report: 1 GiB of shmpages ---------------------------------------------------------------


def test_twenty_sites_of_64_mib_are_refused_on_a_gib_with_a_way_out_that_fits() -> None:
    sites = _sites(20, 64 * MIB)
    verdict = judge(_openvz(), sites)
    _check_sums(verdict)
    assert not verdict.fits
    assert verdict.short_bytes == 20 * 64 * MIB + 100 * MIB - GIB
    way = verdict.ways_out[0]
    assert (way.action, way.fits) == ("smaller_segments", True)
    assert set(way.sites) == {site.name for site in sites}
    assert way.sites["site00"] == {"segment_bytes": 46 * MIB}
    cured = judge(_openvz(), _apply(sites, way))
    assert cured.fits
    assert 0 <= (cured.headroom_bytes or 0) < 20 * MIB, "the way out takes no more than it must"
    for part in ("356 MiB short", "shmpages allows 1 GiB", "20 planned sites", "1.3 GiB", "from 64 MiB to 46 MiB"):
        assert part in verdict.message


def test_twenty_small_sites_fit_a_gib() -> None:
    verdict = judge(_openvz(), _sites(20, 16 * MIB))
    assert verdict.fits
    assert verdict.headroom_bytes == GIB - 100 * MIB - 320 * MIB
    assert verdict.ways_out == ()


def test_measured_needs_are_the_floor_and_sharing_a_master_is_the_way_out() -> None:
    sites = _sites(20, 64 * MIB, min_segment_bytes=60 * MIB)
    shared = [replace(site, user="www-data", php_version="8.2", min_segment_bytes=40 * MIB) for site in sites]
    own_users = judge(_openvz(), sites)
    assert not any(way.fits for way in own_users.ways_out)
    assert "No single change makes it fit" in own_users.message
    one_user = judge(_openvz(), shared)
    way = next(way for way in one_user.ways_out if way.action == "shared_master")
    assert (way.fits, list(way.sites)) == (True, ["shared master of www-data (PHP 8.2)"])
    assert way.sites["shared master of www-data (PHP 8.2)"]["segment_bytes"] == 800 * MIB
    assert "1 master instead of 20" in way.text


def _php_cgi(count: int = 11) -> Master:
    return Master("php-cgi", None, count * 64 * MIB, count * 20 * MIB, count * 12 * MIB, count)


def test_a_migration_counts_php_cgi_at_the_peak_and_not_afterwards() -> None:
    host = _openvz(used=965 * MIB, php_cgi=_php_cgi())
    sites = _sites(3, 64 * MIB)
    verdict = judge(host, sites, php_cgi_leaves=True)
    _check_sums(verdict)
    assert (verdict.fits, verdict.fits_after) == (False, True)
    assert verdict.sums[0].peak_bytes == 965 * MIB + 3 * 64 * MIB
    assert verdict.sums[0].after_bytes == (965 - 704) * MIB + 3 * 64 * MIB
    way = verdict.ways_out[0]
    assert (way.action, way.php_cgi_ends_first, way.fits) == ("end_idle_php_cgi", 3, True)
    assert judge(host, sites, php_cgi_leaves=True, php_cgi_ends_first=3).fits
    assert not judge(host, sites, php_cgi_leaves=True, php_cgi_ends_first=2).fits


def test_twenty_sites_of_the_field_report_are_curable_during_the_migration() -> None:
    host = _openvz(used=247122 * 4096, php_cgi=_php_cgi())
    sites = _sites(20, 64 * MIB)
    verdict = judge(host, sites, php_cgi_leaves=True)
    assert (verdict.fits, verdict.fits_after) == (False, False)
    fitting = [way for way in verdict.ways_out if way.fits]
    assert fitting, verdict.message
    for way in fitting:
        again = judge(host, _apply(sites, way), php_cgi_leaves=True, php_cgi_ends_first=way.php_cgi_ends_first)
        assert again.fits, way.text


# --- a flip holds both masters --------------------------------------------------------------------------------------


def _live(name: str, size: int, private: int = 0) -> Master:
    unit = f"phpops-fpm@{name}-blue.service"
    return Master(f"php-fpm: {unit}", unit, size, size // 2, private)


def test_a_flip_counts_the_old_master_beside_the_new_one() -> None:
    host = _openvz(used=600 * MIB, masters=(_live("wiki", 500 * MIB),))
    verdict = judge(host, [PlannedSite("wiki", 500 * MIB)])
    _check_sums(verdict)
    assert (verdict.fits, verdict.fits_after) == (False, True)
    assert verdict.sums[0].peak_bytes == 1100 * MIB
    assert verdict.sums[0].after_bytes == 600 * MIB


def test_sites_that_flip_one_by_one_count_one_pair() -> None:
    live = tuple(_live(f"site{number:02}", 80 * MIB) for number in range(10))
    host = _openvz(used=850 * MIB, masters=live)
    one = judge(host, _sites(10, 80 * MIB))
    assert one.sums[0].peak_bytes == 850 * MIB + 80 * MIB
    assert one.fits
    assert judge(host, _sites(10, 80 * MIB), at_once=3).sums[0].peak_bytes == 850 * MIB + 240 * MIB


def test_a_master_that_another_unit_holds_stays() -> None:
    host = _openvz(used=228 * MIB, masters=(replace(_live("wiki", 128 * MIB), unit="php8.2-fpm.service"),))
    assert judge(host, [PlannedSite("wiki", 64 * MIB)]).sums[0].after_bytes == (228 + 64) * MIB
    taken = PlannedSite("wiki", 64 * MIB, replaces=("php8.2-fpm.service",))
    assert judge(host, [taken]).sums[0].after_bytes == (100 + 64) * MIB


def test_a_reservation_counts_until_its_master_is_live() -> None:
    promised = Reservation("wiki", "phpops-fpm@wiki-blue.service", 900 * MIB, MASTER_BYTES)
    before = judge(_openvz(), [PlannedSite("blog", 64 * MIB)], reservations=[promised])
    assert not before.fits
    assert "reserved for phpops-fpm@wiki-blue.service 900 MiB" in before.message
    started = _openvz(used=1000 * MIB, masters=(_live("wiki", 900 * MIB),))
    after = judge(started, [PlannedSite("blog", 24 * MIB)], reservations=[promised])
    assert after.fits
    assert not any(line.kind == "reservation" for line in after.lines)


# --- limits of both kinds -------------------------------------------------------------------------------------------


def test_shmpages_counts_shared_memory_only_and_ram_counts_workers_too() -> None:
    verdict = judge(_openvz(), [PlannedSite("wiki", 64 * MIB, max_children=10, worker_bytes=30 * MIB)])
    _check_sums(verdict)
    shmpages, ram = verdict.sums
    assert shmpages.peak_bytes == 164 * MIB
    assert ram.peak_bytes == GIB + 64 * MIB + MASTER_BYTES + 300 * MIB


def test_fewer_workers_are_proposed_when_ram_is_short() -> None:
    sites = _sites(4, 32 * MIB, max_children=20, worker_bytes=20 * MIB)
    verdict = judge(_ram(), sites)
    way = next(way for way in verdict.ways_out if way.action == "fewer_workers")
    assert way.fits
    assert way.sites["site00"] == {"max_children": 7}
    assert judge(_ram(), _apply(sites, way)).fits
    assert judge(_ram(), sites, busy_workers=28).fits
    assert not judge(_ram(), sites, busy_workers=30).fits


def test_a_jit_buffer_is_added_and_leaving_it_out_comes_first() -> None:
    sites = [PlannedSite("wiki", 500 * MIB, jit_bytes=480 * MIB)]
    verdict = judge(_openvz(), sites)
    assert verdict.short_bytes == 56 * MIB
    assert verdict.ways_out[0].action == "no_jit"
    assert verdict.ways_out[0].sites == {"wiki": {"jit_bytes": 0}}


def test_commit_limit_counts_what_is_reserved() -> None:
    host = HostMemory(limits=(_limit("commit_limit", "reserved", 512 * MIB, 400 * MIB),))
    assert judge(host, [PlannedSite("a", 100 * MIB)]).fits
    assert not judge(host, [PlannedSite("a", 110 * MIB)]).fits


@pytest.mark.parametrize(
    ("mount", "planned", "charge"),
    [
        (Tmpfs("/dev/shm", 256 * MIB, 10 * MIB), {}, 256 * MIB),
        (Tmpfs("/dev/shm", GIB // 2, 10 * MIB), {}, 10 * MIB),
        (Tmpfs("/dev/shm", None, 10 * MIB), {}, 10 * MIB),
        (Tmpfs("/run", 100 * MIB, 1 * MIB), {}, 1 * MIB),
        (Tmpfs("/run/user/1000", 100 * MIB, 0), {}, 0),
        (Tmpfs("/running", 100 * MIB, 0), {}, 100 * MIB),
        (Tmpfs("/dev/shm", GIB // 2, 10 * MIB), {"/dev/shm": 300 * MIB}, 300 * MIB),
        (Tmpfs("/dev/shm", GIB // 2, 10 * MIB), {"/srv/tmp": 300 * MIB}, 310 * MIB),
    ],
)
def test_what_a_tmpfs_counts_for(mount: Tmpfs, planned: dict[str, int], charge: int) -> None:
    verdict = judge(_ram(tmpfs=(mount,)), [], tmpfs=planned)
    assert sum(line.bytes for line in verdict.lines if line.kind == "tmpfs") == charge
    _check_sums(verdict)


def test_a_planned_tmpfs_without_sites_is_named() -> None:
    message = judge(_openvz(), [], tmpfs={"/srv/tmp": 2 * GIB}).message
    assert "the planned tmpfs and what runs need " in message
    assert "planned site" not in message
    assert judge(HostMemory(()), [], tmpfs={"/srv/tmp": GIB}).message.endswith("says whether the planned tmpfs fit.")


def test_a_planned_tmpfs_that_is_too_large_is_cut() -> None:
    verdict = judge(_openvz(), _sites(2, 64 * MIB), tmpfs={"/srv/tmp": GIB})
    way = next(way for way in verdict.ways_out if way.action == "smaller_tmpfs")
    assert way.fits
    assert "/srv/tmp 16 MiB" in way.text


def test_a_host_that_promises_too_much_already_may_be_relieved() -> None:
    live = tuple(_live(f"site{number:02}", 128 * MIB) for number in range(10))
    host = _ram(used=500 * MIB, masters=live)
    verdict = judge(host, [PlannedSite("site00", 16 * MIB)])
    assert verdict.sums[0].peak_bytes > GIB
    assert verdict.fits
    assert "no more than it does today" in verdict.message
    assert judge(host, [PlannedSite("site00", 128 * MIB)]).fits, "a deploy that changes no size"
    assert not judge(host, [PlannedSite("new", 16 * MIB)]).fits
    assert not judge(host, [PlannedSite("site00", 256 * MIB)]).fits
    full = _ram(used=1020 * MIB, masters=live)
    assert not judge(full, [PlannedSite("site00", 16 * MIB)]).fits


# --- what is not known is named -------------------------------------------------------------------------------------


def test_a_limit_that_cannot_be_read_is_named() -> None:
    closed = _limit("shmpages", "reserved", None, None, readable=False, reason="It needs become.")
    host = HostMemory(limits=(closed, _limit("ram", "touched", GIB, 100 * MIB)), unknown=("3 processes.",))
    verdict = judge(host, [PlannedSite("wiki", 64 * MIB)])
    assert verdict.unknown == ("3 processes.", "shmpages: It needs become.")
    assert "Not known: shmpages: It needs become." in verdict.message
    shown: Any = verdict.as_dict()["limits"]
    assert (shown[0]["readable"], shown[0]["fits"]) == (False, None)


def test_without_any_limit_the_message_says_so() -> None:
    verdict = judge(HostMemory(limits=()), [PlannedSite("wiki", 64 * MIB)])
    assert verdict.headroom_bytes is None
    assert "No limit on this host's memory could be read" in verdict.message


def test_limits_of_a_unit_or_a_session_are_not_the_host_s() -> None:
    session = replace(_limit("memory_cgroup", "touched", MIB, MIB), scope="session")
    assert judge(HostMemory(limits=(session,)), [PlannedSite("wiki", 64 * MIB)]).fits


def test_two_limits_of_one_name_are_told_apart() -> None:
    first = _limit("memory_cgroup", "touched", GIB, 0)
    second = replace(first, path="/system.slice", limit_bytes=10 * MIB)
    verdict = judge(HostMemory(limits=(first, second)), [PlannedSite("wiki", 64 * MIB)])
    assert [one.label for one in verdict.sums] == ["memory_cgroup /memory_cgroup", "memory_cgroup /system.slice"]
    assert [one.fits for one in verdict.sums] == [True, False]
    _check_sums(verdict)


@pytest.mark.parametrize(
    ("sites", "message"),
    [
        ([PlannedSite("a", 1), PlannedSite("a", 1)], "sites names a twice"),
        ([PlannedSite("a", -1)], "segment_bytes of a is -1"),
        ([PlannedSite("a", 1, max_children=-4)], "max_children of a is -4"),
    ],
)
def test_bad_input_is_one_sentence(sites: list[PlannedSite], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        judge(_openvz(), sites)


_SIZES = st.integers(0, 300).map(lambda size: size * MIB)


@st.composite
def _hosts(draw: st.DrawFn) -> HostMemory:
    names = draw(st.lists(st.sampled_from(["site00", "site01", "site09"]), unique=True))
    masters = tuple(_live(name, draw(_SIZES), draw(_SIZES)) for name in names)
    cgi = draw(st.none() | st.integers(1, 12).map(_php_cgi))
    tmpfs = (Tmpfs("/dev/shm", draw(st.none() | _SIZES), draw(_SIZES)),)
    host = _openvz(used=draw(_SIZES), masters=masters, php_cgi=cgi, tmpfs=tmpfs)
    return replace(host, others=(("scoreboards", "anonymous", draw(_SIZES), draw(_SIZES)),))


@given(_hosts(), st.integers(0, 6), _SIZES, _SIZES, st.booleans(), st.integers(1, 3))
def test_lines_add_up_and_ways_out_hold(
    host: HostMemory, count: int, size: int, jit: int, leaves: bool, at_once: int
) -> None:
    sites = _sites(count, size, jit_bytes=jit, max_children=3, worker_bytes=MIB)
    verdict = judge(host, sites, php_cgi_leaves=leaves, at_once=at_once)
    _check_sums(verdict)
    assert verdict.fits == (verdict.short_bytes == 0)
    assert verdict.fits_after or not verdict.fits
    for way in verdict.ways_out:
        assert way.saves_bytes > 0
        if not any("shared" in name for name in way.sites):
            first = way.php_cgi_ends_first
            again = judge(host, _apply(sites, way), php_cgi_leaves=leaves, php_cgi_ends_first=first, at_once=at_once)
            assert again.fits == way.fits


# --- masters that end first ----------------------------------------------------------------------------------------


@given(st.lists(st.booleans(), min_size=1, max_size=5), st.integers(1, 256), st.integers(0, 40))
def test_a_host_without_masters_is_as_if_they_had_never_been(ends: list[bool], segment: int, private: int) -> None:
    """Each master uses half of its segment, and private memory, which shmpages does not count."""
    masters = [Master(f"m{n}", f"m{n}", segment * MIB, segment * MIB // 2, private * MIB) for n in range(len(ends))]

    def host(there: list[Master]) -> HostMemory:
        shared = 100 * MIB + sum(one.segment_bytes for one in there)
        touched = GIB + sum(one.resident_bytes + one.private_bytes for one in there)
        limits = (
            _limit("shmpages", "reserved", 262144 * 4096, shared),
            _limit("ram", "touched", 10 * GIB, touched),
            _limit("unknown", "touched", GIB, None),
        )
        return HostMemory(limits=limits, masters=tuple(there), ram_bytes=10 * GIB)

    ended = {one.unit for one, ends_first in zip(masters, ends) if ends_first and one.unit}
    assert without_masters(host(masters), ended) == host([one for one in masters if one.unit not in ended])
