# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Against masters and workers in a played /proc."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import Response
from ansible_collections.phpops.webhost.plugins.module_utils._host import fpm_masters, opcache_facts
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_facts import Options
from ansible_collections.phpops.webhost.tests.unit._host.played_masters import (
    CGI_MAPS,
    FIXTURES,
    MASTER,
    NONE_MAPS,
    WORKER,
    Host,
    host,
)
from ansible_collections.phpops.webhost.tests.unit._host.played_pool import Page, Pool

__all__ = ["host"]
MIB = 1024 * 1024


def one(facts: dict[str, Any]) -> dict[str, Any]:
    (found,) = facts["masters"]
    assert isinstance(found, dict)
    return found


def test_a_master_is_found_by_its_process_and_asked_by_its_socket(host: Host) -> None:
    path = host.serve()
    host.conf = f"[global]\n[www]\nlisten = {path}\npm.max_children = 5\n"
    host.master()
    host.worker()
    host.pool.scripts["/srv/index.php"] = 4096
    facts = host.facts()
    found = one(facts)
    assert (facts["available"], facts["reason"], facts["not_asked"]) == (True, None, [])
    assert (found["master_pid"], found["unit"], found["site"], found["slot"]) == (MASTER, host.unit, None, None)
    assert (found["pool"], found["user"], found["php_version"]) == ("www", "root", "8.2.35")
    assert (found["sockets"], found["scripts"], found["keys"]) == ([path], 1, 1)
    assert list(host.readable.iterdir()) == []


def test_the_segment_is_the_truth_where_the_pool_says_otherwise(host: Host) -> None:
    host.serve()
    host.master()
    found = one(host.facts())
    assert (found["segment_bytes"], found["reported_bytes"]) == (128 * MIB, 64 * MIB)
    assert (found["directives_disagree"], found["memory_bytes"]) == (True, 128 * MIB)
    assert found["used_bytes"] == 128 * MIB - found["free_bytes"]


def test_temporary_files_are_where_the_pool_says_on_what_its_master_sees(host: Host) -> None:
    host.serve()
    folder = host.master()
    (folder / "mountinfo").write_text("1 0 8:1 / / rw - ext4 a rw\n2 1 0:9 / /dev/shm rw - tmpfs t rw\n")
    told = []
    for name in ("/tmp", "/dev/shm/phpops-wiki", None, "a\0b"):
        host.pool.temp_folder = name
        found = one(host.facts())
        told.append((found["temp_folder"], found["temp_fstype"]))
    assert told == [("/tmp", "ext4"), ("/dev/shm/phpops-wiki", "tmpfs"), (None, None), (None, None)]


def test_a_full_cache_without_a_restart_is_not_healthy(host: Host) -> None:
    host.serve()
    host.master()
    host.pool.full = True
    found = one(host.facts())
    assert (found["cache_full"], found["oom_restarts"], found["healthy"]) == (True, 0, False)
    assert "new to it run uncached" in found["problems"][0]


def test_a_slot_is_named_and_its_own_folder_comes_first(host: Host) -> None:
    host.unit = "phpops-fpm@my-shop-green.service"
    host.serve()
    host.master()
    found = one(host.facts())
    assert (found["site"], found["slot"]) == ("my-shop", "green")
    (master,) = fpm_masters.find(_groups(host), str(host.proc))
    assert opcache_facts._folders(master.pools[0], master, Options())[0] == "/var/lib/phpops/my-shop/slots/green"


def _groups(host: Host) -> Any:
    return opcache_facts.shm.group_processes(opcache_facts.proc.scan(str(host.proc)).processes)


def test_the_status_page_tells_the_workers_and_the_kernel_the_queue(host: Host) -> None:
    host.pool.pages["/status"] = Page(body=(FIXTURES / "slot" / "fpm-status.json").read_bytes())
    path = host.serve()
    host.conf = f"[www]\nlisten = {path}\npm.status_path = /status\npm.max_children = 4\n"
    host.master()
    host.worker()
    fpm = one(host.facts())["fpm"]
    # One of the four is the worker that answers this.
    assert (fpm["active"], fpm["idle"], fpm["total"], fpm["max_children"]) == (3, 1, 4, 4)
    assert (fpm["listen_queue"], fpm["max_children_reached"] is None) == (0, False)
    assert fpm["memory_by_worker"][0]["pid"] == WORKER
    assert fpm["memory_by_worker"][0]["pss_bytes"] == 2048 * 1024


