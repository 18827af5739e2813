# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joining lines into events: prefixes, broken lines, interleaved and cut reports, systemd's lines."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import oom_keep
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_log import OomLog
from ansible_collections.phpops.webhost.tests.unit._core.oom_fixture import KILLED, UNIT, events, read, report
from hypothesis import given, settings
from hypothesis import strategies as st

STYLES = ("2.6", "3.10", "5", "memcg")


def journal(body: str, number: int) -> str:
    entry = {
        "MESSAGE": body,
        "_TRANSPORT": "kernel",
        "SYSLOG_IDENTIFIER": "kernel",
        "_HOSTNAME": "web1",
        "__REALTIME_TIMESTAMP": str(1754963643123456 + number),
        "_SOURCE_MONOTONIC_TIMESTAMP": str(56419530 + number),
    }
    return json.dumps(entry)


# Name: (how a message is written, the event's time).
PREFIXES: dict[str, tuple[Any, str | None]] = {
    "none": (lambda body, number: body, None),
    "dmesg": (lambda body, number: f"[{27742 + number}.909073] {body}", None),
    "printk-caller": (lambda body, number: f"[   56.{number:06}][ T1122] {body}", None),
    "dmesg-raw": (lambda body, number: f"<4>[   56.{number:06}] {body}", None),
    "dmesg-decode": (lambda body, number: f"kern  :warn  : [   56.{number:06}] {body}", None),
    "dmesg-T": (lambda body, number: f"[Tue Aug 12 03:54:03 2025] {body}", "2025-08-12T03:54:03"),
    "dmesg-T-de": (lambda body, number: f"[Mi M\u00e4r 12 03:54:03 2025] {body}", "2025-03-12T03:54:03"),
    "dmesg-T-fr": (lambda body, number: f"[mar. ao\u00fbt 12 03:54:03 2025] {body}", "2025-08-12T03:54:03"),
    "dmesg-T-ja": (lambda body, number: f"[\u706b  8\u6708 12 03:54:03 2025] {body}", "2025-08-12T03:54:03"),
    "dmesg-T-unknown": (lambda body, number: f"[Xx Yyyy 12 03:54:03 2025] {body}", None),
    "dmesg-iso": (
        lambda body, number: f"2025-08-12T03:54:03,{number:06}+02:00 {body}",
        "2025-08-12T03:54:03+02:00",
    ),
    "syslog": (lambda body, number: f"Aug  2 03:54:03 web1 kernel: {body}", "2025-08-02T03:54:03"),
    "syslog-uptime": (
        lambda body, number: f"Aug 12 03:54:03 web1 kernel: [{number}.000001] {body}",
        "2025-08-12T03:54:03",
    ),
    "syslog-no-host": (lambda body, number: f"Aug 12 03:54:03 kernel: [ 58.{number:06}] {body}", "2025-08-12T03:54:03"),
    "journald-precise": (
        lambda body, number: f"Aug 12 03:54:03.123456 web1 kernel: {body}",
        "2025-08-12T03:54:03.123456",
    ),
    "journald-iso": (
        lambda body, number: f"2025-08-12T03:54:03+0200 web1 kernel: {body}",
        "2025-08-12T03:54:03+02:00",
    ),
    "journald-iso-precise": (
        lambda body, number: f"2025-08-12T03:54:03.1234{number:02}-05:30 web1 kernel: {body}",
        "2025-08-12T03:54:03.123400-05:30",
    ),
    "journald-full": (
        lambda body, number: f"Tue 2025-08-12 03:54:03 UTC web1 kernel: {body}",
        "2025-08-12T03:54:03+00:00",
    ),
    "journald-monotonic": (lambda body, number: f"[{27742 + number}.909073] web1 kernel: {body}", None),
    "journald-json": (journal, "2025-08-12T01:54:03.123456+00:00"),
    "rfc5424": (
        lambda body, number: f"<4>1 2025-08-12T03:54:03.5Z web1 kernel - - - {body}",
        "2025-08-12T03:54:03.500000+00:00",
    ),
    "quoted": (lambda body, number: f"> > [{number}.909073] {body}", None),
    "indented": (lambda body, number: f"     [{number}.909073] {body}", None),
    "crlf": (lambda body, number: f"[{number}.909073] {body}\r", None),
}


