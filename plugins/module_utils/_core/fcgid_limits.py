# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Limits of mod_fcgid as they are asked for: checked, put into words for Apache, and what stands in their way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Iterator, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_settings import LIMITS, OLD_NAMES, canonical

HEADER = "# Ansible managed: phpops.webhost, role fcgid_limits"
# Never "# BEGIN phpops.webhost NAME": so begin the blocks of sites that were handed to PHP-FPM.
BEGIN = "# BEGIN phpops.webhost.fcgid_limits"
END = "# END phpops.webhost.fcgid_limits"
MAX_REQUESTS = "FcgidMaxRequestsPerProcess"
# What PHP takes when PHP_FCGI_MAX_REQUESTS is not set (sapi/cgi/cgi_main.c).
PHP_MAX_REQUESTS = 500
# Least and largest value that does what its name says, where it is not 0 and a long. Zero times and counts stop php-cgi
# (fcgid_pm_main.c, fcgid_spawn_ctl.c); the table of processes has 1024 places (fcgid_proctbl.h).
_RANGES: dict[str, tuple[int, int]] = {
    "FcgidBusyTimeout": (1, 2**31 - 1),
    "FcgidConnectTimeout": (1, 2**31 - 1),
    "FcgidFixPathinfo": (0, 1),
    "FcgidIOTimeout": (1, 2**31 - 1),
    "FcgidMaxProcesses": (1, 1024),
    "FcgidMaxProcessesPerClass": (1, 1024),
    "FcgidMinProcessesPerClass": (0, 1024),
    "FcgidSpawnScoreUpLimit": (1, 2**31 - 1),
}
_LARGE = ("FcgidMaxRequestLen", "FcgidMaxRequestInMem")
_SOURCE_OF_MACRO = re.compile(r"macro '")


class LimitError(ValueError):
    """A limit can't be had as it was asked for; one sentence with the cure."""


@dataclass(frozen=True)
class Line:
    """One line that sets a limit; `vhost` is the section that it stands in, None for the server's own configuration."""

    limit: str
    directive: Directive
    vhost: Directive | None

    @property
    def value(self) -> str:
        """The value as it is written."""
        return self.directive.words[0] if self.directive.words else ""


def checked(values: Mapping[str, Any], place: str, server: bool) -> dict[str, int]:
    """Return limits with their names in full and their values as numbers, in the order of their names.

    `place` is for the message; `server` tells whether they go into the server's own configuration. Raises LimitError.
    """
    found: dict[str, int] = {}
    for name, value in values.items():
        limit = canonical(str(name))
        if limit not in LIMITS:
            raise LimitError(f"{place}: {name} is no limit of mod_fcgid; give one of {', '.join(sorted(LIMITS))}.")
        if limit in found:
            raise LimitError(f"{place}: {limit} is given twice, once by its old name; give it once.")
        if LIMITS[limit][1] and not server:
            raise LimitError(
                f"{place}: Apache takes {limit} for the whole server alone; give it among the server's limits."
            )
        least, largest = _RANGES.get(limit, (0, 2**63 - 1 if limit in _LARGE else 2**31 - 1))
        text = str(value).strip()
        if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,19}", text) or not least <= int(text) <= largest:
            raise LimitError(f"{place}: {limit} is {value!r}; give a whole number from {least} to {largest}.")
        found[limit] = int(text)
    return dict(sorted(found.items()))


def server_text(values: Mapping[str, int], record: str) -> str:
    """Return the file with the server's limits; `record` is the path of what was changed in other files."""
    lines = [HEADER, f"# What was changed in other files for it: {record}", "<IfModule mod_fcgid.c>"]
    lines += [f"    {limit} {value}" for limit, value in values.items()]
    return "\n".join([*lines, "</IfModule>"]) + "\n"


def vhost_block(values: Mapping[str, int]) -> str:
    """Return the lines for the end of a virtual host, indented by four blanks."""
    lines = [BEGIN, "<IfModule mod_fcgid.c>"]
    lines += [f"    {limit} {value}" for limit, value in values.items()]
    return "".join(f"    {line}\n" for line in [*lines, "</IfModule>", END])


