# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Against a systemd that reads real files when it is told to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_policy import HEADER, BadUnit
from ansible_collections.phpops.webhost.plugins.module_utils._host.lock import locked
from ansible_collections.phpops.webhost.plugins.module_utils._host.oom_policy import facts
from ansible_collections.phpops.webhost.plugins.module_utils._host.oom_policy_apply import PolicyFailed, bring
from ansible_collections.phpops.webhost.tests.unit._host.played_systemd import PlayedSystemd

NAMES = ["apache2", "nginx", "php*-fpm", "phpops-fpm@"]
CONTINUE = "[Service]\nOOMPolicy=continue\n"
UNITS = {"apache2": CONTINUE, "php8.2_fpm": "[Service]\nType=notify\n", "phpops_fpm__": CONTINUE}
DROP_IN = "php8.2-fpm.service.d/50-phpops-oom.conf"


@pytest.fixture
def systemd(tmp_path: Path) -> PlayedSystemd:
    return PlayedSystemd(tmp_path, **UNITS)


def call(systemd: PlayedSystemd, state: str = "present", **options: Any) -> dict[str, Any]:
    systemd.commands.clear()
    top = Path(systemd.paths.units).parent
    return bring(
        systemd.run,
        options.get("names", NAMES),
        state,
        options.get("restart"),
        options.get("check_mode", False),
        systemd.paths,
        str(top / "lock"),
    )


def files(systemd: PlayedSystemd) -> dict[str, str]:
    top = Path(systemd.paths.units)
    return {str(path.relative_to(top)): path.read_text() for path in top.rglob("*") if path.is_file()}


