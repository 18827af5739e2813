# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What one PHP site is: validated, with its defaults, and merged with what was stored for it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, fields
from typing import Any, List, Mapping, NoReturn, Sequence, Union

NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,31}$")
_PATTERNS = {
    "account": (re.compile(r"^[A-Za-z_][A-Za-z0-9_.-]{0,31}$"), "the name of an account of this host"),
    "php_version": (re.compile(r"^[78]\.\d$"), "a version like 8.2"),
    "directive": (re.compile(r"^[A-Za-z][A-Za-z0-9_.-]*$"), "the name of a php.ini directive"),
    "variable": (re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$"), "the name of an environment variable"),
    "umask": (re.compile(r"^0?[0-7]{3}$"), "three octal digits, quoted, such as '022'"),
    "extension": (re.compile(r"^\.[A-Za-z0-9_.-]+$"), "an extension with its dot, such as .php"),
    "unit_path": (re.compile(r"^/[A-Za-z0-9_./@+-]*$"), "an absolute path of letters, digits and _ . / @ + -"),
    "release": (
        re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"),
        "1 to 64 letters, digits and . _ -, with a letter or digit first",
    ),
    "header": (re.compile(r"^[A-Za-z][A-Za-z0-9-]*$"), "the name of an HTTP header"),
    "hardening": (
        re.compile(r"[A-Z][A-Za-z0-9]*=(?:[^\x00-\x1f]*[^\x00-\x1f\\])?"),
        "a line Directive=value for [Service]",
    ),
}
MODES = ("ondemand", "dynamic", "static")
METHODS = ("GET", "HEAD", "POST")
SCRIPT_ROOTS = ("auto", "document_root", "pointer")
# Directives that the slot itself stands on.
RESERVED_HARDENING = ("User", "Group", "BindReadOnlyPaths", "Environment", "KillMode", "KillSignal", "Type", "UMask")

IniValue = Union[str, List[str]]


class SpecError(ValueError):
    """An option of a site can't be used; the text names the site, the option, the value and the cure."""


@dataclass(frozen=True)
class ProcessManager:
    """FPM's pm.* settings; start_servers and the spare servers count with mode dynamic only."""

    mode: str = "ondemand"
    max_children: int = 5
    start_servers: int | None = None
    min_spare_servers: int = 1
    max_spare_servers: int = 3
    process_idle_timeout_seconds: int = 10
    max_requests: int = 0


@dataclass(frozen=True)
class EntryPoint:
    """One request that primes and checks a slot.

    An empty host is the site's name, an empty script the one that the path names. A POST sends an empty form.
    """

    path: str = "/index.php"
    host: str = ""
    query: str = ""
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    contains: str = ""
    script: str = ""
    https: bool = False


@dataclass(frozen=True)
class Release:
    """The release that a slot serves: its id and directory, and the ids that were live before it, oldest first."""

    id: str
    path: str
    history: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SiteSpec:
    """A site. Sizes are bytes, times seconds; None is "unlimited" or "PHP's own"."""

    name: str
    user: str
    group: str
    php_version: str
    document_root: str
    web_group: str = "www-data"
    php_ini: str | None = None
    ini_scan_dirs: list[str] = field(default_factory=list)
    ini: dict[str, IniValue] = field(default_factory=dict)
    opcache: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    process_manager: ProcessManager = field(default_factory=ProcessManager)
    request_terminate_timeout_seconds: int = 0
    process_control_timeout_seconds: int = 60
    limit_extensions: list[str] = field(default_factory=lambda: [".php"])
    umask: str = "022"
    memory_high_bytes: int | None = None
    memory_max_bytes: int | None = None
    hardening: list[str] = field(default_factory=list)
    entry_points: list[EntryPoint] = field(default_factory=list)
    script_root: str = "auto"
    release: Release | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the spec as plain values, as site.json stores it; without a release they are site_slot's options."""
        found = asdict(self)
        return found if self.release is not None else {key: value for key, value in found.items() if key != "release"}


def merge(stored: Mapping[str, Any] | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a site: what was given, else what was stored. None is "not given".

    process_manager is merged by key; lists and all other dictionaries are replaced whole, so that keys can go.
    """
    merged = dict(stored or {})
    for key, value in given.items():
        if value is None:
            continue
        if key == "process_manager":
            merged[key] = {**merged.get(key, {}), **{k: v for k, v in value.items() if v is not None}}
        else:
            merged[key] = value
    return merged


class _Check:
    """Collects nothing: the first option that can't be used raises a SpecError that names the site."""

    def __init__(self, site: str) -> None:
        self.site = site

    def fail(self, option: str, value: Any, cure: str) -> NoReturn:
        raise SpecError(f"Site {self.site}: {option} is {value!r}; give {cure}.")

    def match(self, option: str, value: Any, pattern: str) -> None:
        expression, cure = _PATTERNS[pattern]
        if not isinstance(value, str) or not expression.fullmatch(value):
            self.fail(option, value, cure)

    def one_of(self, option: str, value: Any, allowed: tuple[str, ...]) -> None:
        if value not in allowed:
            self.fail(option, value, "one of " + ", ".join(allowed))

    def number(self, option: str, value: Any, least: int, most: int = 2**53) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.fail(option, value, f"a whole number from {least} to {most}" if most < 2**53 else f"at least {least}")

    def line(self, option: str, value: Any, what: str = "one line of text without control characters") -> None:
        if not isinstance(value, str) or re.search(r"[\x00-\x1f\x7f]", value):
            self.fail(option, value, what)


def build(options: Mapping[str, Any]) -> SiteSpec:
    """Return the validated spec of merged options; SpecError names the first one that can't be used."""
    name = options.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise SpecError(
            f"Site name {name!r} can't be used: give 1 to 32 characters of a-z, 0-9, _ and -,"
            " with a letter or digit first."
        )
    check = _Check(name)
    known = {item.name for item in fields(SiteSpec)}
    for key in options:
        if key not in known:
            check.fail(key, options[key], "an option that site_slot has")
    for key in ("user", "php_version", "document_root"):
        if not options.get(key):
            raise SpecError(f"Site {name}: {key} is missing; a site's first run needs it.")
    values = {**options, "group": options.get("group") or options["user"]}
    values["process_manager"] = _process_manager(check, values.get("process_manager") or {})
    values["entry_points"] = [_entry_point(check, entry) for entry in values.get("entry_points") or []]
    values["release"] = _release(check, values.get("release"), str(values["document_root"]))
    # None is "as the site has it" where options come from; 0 is how a limit is taken away.
    values.update({key: values.get(key) or None for key in ("memory_high_bytes", "memory_max_bytes")})
    spec = SiteSpec(**values)
    _check_accounts_and_paths(check, spec)
    _check_php(check, spec)
    _check_unit(check, spec)
    return spec


def _process_manager(check: _Check, given: Mapping[str, Any]) -> ProcessManager:
    known = {item.name for item in fields(ProcessManager)}
    for key in given:
        if key not in known:
            check.fail(f"process_manager.{key}", given[key], "one of " + ", ".join(sorted(known)))
    manager = ProcessManager(**given)
    check.one_of("process_manager.mode", manager.mode, MODES)
    check.number("process_manager.max_children", manager.max_children, 1, 10000)
    check.number("process_manager.process_idle_timeout_seconds", manager.process_idle_timeout_seconds, 1)
    check.number("process_manager.max_requests", manager.max_requests, 0)
    if manager.mode == "dynamic":
        least, most = manager.min_spare_servers, manager.max_spare_servers
        check.number("process_manager.max_spare_servers", most, 1, manager.max_children)
        check.number("process_manager.min_spare_servers", least, 1, most)
        if manager.start_servers is not None:
            check.number("process_manager.start_servers", manager.start_servers, least, most)
    return manager


def entry_points(site: str, given: Sequence[Mapping[str, Any]]) -> list[EntryPoint]:
    """Return validated entry points; SpecError names the first option that can't be used, and the site."""
    return [_entry_point(_Check(site), entry) for entry in given]


def _entry_point(check: _Check, given: Mapping[str, Any]) -> EntryPoint:
    known = {item.name for item in fields(EntryPoint)}
    entry = EntryPoint(**{key: value for key, value in given.items() if key in known and value is not None})
    check.line("entry_points.path", entry.path)
    if not entry.path.startswith("/") or "?" in entry.path:
        check.fail("entry_points.path", entry.path, "the URL's path, with its first /; what follows ? goes to query")
    if "/../" in entry.path + "/":
        check.fail("entry_points.path", entry.path, "a path without ..")
    check.line("entry_points.script", entry.script)
    if entry.script and (not entry.script.startswith("/") or "?" in entry.script or "/../" in entry.script + "/"):
        check.fail("entry_points.script", entry.script, "the script with its first /, such as /index.php")
    check.one_of("entry_points.method", entry.method, METHODS)
    check.number("entry_points.status", entry.status, 100, 599)
    for option, value in (("host", entry.host), ("query", entry.query)):
        check.line(f"entry_points.{option}", value)
    for header, value in entry.headers.items():
        check.match("entry_points.headers", header, "header")
        check.line(f"entry_points.headers.{header}", value)
    return entry


def _release(check: _Check, given: Mapping[str, Any] | None, document_root: str) -> Release | None:
    if given is None:
        return None
    release = Release(given.get("id", ""), given.get("path", ""), list(given.get("history") or []))
    check.match("release.id", release.id, "release")
    for earlier in release.history:
        check.match("release.history", earlier, "release")
    check.line("release.path", release.path)
    if not release.path.startswith("/") or "/../" in release.path + "/":
        check.fail("release.path", release.path, "an absolute path without ..")
    if not (document_root + "/").startswith(release.path.rstrip("/") + "/"):
        check.fail("document_root", document_root, f"the release's folder {release.path} or one below it")
    return release


def _check_accounts_and_paths(check: _Check, spec: SiteSpec) -> None:
    for option in ("user", "group", "web_group"):
        check.match(option, getattr(spec, option), "account")
    if spec.user == "root":
        check.fail("user", spec.user, "the site's own user, never root")
    check.match("php_version", spec.php_version, "php_version")
    check.line("document_root", spec.document_root)
    if not spec.document_root.startswith("/") or "/../" in spec.document_root + "/":
        check.fail("document_root", spec.document_root, "an absolute path without ..")
    if spec.php_ini is not None:
        check.match("php_ini", spec.php_ini, "unit_path")
    for path in spec.ini_scan_dirs:
        check.match("ini_scan_dirs", path, "unit_path")
    check.one_of("script_root", spec.script_root, SCRIPT_ROOTS)


def _check_php(check: _Check, spec: SiteSpec) -> None:
    for option, table in (("ini", spec.ini), ("opcache", spec.opcache)):
        for directive, value in table.items():
            check.match(option, directive, "directive")
            for item in value if isinstance(value, list) else [value]:
                check.line(f"{option}.{directive}", item)
    for directive in spec.opcache:
        if not directive.startswith("opcache."):
            check.fail("opcache", directive, "directives that begin with opcache.; all others go to ini")
    for directive in spec.ini:
        if directive in spec.opcache:
            check.fail("ini", directive, "that directive in opcache only")
    for variable, value in spec.environment.items():
        check.match("environment", variable, "variable")
        check.line(f"environment.{variable}", value)
    for extension in spec.limit_extensions:
        check.match("limit_extensions", extension, "extension")
    check.number("request_terminate_timeout_seconds", spec.request_terminate_timeout_seconds, 0)
    check.number("process_control_timeout_seconds", spec.process_control_timeout_seconds, 1, 86400)


def _check_unit(check: _Check, spec: SiteSpec) -> None:
    check.match("umask", spec.umask, "umask")
    for option in ("memory_high_bytes", "memory_max_bytes"):
        if getattr(spec, option) is not None:
            check.number(option, getattr(spec, option), 1024 * 1024)
    for line in spec.hardening:
        check.match("hardening", line, "hardening")
        directive = line.partition("=")[0]
        if directive in RESERVED_HARDENING or directive.startswith(("Exec", "Restart", "Timeout", "Memory")):
            check.fail("hardening", line, f"no {directive}=, which the slot itself sets")


def _leaves(prefix: str, value: Any) -> dict[str, Any]:
    """Return a value's leaves by dotted name; directives keep their own."""
    if not isinstance(value, dict):
        return {prefix: value}
    found: dict[str, Any] = {}
    for key, item in value.items():
        path = key if prefix in ("opcache", "ini") else f"{prefix}.{key}" if prefix else str(key)
        found.update(_leaves(path, item))
    return found


def differences(old: SiteSpec, new: SiteSpec) -> list[str]:
    """Return why a new master is needed, a phrase for each option: "opcache.memory_consumption 64 → 32".

    What no master reads (entry points, what was live before) is no reason; the values of environment variables are not
    shown. Another release is one reason, whatever folders come with it.
    """
    before, after = _leaves("", old.as_dict()), _leaves("", new.as_dict())
    ids = [spec.release.id if spec.release else "unset" for spec in (old, new)]
    passed = ["entry_points", "script_root", "release", "release.id", "release.history"]
    reasons = []
    if ids[0] != ids[1]:
        reasons, passed = [f"release {ids[0]} → {ids[1]}"], [*passed, "release.path", "document_root"]
    for key in sorted(set(before) | set(after)):
        if before.get(key) == after.get(key) or key in passed:
            continue
        if key.startswith("environment."):
            reasons.append(
                f"{key} {'changed' if key in before and key in after else 'set' if key in after else 'unset'}"
            )
        else:
            old_text, new_text = ("unset" if side.get(key) in (None, "", []) else side[key] for side in (before, after))
            reasons.append(f"{key} {old_text} → {new_text}")
    return reasons
