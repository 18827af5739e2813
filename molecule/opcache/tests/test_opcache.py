# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Caches are as large as measured, in the kernel's eyes and in PHP's; nothing is applied that doesn't fit."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

MIB = 1024 * 1024
SCENARIO = Path(__file__).resolve().parents[1]
STATUS = """<?php
$cached = function ($path) { return opcache_is_script_cached($path); };
if (isset($_GET['run'])) { include $_GET['run']; ob_clean(); }
echo json_encode(['status' => opcache_get_status(false), 'ini' => ini_get_all(null, false), 'user' => posix_getuid(),
    'cached' => isset($_GET['run']) ? $cached($_GET['run']) : null]);
"""


def ask(host, site, query=""):
    """Run a script of ours in the live master of a site; returns what it says of its interpreter."""
    host.run_expect([0], f"cat >/srv/ask.php <<'PHP'\n{STATUS}PHP\nchmod 644 /srv/ask.php")
    answer = host.check_output(
        "SCRIPT_FILENAME=/srv/ask.php SCRIPT_NAME=/ask.php REQUEST_URI=/ask.php REQUEST_METHOD=GET "
        f"QUERY_STRING='{query}' cgi-fcgi -bind -connect /var/lib/phpops/{site}/ptr/live/php.sock"
    )
    host.run_expect([0], "rm /srv/ask.php")
    return json.loads(re.split(r"\r?\n\r?\n", answer, maxsplit=1)[1])


def segment_bytes(host, site):
    """Return the size of the live master's shared anonymous memory, as the kernel tells it."""
    slot = host.check_output(f"basename $(readlink /var/lib/phpops/{site}/ptr/live)")
    pid = host.check_output(f"systemctl show --property=MainPID --value phpops-fpm@{site}-{slot}.service")
    lines = re.findall(r"^(\w+)-(\w+) ...s .*/dev/zero", host.file(f"/proc/{pid}/maps").content_string, re.MULTILINE)
    # FPM's scoreboard is shared memory too, of a few pages.
    sizes = [size for size in (int(end, 16) - int(start, 16) for start, end in lines) if size > MIB]
    assert sizes
    return sum(sizes)


def stored(host, site):
    return json.loads(host.file(f"/etc/phpops/{site}/site.json").content_string)["opcache"]


def tune(host, *words):
    """Run the playbook once more on this host, as its user would."""
    command = ["ansible-playbook", "-i", str(SCENARIO / "inventory"), "-l", host.backend.get_hostname(), *words]
    return subprocess.run(
        [*command, "phpops.webhost.tune"],
        capture_output=True,
        text=True,
        timeout=300,
        env=dict(os.environ),
        check=False,
    )


def state_of(host):
    return host.check_output(
        "find /etc/phpops /var/lib/phpops -type f -o -type l | sort | xargs ls -l --time-style=full-iso"
    )


@pytest.mark.parametrize("site", ["wiki", "shop"])
def test_the_segment_has_the_size_that_was_asked_for(host, site):
    wanted = int(stored(host, site)["opcache.memory_consumption"]) * MIB
    assert segment_bytes(host, site) == wanted
    status = ask(host, site)["status"]["memory_usage"]
    assert status["used_memory"] + status["free_memory"] + status["wasted_memory"] == wanted


def test_the_wiki_is_smaller_than_before_and_has_room(host):
    memory = int(stored(host, "wiki")["opcache.memory_consumption"])
    assert 30 <= memory < 64
    usage = ask(host, "wiki")["status"]["memory_usage"]
    assert usage["free_memory"] > 0.1 * memory * MIB


def test_the_small_site_has_the_least_size(host):
    assert stored(host, "shop")["opcache.memory_consumption"] == "8"


@pytest.mark.parametrize("site", ["wiki", "shop"])
def test_the_interpreter_has_every_directive(host, site):
    directives = stored(host, site)
    ini = ask(host, site)["ini"]
    assert {name: ini[name] for name in directives} == directives


@pytest.mark.parametrize(("site", "value"), [("wiki", "1"), ("shop", "0")])
def test_only_a_release_stops_looking_for_changed_files(host, site, value):
    ini = ask(host, site)["ini"]
    assert ini["opcache.validate_timestamps"] == value
    assert ini["opcache.use_cwd"] == value


def test_directives_are_those_of_the_php_version(host):
    exists = "opcache.consistency_checks" in ask(host, "wiki")["ini"]
    assert exists == ("opcache.consistency_checks" in stored(host, "wiki"))
    assert exists == host.exists("php8.2")


def test_what_the_blacklist_names_is_not_cached(host):
    runtime = "/var/lib/mediawiki/cache/5f2b8c0d9e7a6b5c4d3e2f10_0.page.tpl.php"
    host.run_expect([0], f"touch -d '1 hour ago' {runtime}")
    before = ask(host, "wiki")["status"]["opcache_statistics"]["blacklist_misses"]
    assert ask(host, "wiki", f"run={runtime}")["cached"] is False
    assert ask(host, "wiki")["status"]["opcache_statistics"]["blacklist_misses"] > before
    name = stored(host, "wiki")["opcache.blacklist_filename"]
    assert host.file(name).content_string == "/var/lib/mediawiki/cache/\n"


def test_without_a_blacklist_the_same_kind_of_file_is_cached(host):
    host.run_expect([0], "touch -d '1 hour ago' /srv/shop/page.php")
    assert ask(host, "shop", "run=/srv/shop/page.php")["cached"] is True


def test_no_probe_is_left_behind(host):
    assert host.check_output("find /var/lib /srv /run/phpops -name '.phpops-*' -not -name '*.lock'") == ""


def test_the_pages_still_answer(host):
    answer = host.check_output(
        "SCRIPT_FILENAME=/srv/shop/index.php SCRIPT_NAME=/index.php REQUEST_URI=/ REQUEST_METHOD=GET "
        "cgi-fcgi -bind -connect /var/lib/phpops/shop/ptr/live/php.sock"
    )
    assert answer.endswith("shop 0")


def test_a_size_that_does_not_fit_is_refused_before_anything_is_written(host):
    before = state_of(host)
    run = tune(host, "-e", "opcache_size=given", "-e", "opcache_memory_consumption=900000")
    assert run.returncode != 0
    assert "Nothing was changed. The memory budget is" in " ".join((run.stdout + run.stderr).split())
    assert state_of(host) == before


def test_a_directive_that_php_lacks_is_refused_by_name(host):
    before = state_of(host)
    run = tune(host, "-e", '{"opcache_directives": {"fast_shutdown": 1}}')
    assert run.returncode != 0
    assert "opcache.fast_shutdown was removed in PHP 7.2: leave it out." in " ".join((run.stdout + run.stderr).split())
    assert state_of(host) == before