def log(lines: list[str], prefix: str = "dmesg") -> str:
    return "\n".join(PREFIXES[prefix][0](body, number) for number, body in enumerate(lines))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("prefix", sorted(PREFIXES))
def test_a_report_reads_the_same_after_any_prefix(prefix: str, style: str) -> None:
    (event,) = events(log(report(4711, style=style), prefix))
    (plain,) = events("\n".join(report(4711, style=style)))
    assert event["time"] == PREFIXES[prefix][1]
    assert {**event, "time": None} == plain
    assert (event["victim"]["pid"], event["victim"]["uid"], event["trigger"]["pid"]) == (4711, 33, 4712)
    assert event["victim"]["total_vm_bytes"] == 50000 * 4096
    assert [row["pid"] for row in event["processes"]] == [1, 4711, 4712]
    assert event["kind"] == ("memcg" if style == "memcg" else "global")


@pytest.mark.parametrize(
    "comm", ["tmux: server", "runc:[2:INIT]", "(sd-pam)", "7zip 2 (x) y", "a]b [c", "oom-killer", ")"]
)
@pytest.mark.parametrize("style", STYLES)
def test_a_name_may_hold_anything(style: str, comm: str) -> None:
    (event,) = events(log(report(4711, comm, style)))
    assert (event["trigger"]["comm"], event["trigger"]["pid"]) == (comm, 4712)
    assert (event["victim"]["comm"], event["victim"]["pid"]) == (comm, 4711)
    assert event["by_command"][comm]["processes"] == 2


def test_rsyslogs_newlines_are_newlines() -> None:
    lines = report(4711, style="memcg")
    at = next(number for number, line in enumerate(lines) if line.startswith("Memory cgroup stats"))
    lines[at : at + 3] = ["#012".join(lines[at : at + 3])]
    (event,) = events(log(lines, "syslog"))
    assert (event["mem"]["anon_bytes"], event["mem"]["file_bytes"]) == (104857600, 4096)


@pytest.mark.parametrize("width", [60, 72, 80, 100])
@pytest.mark.parametrize("style", STYLES)
def test_a_mail_that_breaks_lines_at_blanks_changes_nothing(style: str, width: int) -> None:
    broken = []
    for line in log(report(4711, style=style)).split("\n"):
        rest = line
        while len(rest) > width and " " in rest[20:width]:
            cut = rest.rindex(" ", 20, width) + 1
            broken.append(rest[:cut])
            rest = rest[cut:]
        broken.append(rest)
    (event,) = events("\n".join(broken))
    (whole,) = events(log(report(4711, style=style)))
    for key in ("trigger", "victim", "cgroup", "limit_cgroup", "constraint", "kind"):
        assert event[key] == whole[key]
    assert event["by_command"]["php-fpm"] == whole["by_command"]["php-fpm"]


def test_prose_after_a_whole_line_is_not_joined() -> None:
    text = log(report(4711)[:-1]) + "\n```\nkB and so on\noom_score_adj is 0 as one sees\n"
    (event,) = events(text)
    assert event["victim"]["oom_score_adj"] == 0


@pytest.mark.parametrize("cut", range(1, 15))
@pytest.mark.parametrize("style", STYLES)
def test_a_report_that_is_cut_anywhere_is_one_event(style: str, cut: int) -> None:
    lines = report(4711, style=style)
    head, tail = events(log(lines[:cut])), events(log(lines[cut:]))
    assert len(head) == 1
    killed = next(number for number, line in enumerate(lines) if "Killed process" in line)
    named = next(number for number, line in enumerate(lines) if line.startswith(("oom-kill:", "Out of memory: Kill ")))
    assert (head[0]["victim"] is None) == (cut <= named)
    assert len(tail) == (1 if cut <= killed else 0)
    if tail:
        assert tail[0]["victim"]["pid"] == 4711
        assert tail[0]["trigger"]["comm"] is None