@pytest.mark.parametrize("waiting", [0, 3])
def test_the_queue_is_the_kernels_whatever_the_status_page_says(host: Host, waiting: int) -> None:
    page = json.loads((FIXTURES / "slot" / "fpm-status.json").read_text(encoding="utf-8"))
    page.update({"listen queue": 99, "max listen queue": 99, "listen queue len": 99, "slow requests": 6})
    host.pool.pages["/status"] = Page(body=json.dumps(page).encode())
    path = host.serve()
    host.conf = f"[www]\nlisten = {path}\npm.status_path = /status\n"
    table = host.master() / "net" / "unix"
    # As the kernel prints a connection that nobody has accepted.
    rows = f"0000000000000000: 00000002 00000000 00000000 0001 02     0 {path}\n" * waiting
    now = table.read_text(encoding="utf-8")
    table.unlink()
    table.write_text(now + rows, encoding="utf-8")
    found = one(host.facts())
    assert found["pools"][0]["fpm"]["source"] == "status"
    for fpm in (found["fpm"], found["pools"][0]["fpm"]):
        assert (fpm["listen_queue"], fpm["slow_requests"]) == (waiting, 6)


def test_a_status_socket_of_its_own_takes_no_worker_of_the_pool(host: Host) -> None:
    host.pool.pages["/status"] = Page(body=(FIXTURES / "slot" / "fpm-status.json").read_bytes())
    path, status = host.serve(), host.serve("status.sock")
    host.conf = f"[www]\nlisten = {path}\npm.status_path = /status\npm.status_listen = {status}\n"
    host.master()
    found = one(host.facts())
    assert (found["sockets"], found["fpm"]["active"]) == ([path], 4)
    assert found["pools"][0]["fpm"]["source"] == "status"


def test_without_a_status_page_the_processes_are_counted(host: Host) -> None:
    path = host.serve()
    host.conf = f"[www]\nlisten = {path}\npm.max_children = 5\n"
    host.master()
    host.worker()
    fpm = one(host.facts())["pools"][0]["fpm"]
    assert (fpm["source"], fpm["active"], fpm["idle"], fpm["total"]) == ("processes", 0, 1, 1)
    assert (fpm["max_children"], fpm["max_children_reached"], fpm["slow_requests"]) == (5, None, None)
    assert "no pm.status_path" in fpm["reason"]


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        (
            [
                "NOTICE: fpm is running, pid {pid}",
                *["WARNING: [pool www] server reached max_children setting (5), x"] * 2,
            ],
            2,
        ),
        (["NOTICE: fpm is running, pid {pid}"], 0),
        (["NOTICE: ready to handle connections"], None),
    ],
)
def test_without_a_status_page_the_masters_log_tells_when_all_were_busy(
    host: Host, lines: list[str], count: int | None
) -> None:
    log = host.folder / "fpm.log"
    log.write_text("".join(f"[21-Nov-2026 10:00:00] {line.format(pid=MASTER)}\n" for line in lines), encoding="utf-8")
    path = host.serve()
    host.conf = f"[global]\nerror_log = {log}\n[www]\nlisten = {path}\npm.max_children = 5\n"
    host.master()
    host.worker()
    found = one(host.facts())
    assert found["pools"][0]["fpm"]["max_children_reached"] == count
    assert found["fpm"]["max_children_reached"] == count


def test_refused_segments_are_counted_in_the_masters_own_log(host: Host) -> None:
    log = host.folder / "fpm.log"
    refused = (
        "Sat Nov 21 10:0{}:00 2026 (7): Fatal Error Unable to allocate shared memory segment of 67108864 bytes: x\n"
    )
    Path(f"{log}.1").write_text(refused.format(1), encoding="utf-8")
    log.write_text(refused.format(2) + "[21-Nov-2026 10:03:00] NOTICE: reloading\n", encoding="utf-8")
    host.serve()
    host.conf = f"[global]\nerror_log = {log}\n"
    host.master()
    found = one(host.facts())
    assert found["error_log"] == str(log)
    assert found["shm_errors"] == {
        "count": 2,
        "first": "Sat Nov 21 10:01:00 2026",
        "last": "Sat Nov 21 10:02:00 2026",
        "segment_bytes": [64 * MIB],
        "reason": None,
    }


