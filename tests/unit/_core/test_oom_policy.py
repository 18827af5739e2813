# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import oom_policy
from hypothesis import given
from hypothesis import strategies as st

KNOWN = [
    *("apache2.service", "php8.2-fpm.service", "php8.4-fpm.service", "phpops-fpm@.service"),
    *("phpops-fpm@wiki-blue.service", "php-fpm-exporter.service", "getty@.service"),
]
OURS = f"{oom_policy.HEADER}\n[Service]\nOOMPolicy=continue\n"


@pytest.mark.parametrize(
    ("names", "chosen", "missing"),
    [
        (["apache2", "nginx"], ["apache2.service"], ["nginx"]),
        (["php*-fpm"], ["php8.2-fpm.service", "php8.4-fpm.service"], []),
        (["phpops-fpm@"], ["phpops-fpm@wiki-blue.service"], []),
        (["phpops-fpm@.service"], ["phpops-fpm@wiki-blue.service"], []),
        (["phpops-fpm@wiki-blue", "phpops-fpm@*"], ["phpops-fpm@wiki-blue.service"], []),
        (["getty@"], ["getty@.service"], []),
        (["php8.2-fpm", "php*-fpm.service", "*.service"], None, []),
        ([], [], []),
    ],
)
def test_names_and_patterns_choose_the_units_of_the_host(
    names: list[str], chosen: list[str] | None, missing: list[str]
) -> None:
    found = oom_policy.choose(names, KNOWN)
    if chosen is None:
        assert sorted(found[0]) == sorted(set(KNOWN) - {"phpops-fpm@.service"})
    else:
        assert found == (chosen, missing)
    assert found[1] == missing


@pytest.mark.parametrize("name", ["", "php fpm", "a/b", "ssh.socket", "system.slice", "../x", "a;b"])
def test_what_is_no_service_is_refused(name: str) -> None:
    with pytest.raises(oom_policy.BadUnit, match="is no service"):
        oom_policy.service_name(name)


def test_a_version_in_a_name_is_no_kind_of_unit() -> None:
    assert oom_policy.service_name("php8.2-fpm") == "php8.2-fpm.service"


def test_the_list_of_systemctl() -> None:
    units = "  nginx.service loaded active running A web server\n\u25cf b.service loaded failed failed B\n"
    units += "  gone.service not-found inactive dead gone.service\n\nUNIT LOAD\n"
    assert oom_policy.parse_unit_list(units) == ["nginx.service", "b.service"]


@pytest.mark.parametrize(
    ("unit", "template", "shown", "folder"),
    [
        ("nginx.service", "nginx.service", "nginx.service", "nginx.service.d"),
        ("a@b-c.service", "a@.service", "a@b-c.service", "a@.service.d"),
        ("a@.service", "a@.service", "a@phpops-none.service", "a@.service.d"),
    ],
)
def test_instances_share_the_drop_in_of_their_template(unit: str, template: str, shown: str, folder: str) -> None:
    assert oom_policy.template(unit) == template
    assert oom_policy.shown_as(unit) == shown
    assert oom_policy.drop_in(unit) == f"/etc/systemd/system/{folder}/50-phpops-oom.conf"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[Service]\nOOMPolicy=stop\n", {"OOMPolicy": "stop"}),
        ("[Service]\n OOMPolicy = stop \n#OOMPolicy=kill\n; OOMPolicy=kill\nOOMPolicy=kill\n", {"OOMPolicy": "kill"}),
        ("[Service]\r\nRestart=\\\n on-abort\r\n", {"Restart": "on-abort"}),
        ("[Unit]\nOOMPolicy=stop\n[Service]\n[Install]\nRestart=no\n", {}),
        ("[Service]\nOOMPolicy=stop\nOOMPolicy=never\nOOMPolicy=\n", {"OOMPolicy": "stop"}),
        ("OOMPolicy=stop", {}),
        ("", {}),
    ],
)
def test_what_a_unit_file_sets(text: str, found: dict[str, str]) -> None:
    assert oom_policy.parse_settings(text) == found


@given(st.binary())
def test_any_file_can_be_read(content: bytes) -> None:
    assert set(oom_policy.parse_settings(content.decode("utf-8", "replace"))) <= set(oom_policy.VALUES)
    oom_policy.parse_unit_list(content.decode("utf-8", "replace"))


