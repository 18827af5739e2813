# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""site_slot's whole run on one site, on files in a temporary folder and a systemd that is played."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import (
    lease,
    slot,
    slot_master,
    slot_store,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_facts import slot_facts
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_spec import SITE_OPTIONS
from ansible_collections.phpops.webhost.tests.unit._host.played_host import GROUP, USER, Fleet, fleet, is_question

__all__ = ["fleet"]


def test_a_new_site_gets_blue_and_starts_at_boot(fleet: Fleet) -> None:
    result = fleet.first()
    assert (result["failed"], result["changed"], result["flipped"], result["live_slot"]) == (False, True, True, "blue")
    assert result["reasons"] == ["the site is new"]
    assert os.readlink(fleet.layout.pointer("wiki")) == "../slots/blue"
    assert fleet.host.enabled == {"phpops-site@wiki.service"}
    stored = json.loads(Path(fleet.layout.stored_spec("wiki")).read_text())
    assert stored["user"] == USER
    assert f"prime {fleet.path}/docroot/index.php" in fleet.host.log


def test_php_is_asked_as_the_user_because_a_php_ini_of_the_site_can_load_libraries(fleet: Fleet) -> None:
    fleet.run(options={**fleet.new(), "php_ini": "/home/wiki/php.ini"})
    (asked,) = [line for line in fleet.host.log if line.endswith("--info")]
    assert f"runuser -u {USER} -g {GROUP} -- env --unset=PHP_INI_SCAN_DIR /usr/sbin/php-fpm8.2" in asked
    assert "--php-ini /home/wiki/php.ini" in asked


def test_nothing_happens_twice(fleet: Fleet) -> None:
    fleet.first()
    before, fleet.host.log = fleet.tree(), []
    result = fleet.run()
    assert (result["changed"], result["flipped"], result["reasons"], result["diff"]) == (False, False, [], [])
    assert fleet.tree() == before
    assert [entry for entry in fleet.host.log if not entry.startswith("is-enabled")] == []


def test_a_change_flips_and_the_old_slot_ends_after_the_new_one_is_live(fleet: Fleet) -> None:
    fleet.first()
    fleet.host.log = []
    result = fleet.run(options={"opcache": {"opcache.memory_consumption": "32"}})
    assert (result["live_slot"], result["previous_slot"], result["failed"]) == ("green", "blue", False)
    assert result["reasons"] == ["opcache.memory_consumption unset → 32"]
    assert result["drain"]["finished"] and result["workers"] == {"live": 2, "idle": 2}
    assert fleet.host.active == {"phpops-fpm@wiki-green.service"}
    started = fleet.host.log.index("start phpops-fpm@wiki-green.service")
    assert fleet.host.log.index("stop phpops-fpm@wiki-blue.service") > started


def test_entry_points_alone_are_stored_without_a_flip(fleet: Fleet) -> None:
    fleet.first()
    result = fleet.run(options={"entry_points": []})
    assert (result["changed"], result["flipped"], result["live_slot"]) == (True, False, "blue")
    assert fleet.run()["changed"] is False


@pytest.mark.parametrize(("broken", "step"), [("check", "check"), ("start", "start"), ("prime", "prime")])
def test_what_fails_before_the_switch_leaves_the_live_slot_alone(fleet: Fleet, broken: str, step: str) -> None:
    fleet.first()
    before = fleet.tree()
    fleet.host.broken.add(broken)
    result = fleet.run(options={"umask": "027"})
    assert (result["failed"], result["flipped"], result["step"], result["live_slot"]) == (True, False, step, "blue")
    assert result["msg"].endswith((".", "'x'")), result["msg"]
    assert fleet.host.active == {"phpops-fpm@wiki-blue.service"}
    assert [path for path in fleet.tree() if path not in before] == []


@pytest.mark.parametrize("broken", ["check", "start", "prime"])
def test_a_new_site_that_fails_leaves_nothing_behind(fleet: Fleet, broken: str) -> None:
    fleet.host.broken.add(broken)
    result = fleet.first()
    assert (result["failed"], result["live_slot"]) == (True, None)
    assert not Path(fleet.layout.site_dir("wiki")).exists()
    assert not Path(fleet.layout.config, "wiki").exists()


def test_a_host_without_mount_namespaces_is_told_so(fleet: Fleet) -> None:
    fleet.host.broken.add("start")
    assert "226/NAMESPACE" in fleet.first()["msg"]


