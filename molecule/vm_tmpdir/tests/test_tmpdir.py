# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where temporary files go after the role, what they leave in the kernel, and what a reboot leaves of it.

The tests build on one another.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "shared" / "vm"))
from machine import Machine

FILES = 150_000
SHOP, APP, APACHE = "/dev/shm/phpops-shop", "/dev/shm/phpops-app-example-test", "/dev/shm/phpops.apache2"
FOLDERS = {"php": SHOP, "cgi": APACHE}
MIB = 1024 * 1024
STOP = "/run/visit.stop"


def module(host, name, check=False, **options):
    return host.ansible(f"phpops.webhost.{name}", json.dumps(options) if options else "", check=check)


def dentries(host):
    return module(host, "slab_facts")["ansible_facts"]["phpops_slab"]["dentry"]["objects"]


def where(host, site="shop", more=""):
    """Ask a site where its temporary files go."""
    command = f"curl -sSf --max-time 60 {more} -H 'Host: {site}.example.test' http://127.0.0.1/where.php"
    return json.loads(host.check_output(command))


def shm(host):
    """Return (size in bytes, options) of /dev/shm as the kernel has them."""
    size = int(host.check_output("df --block-size=1 --output=size /dev/shm | tail -n 1"))
    return size, set(host.check_output("findmnt --noheadings --output OPTIONS --mountpoint /dev/shm").split(","))


def folders(host):
    """Return owner, group and mode of each folder."""
    paths = f"{SHOP} {APP} {APACHE}"
    return host.check_output(f"stat --format '%U:%G %a' {paths}").splitlines()


def check_that_all_is_in_force(host):
    size, options = shm(host)
    assert size == 64 * MIB
    assert {"nosuid", "nodev"} <= options
    assert folders(host) == ["root:client1 1770", "root:www-data 1770", "root:www-data 1770"]
    shop, app = where(host), where(host, "app")
    assert (shop["sapi"], shop["temp"], shop["env"], shop["secret"]) == ("fpm-fcgi", SHOP, SHOP, "open-sesame")
    assert (app["sapi"], app["temp"], app["env"]) == ("cgi-fcgi", APP, APP)
    assert host.check_output("curl -sSf 'http://127.0.0.1/cgi-bin/many.py?n=1'") == APACHE


def test_php_and_cgi_programs_use_their_folders(host):
    check_that_all_is_in_force(host)


def test_temporary_files_leave_no_dentries(host):
    """Of PHP and of a CGI program, 150,000 each."""
    before = json.loads(host.check_output("cat /srv/before.json"))
    first = dentries(host)
    done = json.loads(host.check_output("python3 -B /srv/count.py"))
    grown = dentries(host) - first
    for name, folder in FOLDERS.items():
        seconds = f"{before[name]['seconds']} s on ext4, {done[name]['seconds']} s on the tmpfs"
        print(f"{FILES} temporary files through {name}: {seconds}")
        assert (before[name]["folders"], done[name]["folders"]) == (["/tmp"], [folder])
    print(f"dentries: {before['grown']} more on ext4, {grown} more on the tmpfs ({100 * grown / FILES / 2:.2f} %)")
    assert before["grown"] > 0.95 * 2 * FILES
    # That is less than 2 % of each of them.
    assert grown < 0.02 * FILES


def test_an_upload_larger_than_the_memory_buffer_arrives(host):
    host.check_output("head -c 9437184 /dev/urandom >/srv/upload")
    file = where(host, more="-F upload=@/srv/upload")["upload"]
    assert (file["error"], file["size"]) == (0, 9 * MIB)
    assert file["place"].startswith(f"{SHOP}/")
    assert file["md5"] == host.check_output("md5sum /srv/upload").split()[0]


def test_sessions_stay_on_the_disk(host):
    session = where(host)["session"]
    assert host.file(f"/var/lib/php/sessions/sess_{session}").exists
    assert "sess_" not in host.check_output(f"ls {SHOP} {APP}")


def test_another_site_can_not_look_into_the_folder(host):
    assert host.run(f"runuser -u nobody -- ls {SHOP}").rc != 0
    assert host.run(f"runuser -u web1 -- ls {APP}").rc != 0
    assert host.run(f"runuser -u web1 -- rmdir {SHOP}").rc != 0


def test_a_user_who_logs_out_loses_files_but_not_the_folder(host):
    kept = where(host)["kept"]
    assert host.file(kept).exists
    # A session of its own, as SSH and cron give one: at its end logind removes what the user has in /dev/shm.
    host.check_output("systemd-run --quiet --wait --property=PAMName=login --property=User=web1 true")
    host.run_expect([0], f"timeout 60 sh -c 'while test -e {kept}; do sleep 1; done'")
    assert host.check_output(f"stat --format '%U:%G %a' {SHOP}") == "root:client1 1770"
    assert where(host)["kept"].startswith(f"{SHOP}/")