@pytest.mark.parametrize(
    ("ours", "loaded", "restart", "lines"),
    [
        (None, [{"OOMPolicy": "continue", "Restart": "no"}], None, None),
        (None, [{"OOMPolicy": "stop", "Restart": "no"}], None, ["OOMPolicy=continue"]),
        (None, [{"OOMPolicy": "continue"}, {"OOMPolicy": "kill"}], None, ["OOMPolicy=continue"]),
        (OURS, [{"OOMPolicy": "continue"}], None, ["OOMPolicy=continue"]),
        (None, [{"OOMPolicy": "continue", "Restart": "on-abort"}], "always", ["Restart=always"]),
        (None, [{"OOMPolicy": "stop", "Restart": "always"}], "always", ["OOMPolicy=continue"]),
        (OURS + "Restart=always\n", [{"OOMPolicy": "continue", "Restart": "always"}], None, ["OOMPolicy=continue"]),
        ("[Service]\nRestart=always\n", [{"OOMPolicy": "continue", "Restart": "always"}], None, None),
        (None, [], None, None),
    ],
)
def test_the_drop_in_sets_what_a_unit_lacks(
    ours: str | None, loaded: list[dict[str, str]], restart: str | None, lines: list[str] | None
) -> None:
    text = oom_policy.drop_in_text(ours, loaded, restart)
    assert (text and text.splitlines()[2:]) == (lines and ["[Service]", *lines])
    assert text is None or text.startswith(oom_policy.HEADER + "\n")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([("/run/x.d/90-a.conf", "stop")], ("/run/x.d/90-a.conf", "stop")),
        ([("/etc/x.d/10-a.conf", "stop")], None),
        ([("/etc/x.d/90-a.conf", "continue")], None),
        ([("/etc/x.d/90-a.conf", "stop"), ("/run/x.d/95-b.conf", "continue")], None),
        ([("/etc/x.d/95-b.conf", "kill"), ("/run/x.d/60-a.conf", "stop")], ("/etc/x.d/95-b.conf", "kill")),
        ([("/etc/x.d/override.conf", "nonsense")], None),
    ],
)
def test_a_later_drop_in_wins(files: list[tuple[str, str]], expected: tuple[str, str] | None) -> None:
    texts = [(path, f"[Service]\nOOMPolicy={value}\n") for path, value in files]
    assert oom_policy.later_setting(texts, "OOMPolicy", "continue") == expected


@pytest.mark.parametrize(
    ("name", "above"),
    [
        ("-.slice", ["-.slice"]),
        ("", ["-.slice"]),
        ("system.slice", ["system.slice", "-.slice"]),
        ("a-b-c.slice", ["a-b-c.slice", "a-b.slice", "a.slice", "-.slice"]),
        (
            "system-phpops\\x2dfpm.slice",
            ["system-phpops\\x2dfpm.slice", "system.slice", "-.slice"],
        ),
    ],
)
def test_the_slices_around_a_unit(name: str, above: list[str]) -> None:
    assert oom_policy.slices_above(name) == above


@pytest.mark.parametrize(
    ("version", "cgroup", "memory", "words"),
    [
        (252, "v2", True, None),
        (243, "v2", True, None),
        (None, "v2", True, None),
        (242, "v2", True, "systemd 242 doesn't know OOMPolicy="),
        (252, "v1", True, "its control groups are v1"),
        (257, "hybrid", False, "its control groups are hybrid"),
        (257, "v2", False, "have no memory controller"),
    ],
)
def test_a_host_that_has_no_use_for_the_policy(
    version: int | None, cgroup: str, memory: bool, words: str | None
) -> None:
    reason = oom_policy.host_reason(version, cgroup, memory)
    assert (reason is None) == (words is None)
    assert words is None or words in (reason or "")


@pytest.mark.parametrize(
    ("text", "version"),
    [("252.39-1~deb12u1", 252), ("257 (257.9)", 257), ("", None), ("v257", None)],
)
def test_the_version(text: str, version: int | None) -> None:
    assert oom_policy.parse_version(text) == version


@pytest.mark.parametrize(
    ("own", "slices", "active", "words"),
    [
        ({}, {"system.slice": {"ManagedOOMSwap": "kill"}}, False, None),
        ({}, {"system.slice": {"ManagedOOMSwap": "auto", "ManagedOOMMemoryPressure": "auto"}}, True, None),
        ({}, {"system.slice": {}, "-.slice": {"ManagedOOMSwap": "kill"}}, True, "ManagedOOMSwap=kill on -.slice"),
        ({"ManagedOOMMemoryPressure": "kill"}, {}, True, "ManagedOOMMemoryPressure=kill on a.service"),
        ({"ManagedOOMPreference": "omit"}, {"-.slice": {"ManagedOOMSwap": "kill"}}, True, None),
    ],
)
def test_systemd_oomd_kills_whole_units(
    own: dict[str, str], slices: dict[str, dict[str, str]], active: bool, words: str | None
) -> None:
    note = oom_policy.oomd_note("a.service", own, slices, active)
    assert (note is None) == (words is None)
    assert words is None or words in (note or "")


def test_the_kernel_may_kill_a_whole_group() -> None:
    assert oom_policy.group_note("a.service", {"/sys/a": "0\n", "/sys": ""}) is None
    assert "is 1 in /sys;" in (oom_policy.group_note("a.service", {"/sys/a": "0\n", "/sys": "1\n"}) or "")


def test_a_unit_whose_memory_is_not_watched() -> None:
    assert oom_policy.accounting_note("a.service", "yes") is None
    assert "MemoryAccounting=no" in (oom_policy.accounting_note("a.service", "no") or "")
