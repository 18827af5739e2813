# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.deploy_summary import lines
from ansible_collections.phpops.webhost.plugins.module_utils._core.support import no_php

RUN: dict[str, Any] = {
    "site": "wiki",
    "action": "deploy",
    "check_mode": False,
    "release": {
        "release": {"id": "b2", "path": "/srv/www/wiki/releases/b2", "files": 1204, "bytes": 3 << 20, "seconds": 0.81},
        "reused": False,
        "assets_carried": 2,
    },
    "prepare": {"prepared": True, "warm": False, "slot": "green", "release": {"id": "b2"}, "live_release": "a1"},
    "prime": {
        "rounds": 3,
        "requests": 36,
        "seconds": 4.21,
        "scripts": 412,
        "used_bytes": 24 << 20,
        "segment_bytes": 64 << 20,
        "cached_keys": 1204,
        "max_keys": 16229,
        "entry_points": [
            {"path": "/a", "first_seconds": 0.1, "last_seconds": 0.05},
            {"path": "/index.php", "first_seconds": 0.412, "last_seconds": 0.009},
        ],
    },
    "switch": {"live_slot": "green", "previous_slot": "blue", "first_request_seconds": 0.011},
    "drain": {"finished": True, "stopped": False, "warm_seconds": 300, "seconds": 1.24},
    "pruned": {
        "pruned": ["90"],
        "kept": [{"id": "80", "why": "process 812 uses it"}, {"id": "a1", "why": "it was live"}],
    },
}


def test_a_deploy_tells_its_numbers() -> None:
    assert lines(RUN) == [
        "wiki: release b2 is live in slot green; before: release a1 in slot blue.",
        "release: 1204 files, 3 MiB, built in 810 ms, 2 assets of earlier releases kept reachable, in"
        " /srv/www/wiki/releases/b2",
        "primed: 412 scripts with 36 requests in 3 rounds, 4.2 s; cache 24 MiB of 64 MiB (38%), 1,204 of 16,229 keys",
        "first request of /index.php: 412 ms cold, 9 ms primed",
        "first request after the switch: 11 ms",
        "drain: 1.2 s; the old slot stays warm for 300 s: a rollback until then starts nothing",
        "removed: 90",
        "kept: 80, process 812 uses it",
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"switch": {"live_slot": "blue"}}, "wiki: release b2 is live in slot blue; it is the first one."),
        ({"drain": {"finished": True, "stopped": True, "seconds": 0.2}}, "drain: 200 ms; the old slot is stopped"),
        (
            {"drain": {"finished": False, "msg": "Slot blue has 1 busy worker."}},
            "WARNING: the drain has not finished. Slot blue has 1 busy worker.",
        ),
        ({"release": {**RUN["release"], "reused": True}}, "it was there already"),
        ({"prime": {**RUN["prime"], "scripts": None}}, "primed: 36 requests in 3 rounds, 4.2 s; OPcache is off"),
        ({"warnings": ["It rained.", ""]}, "WARNING: It rained."),
        ({"served": False}, "nginx:\n    root /var/lib/phpops/wiki/ptr/live/docroot;"),
        ({"served": False}, "WARNING: no enabled configuration of Apache or nginx names the site's socket"),
        (
            {"lease": {"taken_over": {"holder": "bob", "step": "prime"}, "waited_seconds": 41.0}},
            "A run of bob ended without a word in step prime; its lease was taken over after 41.0 s, and what it left"
            " is cleared.",
        ),
        ({"prepare": {**RUN["prepare"], "warm": True}}, "is live in slot green, which was still warm; before:"),
        (
            {"prepare": {"prepared": False, "live_release": "a1"}},
            "wiki: release a1 is live already; nothing was changed (deploy_force would flip to a new master with it).",
        ),
        (
            {"prepare": {"prepared": False, "changed": True, "live_release": "a1", "reasons": ["the master was down"]}},
            "wiki: release a1 is live already; it was put right: the master was down.",
        ),
    ],
)
def test_what_was_different_is_told(more: dict[str, Any], said: str) -> None:
    assert said in "\n".join(lines({**RUN, **more}))