def test_a_line_that_only_speaks_of_it_is_no_event() -> None:
    others = [
        "Aug 12 03:54:03 web1 monitor[33]: php-fpm invoked oom-killer: gfp_mask=0x201da, order=0, oom_score_adj=0",
        "Aug 12 03:54:03 web1 app[34]: Out of memory: Killed process 17 (php-fpm) total-vm:1kB",
        "Aug 12 03:54:03 web1 kernel: Killed processes: 17",
        "Aug 12 03:54:03 web1 kernel: oom_reaper: reaped process 17 (php), now anon-rss:0kB, file-rss:0kB",
        "Aug 12 03:54:03 web1 app[35]: php8.2-fpm.service: Failed with result 'oom-kill'.",
        "Aug 12 03:54:03 web1 kernel: httpd: page allocation failure: order:4, mode:0x2040d0",
        "Aug 12 03:54:03 web1 kernel: Mem-Info:",
        "Aug 12 03:54:03 web1 kernel: Free swap  = 0kB",
    ]
    assert read("\n".join(others)) == {"events": [], "units": []}


def test_a_page_allocation_failure_before_it_lends_no_numbers() -> None:
    before = ["Mem-Info:", " free:7 slab_reclaimable:7", "Total swap = 7kB"]
    (event,) = events(log([*before, *report(4711)]))
    assert event["mem"]["free_bytes"] == 500 * 4096
    assert event["swap"]["total_bytes"] == 1024 * 1024


def test_a_child_that_is_killed_instead_is_the_victim() -> None:
    lines = report(4711, style="3.10")
    lines[-1] = "Killed process 4712 (php-fpm) total-vm:200000kB, anon-rss:51200kB, file-rss:4kB"
    (event,) = events(log(lines))
    assert event["victim"]["pid"] == 4712


def test_a_control_group_that_dies_as_a_whole_is_one_event() -> None:
    extra = [
        "Tasks in /system.slice/php8.2-fpm.service are going to be killed due to memory.oom.group set",
        "Memory cgroup out of memory: Killed process 4712 (php-fpm) total-vm:200000kB, anon-rss:51200kB, file-rss:4kB",
        "Memory cgroup out of memory: Killed process 4713 (php-fpm) total-vm:200000kB, anon-rss:51200kB, file-rss:4kB",
    ]
    found = events(log([*report(4711, style="memcg"), *extra, *report(5000, style="memcg")]))
    assert [event["victim"]["pid"] for event in found] == [4711, 5000]


def test_a_log_that_has_each_line_twice_has_one_event() -> None:
    twice = [line for line in log(report(4711)).split("\n") for _copy in range(2)]
    (event,) = events("\n".join(twice))
    assert event["by_command"]["php-fpm"]["processes"] == 2


def test_two_hosts_in_one_log_keep_apart() -> None:
    lines = []
    for one, other in zip(report(4711, style="5"), report(4711, style="5", cgroup="/system.slice/nginx.service")):
        lines += [f"Aug 12 03:54:03 web1 kernel: {one}", f"Aug 12 03:54:03 web2 kernel: {other}"]
    found = events("\n".join(lines))
    assert [event["unit"] for event in found] == [UNIT, "nginx.service"]
    assert [len(event["processes"]) for event in found] == [3, 3]


def test_two_printk_callers_keep_apart() -> None:
    lines = []
    for number, (one, other) in enumerate(zip(report(4711), report(815, "mysqld"))):
        lines += [f"[   56.{number:06}][ T11] {one}", f"[   56.{number:06}][ C1] {other}"]
    first, second = events("\n".join(lines))
    assert (first["victim"]["pid"], [row["pid"] for row in first["processes"]]) == (4711, [1, 4711, 4712])
    assert (second["victim"]["pid"], [row["pid"] for row in second["processes"]]) == (815, [1, 815, 816])