@pytest.mark.parametrize("setting", ["error_log = syslog", "error_log = log/fpm.log", ""])
def test_a_master_that_names_no_file_has_no_count_of_refused_segments(host: Host, setting: str) -> None:
    host.serve()
    host.conf = f"[global]\n{setting}\n"
    host.master()
    found = one(host.facts())
    assert (found["error_log"], found["shm_errors"]) == (None, None)
    missing = one(host.facts(sockets=["/nowhere.sock"]))
    assert (missing["error_log"], missing["shm_errors"]) == (None, None)


def test_a_status_page_that_is_none_is_said(host: Host) -> None:
    host.pool.pages["/status"] = Page(body=b"<html>")
    path = host.serve()
    host.conf = f"[www]\nlisten = {path}\npm.status_path = /status\n"
    host.master()
    found = one(host.facts())
    assert found["reason"] is None
    assert "This is HTML or XML, not FPM's status page" in found["pools"][0]["fpm"]["reason"]


def test_a_pool_with_opcache_off_leads_to_the_next_one(host: Host) -> None:
    first, second = host.serve("a.sock", Pool(opcache=False)), host.serve("b.sock")
    host.conf = f"[a]\nlisten = {first}\n[b]\nlisten = {second}\n"
    host.master()
    found = one(host.facts())
    assert (found["pool"], found["reason"], len(found["pools"])) == ("b", None, 2)


def test_a_master_without_opcache_says_so(host: Host) -> None:
    host.serve("www.sock", Pool(opcache=False))
    host.master(NONE_MAPS)
    facts = host.facts()
    assert facts["available"] is False
    assert "opcache.enable=0" in facts["reason"]
    assert (one(facts)["segment_bytes"], one(facts)["healthy"]) == (None, None)


