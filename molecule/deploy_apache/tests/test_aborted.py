# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can't go live doesn't: under load no request fails, the old release serves on, and one sentence says why."""

from __future__ import annotations

import re

import pytest
from deploy_app import source

# 4,000 numbers are 64 KB of shared memory, and 300,000 are 5 MB: the segment has 16 MiB.
MANY = {f"public/part{number}.php": f"<?php return [{'1,' * 4000}];\n" for number in range(300)}
MANY["public/many.php"] = '<?php for ($n = 0; $n < 300; $n++) { require __DIR__ . "/part$n.php"; }\n'
HUGE = {f"public/huge{number}.php": f"<?php return [{'1,' * 300000}];\n" for number in range(4)}
HUGE["public/huge.php"] = (
    "<?php ini_set('memory_limit', '-1'); for ($n = 0; $n < 4; $n++) { require __DIR__ . \"/huge$n.php\"; }\n"
)
DENIED = {"public/denied.php": "<?php echo 'main=', require __DIR__ . '/release.php';\n"}


def entry(path, **options):
    return {"path": path, "host": "app.example.org", **options}


# Case: the release's changes, the site's other options, the role's other variables, and the sentence.
CASES = {
    "an entry point gives 500": (
        {"public/work.php": "<?php http_response_code(500); echo 'main=R0';\n"},
        {},
        {},
        r"Entry point /work\.php answered 500\b",
    ),
    "a parse error": ({"public/work.php": "<?php echo (;\n"}, {}, {}, r"Entry point /work\.php answered 500\b"),
    "a page without its text": (
        {"public/page.php": "<?php echo 'under construction';\n"},
        {},
        {},
        r"Entry point /page\.php .*without the text 'stylesheet'",
    ),
    "more cache than the segment has": (
        MANY,
        {"entry_points": [entry("/work.php"), entry("/many.php")]},
        {},
        r"The cache .*: raise opcache\.memory_consumption to \d+",
    ),
    "one file that finds no room": (
        HUGE,
        {"entry_points": [entry("/work.php"), entry("/huge.php")]},
        {},
        r"raise opcache\.memory_consumption",
    ),
    "FPM that does not start": ({}, {"hardening": ["LimitAS=40M"]}, {}, r"did not start"),
    "a disk that is full": (
        # What is a few hundred bytes in the archive is more than the disk has.
        {"public/zeros.bin": "0" * 20_000_000},
        {},
        {"deploy_path": "/srv/small/app"},
        r"No space left on device\. [\d.]+ (B|KiB) and \d+ inodes were free there at that moment\.",
    ),
    "a wrong checksum": (
        {},
        {},
        {"deploy_source": {"url": "http://127.0.0.1/index.html", "sha256": "0" * 64}},
        r"The archive http://127\.0\.0\.1/index\.html has the sha256 [0-9a-f]{64}, not 0{64} as deploy_source\.sha256",
    ),
    "a check that fails only after the switch": (
        DENIED,
        {"entry_points": [entry("/work.php"), entry("/denied.php")]},
        {},
        r"/denied\.php .*answered 403 .*Apache's own page '403 Forbidden'.* a Require.* is live again\.",
    ),
}


@pytest.fixture
def small_disk(app):
    app.host.run_expect([0], "mkdir -p /srv/small && mount -t tmpfs -o size=8m,mode=0755 tmpfs /srv/small")
    yield
    app.host.run_expect([0], "umount /srv/small")


@pytest.mark.usefixtures("small_disk")
@pytest.mark.parametrize("case", CASES)
def test_it_does_not_go_live(app, case):
    changes, options, variables, sentence = CASES[case]
    live, release, pid = app.live(), app.release(), app.who()["master"]
    variables = {"deploy_source": source(app.next(), changes), "deploy_site": app.site(**options), **variables}
    with app.load() as load:
        load.wait_for(50)
        run = app.deploy(**variables)
        load.switched()
        load.wait_for(50)
    print(app.name, case, f"{run.seconds:.1f} s", run.reasons)
    assert run.rc != 0, run.output
    assert load.bad() == {}, load.result
    assert (app.live(), app.release(), app.who()["master"]) == (live, release, pid)
    assert load.result["releases"][release] > 0
    # Only what fails after the switch was ever seen by a client.
    assert (set(load.result["releases"]) == {release}) or "after the switch" in case
    assert app.active_units() == [f"phpops-fpm@app-{live}.service"]
    assert app.idle_files() == ""
    assert app.lease() is None
    # The task that failed says it, and the role's last word is the same.
    assert len(set(run.reasons)) == 1, run.reasons
    assert re.search(sentence, run.reasons[0][1]), run.reasons
    assert app.host.check_output("find /srv/small -type f") == ""


def test_a_first_deploy_that_fails_leaves_nothing(app):
    """The web server denies its page, which is seen only after the switch."""
    variables = {
        "deploy_site": app.site(name="shop", ini={}, entry_points=[{"path": "/denied.php"}]),
        "deploy_source": source(app.next(), DENIED),
        "deploy_path": "/srv/www/shop",
        "deploy_server_names": ["shop.example.org"],
        "deploy_shared_files": [],
    }
    run = app.deploy(**variables)
    assert run.rc != 0, run.output
    assert re.search(r"/denied\.php .*answered 403\b", run.reasons[-1][1]), run.reasons
    paths = "/etc/apache2/sites-*/*shop* /etc/phpops/shop /var/lib/phpops/shop /run/phpops/shop-*"
    assert app.host.check_output(f"ls -d {paths} 2>/dev/null || true") == ""
    app.host.run_expect([0], "rm -rf /srv/www/shop")


def test_the_next_deploy_starts_from_what_is_live(app):
    name = app.next()
    run = app.deploy(name)
    assert run.rc == 0, run.output
    assert app.release() == name
    # And what is live already changes nothing.
    again = app.deploy(name)
    assert (again.rc, again.changed) == (0, {app.name: 0}), again.output
    pid = app.who()["master"]
    forced = app.deploy(name, deploy_force=True)
    assert forced.rc == 0, forced.output
    assert app.release() == name
    assert app.who()["master"] != pid