def test_a_cut_report_does_not_take_what_happened_after_a_reboot() -> None:
    later = [f"[   {50 + number}.000000] {body}" for number, body in enumerate(report(815))]
    first, second = events("\n".join([log(report(4711)[:4]), *later]))
    assert first["victim"] is None
    assert second["victim"]["pid"] == 815


def test_the_page_size_is_the_datas_own() -> None:
    lines = [line.replace("*4kB", "*64kB") for line in report(4711)]
    lines = [line.replace("total-vm:200000kB", "total-vm:3200000kB") for line in lines]
    (event,) = events(log(lines))
    assert event["processes"][1]["rss_bytes"] == 25600 * 65536
    # Without a victim the smallest free block tells.
    (event,) = events(log(lines[:12]))
    assert event["processes"][0]["rss_bytes"] == 900 * 65536
    assert event["mem"]["free_bytes"] == 500 * 65536


def systemd(second: int, text: str, program: str = "systemd[1]") -> str:
    return f"Aug 12 03:54:{second:02} web1 {program}: {text}"


FAILED = "Failed with result 'oom-kill'."


def stamped(lines: list[str], second: int) -> list[str]:
    return [f"Aug 12 03:54:{second:02} web1 kernel: {body}" for body in lines]


def test_systemds_lines_belong_to_the_kernels_event() -> None:
    lines = [
        *stamped(report(4711), 3),
        systemd(3, f"{UNIT}: {KILLED}"),
        systemd(3, f"system.slice: {KILLED}"),
        systemd(44, f"{UNIT}: {FAILED}"),
    ]
    found = read("\n".join(lines))
    assert [(event["kind"], event["unit"]) for event in found["events"]] == [("global", UNIT)]
    assert found["units"] == [
        {"unit": UNIT, "result": None, "count": 1},
        {"unit": UNIT, "result": "oom-kill", "count": 1},
        {"unit": "system.slice", "result": None, "count": 1},
    ]


def test_systemd_may_be_heard_before_the_kernel() -> None:
    lines = [systemd(3, f"{UNIT}: {KILLED}"), *stamped(report(4711), 3)]
    assert [(event["kind"], event["unit"]) for event in events("\n".join(lines))] == [("global", UNIT)]


def test_an_old_kernel_learns_its_unit_from_systemd() -> None:
    lines = [*stamped(report(4711, style="3.10"), 3), systemd(3, f"{UNIT}: {KILLED}"), systemd(4, f"{UNIT}: {FAILED}")]
    assert [(event["kind"], event["unit"]) for event in events("\n".join(lines))] == [("global", UNIT)]


def test_a_unit_without_a_report_is_an_event_of_its_own() -> None:
    lines = [
        *stamped(report(4711), 3),
        systemd(5, f"mariadb.service: {KILLED}"),
        systemd(5, f"nginx.service: {KILLED}"),
        systemd(6, f"mariadb.service: {FAILED}"),
    ]
    found = events("\n".join(lines))
    assert [(event["kind"], event["unit"]) for event in found] == [
        ("global", UNIT),
        ("unit", "mariadb.service"),
        ("unit", "nginx.service"),
    ]
    assert found[1]["victim"] is None
    assert found[1]["time"] == "2025-08-12T03:54:05"