def by_unit(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {unit["unit"]: unit for unit in result["units"]}


def test_a_unit_that_stops_gets_the_drop_in_and_the_others_are_left_alone(systemd: PlayedSystemd) -> None:
    result = call(systemd)
    assert (result["changed"], result["failed"], result["msg"]) == (True, False, "")
    assert list(files(systemd)) == [DROP_IN]
    assert files(systemd)[DROP_IN].splitlines()[0] == HEADER
    units = by_unit(result)
    assert {name: (unit["changed"], unit["in_force"], unit["oom_policy"]) for name, unit in units.items()} == {
        "apache2.service": (False, True, "continue"),
        "php8.2-fpm.service": (True, True, "continue"),
        "phpops-fpm@.service": (False, True, "continue"),
    }
    assert units["php8.2-fpm.service"]["before"] == {"oom_policy": "stop", "restart": "no"}
    assert units["apache2.service"]["drop_in"] is None
    assert result["left_out"] == [{"name": "nginx", "reason": "This host has no such unit."}]
    assert result["summary"] == [
        "apache2.service: OOMPolicy=continue is in force without us, left alone.",
        "php8.2-fpm.service: OOMPolicy=continue is in force, before it was stop.",
        "phpops-fpm@.service: OOMPolicy=continue is in force without us, left alone.",
        "nginx: skipped. This host has no such unit.",
    ]
    assert systemd.commands.count("systemctl daemon-reload") == 1
    assert systemd.staged == files(systemd)
    (entry,) = result["diff"]
    assert (entry["before"], entry["after"]) == ("", files(systemd)[DROP_IN])


def test_the_second_run_changes_and_reloads_nothing(systemd: PlayedSystemd) -> None:
    call(systemd)
    before = files(systemd)
    result = call(systemd)
    assert (result["changed"], result["diff"], files(systemd)) == (False, [], before)
    assert not {"systemctl daemon-reload", "systemd-analyze verify"} & set(systemd.commands)


def test_check_mode_shows_what_the_run_then_does(systemd: PlayedSystemd) -> None:
    dry = call(systemd, check_mode=True)
    assert files(systemd) == {}
    assert "systemctl daemon-reload" not in systemd.commands
    assert "php8.2-fpm.service: OOMPolicy=continue would be in force, now OOMPolicy=stop is." in dry["summary"]
    wet = call(systemd)
    assert (dry["changed"], dry["diff"]) == (True, wet["diff"])


def test_absent_brings_back_what_was_there(systemd: PlayedSystemd) -> None:
    other = systemd.write("php8.2-fpm.service.d/10-limits.conf", "[Service]\nLimitNOFILE=9000\n")
    call(systemd, names=["php*-fpm"])
    systemd.write("x.service.d/50-phpops-oom.conf", "# somebody else's\n")
    dry = call(systemd, "absent", check_mode=True)
    assert dry["summary"] == ["php8.2-fpm.service: our drop-in would be removed."]
    # Whatever names are given: all that the module wrote goes.
    result = call(systemd, "absent", names=["nginx"])
    assert (result["changed"], result["failed"]) == (True, False)
    assert result["summary"] == ["php8.2-fpm.service: OOMPolicy=stop without our drop-in."]
    assert set(files(systemd)) == {"php8.2-fpm.service.d/10-limits.conf", "x.service.d/50-phpops-oom.conf"}
    assert other.exists()
    assert systemd.loaded["php8.2-fpm.service"]["OOMPolicy"] == "stop"
    again = call(systemd, "absent")
    assert (again["changed"], again["summary"]) == (False, ["No drop-in of this collection was there."])


def test_an_empty_folder_goes_with_the_drop_in(systemd: PlayedSystemd) -> None:
    call(systemd)
    call(systemd, "absent")
    assert list(Path(systemd.paths.units).iterdir()) == []


def test_the_drop_in_of_a_removed_package_goes_too(systemd: PlayedSystemd) -> None:
    call(systemd)
    del systemd.files["php8.2-fpm.service"]
    systemd.reload()
    (line,) = call(systemd, "absent")["summary"]
    assert line.endswith(f"{DROP_IN}: removed; this host has no such unit.")


def test_instances_get_one_drop_in_of_their_template(systemd: PlayedSystemd) -> None:
    systemd.files["phpops-fpm@.service"] = "[Service]\n"
    systemd.more = {"phpops-fpm@a-blue.service": {}, "phpops-fpm@b-green.service": {}}
    systemd.reload()
    result = call(systemd, names=["phpops-fpm@"])
    assert list(files(systemd)) == ["phpops-fpm@.service.d/50-phpops-oom.conf"]
    assert [(unit["unit"], unit["in_force"]) for unit in result["units"]] == [
        ("phpops-fpm@a-blue.service", True),
        ("phpops-fpm@b-green.service", True),
    ]


def test_a_template_without_instances_is_asked_as_one(systemd: PlayedSystemd) -> None:
    systemd.files["phpops-fpm@.service"] = "[Service]\n"
    systemd.reload()
    result = call(systemd, names=["phpops-fpm@"])
    assert by_unit(result)["phpops-fpm@.service"]["changed"]
    assert call(systemd, names=["phpops-fpm@"])["changed"] is False


def test_an_instance_that_has_only_a_drop_in_counts(systemd: PlayedSystemd) -> None:
    systemd.write("phpops-fpm@a-blue.service.d/90-own.conf", "[Service]\nOOMPolicy=kill\n")
    systemd.more = {"phpops-fpm@a-blue.service": {"ActiveState": "inactive"}}
    systemd.reload()
    result = call(systemd, names=["phpops-fpm@"])
    assert result["failed"]
    assert "phpops-fpm@a-blue.service.d/90-own.conf sets OOMPolicy=kill" in result["msg"]


def test_somebody_elses_later_drop_in_is_named_and_the_others_are_done(systemd: PlayedSystemd) -> None:
    systemd.files["nginx.service"] = "[Service]\n"
    later = systemd.write("php8.2-fpm.service.d/90-local.conf", "[Service]\nOOMPolicy=kill\n")
    systemd.reload()
    result = call(systemd)
    assert result["failed"]
    assert result["msg"].startswith(f"php8.2-fpm.service: {later} sets OOMPolicy=kill and is read after ")
    assert result["msg"] in result["summary"]
    assert set(files(systemd)) == {"php8.2-fpm.service.d/90-local.conf", "nginx.service.d/50-phpops-oom.conf"}
    assert by_unit(result)["nginx.service"]["in_force"]
    assert call(systemd, check_mode=True)["failed"]


def test_one_that_comes_after_the_first_run_is_named_too(systemd: PlayedSystemd) -> None:
    call(systemd)
    later = systemd.write("php8.2-fpm.service.d/90-local.conf", "[Service]\nOOMPolicy=stop\n")
    systemd.reload()
    result = call(systemd)
    assert (result["failed"], result["changed"]) == (True, False)
    assert str(later) in result["msg"]


def test_an_earlier_drop_in_is_overruled(systemd: PlayedSystemd) -> None:
    systemd.write("apache2.service.d/10-stop.conf", "[Service]\nOOMPolicy=stop\n")
    systemd.reload()
    assert by_unit(call(systemd))["apache2.service"]["in_force"]


def test_restart_is_set_where_it_differs_and_left_when_it_is_not_asked_for(systemd: PlayedSystemd) -> None:
    result = call(systemd, restart="on-failure")
    assert {unit["restart"] for unit in result["units"]} == {"on-failure"}
    assert "Restart=on-failure" in files(systemd)["apache2.service.d/50-phpops-oom.conf"]
    assert "OOMPolicy" not in files(systemd)["apache2.service.d/50-phpops-oom.conf"].replace(HEADER, "")
    assert call(systemd, restart="on-failure")["changed"] is False
    result = call(systemd)
    assert list(files(systemd)) == [DROP_IN]
    assert {unit["restart"] for unit in result["units"]} == {"no"}


def test_what_systemd_would_refuse_is_not_written(systemd: PlayedSystemd) -> None:
    systemd.verify = (1, "php8.2-fpm.service: Service has Restart= set to always. Refusing.\n")
    with pytest.raises(PolicyFailed, match=r"Nothing was changed, .*php8\.2-fpm\.service: Service has Restart="):
        call(systemd, restart="always")
    assert files(systemd) == {}
    assert "systemctl daemon-reload" not in systemd.commands


def test_a_line_that_systemd_passes_over_is_refused_though_verify_succeeds(systemd: PlayedSystemd) -> None:
    systemd.verify = (0, f"FOLDER/{DROP_IN}:3: Unknown key name 'OOMPolicy' in section 'Service', ignoring.\n")
    with pytest.raises(PolicyFailed, match=rf"refuse it: {DROP_IN}:3: Unknown key name"):
        call(systemd)
    assert files(systemd) == {}


def test_what_systemd_says_of_the_units_as_they_are_does_not_count(systemd: PlayedSystemd) -> None:
    systemd.verify = systemd.verify_before = (1, "other.service: Command /x is not executable\n")
    assert call(systemd)["changed"]


def test_a_unit_that_does_not_load_any_more_gets_its_old_file_back(systemd: PlayedSystemd) -> None:
    old = systemd.write(DROP_IN, f"{HEADER}\n[Service]\nRestart=always\n")
    systemd.reload()
    systemd.breaks = "php8.2-fpm.service"
    with pytest.raises(PolicyFailed, match=r"All is as it was before: php8\.2-fpm\.service is bad-setting now\."):
        call(systemd)
    assert old.read_text() == f"{HEADER}\n[Service]\nRestart=always\n"
    assert systemd.loaded["php8.2-fpm.service"]["LoadState"] == "loaded"
    assert systemd.commands.count("systemctl daemon-reload") == 2


def test_a_run_that_was_killed_before_the_reload_is_finished_by_the_next(systemd: PlayedSystemd) -> None:
    call(systemd)
    text = files(systemd)[DROP_IN]
    call(systemd, "absent")
    systemd.write(DROP_IN, text)
    result = call(systemd)
    assert (result["changed"], result["diff"], result["failed"]) == (True, [], False)
    assert systemd.loaded["php8.2-fpm.service"]["OOMPolicy"] == "continue"
    (Path(systemd.paths.units) / DROP_IN).unlink()
    result = call(systemd, "absent")
    assert (result["changed"], result["diff"]) == (True, [])
    assert systemd.loaded["php8.2-fpm.service"]["OOMPolicy"] == "stop"


def test_a_file_of_somebody_else_under_our_name_is_refused(systemd: PlayedSystemd) -> None:
    systemd.write(DROP_IN, "[Service]\nNice=5\n")
    with pytest.raises(PolicyFailed, match="was not written by this collection"):
        call(systemd)


def test_a_role_run_that_meets_no_unit_is_an_error(systemd: PlayedSystemd) -> None:
    with pytest.raises(PolicyFailed, match="This host has none of the units nginx, lighttpd"):
        call(systemd, names=["nginx", "lighttpd"])
    systemd.more = {"apache2.service": {"LoadState": "masked"}}
    systemd.reload()
    with pytest.raises(PolicyFailed, match="none of the units apache2"):
        call(systemd, names=["apache2"])
    with pytest.raises(BadUnit, match="no service"):
        call(systemd, names=["apache2.socket"])


def test_a_masked_unit_and_a_second_name_are_not_done_twice(systemd: PlayedSystemd) -> None:
    systemd.files["nginx.service"] = ""
    systemd.more = {"nginx.service": {"LoadState": "masked"}, "php-fpm.service": {"Id": "php8.2-fpm.service"}}
    systemd.reload()
    result = call(systemd, names=["php-fpm", "php8.2-fpm", "nginx"])
    assert [unit["unit"] for unit in result["units"]] == ["php8.2-fpm.service"]
    assert result["left_out"] == [{"name": "nginx.service", "reason": "The unit is masked."}]


def test_a_second_run_at_the_same_time_is_told_who_the_first_is(systemd: PlayedSystemd, monkeypatch: Any) -> None:
    module = "ansible_collections.phpops.webhost.plugins.module_utils._host.oom_policy_apply._LOCK_SECONDS"
    monkeypatch.setattr(module, 0.0)
    with locked(str(Path(systemd.paths.units).parent / "lock"), 0), pytest.raises(PolicyFailed, match="Another run"):
        call(systemd)


def test_a_host_of_cgroup_v1_gets_the_setting_and_is_told_that_it_does_nothing(systemd: PlayedSystemd) -> None:
    (Path(systemd.paths.cgroup) / "cgroup.controllers").unlink()
    result = call(systemd)
    assert (result["failed"], result["honoured"]) == (False, False)
    assert "control groups are v1" in result["reason"]
    assert result["summary"][-1] == result["reason"]


def test_what_would_kill_the_unit_all_the_same_is_noted(systemd: PlayedSystemd) -> None:
    systemd.oomd = "active"
    systemd.more = {
        "system.slice": {"ManagedOOMMemoryPressure": "kill"},
        "apache2.service": {"ManagedOOMPreference": "omit", "MemoryAccounting": "no"},
    }
    systemd.reload()
    group = Path(systemd.paths.cgroup) / "system.slice" / "php8.2-fpm.service"
    group.mkdir(parents=True)
    (group / "memory.oom.group").write_text("1\n")
    units = by_unit(call(systemd))
    assert [note.split(";")[0] for note in units["php8.2-fpm.service"]["notes"]] == [
        "systemd-oomd may still kill all of php8.2-fpm.service: ManagedOOMMemoryPressure=kill on system.slice",
        f"The kernel would still kill all of php8.2-fpm.service at once: memory.oom.group is 1 in {group}",
    ]
    assert [note.split(":")[0] for note in units["apache2.service"]["notes"]] == [
        "OOMPolicy= has no effect on apache2.service"
    ]


def test_a_unit_that_an_oom_kill_stopped_says_so(systemd: PlayedSystemd) -> None:
    systemd.more["apache2.service"] = {"ActiveState": "failed", "Result": "oom-kill"}
    systemd.more["phpops-fpm@.service"] = {"Result": "success"}
    systemd.reload()
    found = {unit["unit"]: unit for unit in facts(systemd.run, NAMES, systemd.paths)["units"]}
    assert (found["apache2.service"]["active"], found["apache2.service"]["result"]) == (False, "oom-kill")
    assert found["php8.2-fpm.service"]["result"] is None
    assert found["phpops-fpm@.service"]["result"] is None


def test_the_facts(systemd: PlayedSystemd) -> None:
    found = facts(systemd.run, NAMES, systemd.paths)
    assert (found["available"], found["honoured"], found["systemd_version"], found["cgroup"]) == (True, True, 252, "v2")
    assert {unit["unit"]: (unit["active"], unit["oom_policy"]) for unit in found["units"]} == {
        "apache2.service": (True, "continue"),
        "php8.2-fpm.service": (True, "stop"),
        "phpops-fpm@.service": (True, "continue"),
    }


def test_the_facts_of_a_host_without_systemd(systemd: PlayedSystemd) -> None:
    found = facts(lambda words: (127, "", "systemctl can't be started"), NAMES, systemd.paths)
    assert (found["available"], found["units"]) == (False, [])
    assert "systemctl can't be started" in found["reason"]
