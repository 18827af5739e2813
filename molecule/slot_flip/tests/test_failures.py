# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can't go live doesn't: the live slot serves on, the idle one is stopped, and one sentence says why."""

from __future__ import annotations

import json

BROKEN = {
    "a parse error": (
        "printf '<?php echo (;' >/srv/app/broken/parse/work.php",
        {"document_root": "/srv/app/broken/parse"},
        "prime",
        "Entry point /work.php answered 500 from the idle slot, not 200",
    ),
    "an exception": (
        "printf '<?php throw new Exception(\"no database\");' >/srv/app/broken/exception/work.php",
        {"document_root": "/srv/app/broken/exception"},
        "prime",
        "no database",
    ),
    "a page without its text": (
        "printf '<?php echo \"under construction\";' >/srv/app/broken/text/work.php",
        {"document_root": "/srv/app/broken/text"},
        "prime",
        "without the text 'main=R1'",
    ),
    "a page that is missing": (
        "true",
        {"document_root": "/srv/app/broken/missing"},
        "prime",
        "answered 404",
    ),
    "ini values that PHP refuses": (
        "true",
        {"opcache": {"opcache.memory_consumption": 16, "opcache.interned_strings_buffer": 64}},
        "check",
        "php-fpm",
    ),
    "a unit line that systemd refuses": (
        "true",
        {"hardening": ["ProtectSystem=perhaps"]},
        "check",
        "10-phpops.conf:",
    ),
    "a master that does not start": ("true", {"hardening": ["LimitAS=40M"]}, "start", "did not start"),
    "more memory than any host has": (
        "true",
        {"opcache": {"opcache.memory_consumption": 2000000, "opcache.jit": "disable"}},
        "budget",
        "short",
    ),
}

SPOILERS = {
    "/etc/apache2/conf-enabled/spoiler.conf": (
        '<Proxy "unix:/var/lib/phpops/app/ptr/live/php.sock|fcgi://app">',
        "ProxySet enablereuse=on",
        "</Proxy>",
        "<Directory /var/lib/phpops/app/ptr>",
        "Options SymLinksIfOwnerMatch",
        "</Directory>",
    ),
    "/etc/nginx/conf.d/spoiler.conf": (
        "disable_symlinks if_not_owner;",
        "open_file_cache max=100;",
        "upstream app { server unix:/var/lib/phpops/app/ptr/live/php.sock; keepalive 2; }",
        "server { fastcgi_keep_conn on; location / { fastcgi_pass app; } }",
    ),
}


def test_what_is_broken_does_not_go_live(app):
    live, pid = app.live(), json.loads(app.curl("who.php"))["master"]
    for prepare, options, _step, _reason in BROKEN.values():
        app.host.run_expect([0], f"mkdir -p {options.get('document_root', '/srv/app/broken')} && {prepare}")
    sites = [{"name": "app", **options} for _prepare, options, _step, _reason in BROKEN.values()]
    arguments = json.dumps({"sites": sites, "on_error": "continue"})
    with app.load() as load:
        load.wait_for(20)
        result = app.host.ansible("phpops.webhost.site_slot", arguments, check=False)
        load.wait_for(20)
    assert load.result["failed"] == 0, load.result
    assert set(load.result["releases"]) == {"R1"}
    for (case, (_prepare, _options, step, reason)), site in zip(BROKEN.items(), result["sites"], strict=True):
        assert site["failed"] and not site["flipped"] and site["live_slot"] == live, case
        assert (site["step"], reason in site["msg"]) == (step, True), (case, site["msg"])
    assert app.live() == live
    assert app.active_units() == [f"phpops-fpm@app-{live}.service"]
    assert json.loads(app.curl("who.php"))["master"] == pid
    idle = "green" if live == "blue" else "blue"
    left = app.host.check_output(f"find /etc/phpops/app/{idle} /var/lib/phpops/app/slots/{idle} 2>/dev/null || true")
    assert left == ""
    # The next run starts from what is live, not from what failed.
    result, site = app.flip()
    assert not result["changed"], site


def test_web_servers_that_would_spoil_a_flip_are_named_before_anything_is_touched(app):
    listing = "find /etc/phpops /var/lib/phpops /etc/systemd/system -printf '%p %T@ %l\n'"
    live, before = app.live(), app.host.check_output(listing)
    for path, lines in SPOILERS.items():
        app.host.run_expect([0], f"cat >{path} <<'END'\n" + "\n".join(lines) + "\nEND")
    result, site = app.flip({"umask": "027"})
    app.host.run_expect([0], f"rm {' '.join(SPOILERS)}")
    assert site["failed"] and not result["changed"] and site["step"] == "validate"
    apache, nginx = SPOILERS
    for line in (f"{apache}:2", f"{apache}:5", f"{nginx}:1", f"{nginx}:2", f"{nginx}:3"):
        assert f"{line}: " in site["msg"], site["msg"]
    assert (app.live(), app.host.check_output(listing)) == (live, before)
    assert len(app.active_units()) == 1


def test_a_stuck_worker_is_named_and_its_request_still_ends(app):
    requests = app.in_flight()
    options = {"document_root": "/srv/app/R2", "entry_points": [{"path": "/work.php"}]}
    _result, site = app.flip(options, drain_timeout_seconds=1)
    assert site["failed"] and site["flipped"] and site["step"] == "drain"
    stuck = site["drain"]["stuck"]
    assert [worker["script"].rsplit("/", 1)[1] for worker in stuck] == ["slow.php"]
    assert f"{stuck[0]['pid']} " in site["msg"] and "stays up" in site["msg"]
    assert len(app.active_units()) == 2
    assert app.curl("work.php") == "main=R2 late=R2"
    # A run that needs the busy slot leaves it alone, and says so.
    _result, again = app.flip({"umask": "027"}, drain_timeout_seconds=1)
    assert again["failed"] and again["step"] == "retire" and not again["flipped"]
    assert requests.end() == [(200, "main=R1 late=R1\n")]
    # The next run ends what is left, and touches nothing else.
    result, site = app.flip()
    assert result["changed"] and not site["flipped"] and not site["failed"], site
    assert len(app.active_units()) == 1


def test_a_stuck_worker_is_killed_when_that_is_allowed(app):
    requests = app.in_flight()
    options = {"document_root": "/srv/app/R2", "entry_points": [{"path": "/work.php"}]}
    _result, site = app.flip(options, drain_timeout_seconds=1, kill_stuck=True)
    assert not site["failed"] and site["flipped"]
    assert [worker["script"].rsplit("/", 1)[1] for worker in site["drain"]["killed"]] == ["slow.php"]
    assert [status for status, _body in requests.end()] == [503]
    assert len(app.active_units()) == 1