def test_twenty_kills_in_a_row_are_twenty_events() -> None:
    lines = []
    for turn in range(20):
        lines += [*stamped(report(4000 + turn * 10, style="memcg"), turn // 2), systemd(turn // 2, f"{UNIT}: {KILLED}")]
    found = read("\n".join(lines))
    assert [event["victim"]["pid"] for event in found["events"]] == [4000 + turn * 10 for turn in range(20)]
    assert found["units"] == [{"unit": UNIT, "result": None, "count": 20}]


def test_systemd_oomd_tells_of_a_whole_control_group() -> None:
    group = "/user.slice/user-1000.slice/user@1000.service/app.slice/php.scope"
    why = "due to memory pressure for /user.slice being 62.23% > 50.00% for > 20s with reclaim activity"
    lines = [
        systemd(3, f"Killed {group} {why}", "systemd-oomd[512]"),
        systemd(3, "php.scope: systemd-oomd killed 25 process(es) in this unit."),
        systemd(3, f"php.scope: {FAILED}"),
        systemd(20, f"Killed {group} due to memory used (4) / total (5) and swap used (1) / total (1)", "systemd-oomd"),
    ]
    first, second = events("\n".join(lines))
    assert (first["kind"], first["cgroup"], first["limit_cgroup"], first["unit"]) == (
        "oomd",
        group,
        "/user.slice",
        "php.scope",
    )
    assert (second["kind"], second["limit_cgroup"], second["victim"]) == ("oomd", None, None)


def test_openvz_names_its_container() -> None:
    line = "Out of memory in UB 101: OOM killed process 4711 (php-cgi) score 0 vm:200000kB, rss:1024kB, swap:0kB"
    (event,) = events(log([line]))
    assert (event["kind"], event["limit_cgroup"], event["victim"]["comm"]) == ("memcg", "101", "php-cgi")
    (event,) = events(log(["OOM killed process httpd (pid=4711, ve=102) exited, free=123."]))
    assert (event["kind"], event["limit_cgroup"], event["victim"]["pid"]) == ("memcg", "102", 4711)


def test_since_takes_away_what_is_older() -> None:
    lines = [*stamped(report(4711), 3), systemd(3, f"{UNIT}: {FAILED}"), *stamped(report(815), 30)]
    (limit,) = {event["time"] for event in events("\n".join(stamped(report(1), 20)))}
    found = read("\n".join(lines), since=datetime.fromisoformat(limit).timestamp())
    assert [event["victim"]["pid"] for event in found["events"]] == [815]
    assert found["units"] == []


def test_the_newest_events_and_tables_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oom_keep, "MOST_EVENTS", 5)
    monkeypatch.setattr(oom_keep, "MOST_ROWS", 7)
    reader = OomLog()
    for turn in range(8):
        for line in report(4000 + turn * 10):
            reader.feed(f"[{turn}.000000] {line}".encode())
    kept = reader.finish()
    found = kept.shown(4096)["events"]
    assert [event["victim"]["pid"] for event in found] == [4030, 4040, 4050, 4060, 4070]
    assert [len(event["processes"]) for event in found] == [0, 0, 0, 3, 3]
    assert kept.notes() == [
        "The log has 8 OOM events: the newest 5 are returned. Give since to choose.",
        "The tables of processes of 6 older OOM events were left out.",
    ]


def test_a_table_belongs_to_the_report_that_kills_from_it() -> None:
    one, other = report(2, style="2.6"), report(4, style="memcg")
    # The first one's table comes while the other was told of last.
    first, second = events("\n".join([one[0], other[0], *one[1:8], *other[1:7], *one[8:], *other[7:]]))
    assert {event["victim"]["pid"]: [row["pid"] for row in event["processes"]] for event in (first, second)} == {
        2: [1, 2, 3],
        4: [1, 4, 5],
    }


@st.composite
def interleaved(draw: st.DrawFn) -> tuple[str, set[int]]:
    """Two reports of different pids, each in its order, mixed in any way."""
    one = draw(st.integers(2, 2**22))
    other = draw(st.integers(2, 2**22).filter(lambda pid: abs(pid - one) > 1))
    parts = []
    for pid in (one, other):
        comm = draw(st.sampled_from(["php-fpm", "mysqld", "tmux: server", "(sd-pam)"]))
        parts.append(report(pid, comm, draw(st.sampled_from(STYLES))))
    mixed = []
    for first in draw(st.permutations([0] * len(parts[0]) + [1] * len(parts[1]))):
        mixed.append(parts[first].pop(0))
    return log(mixed, draw(st.sampled_from(["none", "dmesg", "syslog", "dmesg-T", "journald-json"]))), {one, other}


@settings(deadline=None)
@given(interleaved())
def test_any_interleaving_of_two_reports_gives_two_events(case: tuple[str, set[int]]) -> None:
    text, pids = case
    found = events(text)
    assert len(found) == 2
    assert {event["victim"]["pid"] for event in found} == pids
