# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.tune_plan import (
    PLAY,
    ROLES,
    BadChoice,
    asked,
    plan,
    summary,
)

MIB = 1 << 20
HOST: dict[str, Any] = {"phpops_slab": {"memory_total_bytes": 640 * MIB, "container": None}}
SLOTS: dict[str, Any] = {"phpops_slot": {"available": True, "sites": [{"name": "shop"}]}}


def verdict(code: str, *tags: str, severity: str = "warning", play: str = PLAY) -> dict[str, Any]:
    return {"code": code, "severity": severity, "cure": {"text": "X.", "play": play, "tags": list(tags)}}


def host(container: str | None = None, swap: tuple[int, int] | None = None, **more: Any) -> dict[str, Any]:
    memory = {"swap_total_bytes": swap[0], "swap_free_bytes": swap[1]} if swap else {}
    slab = {**HOST["phpops_slab"], "container": container}
    return {"phpops_slab": slab, "phpops_shm": {"available": True, "memory": memory}, **more}


def roles(facts: dict[str, Any], *verdicts: dict[str, Any], tune_roles: Any = "auto", **tags: Any) -> list[str]:
    return list(plan(facts, verdicts, asked(tune_roles, **tags))["roles"])


@pytest.mark.parametrize(
    ("tune_roles", "tags", "wanted"),
    [
        ("auto", {}, None),
        (["auto"], {"run_tags": ["all"]}, None),
        ("auto", {"run_tags": ["all"], "skip_tags": ["swap"]}, None),
        ("auto", {"run_tags": ["web", "tmpdir", "swap"]}, ("swap", "tmpdir")),
        ("all", {"run_tags": ["all"]}, ROLES),
        ("all", {"run_tags": ["swap"]}, ("swap",)),
        ("tmpdir, oom_policy", {}, ("oom_policy", "tmpdir")),
        (["tmpdir"], {"run_tags": ["swap"]}, ()),
    ],
)
def test_what_is_asked_for(tune_roles: Any, tags: dict[str, Any], wanted: tuple[str, ...] | None) -> None:
    assert asked(tune_roles, **tags).roles == wanted


def test_a_role_that_is_tagged_and_not_named_is_told_so() -> None:
    skipped = plan(host(), [], asked(["tmpdir"], run_tags=["swap"]))["skipped"]
    assert skipped["swap"] == "it is not in tune_roles"
    assert skipped["tmpdir"] == "its tag was not asked for"


@pytest.mark.parametrize(
    ("tune_roles", "message"),
    [
        ("swop", "tune_roles names swop: give auto, all, or some of oom_policy, swap"),
        (["all", "swop"], "tune_roles names all, swop: "),
        ([], r"tune_roles is \[\]: give auto"),
        ("", "tune_roles is '': give auto"),
        (None, "tune_roles is None: give auto"),
        ({"swap": True}, "tune_roles is {'swap': True}: give auto"),
    ],
)
def test_a_wrong_choice_is_refused_with_the_names(tune_roles: Any, message: str) -> None:
    with pytest.raises(BadChoice, match="^" + message):
        asked(tune_roles)


def test_the_cures_of_the_verdicts_choose() -> None:
    found = [verdict("a", "oom_policy"), verdict("b", "tmpdir", "dentry_cache"), verdict("c", "swap", severity="info")]
    found += [verdict("d", "swap", play="phpops.webhost.migrate"), verdict("e", "tmpdir", severity="critical")]
    done = plan(host(), found, asked("auto"))
    assert done["roles"] == ["oom_policy", "dentry_cache", "tmpdir"]
    assert done["why"] == {"oom_policy": "for a", "dentry_cache": "for b", "tmpdir": "for b, e"}
    assert done["skipped"]["swap"] == "nothing was found that it cures"
    assert (done["found"], done["diagnosed"]) == (3, True)


def test_opcache_is_measured_where_sites_have_slots() -> None:
    assert roles(host(**SLOTS)) == ["opcache"]
    assert roles(host()) == []
    assert roles(host(), verdict("x", "opcache")) == ["opcache"]


def test_a_container_keeps_its_hosts_kernel_as_it_is() -> None:
    done = plan(host("podman"), [], asked("all"))
    assert [role for role in ROLES if role not in done["roles"]] == ["swap", "dentry_cache"]
    assert done["skipped"]["swap"] == "this host is a container (podman), its swap is its host's"
    dentries = verdict("dentry_share", "tmpdir", "dentry_cache")
    assert roles(host("podman"), dentries) == []
    assert roles(host("podman"), verdict("dentry_growing", "tmpdir", "dentry_cache"), dentries) == []
    assert roles(host("podman"), dentries, verdict("other", "tmpdir")) == ["tmpdir"]


