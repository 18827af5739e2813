# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import shlex
from typing import Any

import pytest
import yaml
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.text import render_text
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import (
    counters,
    errors,
    facts,
    php_cgi,
    site,
    sites,
)


def test_the_text_names_the_host_the_counts_and_the_command() -> None:
    found = counters("shmpages 247122 262144 262144 262144 10067", "numproc 99 99 99 99 0")
    found["phpops_php_sites"]["sites"] = [site("it's")]
    assert render_text("web1", judge(found)).split("\n") == [
        "web1: 1 critical, 1 warning, 0 info",
        "[critical] shmpages_failing: shmpages holds 965.3 MiB, 94 % of its limit of 1 GiB; "
        "10067 requests were refused.",
        "    Move the sites from php-cgi to PHP-FPM, whose workers share one segment.",
        "    ansible-playbook phpops.webhost.migrate --limit web1 "
        """--extra-vars '{fpm_migrate_sites: ["it'"'"'s"]}'""",
        "[warning] beancounter_near_limit: numproc holds 99, 100 % of its limit of 99.",
        "    Raise numproc on the node before it fails, or let the container use less of it.",
    ]


def test_a_cure_is_written_once() -> None:
    found = facts(phpops_shm=php_cgi(3, 3)["phpops_shm"], phpops_php_sites={"sites": [site("a", shm_errors=errors(1))]})
    lines = render_text("web1", judge(found)).split("\n")
    assert [line.split(":")[0] for line in lines[1:]] == [
        "[critical] shm_allocation_errors",
        "    Move the sites from php-cgi to PHP-FPM, whose workers share one segment.",
        """    ansible-playbook phpops.webhost.migrate --limit web1 --extra-vars '{fpm_migrate_sites""",
        "[warning] opcache_segment_per_process",
        "    The cure is told above.",
    ]


@pytest.mark.parametrize(
    "variables",
    [
        {"fpm_migrate_sites": ["a.example.org", "b-c.example.org"]},
        {"fpm_migrate_sites": ["1.5", "no", "1e.3", "x: y", 'q"', "it's", "a.1", "[x].y", "#a.b"]},
        {"ansible_become": True, "x": None, "y": 1, "z": 0.5, "deep": {"a": []}},
    ],
)
def test_the_command_carries_the_variables_as_they_are(variables: dict[str, Any]) -> None:
    verdict = {
        "code": "x",
        "severity": "info",
        "sentence": "X.",
        "cure": {"text": "", "play": "p", "variables": variables},
    }
    words = shlex.split(render_text("web1", [verdict]).rsplit("\n", maxsplit=1)[-1])
    assert words[:-1] == ["ansible-playbook", "p", "--limit", "web1", "--extra-vars"]
    assert yaml.safe_load(words[-1]) == variables


def test_control_characters_of_a_host_do_not_reach_the_terminal() -> None:
    text = render_text("web\x1b[1m", judge(sites(site("a\x1b]0;x\x07\n", migratable=False))))
    assert all(line.isprintable() for line in text.split("\n"))
    assert len(text.split("\n")) == 3
