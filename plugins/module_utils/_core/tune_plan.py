# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Which roles of the playbook tune a host gets, why, and with which sizes; and what to say of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.units import human_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.model import (
    INFO,
    Facts,
    entries,
    number,
    section,
    sub,
)

MIB = 1 << 20
PLAY = "phpops.webhost.tune"
# In the order in which they are applied: what saves a host first, what flips slots last.
ROLES = ("oom_policy", "swap", "dentry_cache", "fcgid_limits", "tmpdir", "worker_recycle", "opcache")
AUTO, ALL = "auto", "all"
# What they set is the kernel's, which a container shares with its host.
_KERNEL = {"swap": "its swap is its host's", "dentry_cache": "its kernel's settings are its host's"}
# Verdicts over numbers of the kernel, whoever's files they are.
_SHARED = {"dentry_share", "dentry_growing"}
# Numbers that only the user knows; without them the role does the rest.
_UNKNOWN = {
    "worker_recycle": ("worker_recycle_memory_max_bytes", "no site got a hard limit on its memory"),
    "fcgid_limits": ("fcgid_limits_server.FcgidMaxProcesses", "the number of php-cgi stays as it was"),
}
_SWAP_LEAST, _SWAP_MOST = 512 * MIB, 2048 * MIB
_TMPDIR_LEAST, _TMPDIR_MOST = 64 * MIB, 256 * MIB


class BadChoice(ValueError):
    """tune_roles has a value that makes no sense; the message names it and the cure."""


@dataclass(frozen=True)
class Asked:
    """What the user asked for: the roles, or None for those that the diagnosis finds; never those left out."""

    roles: tuple[str, ...] | None
    left_out: tuple[str, ...] = ()
    why: str = ""
    tagged: tuple[str, ...] = ()

    def why_not(self, role: str) -> str:
        """Return why a role is not among the roles."""
        return "its tag was not asked for" if self.tagged and role not in self.tagged else "it is not in tune_roles"


def asked(tune_roles: Any, run_tags: Sequence[str] = (), skip_tags: Sequence[str] = ()) -> Asked:
    """Return what ``tune_roles`` (auto, all, or names) and Ansible's --tags and --skip-tags ask for.

    A role that is named by a tag is asked for, whatever the diagnosis would find. Raises BadChoice.
    """
    names = tune_roles.replace(",", " ").split() if isinstance(tune_roles, str) else tune_roles
    if not isinstance(names, (list, tuple)) or not names:
        raise BadChoice(f"tune_roles is {tune_roles!r}: give auto, all, or a list of {', '.join(ROLES)}.")
    unknown = [str(name) for name in names if name not in ROLES]
    single = names[0] if len(names) == 1 and names[0] in (AUTO, ALL) else None
    if unknown and not single:
        raise BadChoice(f"tune_roles names {', '.join(unknown)}: give auto, all, or some of {', '.join(ROLES)}.")
    tagged = tuple(role for role in ROLES if role in run_tags)
    left_out = tuple(skip_tags)
    if single == AUTO and not tagged:
        return Asked(None, left_out)
    base = ROLES if single else tuple(role for role in ROLES if role in names)
    chosen = tuple(role for role in base if not tagged or role in tagged)
    why = "asked for by its tag" if tagged else f"asked for by tune_roles={single}" if single else "named in tune_roles"
    return Asked(chosen, left_out, why, tagged)


def _found(verdicts: Sequence[Facts]) -> dict[str, list[str]]:
    """Return the codes of the verdicts whose cure names each role. What is info is told, not cured."""
    found: dict[str, list[str]] = {}
    for verdict in verdicts:
        cure = sub(verdict, "cure")
        if cure.get("play") == PLAY and verdict.get("severity") != INFO:
            for tag in cure.get("tags") or []:
                codes = found.setdefault(str(tag), [])
                codes += [str(verdict.get("code"))] if verdict.get("code") not in codes else []
    return found


