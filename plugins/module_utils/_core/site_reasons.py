# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Why a site can't be moved to PHP-FPM: one full sentence each, with the name, the value and what to do."""

from __future__ import annotations

import re
from typing import Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_config import section_path
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_sites import Vhost
from ansible_collections.phpops.webhost.plugins.module_utils._core.php_handling import Handling, describe
from ansible_collections.phpops.webhost.plugins.module_utils._core.wrapper import Wrapper

DEBIAN_BINARY = re.compile(r"/usr/bin/php-cgi(8\.2|8\.4)")


def where(directive: Directive) -> str:
    """A directive's place: file:line."""
    return f"{directive.file}:{directive.line}"


def _title(section: Directive) -> str:
    if not section.section:
        return f"{section.name} {section.arguments}"
    return f"<{section.name} {section.arguments}>"


def of_method(method: str, handler: str | None) -> list[str]:
    """What already runs without php-cgi."""
    if method == "mod_php":
        return [
            f"PHP runs in Apache itself (mod_php, handler {handler}): it is not php-cgi, and its processes share one "
            "OPcache segment already; leave it, or set up PHP-FPM by hand."
        ]
    if method == "proxy_fcgi":
        return [f"The site is already on PHP-FPM (handler {handler}): there is nothing to do."]
    return []


def of_vhosts(name: str, vhosts: Sequence[Vhost]) -> list[str]:
    """What the virtual hosts lack."""
    reasons = []
    for vhost in vhosts:
        section = vhost.section
        if section is None:
            reasons.append(
                "There is no <VirtualHost> in the configuration, PHP runs in the main server: put the site into a "
                "<VirtualHost> with a ServerName."
            )
        elif section.macro is not None:
            reasons.append(
                f"The virtual host {name} is written by the macro {section.macro} (used at {vhost.file}:{vhost.line}): "
                "a change would touch every site of the macro; write this <VirtualHost> out."
            )
        elif not vhost.named:
            reasons.append(
                f"The virtual host at {where(section)} has no ServerName of its own (Apache calls it {name}): add one."
            )
    return reasons


def of_handling(handling: Handling) -> list[str]:
    """Where the handler isn't the same for the whole site."""
    reasons = []
    runner = handling.runner
    if handling.only_part:
        section, _name, part = handling.exceptions[0]
        return [
            f"{_title(section)} at {where(section)} gives only a part of the site to PHP ({describe(part)}), the "
            "document root has none: move that part to a site of its own, or set the handler for the document root."
        ]
    for extension, other in handling.others:
        if handling.is_foreign(other):
            continue
        reasons.append(
            f"Files ending in {extension} are run by {describe(other)}, files ending in .php by {describe(runner)}: "
            "two different settings can't become one PHP-FPM pool; use one wrapper for both."
        )
    for section, name, other in handling.exceptions:
        if _htaccess_switches_off(section):
            continue
        reasons.append(
            f"{_title(section)} at {where(section)} gives {name} to {describe(other)} instead of {describe(runner)}: a "
            "part of the site with a PHP of its own can't be moved; make it a site of its own, or take the section out."
        )
    for section in handling.unsure:
        reasons.append(
            f"{_title(section)} at {where(section)} sets a handler for names that its pattern doesn't tell for sure: "
            "write it for a folder, a file or an extension."
        )
    for item in runner.settings.conditional:
        reasons.append(
            f"{item.name} {item.arguments} at {where(item)} stands in an <If>, so who runs PHP depends on the request: "
            "take it out of the condition."
        )
    for section in runner.settings.unknown_patterns:
        reasons.append(
            f"The pattern {section_path(section)[0]} at {where(section)} is one that can't be evaluated here: write it "
            "without features of PCRE alone."
        )
    return reasons


def warnings_of_handling(handling: Handling) -> list[str]:
    """Names that the site leaves to a handler of the whole server; they stay there."""
    warnings = [
        f"Files ending in {extension} are left to the server-wide handler at {where(other.decided_by[0])} "
        f"({describe(other)}): a migration of this site doesn't change that."
        for extension, other in handling.others
        if handling.is_foreign(other)
    ]
    warnings += [
        f"{item.name} {item.arguments} at {where(item)} doesn't switch PHP off: {name} goes to {describe(other)} then."
        for item, name, other in handling.exceptions
        if _htaccess_switches_off(item) and other.method != "none"
    ]
    return warnings


def _htaccess_switches_off(item: Directive) -> bool:
    """A .htaccess that takes PHP away below its folder; the migration makes an exception for that folder."""
    if item.section or not item.file.endswith(".htaccess"):
        return False
    words = item.words
    off = item.key == "sethandler" and words[:1] and words[0].lower() in ("none", "default-handler")
    return bool(off) or item.key in ("removehandler", "removetype")


def of_command(handling: Handling, wrapper: Wrapper | None, readable: bool, why: str | None) -> list[str]:
    """What is wrong with the wrapper or the binary."""
    runner = handling.runner
    if not runner.command:
        return [
            f"The handler {runner.handler} has no FcgidWrapper for .php, so mod_fcgid runs each script itself: name a "
            "wrapper that runs php-cgi."
        ]
    if wrapper is None or not readable:
        return [f"The wrapper {runner.command[0]} can't be read: {why or 'run with become.'}"]
    reasons = []
    if wrapper.unresolved:
        listed = "; ".join(wrapper.unresolved)
        reasons.append(
            f"The wrapper {wrapper.path} does what can't be read for certain ({listed}): write it as plain "
            "assignments, exports and one exec of php-cgi."
        )
    return reasons


def of_binary(wrapper: Wrapper, real: str | None) -> list[str]:
    """What is wrong with the program in the end: missing, or not Debian's php-cgi 8.2 or 8.4."""
    if wrapper.binary is None:
        return []
    if real is None:
        return [
            f"The wrapper {wrapper.path} runs {wrapper.binary}, which is not there: install it, or correct the path."
        ]
    if DEBIAN_BINARY.fullmatch(real) is None:
        return [
            f"The wrapper {wrapper.path} runs {real}, which is not Debian's own php-cgi 8.2 or 8.4: only those have a "
            "PHP-FPM of the same version here; point it to /usr/bin/php-cgi8.2 or 8.4."
        ]
    return []


def of_interpreter(wrapper: Wrapper, exists: bool) -> list[str]:
    """A script whose interpreter isn't installed never ran."""
    if wrapper.interpreter is None or exists:
        return []
    return [f"The wrapper {wrapper.path} wants {wrapper.interpreter}, which is not there: install it."]


def of_identity(given: str, kind: str, resolved: bool) -> list[str]:
    """A suexec user or group that doesn't exist."""
    if resolved:
        return []
    return [f"SuexecUserGroup names the {kind} {given}, which doesn't exist on this host: create it."]


def of_server(main: Sequence[Directive]) -> list[str]:
    """What holds for all sites of the host."""
    for item in main:
        if item.key == "chrootdir" and item.words:
            return [
                f"Apache runs in a chroot ({item.name} {item.words[0]} at {where(item)}): paths differ between Apache "
                "and PHP-FPM; take the chroot out first."
            ]
    return []


def differing(name: str, vhosts: Sequence[Vhost], handlings: Sequence[Handling]) -> list[str]:
    """Two virtual hosts of one site that run PHP differently."""
    shown = ", ".join(
        f"{' '.join(vhost.addresses)} by {describe(handling.runner)}" for vhost, handling in zip(vhosts, handlings)
    )
    return [
        f"The virtual hosts of {name} run PHP differently ({shown}): give all of them the same handler and wrapper."
    ]