def lines_of(config: Sequence[Directive]) -> list[Line]:
    """Return the lines that set limits, in the order in which Apache reads them. It takes none in other sections."""
    found = []
    for item in config:
        if item.key == "virtualhost":
            found += [Line(canonical(one.name), one, item) for one in item.children if canonical(one.name) in LIMITS]
        elif canonical(item.name) in LIMITS:
            found.append(Line(canonical(item.name), item, None))
    return found


def later_lines(lines: Sequence[Line], wanted: Mapping[str, int], own: str) -> list[Line]:
    """Return the server's own lines that win over those of the file `own`, as they stand behind them.

    Raises LimitError when Apache does not read that file.
    """
    server = [line for line in lines if line.vhost is None]
    found = []
    for limit, value in wanted.items():
        same = [line for line in server if line.limit == limit]
        place = max((index for index, line in enumerate(same) if line.directive.file == own), default=None)
        if place is None:
            raise LimitError(
                f"Apache does not read {own}: let apache2.conf have the line IncludeOptional conf-enabled/*.conf."
            )
        # Between two lines of ours nothing may stand, and one with the same value does no harm.
        found += [line for line in same[place + 1 :] if line.value != str(value)]
    return found


def vhost_lines(lines: Sequence[Line], wanted: Mapping[str, int]) -> list[Line]:
    """Return the lines in virtual hosts that win there over a limit of the server, with another value than it."""
    own = [line for line in lines if line.vhost is not None and line.limit in wanted]
    return [line for line in own if line.value != str(wanted[line.limit])]


def everywhere(config: Sequence[Directive]) -> Iterator[Directive]:
    """Yield each directive and section of a configuration, those inside of sections too."""
    for item in config:
        yield item
        yield from everywhere(item.children)


def old_names(config: Sequence[Directive]) -> list[tuple[Directive, str]]:
    """Return the directives that have a name of before mod_fcgid 2.3.6, each with its present name."""
    # FCGIWrapper and such are found in any section; FcgidX is never an old name.
    return [(item, OLD_NAMES[item.key]) for item in everywhere(config) if item.key in OLD_NAMES and not item.section]


def is_of_macro(directive: Directive) -> bool:
    """Tell whether a macro wrote the line, so that no file holds it as it is read."""
    return bool(_SOURCE_OF_MACRO.match(directive.file))


def command_options(config: Sequence[Directive]) -> list[Directive]:
    """Return the FcgidCmdOptions lines, whose commands get none of the other limits."""
    return [item for item in everywhere(config) if item.key == "fcgidcmdoptions"]


def php_max_requests(wrapper: Mapping[str, Any] | None) -> int | None:
    """Return after how many requests php-cgi ends by itself: 0 for never, None where that can't be told.

    `wrapper` is a site's in phpops_php_sites. With PHP_FCGI_CHILDREN the process that mod_fcgid knows stays.
    """
    if not wrapper or not wrapper.get("readable"):
        return None
    if wrapper.get("php_fcgi_children"):
        return 0
    requests = wrapper.get("php_fcgi_max_requests")
    if requests is not None:
        return max(0, int(requests))
    return None if wrapper.get("unresolved") else PHP_MAX_REQUESTS


def request_problem(site: str, limit: int, php: int | None, path: str | None) -> str | None:
    """Return a sentence when php-cgi may end by itself before mod_fcgid lets it go: the next request gets a 500 then.

    A limit of mod_fcgid of 0 or less is none.
    """
    if not php or 0 < limit <= php:
        return None
    known = f"{limit}" if limit > 0 else "0 (never)"
    return (
        f"Site {site}: mod_fcgid lets a php-cgi go after {known} requests, but php-cgi ends by itself after {php}, and"
        f" a request that meets its end gets a 500: set {MAX_REQUESTS} to 1 up to {php} for this site, or"
        f" PHP_FCGI_MAX_REQUESTS in {path or 'its wrapper'} to 0."
    )