def _sizes(facts: Facts, given: Mapping[str, Any], roles: Sequence[str]) -> tuple[dict[str, int], dict[str, str]]:
    """Return the sizes that the roles get, and by role what to say of a derived one."""
    memory = number(sub(facts, "phpops_slab"), "memory_total_bytes")
    meminfo = sub(section(facts, "phpops_shm"), "memory")
    there, free = number(meminfo, "swap_total_bytes"), number(meminfo, "swap_free_bytes")
    swap = max(_SWAP_LEAST, min(_SWAP_MOST, memory // MIB * MIB))
    # What is there counts: where most of it is used, it gets so much more.
    swap += there if there and free < there // 2 else 0
    tmpfs = max(_TMPDIR_LEAST, min(_TMPDIR_MOST, memory // 8 // MIB * MIB))
    variables, said = {}, {}
    for role, name, size in (("swap", "swap_size_bytes", swap), ("tmpdir", "tmpdir_size_bytes", tmpfs)):
        own = given.get(name)
        variables[name] = int(own) if own is not None else size
        if own is None and role in roles and memory:
            said[role] = f"{name} is not set: {human_bytes(size)}, derived from {human_bytes(memory)} of memory"
    return variables, said


def plan(
    facts: Facts, verdicts: Sequence[Facts] | None, wanted: Asked, given: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return ``roles`` in their order, ``why`` and ``skipped`` by role, ``variables`` and ``notes`` by role.

    ``facts`` are phpops_slab and, where the host was diagnosed, the others; ``given`` the user's own sizes and states.
    """
    codes = _found(verdicts or [])
    container = sub(facts, "phpops_slab").get("container")
    slots = len(entries(section(facts, "phpops_slot"), "sites"))
    why: dict[str, str] = {}
    skipped: dict[str, str] = {}
    for role in ROLES:
        if role in wanted.left_out:
            skipped[role] = "its tag was left out"
        elif wanted.roles is not None and role not in wanted.roles:
            skipped[role] = wanted.why_not(role)
        elif wanted.roles is None and role not in codes and not (role == "opcache" and slots):
            skipped[role] = "no site has slots" if role == "opcache" else "nothing was found that it cures"
        elif container and role in _KERNEL:
            skipped[role] = f"this host is a container ({container}), {_KERNEL[role]}"
        elif container and wanted.roles is None and role in codes and set(codes[role]) <= _SHARED:
            skipped[role] = f"the dentries are those of the kernel that this container ({container}) shares"
        elif wanted.roles is not None:
            why[role] = wanted.why
        else:
            why[role] = f"for {', '.join(codes[role])}" if role in codes else "measured at each run"
    variables, notes = _sizes(facts, given or {}, list(why))
    for role, (name, effect) in _UNKNOWN.items():
        if role in why and not _is_given(given or {}, name):
            notes[role] = f"{name} is not set: {effect}"
    notes = {role: note for role, note in notes.items() if (given or {}).get(f"{role}_state") != "absent"}
    return {
        "roles": list(why),
        "why": why,
        "skipped": skipped,
        "variables": variables,
        "notes": notes,
        "found": len(codes),
        "diagnosed": wanted.roles is None,
    }


def _is_given(given: Mapping[str, Any], name: str) -> bool:
    variable, _dot, key = name.partition(".")
    value = given.get(variable)
    return key in value if key and isinstance(value, Mapping) else value is not None and not key


def summary(
    done: Mapping[str, Any], changed: Mapping[str, Sequence[Any]], failure: Mapping[str, Any], check_mode: bool
) -> list[str]:
    """Return one line per role, after one about the whole where nothing was to be done.

    ``done`` is the plan, ``changed`` has by role what its steps returned, ``failure`` is empty or has ``tags`` of the
    task that failed and its ``message``.
    """
    tags = failure.get("tags") or []
    failed = next((role for role in done["roles"] if role in tags), None)
    lines = []
    if done["diagnosed"] and not done["found"]:
        lines.append("The diagnosis found nothing that a role of this playbook cures.")
    reached = True
    for role in ROLES:
        if role in done["skipped"]:
            lines.append(f"{role}: skipped, {done['skipped'][role]}.")
            continue
        if role == failed:
            reached = False
            lines.append(f"{role}: failed. {failure.get('message')}")
            continue
        if not reached or (failure and not failed):
            lines.append(f"{role}: not reached.")
            continue
        does = any(isinstance(step, Mapping) and step.get("changed") is True for step in changed.get(role, []))
        state = ("would change" if check_mode else "done") if does else "unchanged"
        note = f" {done['notes'][role]}." if role in done["notes"] else ""
        lines.append(f"{role}: {state}, {done['why'][role]}.{note}")
    return lines