def test_a_saturated_pool_is_asked_once(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def request(address: str, *_words: Any, **_options: Any) -> Response:
        calls.append(address)
        raise opcache_facts.FastCgiError(f"no whole answer from {address} within 5 s")

    path = host.serve()
    host.conf = f"[www]\nlisten = {path}\npm.status_path = /status\n"
    host.master()
    monkeypatch.setattr(opcache_facts, "request", request)
    facts = host.facts()
    assert len(calls) == 1
    assert "no whole answer from" in one(facts)["reason"]
    assert list(host.readable.iterdir()) == []


def test_after_the_time_for_all_masters_nobody_is_asked(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    path = host.serve()
    host.conf = f"[www]\nlisten = {path}\npm.status_path = /status\npm.max_children = 5\n"
    host.master()
    host.worker()
    assert one(host.facts(total_seconds=60.0))["reason"] is None
    monkeypatch.setattr(opcache_facts, "request", lambda *_words, **_options: pytest.fail("it was asked"))
    found = one(host.facts(total_seconds=0.0))
    assert "no time was left to ask" in found["reason"]
    # What the kernel tells is there all the same.
    assert found["segment_bytes"] == 128 * 1024 * 1024
    assert (found["fpm"]["total"], found["fpm"]["max_children"], found["fpm"]["listen_queue"]) == (1, 5, 0)


def test_a_socket_that_leads_to_another_process_is_not_asked(host: Host) -> None:
    path = host.serve()
    host.conf = f"[www]\nlisten = {path}\n"
    folder = host.master()
    folder.rename(host.proc / "4000001")
    found = one(host.facts())
    assert f"process {MASTER} listens on {path}, not the master" in found["reason"]
    assert host.pool.log == []


@pytest.mark.parametrize(("users", "asked"), [(("12345", "54321"), False), (("12345", "12345"), True)])
def test_no_user_can_lead_the_script_to_anothers_pool(
    host: Host, monkeypatch: pytest.MonkeyPatch, users: tuple[str, str], asked: bool
) -> None:
    """The socket's folder and the script's are a user's: he could swap both between our steps."""
    first, second = host.serve("a.sock"), host.serve("b.sock")
    host.conf = f"[a]\nlisten = {first}\nuser = {users[0]}\n[b]\nlisten = {second}\nuser = {users[1]}\n"
    host.master()
    monkeypatch.setattr(opcache_facts, "_roots_alone", lambda _folder, _root: False)
    monkeypatch.setattr(opcache_facts, "FOLDERS", ())
    found = one(host.facts())
    assert (found["reason"] is None) == asked
    assert asked or "users can write there" in found["reason"]
    assert host.pool.misses == int(asked)
    assert list(host.readable.iterdir()) == []


@pytest.mark.parametrize(
    ("folder", "mode", "owner", "safe"),
    [("a", 0o755, 0, True), ("a", 0o777, 0, False), ("a", 0o1777, 0, True), ("a", 0o755, 7, False)],
)
def test_where_none_but_root_can_replace_a_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, mode: int, owner: int, safe: bool
) -> None:
    (tmp_path / folder / "below").mkdir(parents=True)

    def played(path: Path) -> os.stat_result:
        mine = path == tmp_path / folder
        return os.stat_result((0o40000 | (mode if mine else 0o755), 0, 0, 0, owner if mine else 0, 0, 0, 0, 0, 0))

    monkeypatch.setattr(Path, "stat", played)
    assert opcache_facts._roots_alone(str(tmp_path / folder / "below"), "") is safe
    assert opcache_facts._roots_alone(f"/{folder}/below", str(tmp_path)) is safe


def test_a_master_in_a_container_is_named_and_left_alone(host: Host) -> None:
    host.serve()
    host.master(namespace="2")
    found = one(host.facts())
    assert "runs in a container on this host" in found["reason"]
    assert (found["segment_bytes"], host.pool.log, host.pool.misses) == (128 * MIB, [], 0)


@pytest.mark.parametrize(("name", "kind"), [("php-cgi", "php-cgi"), ("apache2", "mod_php")])
def test_what_can_not_be_asked_is_named_with_its_memory(host: Host, name: str, kind: str) -> None:
    folder = host.add(500, 1, name, name, CGI_MAPS)
    with (folder / "maps").open("a", encoding="utf-8") as file:
        file.write("7f0000000000-7f0000001000 r-xp 00000000 00:21 9 /usr/lib/apache2/modules/libphp8.2.so\n")
    facts = host.facts()
    assert (facts["available"], facts["masters"]) == (False, [])
    assert facts["reason"] == "No PHP-FPM master runs on this host."
    (found,) = facts["not_asked"]
    assert (found["kind"], found["processes"], found["pids"]) == (kind, 1, [500])
    assert (found["opcache_segments"], found["opcache_bytes"]) == (1, 64 * MIB)
    assert found["reason"].endswith(".")


def test_only_the_masters_of_given_sockets_are_asked(host: Host) -> None:
    path = host.serve()
    host.master()
    link = host.folder / "other-name.sock"
    link.symlink_to(path)
    assert one(host.facts(sockets=[path]))["reason"] is None
    assert one(host.facts(sockets=[str(link)]))["master_pid"] == MASTER
    found = one(host.facts(sockets=["/nowhere.sock"]))
    assert (found["master_pid"], found["sockets"]) == (None, ["/nowhere.sock"])
    assert "No PHP-FPM master of this host listens on /nowhere.sock" in found["reason"]


def test_a_pool_on_tcp_is_asked(host: Host) -> None:
    path = host.serve()
    listener = host.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    port = listener.getsockname()[1]
    relayed = opcache_facts.request
    seen = []

    def request(address: str, params: dict[str, str], **options: Any) -> Response:
        seen.append(address)
        return relayed(path, params, **options)

    host.conf = f"[tcp]\nlisten = {port}\n[www]\nlisten = {path}\n"
    host.master()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opcache_facts, "request", request)
        found = one(host.facts())
    assert (found["pool"], found["reason"], seen[0]) == ("tcp", None, f"127.0.0.1:{port}")


def test_the_scripts_name_stays_the_same_as_long_as_the_master_lives(host: Host) -> None:
    host.serve()
    host.master()
    host.pool.looks_at_times = False
    assert [one(host.facts())["scripts"] for _turn in range(3)] == [1, 1, 1]


def test_a_folder_that_is_no_proc_is_no_failure(host: Host) -> None:
    facts = opcache_facts.opcache_facts(Options(proc=str(host.folder / "none"), lock=str(host.folder / "lock")))
    assert facts["available"] is False
    assert "can't be listed" in facts["reason"]


def test_without_rights_the_reason_says_so(host: Host) -> None:
    folder = host.master()
    for entry in (folder / "fd").iterdir():
        entry.unlink()
    assert "can't be read without become" in one(host.facts())["reason"]