CHECK: dict[str, Any] = {
    "site": "wiki",
    "action": "deploy",
    "check_mode": True,
    "release": {"release": {"id": "b2", "path": "/r/b2"}, "reused": False},
    "prepare": {
        "prepared": True,
        "changed": True,
        "slot": "green",
        "live_slot": "blue",
        "release": {"id": "b2"},
        "live_release": "a1",
        "reasons": ["release a1 → b2"],
    },
    "hooks": ["before_switch"],
}


def test_a_dry_run_tells_what_would_be() -> None:
    assert lines(CHECK) == [
        "Release b2 would be built in /r/b2.",
        "Slot green would go live with release b2, release a1 would go.",
        "because: release a1 → b2",
        "Hooks that a dry run leaves out: before_switch.",
    ]


def test_a_dry_run_that_cannot_know_the_release_says_so() -> None:
    shared = [{"path": "var", "action": "made"}, {"path": "up", "action": "kept"}]
    prepare = {**CHECK["prepare"], "release": {"id": "new"}, "missing": ["The user wiki does not exist."]}
    found = lines({**CHECK, "release": {"release": None, "shared": shared}, "prepare": prepare, "hooks": []})
    assert found == [
        "A release would be built of what is sent to the host; its id is known then.",
        "shared/var would be made.",
        "The user wiki does not exist.",
        "wiki: until that is put right, nothing goes live; release a1 stays.",
    ]


def test_a_dry_run_of_a_host_that_lacks_something_promises_nothing() -> None:
    spoiler = "Site wiki is not touched, because of /etc/apache2/sites-enabled/wiki.conf:2: …"
    prepare = {**CHECK["prepare"], "missing": [spoiler], "live_slot": None, "live_release": None}
    run = {**CHECK, "prepare": prepare, "release": {"release": {"id": "b2"}, "reused": True}, "hooks": []}
    assert lines(run) == [spoiler, "wiki: until that is put right, nothing goes live."]


def test_a_dry_run_knows_that_a_run_installs_php() -> None:
    lacking = "Site wiki: the user wiki does not exist on this host; create it first."
    prepare = {**CHECK["prepare"], "live_slot": None, "missing": [no_php("wiki", "8.2")]}
    run = {**CHECK, "prepare": prepare, "hooks": [], "installs": "8.2", "lease": {"php_versions": ["8.4"]}}
    installed, goes = "php8.2-fpm would be installed.", "Slot green would go live with release b2."
    assert lines(run)[1:] == [installed, goes, "because: release a1 → b2"]
    more = {**prepare, "missing": [lacking, *prepare["missing"]]}
    stays = "wiki: until that is put right, nothing goes live."
    assert lines({**run, "prepare": more})[1:] == [installed, lacking, stays]
    assert lines({**run, "installs": ""})[1:] == [no_php("wiki", "8.2"), stays]
    assert installed not in lines({**run, "lease": {"php_versions": ["8.2"]}})


def test_a_dry_run_tells_of_a_shared_file_that_is_nowhere() -> None:
    shared = [{"path": "config/local.php", "action": "missing"}]
    found = lines({**CHECK, "release": {**CHECK["release"], "shared": shared}, "hooks": []})
    assert found[1] == "shared/config/local.php is not there: until something brings it, the release is refused."


def test_a_hook_that_waits_for_the_drain_is_told_when_it_is_left_out() -> None:
    busy = {"finished": False, "msg": "Slot blue still had work."}
    (said,) = [line for line in lines({**RUN, "drain": busy, "hooks": ["after_drain"]}) if "WARNING" in line]
    assert said.endswith("Slot blue still had work. The hook after_drain was left out.")


def test_a_dry_run_of_what_is_live_changes_nothing() -> None:
    live = {"prepared": False, "changed": False, "live_release": "b2"}
    run = {**CHECK, "release": {"release": {"id": "b2"}, "reused": True}, "prepare": live, "hooks": []}
    assert lines(run) == ["wiki: release b2 is live already; no slot would change."]
    assert "put right" in lines({**run, "prepare": {**live, "changed": True}})[0]


def test_nothing_at_all_is_no_error() -> None:
    assert lines({"site": "wiki"}) == [
        "wiki: the code that is there is live already; nothing was changed (deploy_force would flip to a new master"
        " with it)."
    ]
