# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What has to change in Apache's files so that limits of mod_fcgid hold, and what holds afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_handlers import PHP_CGI_METHODS
from ansible_collections.phpops.webhost.plugins.module_utils._core.config_lines import (
    LineEdit,
    LineError,
    rewritten,
    split_lines,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_limits import (
    MAX_REQUESTS,
    LimitError,
    Line,
    checked,
    command_options,
    everywhere,
    is_of_macro,
    later_lines,
    lines_of,
    old_names,
    php_max_requests,
    request_problem,
    vhost_block,
    vhost_lines,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_settings import limits


@dataclass(frozen=True)
class Files:
    """How the planner sees files: the real path of one that Apache names, whether it may be changed, and its text."""

    real: Callable[[str], str]
    ours: Callable[[str], bool]
    text: Callable[[str], str]


@dataclass
class Plan:
    """Edits and blocks by real path; line numbers are those of the text that Apache was asked about."""

    edits: dict[str, list[LineEdit]] = field(default_factory=dict)
    blocks: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    # Index of the virtual host among all of them: the limits that are asked for there.
    vhosts: dict[int, dict[str, int]] = field(default_factory=dict)
    overridden: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def site_limits(
    asked: Sequence[Mapping[str, Any]], sites: Sequence[Mapping[str, Any]]
) -> tuple[dict[str, Any], list[str]]:
    """Return {slug: limits} for the sites that are asked for, and a sentence for each that mod_fcgid doesn't run.

    Raises LimitError for a site that this host has not, or that is named twice.
    """
    found: dict[str, Any] = {}
    notes = []
    for item in asked:
        name = str(item["name"])
        site = next((one for one in sites if name in (one["site"], one["name"], *one["names"])), None)
        if site is None:
            known = ", ".join(str(one["name"]) for one in sites) or "none"
            raise LimitError(f"This host has no PHP site {name}; it has {known}.")
        wanted = checked(item.get("limits") or {}, f"Site {name}", False)
        if site["site"] in found:
            raise LimitError(f"Site {site['name']} is given twice; give its limits once.")
        if site["php"]["method"] not in PHP_CGI_METHODS:
            notes.append(f"Site {name} is not run by mod_fcgid ({site['php']['method']}): its limits are left out.")
            continue
        found[site["site"]] = wanted
    return found, notes


def plan(
    config: Sequence[Directive],
    sites: Sequence[Mapping[str, Any]],
    server: Mapping[str, int],
    by_site: Mapping[str, Mapping[str, int]],
    own: str,
    rename: bool,
    files: Files,
) -> Plan:
    """Plan the edits. ``config`` is Apache's dump with the file ``own`` in place. Raises LimitError."""
    found = Plan()
    sections = [item for item in config if item.key == "virtualhost"]
    places = {(files.real(item.file), item.line): index for index, item in enumerate(sections)}
    for site in sites:
        for vhost in site["vhosts"] if by_site.get(site["site"]) else []:
            _place_block(found, site, vhost, by_site[site["site"]], places, files)
    lines = lines_of(config)
    changing = {id(line.directive): str(server[line.limit]) for line in later_lines(lines, server, own)}
    names = {id(item): name for item, name in old_names(config)} if rename else {}
    for item in everywhere(config):
        if id(item) in changing or id(item) in names:
            value = changing.get(id(item))
            _edit(found, item, names.get(id(item), item.name), value, files)
    _tell_winners(found, lines, server, sections, files)
    for item in command_options(config):
        found.notes.append(
            f"FcgidCmdOptions at {item.file}:{item.line} sets all limits of {(item.words or ['a command'])[0]} at once:"
            " neither the server's nor its virtual host's reach it."
        )
    return found


def _place_block(
    found: Plan,
    site: Mapping[str, Any],
    vhost: Mapping[str, Any],
    wanted: Mapping[str, int],
    places: Mapping[tuple[str, int], int],
    files: Files,
) -> None:
    path, line = vhost["file"], vhost["line"]
    if not path or vhost.get("macro") or (path, line) not in places:
        what = f"comes from the macro {vhost['macro']}" if vhost.get("macro") else "is the main server"
        raise LimitError(
            f"Site {site['name']} {what}: it has no virtual host of its own that limits could be put into."
        )
    if not files.ours(path):
        raise LimitError(
            f"Site {site['name']}: its virtual host is in {path}, outside of Apache's folder: set them there."
        )
    found.blocks.setdefault(path, []).append((line, vhost_block(wanted)))
    found.vhosts[places[path, line]] = dict(wanted)


def _edit(found: Plan, item: Directive, name: str, value: str | None, files: Files) -> None:
    path = files.real(item.file)
    problem = ""
    if is_of_macro(item):
        problem = "a macro wrote it"
    elif not files.ours(path):
        problem = "the file is outside of Apache's folder"
    else:
        try:
            found.edits.setdefault(path, []).append(
                rewritten(split_lines(files.text(path)), item.line, item.name, name, value)
            )
        except LineError as error:
            problem = str(error)
    if problem and value is not None:
        raise LimitError(
            f"{item.name} {item.arguments} at {item.file}:{item.line} wins over the server's limit and can't be"
            f" replaced ({problem}): take it away there."
        )
    if problem:
        found.notes.append(
            f"{item.name} at {item.file}:{item.line} is the old name of {name} and stays, as {problem.rstrip('.')}."
        )


def _tell_winners(
    found: Plan, lines: Sequence[Line], server: Mapping[str, int], sections: Sequence[Directive], files: Files
) -> None:
    index = {id(item): number for number, item in enumerate(sections)}
    for line in vhost_lines(lines, server):
        if line.vhost is None or line.limit in found.vhosts.get(index[id(line.vhost)], {}):
            continue
        names = [item.words[0] for item in line.vhost.children if item.key == "servername" and item.words]
        found.overridden.append(
            {
                "limit": line.limit,
                "value": line.value,
                "asked": server[line.limit],
                "vhost": names[-1] if names else line.vhost.arguments,
                "file": files.real(line.directive.file),
                "line": line.directive.line,
            }
        )


def effective(config: Sequence[Directive], index: int | None = None) -> dict[str, dict[str, Any]]:
    """Return all limits that hold for the whole server, or in one virtual host, with their sources."""
    main = [item for item in config if item.key != "virtualhost"]
    if index is None:
        return limits(main, [])
    return limits(main, [item for item in config if item.key == "virtualhost"][index].children)


def mismatches(config: Sequence[Directive], server: Mapping[str, int], found: Plan) -> list[str]:
    """Return a sentence for each limit that Apache reads otherwise than it was asked for."""
    wrong = []
    for index, wanted in [(None, server), *sorted(found.vhosts.items())]:
        now = effective(config, index)
        for limit, value in wanted.items():
            if now[limit]["value"] != value:
                wrong.append(f"Apache reads {limit} {now[limit]['value']} from {now[limit]['source']}, not {value}.")
    return wrong


def request_problems(
    config: Sequence[Directive],
    sites: Sequence[Mapping[str, Any]],
    server: Mapping[str, int],
    found: Plan,
    real: Callable[[str], str],
) -> tuple[list[str], list[str]]:
    """Return (what must not be written, what is so already): php-cgi that end before mod_fcgid lets them go.

    ``config`` is the dump with all changes in place or still without them: what is asked for counts before it.
    """
    sections = [item for item in config if item.key == "virtualhost"]
    asked_for: list[str] = []
    as_it_is: list[str] = []
    for site in sites:
        if site["php"]["method"] not in PHP_CGI_METHODS:
            continue
        wrapper = site.get("wrapper")
        php, path = php_max_requests(wrapper), (wrapper or {}).get("path")
        for index in _indexes(site, sections, real) or [None]:
            here = found.vhosts.get(index, {}) if index is not None else {}
            own = index is not None and any(line.vhost is sections[index] for line in _of_requests(config))
            asked = MAX_REQUESTS in here or (MAX_REQUESTS in server and not own)
            limit = here.get(MAX_REQUESTS)
            if limit is None:
                limit = server[MAX_REQUESTS] if asked else effective(config, index)[MAX_REQUESTS]["value"]
            problem = request_problem(site["name"], limit, php, path)
            goal = asked_for if asked else as_it_is
            if problem and problem not in goal:
                goal.append(problem)
    return asked_for, as_it_is


def _of_requests(config: Sequence[Directive]) -> list[Line]:
    return [line for line in lines_of(config) if line.limit == MAX_REQUESTS]


def _indexes(site: Mapping[str, Any], sections: Sequence[Directive], real: Callable[[str], str]) -> list[int | None]:
    places = {(vhost["file"], vhost["line"]) for vhost in site["vhosts"]}
    return [index for index, item in enumerate(sections) if (real(item.file), item.line) in places]


def shown_sites(
    config: Sequence[Directive],
    sites: Sequence[Mapping[str, Any]],
    indexes: Mapping[str, int | None],
    names: Sequence[str],
) -> list[dict[str, Any]]:
    """Return for each site that mod_fcgid runs the limits of these names that hold there, as Apache reads them."""
    shown = []
    for site in sites:
        if site["php"]["method"] not in PHP_CGI_METHODS:
            continue
        now = effective(config, indexes.get(site["site"]))
        shown.append(
            {
                "name": site["name"],
                "site": site["site"],
                "limits": {name: now[name] for name in names},
                "php_max_requests": php_max_requests(site.get("wrapper")),
            }
        )
    return shown


def first_indexes(
    config: Sequence[Directive], sites: Sequence[Mapping[str, Any]], real: Callable[[str], str]
) -> dict[str, int | None]:
    """Return for each site the index of its first virtual host among all of them; None for the main server."""
    sections = [item for item in config if item.key == "virtualhost"]
    return {site["site"]: (_indexes(site, sections, real) or [None])[0] for site in sites}
