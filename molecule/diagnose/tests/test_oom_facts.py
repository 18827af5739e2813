# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What oom_facts says in a container: of a saved log, of kills that systemd tells, and of lines that only look so."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

INVENTORY = Path(__file__).resolve().parents[1] / "inventory" / "hosts.yml"
NGINX_WAS_KILLED = (
    "nginx.service: A process of this unit has been killed by the OOM killer.",
    "nginx.service: Failed with result 'oom-kill'.",
)
# Only root may say that another process sends (unix(7), SCM_CREDENTIALS): journald notes process 1 as the writer.
AS_SYSTEMD = """
import socket, struct, sys
credentials = [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, struct.pack("3i", 1, 0, 0))]
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
    journal.connect("/run/systemd/journal/socket")
    for line in sys.argv[1:]:
        journal.sendmsg([f"SYSLOG_IDENTIFIER=systemd\\nMESSAGE={line}\\n".encode()], credentials)
"""


def oom(host, arguments="", **options):
    """Return the OOM facts."""
    result = host.ansible("phpops.webhost.oom_facts", arguments, check=options.pop("check", False), **options)
    assert "ansible_facts" in result, result
    assert result["changed"] is False
    return result["ansible_facts"]["phpops_oom"]


def kills_counted(host):
    return int(host.check_output("awk '$1 == \"oom_kill\" {print $2}' /proc/vmstat"))


def log_as_systemd(host, *lines):
    """Write lines into the journal as systemd's own."""
    host.check_output("python3 -c %s " + "%s " * len(lines), AS_SYSTEMD, *lines)
    host.check_output("journalctl --sync")


@pytest.fixture
def journal(host):
    """Lets a test write what it likes into the journal: it is emptied afterwards, so that no other test meets that."""
    yield
    host.check_output("journalctl --sync; journalctl --rotate; journalctl --vacuum-size=1K")
    host.check_output("logger 'The journal was emptied.'; journalctl --sync")
    assert [
        event for event in oom(host, "source=journal since=-1h")["events"] if event["unit"] == "nginx.service"
    ] == []


def test_a_container_sees_what_systemd_says_and_not_the_kernel(host, journal):
    # Simulated: the words of systemd, sent under its number. The kernel's own report stays on the container's host.
    before = oom(host)
    assert before["available"], before["reason"]
    log_as_systemd(host, *NGINX_WAS_KILLED)
    counted = kills_counted(host)
    found = oom(host, "source=journal since=-1h")
    # Another container's kill counts, too.
    assert counted <= found["oom_kill_counter"] <= kills_counted(host)
    (event,) = [event for event in found["events"] if event["unit"] == "nginx.service"]
    assert (event["kind"], event["victim"], event["processes"]) == ("unit", None, [])
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$", event["time"])
    assert [unit["result"] for unit in found["units"] if unit["unit"] == "nginx.service"] == [None, "oom-kill"]
    assert oom(host, "source=journal since=-1h", check=True)["units"] == found["units"]
    command = [
        "ansible",
        host.backend.get_hostname(),
        "--inventory",
        str(INVENTORY),
        "--module-name",
        "phpops.webhost.oom_facts",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "This host is a container (podman): the kernel's reports" in " ".join((done.stdout + done.stderr).split())


def test_what_a_user_logs_under_the_name_of_systemd_is_not_believed(host, journal):
    for line in NGINX_WAS_KILLED:
        host.check_output("runuser -u nobody -- logger -t systemd %s", line)
    host.check_output("journalctl --sync")
    assert "A process of this unit" in host.check_output("journalctl --identifier=systemd --since=-1h")
    found = oom(host, "source=journal since=-1h")
    assert [item for item in found["events"] + found["units"] if item["unit"] == "nginx.service"] == []


def test_a_saved_kernel_log_tells_who_died(host):
    found = oom(host, "path=/root/kernel.log")
    (event,) = found["events"]
    assert (event["kind"], event["trigger"]["comm"], event["unit"]) == ("global", "in:imjournal", "varnish.service")
    assert (event["victim"]["comm"], event["victim"]["pid"], event["victim"]["uid"]) == ("cache-main", 3117813, 991)
    assert event["victim"]["anon_rss_bytes"] == 4805020 * 1024
    assert event["by_command"]["nginx"]["processes"] == 5
    assert found["oom_kill_counter"] is None


def test_logs_that_are_closed_name_the_cure(host):
    options = {"become": True, "become_user": "visitor"}
    found = oom(host, **options)
    assert found["available"] is False
    assert "run the task with become" in found["reason"]
    found = oom(host, "path=/root/kernel.log", **options)
    assert (found["available"], found["events"]) == (False, [])
    assert "run the task with become" in found["reason"]
