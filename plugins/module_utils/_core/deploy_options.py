# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What is wrong with the options of a deploy, before any host is asked."""

from __future__ import annotations

import re
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import NAME
from ansible_collections.phpops.webhost.plugins.module_utils._core.web_answer import BaseUrlError, base

KINDS = ("archive", "url", "git", "directory")
HOOKS = (
    *("before_release", "after_release", "before_prime", "after_prime", "before_switch", "after_switch"),
    *("before_drain", "after_drain", "leave", "rejoin"),
)
_SHA256 = re.compile(r"^[0-9a-fA-F]{64}$")
# The options of a source that go with one kind of it only.
_BELONGS = {
    "sha256": ("url", "archive"),
    "headers": ("url",),
    "version": ("git",),
    "key_file": ("git",),
    "accept_newhostkey": ("git",),
    "exclude": ("directory",),
    "strip_components": ("archive", "url"),
}


def kind_of(source: Mapping[str, Any]) -> str:
    """Return the one kind of a source, "" when none or more than one is named."""
    named = [kind for kind in KINDS if source.get(kind)]
    return named[0] if len(named) == 1 else ""


def site_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the site with a host for each entry point that has none: a name that its virtual host has.

    options: site, server_names, check_url, whose own name goes first.
    """
    site, names = dict(options.get("site") or {}), list(options.get("server_names") or [])
    points = site.get("entry_points")
    if not names or not isinstance(points, (list, tuple)):
        return site
    try:
        name = base(str(options.get("check_url") or "")).name or names[0]
    except BaseUrlError:
        name = names[0]
    filled = [
        {**point, "host": name} if isinstance(point, Mapping) and not point.get("host") else point for point in points
    ]
    return {**site, "entry_points": filled}


def problems(options: Mapping[str, Any]) -> list[str]:
    """Return what can't be used, a sentence each with the option, its value and the cure.

    options: site, source, action, mode, hooks, max_fail_percentage, path, release_id, check_url, web_server,
    server_names, batch (how many hosts deploy at the same time) and hosts (how many there are in all).
    """
    site = options.get("site") or {}
    name = str(site.get("name") or "")
    found = []
    if not NAME.fullmatch(name):
        found.append(f"deploy_site.name {name!r} can't be used: give 1 to 32 characters of a-z, 0-9, _ and -.")
    if site.get("document_root"):
        found.append("deploy_site has a document_root: leave it out; it is the release with deploy_public.")
    path = str(options.get("path") or "")
    if not path.startswith("/"):
        found.append(f"deploy_path {path!r} can't be used: give an absolute path, such as /srv/www/{name or 'wiki'}.")
    if options.get("action") == "deploy":
        found += _source_problems(options.get("source") or {}, str(options.get("release_id") or ""))
    percentage = options.get("max_fail_percentage")
    if not _is_percentage(percentage):
        found.append(f"deploy_max_fail_percentage {percentage!r} can't be used: give a number from 0 to below 100.")
    try:
        base(str(options.get("check_url") or "http://127.0.0.1"))
    except BaseUrlError as error:
        found.append(str(error))
    if options.get("web_server") not in (None, "none") and not options.get("server_names"):
        found.append("deploy_server_names is empty: name the site's host names for its virtual host.")
    return found + _hook_problems(options.get("hooks") or {}) + _classic_problems(options)


def _is_percentage(value: Any) -> bool:
    """Return whether a value, which is text when the command line gave it, is from 0 to below 100."""
    try:
        return not isinstance(value, bool) and 0 <= float(value) < 100
    except (TypeError, ValueError):
        return False


def _source_problems(source: Mapping[str, Any], release_id: str) -> list[str]:
    named = [kind for kind in KINDS if source.get(kind)]
    if len(named) > 1:
        return [f"deploy_source names {' and '.join(named)}: give one of them."]
    if not named:
        if release_id:
            return []
        return ["deploy_source is empty: give archive, url with sha256, git with version, or directory."]
    kind, found = named[0], []
    value = str(source[kind])
    if kind in ("archive", "directory") and not value.startswith("/"):
        found.append(
            f"deploy_source.{kind} {value!r} is relative: give an absolute path on the controller, such as"
            " one that begins with {{ inventory_dir }}."
        )
    if kind == "url" and not _SHA256.fullmatch(str(source.get("sha256") or "")):
        found.append(f"deploy_source.sha256 is missing or no SHA-256: the archive of {value} must be known by its sum.")
    if kind == "git" and not source.get("version"):
        found.append(f"deploy_source.version is missing: name the commit, tag or branch of {value}.")
    for option, kinds in _BELONGS.items():
        if source.get(option) and kind not in kinds:
            found.append(f"deploy_source.{option} goes with {' or '.join(kinds)}, not with {kind}: leave it out.")
    return found


def _hook_problems(hooks: Mapping[str, Any]) -> list[str]:
    found = []
    for hook, path in hooks.items():
        if hook not in HOOKS:
            found.append(f"deploy_hooks.{hook} is no hook: use {', '.join(HOOKS)}.")
        elif not str(path or "").startswith("/"):
            found.append(
                f"deploy_hooks.{hook} {path!r} can't be used: give the absolute path of a tasks file on the controller."
            )
    return found


def _classic_problems(options: Mapping[str, Any]) -> list[str]:
    if options.get("mode") != "classic":
        hooks = options.get("hooks") or {}
        named = [hook for hook in ("leave", "rejoin") if hooks.get(hook)]
        return [f"deploy_hooks.{hook} goes with deploy_mode classic: leave it out." for hook in named]
    batch, hosts = int(options.get("batch") or 1), int(options.get("hosts") or 1)
    if hosts > 1 and batch >= hosts:
        return [
            f"deploy_mode classic would take all {hosts} hosts out of service at once: give a deploy_serial that leaves"
            " some in, such as -e deploy_serial=1."
        ]
    return []


def files_of(hooks: Mapping[str, Any]) -> Sequence[str]:
    """Return the tasks files that the hooks name."""
    return [str(path) for hook, path in hooks.items() if hook in HOOKS]
