# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.text import render_text
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.case_fixture import fires, keeps_quiet
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import facts, oom


def policies(*units: tuple[str, str, bool], honoured: bool = True) -> dict[str, Any]:
    named = [{"unit": unit, "oom_policy": policy, "active": active} for unit, policy, active in units]
    return facts(phpops_oom_policy={"available": True, "honoured": honoured, "units": named})


def stopped(active: bool, result: str) -> dict[str, Any]:
    found = policies(("apache2.service", "continue", active), honoured=False)
    found["phpops_oom_policy"]["units"][0]["result"] = result
    return found


# (code, severity, facts that fire it, words of its sentence)
FIRES = [
    (
        "unit_ends_with_a_process",
        "warning",
        policies(("apache2.service", "continue", True), *((f"php8.{n}-fpm.service", "stop", True) for n in range(5))),
        "(OOMPolicy: php8.0-fpm.service stop, php8.1-fpm.service stop, php8.2-fpm.service stop, 2 others).",
    ),
    (
        "oom_kills",
        "warning",
        oom("php-fpm", "mysqld", "php-fpm", None),
        "Memory ran out 4 times and processes were killed (php-fpm 2, mysqld 1, x.service 1).",
    ),
    (
        "oom_kills",
        "critical",
        facts(
            phpops_oom={
                "events": [{"time": "2026-01-01T10:00:00", "victim": {"comm": "php-cgi"}}, {"time": None}],
                "units": [
                    {"unit": "apache2.service", "result": "oom-kill", "count": 1},
                    {"unit": "system.slice", "result": None, "count": 2},
                ],
            }
        ),
        "Memory ran out 2 times and processes were killed (php-cgi 1, unknown 1), the last time at "
        "2026-01-01T10:00:00; systemd ended apache2.service because of it.",
    ),
    (
        "unit_stopped_by_oom_kill",
        "critical",
        stopped(False, "oom-kill"),
        "apache2.service is down since an OOM kill ended the whole unit.",
    ),
]
# (code, facts just below the mark)
QUIETS = [
    ("oom_kills", oom()),
    ("unit_ends_with_a_process", policies(("nginx.service", "continue", True), ("php8.2-fpm.service", "stop", False))),
    ("unit_ends_with_a_process", policies(("nginx.service", "stop", True), honoured=False)),
    ("oom_kills", facts(phpops_oom={"available": False, "reason": "No log.", "events": []})),
    ("unit_stopped_by_oom_kill", stopped(True, "oom-kill")),
    ("unit_stopped_by_oom_kill", stopped(False, "success")),
]

test_a_verdict_fires_with_its_numbers = fires(FIRES)
test_a_verdict_keeps_quiet_below_its_mark = keeps_quiet(QUIETS)


def test_a_unit_that_outlives_kills_by_now_is_no_alarm_any_more() -> None:
    ended = {"phpops_oom": oom("php-fpm")["phpops_oom"]}
    ended["phpops_oom"]["units"] = [{"unit": "nginx.service", "result": "oom-kill", "count": 1}]
    found = {**policies(("nginx.service", "continue", True)), **ended}
    assert [(verdict["code"], verdict["severity"]) for verdict in judge(found)] == [("oom_kills", "warning")]
    found = {**policies(("nginx.service", "stop", True)), **ended}
    text = render_text("web1", judge(found))
    assert "[critical] oom_kills" in text
    assert text.count("ansible-playbook phpops.webhost.tune --limit web1 --tags oom_policy\n") == 1


def test_a_unit_that_the_role_does_not_take_by_itself_is_given_to_it_by_name() -> None:
    ended = oom("mysqld")
    names = ("mysql.service", "apache2.service", "session-3.scope", "phpops-fpm@a-blue.service")
    ended["phpops_oom"]["units"] = [{"unit": name, "result": "oom-kill", "count": 1} for name in names]
    (found,) = judge(ended)
    assert (found["severity"], found["cure"]["tags"]) == ("critical", ["oom_policy"])
    assert found["cure"]["variables"] == {"oom_policy_extra_units": ["mysql.service"]}
    assert "--tags oom_policy --extra-vars" in render_text("web1", [found])


def test_php_that_was_killed_is_recycled_earlier_and_others_are_not() -> None:
    assert judge(oom("mysqld", "php-fpm8.2"))[0]["cure"]["tags"] == ["worker_recycle"]
    assert judge(oom("mysqld"))[0]["cure"]["play"] is None