def test_a_role_that_was_skipped_by_its_tag_is_not_done() -> None:
    found = [verdict("a", "swap"), verdict("b", "tmpdir")]
    assert roles(host(), *found, run_tags=["all"], skip_tags=["swap"]) == ["tmpdir"]
    assert roles(host(), tune_roles="all", run_tags=["all"], skip_tags=["opcache"]) == list(ROLES[:-1])


@pytest.mark.parametrize(
    ("swap", "memory", "wanted"),
    [
        (None, 640 * MIB + 5, (640 * MIB, 80 * MIB)),
        ((0, 0), 256 * MIB, (512 * MIB, 64 * MIB)),
        ((0, 0), 64 << 30, (2048 * MIB, 256 * MIB)),
        # Mostly free: no more than a host of this size has.
        ((4000 * MIB, 3000 * MIB), 64 << 30, (2048 * MIB, 256 * MIB)),
        ((3788 * MIB, 10 * MIB), 9 << 30, (5836 * MIB, 256 * MIB)),
    ],
)
def test_sizes_follow_the_memory(swap: tuple[int, int] | None, memory: int, wanted: tuple[int, int]) -> None:
    facts = host(swap=swap)
    facts["phpops_slab"]["memory_total_bytes"] = memory
    done = plan(facts, [], asked("all"))
    assert done["variables"] == {"swap_size_bytes": wanted[0], "tmpdir_size_bytes": wanted[1]}
    assert done["notes"]["swap"].startswith("swap_size_bytes is not set: ")


def test_sizes_of_the_user_win_and_are_not_told() -> None:
    own = {"swap_size_bytes": "5", "tmpdir_size_bytes": 6, "fcgid_limits_server": {"FcgidMaxProcesses": 9}}
    done = plan(host(), [], asked("all"), {**own, "worker_recycle_memory_max_bytes": 0})
    assert done["variables"] == {"swap_size_bytes": 5, "tmpdir_size_bytes": 6}
    assert done["notes"] == {}


def test_a_number_is_not_named_where_the_role_is_taken_back() -> None:
    given = {f"{role}_state": "absent" for role in ("swap", "tmpdir", "fcgid_limits")}
    assert list(plan(host(), [], asked("all"), given)["notes"]) == ["worker_recycle"]


def test_a_number_that_nobody_can_derive_is_named() -> None:
    done = plan(host(), [], asked(["worker_recycle", "fcgid_limits"]), {"fcgid_limits_server": {"FcgidIOTimeout": 40}})
    assert done["notes"]["worker_recycle"].startswith("worker_recycle_memory_max_bytes is not set: ")
    assert done["notes"]["fcgid_limits"].startswith("fcgid_limits_server.FcgidMaxProcesses is not set: ")


def test_the_summary_has_a_line_for_each_role() -> None:
    done = plan(host(), [], asked("oom_policy,swap,tmpdir"))
    changed = {"oom_policy": [{"changed": True}], "swap": [{"changed": False}], "tmpdir": [{}, {"changed": True}]}
    lines = summary(done, changed, {}, False)
    assert [line.split(",")[0] for line in lines] == [
        "oom_policy: done",
        "swap: unchanged",
        "dentry_cache: skipped",
        "fcgid_limits: skipped",
        "tmpdir: done",
        "worker_recycle: skipped",
        "opcache: skipped",
    ]
    assert lines[1] == (
        "swap: unchanged, named in tune_roles. swap_size_bytes is not set: 640 MiB, derived from 640 MiB of memory."
    )
    assert lines[2] == "dentry_cache: skipped, it is not in tune_roles."
    assert summary(done, changed, {}, True)[0] == "oom_policy: would change, named in tune_roles."


def test_a_play_that_found_nothing_says_so() -> None:
    lines = summary(plan(host(), [], asked("auto")), {}, {}, False)
    assert lines[0] == "The diagnosis found nothing that a role of this playbook cures."
    assert lines[1] == "oom_policy: skipped, nothing was found that it cures."
    assert lines[-1] == "opcache: skipped, no site has slots."
    assert len(lines) == 1 + len(ROLES)


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        (["swap"], ["done", "failed. No room.", "not reached."]),
        (["always"], ["not reached.", "not reached.", "not reached."]),
    ],
)
def test_what_failed_and_what_was_not_reached_is_told(tags: list[str], wanted: list[str]) -> None:
    done = plan(host(), [], asked("oom_policy swap tmpdir"))
    lines = summary(done, {"oom_policy": [{"changed": True}]}, {"tags": tags, "message": "No room."}, False)
    shown = [line.partition(": ")[2].partition(",")[0] for line in lines if "skipped" not in line]
    assert shown == wanted
