# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Puts together what Apache, wrappers, .htaccess files and error logs say about every PHP site of a host."""

from __future__ import annotations

import grp
import os
import posixpath
import pwd
from dataclasses import asdict, dataclass
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import fcgid_settings, site_reasons
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_config import (
    Place,
    settings_at,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_handlers import PHP_CGI_METHODS, Server
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_sites import (
    Group,
    Vhost,
    chains,
    find_vhosts,
    finding,
    group_vhosts,
    name_slugs,
    suexec_identity,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.htaccess import findings as htaccess_findings
from ansible_collections.phpops.webhost.plugins.module_utils._core.php_handling import (
    Handling,
    handling_of,
    same_everywhere,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.wrapper import (
    APACHE_PATH,
    MAX_SCRIPT_CHARACTERS,
    SUEXEC_PATH,
    Wrapper,
    read_direct_binary,
    read_wrapper,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache import Apache, is_running
from ansible_collections.phpops.webhost.plugins.module_utils._host.error_log import scan_error_log
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable, read_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._host.htaccess import Scan

_MAX_WRAPPER_BYTES = 64 * 1024 * 1024


@dataclass
class Limits:
    """The bounds of one run."""

    htaccess_max_directories: int = 20000
    htaccess_max_seconds: float = 10.0
    error_log_max_bytes: int = 64 * 1024 * 1024


class Sites:
    """All PHP sites of one Apache."""

    def __init__(self, apache: Apache, limits: Limits) -> None:
        self.apache = apache
        self.limits = limits
        self.main, self.vhosts = find_vhosts(apache.config, apache.vhosts, apache.run)
        self.above = chains(apache.config)
        self.server_root = apache.run.get("server_root", "/etc/apache2")
        names = [item.words[0] for item in self.main if item.key == "accessfilename" and item.words]
        self.scan = Scan(
            apache.modules, limits.htaccess_max_directories, limits.htaccess_max_seconds, (names or [".htaccess"])[-1]
        )
        self._logs: dict[str | None, dict[str, Any]] = {}
        self._htaccess: dict[str, dict[str, list[Directive]]] = {}

    def facts(self) -> dict[str, Any]:
        """The value of phpops_php_sites."""
        groups = []
        for group in group_vhosts(self.vhosts):
            found = self._handle(group)
            if found:
                groups.append((group, found))
        name_slugs([group for group, _found in groups])
        sites = [self._site(group, found) for group, found in groups]
        run = self.apache.run
        return {
            "available": True,
            "reason": None,
            "apache": {
                "version": self.apache.version,
                "mpm": self.apache.mpm,
                "modules": self.apache.modules,
                "config_root": self.server_root,
                "user": run.get("user"),
                "group": run.get("group"),
                "error_log": run.get("error_log"),
                "pid_file": run.get("pid_file"),
                "running": is_running(run.get("pid_file")),
                "shm_errors": self._log(run.get("error_log")),
            },
            "htaccess_scan": {
                "directories": self.scan.directories,
                "seconds": self.scan.seconds,
                "complete": not self.scan.reasons,
                "reasons": self.scan.reasons,
            },
            "sites": sites,
        }

    def _log(self, path: str | None) -> dict[str, Any]:
        if path not in self._logs:
            self._logs[path] = scan_error_log(path, self.server_root, self.limits.error_log_max_bytes)
        return self._logs[path]

    def _server(self, vhost: Vhost) -> Server:
        children: Sequence[Directive] = vhost.section.children if vhost.section else []
        key = f"{vhost.document_root}\n{id(vhost.section)}"
        if key not in self._htaccess:
            self._htaccess[key] = self._find_htaccess(children, vhost.document_root)
        return Server(self.main, children, vhost.document_root, self.apache.modules, self._htaccess[key])

    def _find_htaccess(self, children: Sequence[Directive], root: str) -> dict[str, list[Directive]]:
        def allowed(folder: str) -> bool:
            settings = settings_at(self.main, children, Place(folder.rstrip("/"), "/", ""))
            override = settings.allow_override
            return override is not None and any(word.lower() != "none" for word in override.words)

        overrides = [
            item
            for section in [*self.main, *children]
            for item in section.children
            if section.key in ("directory", "directorymatch") and item.key == "allowoverride"
        ]
        if not root or not any(word.lower() != "none" for item in overrides for word in item.words):
            return {}
        return self.scan.find(root, allowed)

    def _handle(self, group: Group) -> list[Handling]:
        """Say how each virtual host of a group runs PHP; [] when none does. Those without PHP leave the group."""
        found = []
        for vhost in list(group.vhosts):
            server = self._server(vhost)
            handling = handling_of(server)
            if handling.runner.method == "none" or not vhost.document_root:
                group.vhosts.remove(vhost)
                continue
            group.servers.append(server)
            found.append(handling)
        return found

    def _site(self, group: Group, handlings: list[Handling]) -> dict[str, Any]:
        vhost, server, handling = group.vhosts[0], group.servers[0], handlings[0]
        runner = handling.runner
        reasons: list[str] = []
        warnings: list[str] = []
        user, owner_group, suexec = self._identity(vhost, reasons)
        environment, dropped, mistakes = fcgid_settings.initial_environment(self.main, server.vhost, suexec)
        warnings += [
            f"{item.name} {item.words[0].split('=')[0]}=… at {item.file}:{item.line} wants a blank after the name: "
            "php-cgi sees the value with an equals sign at its end."
            for item in mistakes
        ]
        warnings += site_reasons.warnings_of_handling(handling)
        wrapper, shown, binary = self._wrapper(handling, environment, suexec, reasons)
        site: dict[str, Any] = {
            "name": group.name,
            "site": group.slug,
            "names": list(dict.fromkeys(name for item in group.vhosts for name in (item.server_name, *item.aliases))),
            "addresses": sorted({address for item in group.vhosts for address in item.addresses}),
            "vhosts": [self._vhost(item) for item in group.vhosts],
            "document_root": vhost.document_root,
            "user": user,
            "group": owner_group,
            "suexec": suexec,
            "php": {
                "method": runner.method,
                "handler": runner.handler,
                "semantics": runner.semantics,
                "extensions": handling.extensions,
                "patterns": handling.patterns,
                "binary": binary,
                "version": _version(binary),
                "findings": [finding(item, self.above) for item in runner.decided_by],
                "server_wide": not any(_inside(item, self.above, vhost) for item in runner.decided_by[:1]),
                "action": runner.action,
                "virtual": runner.virtual,
            },
            "wrapper": shown,
            "fcgid": {
                "directives": fcgid_settings.limits(self.main, server.vhost),
                "initial_env": environment,
                "initial_env_dropped": dropped,
            },
            "php_values": [_php_value(item) for item in runner.settings.php_values if item.words],
            # Not set is None: Apache 2.4's default.
            "allow_override": runner.settings.allow_override.words if runner.settings.allow_override else ["None"],
            "htaccess": [item for directives in server.htaccess.values() for item in htaccess_findings(directives)],
            "error_log": vhost.error_log,
            "shm_errors": self._log(vhost.error_log),
            "underneath": None,
            "warnings": warnings,
        }
        if wrapper is not None and runner.command and not runner.settings.options_exec and not runner.action:
            warnings.append(f"Options ExecCGI is not on in {vhost.document_root}: mod_fcgid answers 403 until it is.")
        reasons = self._reasons(group, handlings, reasons)
        self._mark_own(site, runner.settings.own, reasons)
        site["reasons"] = reasons
        site["migratable"] = not reasons
        return site

    def _reasons(self, group: Group, handlings: list[Handling], found: list[str]) -> list[str]:
        runner = handlings[0].runner
        already = site_reasons.of_method(runner.method, runner.handler)
        if already:
            return already
        reasons = site_reasons.of_server(self.main) + site_reasons.of_vhosts(group.name, group.vhosts)
        for handling in handlings:
            reasons += [item for item in site_reasons.of_handling(handling) if item not in reasons]
        if not same_everywhere(handlings):
            reasons += site_reasons.differing(group.name, group.vhosts, handlings)
        return reasons + found

    @staticmethod
    def _mark_own(site: dict[str, Any], own: Directive | None, reasons: list[str]) -> None:
        """Show a site that phpops moved as what it is, and what stands underneath as ``underneath``."""
        if own is None:
            return
        site["underneath"] = {"php": site["php"], "wrapper": site["wrapper"]}
        site["php"] = {
            **site["php"],
            "method": "proxy_fcgi",
            "handler": own.words[0],
            "findings": [
                {"directive": own.name, "arguments": own.words, "file": own.file, "line": own.line, "section": []}
            ],
        }
        site["wrapper"] = None
        reasons[:] = site_reasons.of_method("proxy_fcgi", own.words[0])

    @staticmethod
    def _vhost(vhost: Vhost) -> dict[str, Any]:
        return {
            "file": os.path.realpath(vhost.file) if vhost.file else None,
            "enabled_path": vhost.file or None,
            "line": vhost.line,
            "server_name": vhost.server_name,
            "address": " ".join(vhost.addresses),
            "macro": vhost.section.macro if vhost.section else None,
        }

    def _identity(self, vhost: Vhost, reasons: list[str]) -> tuple[str | None, str | None, bool]:
        given = suexec_identity(self.main, vhost)
        if given is None:
            return self.apache.run.get("user"), self.apache.run.get("group"), False
        user = _resolve(given[0], lambda text: pwd.getpwnam(text).pw_name, lambda number: pwd.getpwuid(number).pw_name)
        group = _resolve(given[1], lambda text: grp.getgrnam(text).gr_name, lambda number: grp.getgrgid(number).gr_name)
        reasons += site_reasons.of_identity(given[0], "user", user is not None)
        reasons += site_reasons.of_identity(given[1], "group", group is not None)
        return user, group, given[2].key == "suexecusergroup"

    def _wrapper(
        self, handling: Handling, environment: Mapping[str, str], suexec: bool, reasons: list[str]
    ) -> tuple[Wrapper | None, dict[str, Any] | None, str | None]:
        """Read the wrapper: (it, as the facts show it, the real path of php-cgi), and add what is wrong to reasons."""
        runner = handling.runner
        if runner.method not in PHP_CGI_METHODS:
            return None, None, None
        if not runner.command:
            reasons += site_reasons.of_command(handling, None, False, None)
            return None, None, None
        path, arguments = runner.command[0], runner.command[1:]
        search = SUEXEC_PATH if suexec else APACHE_PATH
        initial = {"PATH": search, **environment}
        try:
            content = read_bytes(path, _MAX_WRAPPER_BYTES)
        except Unreadable as error:
            reasons += site_reasons.of_command(handling, None, False, error.reason)
            return None, {**asdict(Wrapper(path)), "readable": False}, None
        if content.startswith(b"\x7fELF"):
            wrapper = read_direct_binary(path, arguments, initial)
        else:
            wrapper = read_wrapper(
                content[: 4 * MAX_SCRIPT_CHARACTERS + 4].decode("utf-8", "replace"), path, initial, arguments
            )
        reasons += site_reasons.of_command(handling, wrapper, True, None)
        interpreter = (wrapper.interpreter or "").split(" ")[0]
        reasons += site_reasons.of_interpreter(wrapper, os.access(interpreter, os.X_OK))
        binary = _program(wrapper, search)
        reasons += site_reasons.of_binary(wrapper, binary)
        return wrapper, {**asdict(wrapper), "readable": True}, binary


def _resolve(given: str, by_name: Callable[[str], str], by_number: Callable[[int], str]) -> str | None:
    try:
        return by_number(int(given[1:])) if given.startswith("#") else by_name(given)
    except (KeyError, ValueError, OverflowError):
        return None


def _program(wrapper: Wrapper, search: str) -> str | None:
    """The real path of the program that a wrapper runs, or None when it isn't there."""
    if wrapper.binary is None:
        return None
    if "/" in wrapper.binary:
        candidates = [posixpath.join(posixpath.dirname(wrapper.path), wrapper.binary)]
    else:
        candidates = [f"{folder}/{wrapper.binary}" for folder in search.split(":")]
    found = next((path for path in candidates if os.access(path, os.X_OK)), None)
    return os.path.realpath(found) if found else None


def _version(binary: str | None) -> str | None:
    match = site_reasons.DEBIAN_BINARY.fullmatch(binary or "")
    return match.group(1) if match else None


def _inside(item: Directive, above: Mapping[int, list[Directive]], vhost: Vhost) -> bool:
    return any(section is vhost.section for section in above.get(id(item), [])) or item.file.endswith(".htaccess")


def _php_value(item: Directive) -> dict[str, Any]:
    words = item.words
    return {
        "kind": item.key,
        "name": words[0],
        "value": words[1] if len(words) > 1 else "",
        "file": item.file,
        "line": item.line,
    }


def clean(value: Any) -> Any:
    """Replace what is no Unicode in any string below ``value``: a facts module must answer valid JSON."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(item) for item in value]
    return value