def test_stale_files_go_and_fresh_ones_stay(host):
    stale = where(host)["kept"]
    # In two days: timestamps of change can't be set, so the clock is.
    host.check_output("systemctl stop systemd-timesyncd 2>/dev/null; date --set '+2 days'")
    try:
        fresh = where(host)["kept"]
        assert host.check_output("systemctl is-active systemd-tmpfiles-clean.timer") == "active"
        host.check_output("systemctl start systemd-tmpfiles-clean.service")
        assert not host.file(stale).exists
        assert host.file(fresh).exists
        assert host.file(SHOP).is_directory
    finally:
        host.check_output("date --set '-2 days'")


def test_a_size_that_does_not_fit_is_refused_with_the_numbers(host):
    said = module(host, "tmpdir_mount", size_bytes=8192 * MIB)["msg"]
    assert "short: ram allows" in said
    assert "tmpfs /dev/shm 8 GiB" in said
    assert shm(host)[0] == 64 * MIB


def test_apache_itself_gets_it_at_a_restart(host):
    """What the restart costs is counted by clients of another process than Apache."""
    name = host.backend.get_hostname()
    counts = {}

    def visit():
        counts.update(json.loads(host.check_output(f"python3 -B /srv/visit.py {STOP} shop.example.test")))

    directories = module(host, "tmpdir_mount", check=True, size_bytes=64 * MIB)["directories"]
    assert module(host, "apache_tmpdir", directories=directories)["apache"]["pending"] is True
    thread = threading.Thread(target=visit)
    thread.start()
    try:
        host.check_output("sleep 3")
        done = module(host, "apache_tmpdir", directories=directories, restart=True)
        host.check_output("sleep 3")
    finally:
        host.check_output(f"touch {STOP}")
        thread.join()
    print(f"{name}: the restart took {done['restart']['seconds']} s, the role saw {done['restart']}, clients {counts}")
    assert done["apache"] == {"path": APACHE, "in_force": APACHE, "pending": False}
    assert counts["answered"] > 0
    pid = host.check_output("cat /run/apache2/apache2.pid")
    assert f"TMPDIR={APACHE}" in host.check_output(f"tr '\\0' '\\n' </proc/{pid}/environ").splitlines()
    again = module(host, "apache_tmpdir", directories=directories, restart=True)
    assert (again["changed"], again["restart"]) == (False, None)


def test_all_of_it_outlives_a_reboot(host):
    Machine(host.backend.get_hostname()).reboot()
    check_that_all_is_in_force(host)
    pid = host.check_output("cat /run/apache2/apache2.pid")
    assert f"TMPDIR={APACHE}" in host.check_output(f"tr '\\0' '\\n' </proc/{pid}/environ").splitlines()
    assert host.check_output("systemctl --failed --no-legend") == ""


def test_the_way_back_leaves_nothing(host):
    """As the role does it with tmpdir_state=absent."""
    assert module(host, "apache_tmpdir")["changed"] is True
    assert module(host, "site_tmpdir", state="absent")["sites"][0]["flipped"] is True
    assert module(host, "tmpdir_mount", state="absent")["changed"] is True
    # Apache runs with it until its restart.
    assert host.check_output("ls -d /dev/shm/phpops*") == APACHE
    assert module(host, "apache_tmpdir", restart=True)["restart"] is not None
    assert module(host, "tmpdir_mount", state="absent")["changed"] is True
    assert where(host)["temp"] == "/tmp"
    assert where(host, "app")["temp"] == "/tmp"
    assert host.check_output("curl -sSf 'http://127.0.0.1/cgi-bin/many.py?n=1'") == "/tmp"
    size, _options = shm(host)
    memory = int(host.check_output("awk '/^MemTotal:/ {print $2}' /proc/meminfo")) * 1024
    assert abs(size - memory // 2) <= 4096
    assert host.check_output("ls /dev/shm/ /etc/tmpfiles.d/").count("phpops") == 0
    assert host.check_output("grep -c phpops /etc/fstab; true") == "0"
    # The other slot has its last configuration until the next flip.
    live = host.check_output("basename $(readlink /var/lib/phpops/shop/ptr/live)")
    assert host.check_output(f"grep -rl TMPDIR /etc/apache2 /etc/systemd /etc/phpops/shop/{live}; true") == ""
    for name, options in (("apache_tmpdir", {}), ("site_tmpdir", {"state": "absent"})):
        assert module(host, name, **options)["changed"] is False
    assert module(host, "tmpdir_mount", state="absent")["changed"] is False