def test_a_slot_that_stays_busy_stays_up(fleet: Fleet) -> None:
    fleet.first()
    fleet.host.busy["wiki-blue"] = 1
    result = fleet.run(options={"umask": "027"})
    assert (result["failed"], result["flipped"], result["step"], result["live_slot"]) == (True, True, "drain", "green")
    assert "/s.php for 3 s" in result["msg"]
    assert len(fleet.host.active) == 2
    again = fleet.run(options={"umask": "022"})
    assert (again["failed"], again["step"], again["live_slot"]) == (True, "retire", "green")
    assert len(fleet.host.active) == 2
    fleet.host.busy.clear()
    assert fleet.run()["changed"] is True
    assert fleet.host.active == {"phpops-fpm@wiki-green.service"}


@pytest.mark.parametrize("step", ["stage", "start", "prime", "switch"])
def test_a_run_that_died_at_a_step_is_taken_up(fleet: Fleet, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """Nothing in the run may catch this, as nothing catches SIGKILL."""

    def die(*_arguments: object, **_options: object) -> None:
        raise Killed

    fleet.first()
    places = {
        "stage": (slot_store, "write_files"),
        "start": (slot_master.Master, "wait_until_it_answers"),
        "prime": (slot, "prime"),
        "switch": (slot.Site, "boot"),
    }
    with monkeypatch.context() as patch:
        patch.setattr(*places[step], die)
        with pytest.raises(Killed):
            fleet.run(options={"umask": "027"})
    result = fleet.run(options={"umask": "027"})
    assert (result["failed"], result["live_slot"]) == (False, "green"), result["msg"]
    assert fleet.host.active == {"phpops-fpm@wiki-green.service"}
    assert fleet.run()["changed"] is False


def test_a_file_changed_by_hand_is_a_reason(fleet: Fleet) -> None:
    fleet.first()
    path = Path(fleet.layout.config_dir("wiki", "blue"), "fpm.conf")
    path.write_text(path.read_text() + "pm.max_requests = 1\n")
    result = fleet.run()
    assert result["reasons"] == [f"{path} is not as it was written"]
    assert result["live_slot"] == "green"


def test_a_live_master_that_is_down_is_started_in_its_slot(fleet: Fleet) -> None:
    fleet.first()
    fleet.host.active.clear()
    result = fleet.run()
    assert (result["changed"], result["flipped"], result["live_slot"]) == (True, False, "blue")
    assert fleet.host.active == {"phpops-fpm@wiki-blue.service"}


def test_force_flips_without_a_difference(fleet: Fleet) -> None:
    fleet.first()
    result = fleet.run(force=True)
    assert (result["flipped"], result["live_slot"], result["reasons"]) == (True, "green", [])


def test_check_mode_shows_the_files_and_writes_none(fleet: Fleet) -> None:
    fleet.first()
    before, log = fleet.tree(), list(fleet.host.log)
    result = fleet.run(options={"umask": "027", "environment": {"TOKEN": "sesame"}}, check_mode=True)
    assert result["changed"] and result["live_slot"] == "blue"
    assert sorted(Path(entry["after_header"]).name for entry in result["diff"]) == [
        "10-phpops.conf",
        "fpm.conf",
        "site.json",
    ]
    assert "sesame" not in json.dumps(result)
    assert fleet.tree() == before
    assert [entry for entry in fleet.host.log[len(log) :] if not is_question(entry)] == []


def test_absent_removes_everything_and_refuses_while_a_server_names_the_site(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.first()
    with monkeypatch.context() as patch:
        patch.setattr(slot, "references", lambda text: ["/etc/apache2/sites-available/a.conf:7"])
        refused = fleet.run("absent")
    assert refused["failed"] and "a.conf:7" in refused["msg"] and fleet.host.active
    gone = fleet.run("absent")
    assert (gone["failed"], gone["changed"], gone["live_slot"]) == (False, True, None)
    assert [path for path in fleet.tree() if "wiki" in path] == []
    assert not fleet.host.active and not fleet.host.enabled
    assert fleet.run("absent")["changed"] is False


def test_a_pointer_of_another_kind_is_no_slot(fleet: Fleet) -> None:
    fleet.first()
    pointer = Path(fleet.layout.pointer("wiki"))
    pointer.unlink()
    pointer.symlink_to("/srv/old")
    result = fleet.run()
    assert result["failed"] and "is no slot" in result["msg"]


def test_two_runs_on_one_site_exclude_each_other(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    with slot_store.site_lock("wiki", fleet.layout):
        defaults = (60.0, 0.1, False)
        monkeypatch.setattr(lease.hold.__wrapped__, "__defaults__", defaults)  # type: ignore[attr-defined]
        result = fleet.first()
    assert result["failed"] and f"process {os.getpid()}" in result["msg"]


def test_the_switch_is_a_compare_and_swap(fleet: Fleet) -> None:
    fleet.first()
    with pytest.raises(slot_store.StepFailed, match="names blue, not green"):
        slot_store.switch("wiki", "green", "blue", fleet.layout)


def test_the_facts(fleet: Fleet) -> None:
    assert slot_facts(fleet.host.run, fleet.layout)["available"] is False
    fleet.run(options={**fleet.new(), "environment": {"TOKEN": "sesame"}})
    facts = slot_facts(fleet.host.run, fleet.layout)
    site = facts["sites"][0]
    assert (facts["available"], site["name"], site["live_slot"]) == (True, "wiki", "blue")
    assert site["slots"]["blue"]["active"] and not site["slots"]["green"]["active"]
    assert site["slots"]["blue"]["document_root"] == str(fleet.path / "docroot")
    assert site["spec"]["environment"] == {"TOKEN": None}
    # What is told of a site can be given to site_slot again.
    assert set(site["spec"]) == set(SITE_OPTIONS)


def test_the_facts_name_lines_of_the_web_server_that_would_spoil_a_switch(fleet: Fleet) -> None:
    fleet.first()
    enabled = fleet.path / "apache2" / "sites-enabled"
    enabled.mkdir(parents=True)
    worker = f"unix:{fleet.layout.pointer('wiki')}/php.sock|fcgi://wiki"
    (enabled / "wiki.conf").write_text(f'<Proxy "{worker}">\nProxySet enablereuse=on\n</Proxy>\n')
    (site,) = slot_facts(fleet.host.run, fleet.layout, places=[str(enabled)])["sites"]
    (found,) = site["web_findings"]
    assert (found["file"], found["line"]) == (str(enabled / "wiki.conf"), 2)
    assert "keeps connections to site wiki open" in found["why"]
    assert found["cure"]
    assert slot_facts(fleet.host.run, fleet.layout, places=[])["sites"][0]["web_findings"] == []


def test_the_facts_count_php_that_the_site_writes_where_asked_for(fleet: Fleet) -> None:
    fleet.first()
    (site,) = slot_facts(fleet.host.run, fleet.layout, places=[])["sites"]
    assert site["php_files"] is None
    root = Path(site["spec"]["document_root"])
    (root / "index.php").write_text("<?php\n")
    (root / "templates_c").mkdir()
    (root / "templates_c").chmod(0o777)
    for name in ("0123456789abcdef0", "fedcba9876543210f"):
        (root / "templates_c" / f"{name}.php").write_text("<?php /* Smarty version 4, created on … */\n")
    (site,) = slot_facts(fleet.host.run, fleet.layout, True, [])["sites"]
    found = site["php_files"]
    assert (found["complete"], found["written"], found["left_out"]) == (True, 2, [])
    assert found["blacklist"] == [f"{root.resolve()}/templates_c/"]
    assert len(found["examples"]) == 2


def test_a_pointer_that_was_renamed_counts_although_it_could_not_be_made_durable(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet.first()
    real = slot_store.replace_symlink

    def replace(link: str, target: str) -> None:
        real(link, target)
        if link == fleet.layout.pointer("wiki"):
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(slot_store, "replace_symlink", replace)
    result = fleet.run(options={"umask": "027"})
    assert (result["failed"], result["live_slot"], fleet.host.active) == (
        False,
        "green",
        {"phpops-fpm@wiki-green.service"},
    )


def test_a_run_folder_that_is_read_only_is_one_sentence(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(site: str, layout: Layout, wait_seconds: float) -> None:
        raise OSError(30, "Read-only file system", f"{layout.run}/.{site}.lock")

    monkeypatch.setattr(lease, "site_lock", read_only)
    result = fleet.first()
    assert (result["failed"], result["changed"], result["step"]) == (True, False, "validate")
    assert result["msg"].startswith("Site wiki could not be changed: [Errno 30] Read-only file system")


def test_facts_without_systemctl_say_so(fleet: Fleet) -> None:
    fleet.first()

    def missing(words: list[str]) -> tuple[int, str, str]:
        raise FileNotFoundError(2, "No such file or directory", words[0])

    (site,) = slot_facts(missing, fleet.layout)["sites"]
    assert site["live_slot"] == "blue"
    assert "systemd can't be asked" in site["reason"] and "systemctl" in site["reason"]


def test_facts_of_a_spec_that_is_closed_to_us_name_become(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.first()

    def closed(path: Path) -> str:
        raise Unreadable(path, f"{path} may not be read: run the task with become.")

    monkeypatch.setattr(slot_store, "read_text", closed)
    (site,) = slot_facts(fleet.host.run, fleet.layout)["sites"]
    assert site["spec"] is None and site["reason"].endswith("run the task with become.")
