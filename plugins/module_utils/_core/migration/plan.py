# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Plans the move of php-cgi sites to PHP-FPM: for each site its spec, its block, and what the admin must know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_handlers import PHP_CGI_METHODS
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration import carry, handlers
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.block import (
    Block,
    BlockError,
    Rule,
    render,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.notes import Notes, Refused

OVERRIDES = frozenset(
    (
        "accept_unresolved",
        "entry_points",
        "environment",
        "extensions",
        "hardening",
        "ini",
        "ini_scan_dirs",
        "limit_extensions",
        "memory_high_bytes",
        "memory_max_bytes",
        "opcache",
        "php_ini",
        "process_control_timeout_seconds",
        "process_manager",
        "read_timeout_seconds",
        "request_body_bytes",
        "request_terminate_timeout_seconds",
        "umask",
    )
)
_MERGED = ("environment", "ini", "opcache", "process_manager")
_BLOCK_ONLY = ("accept_unresolved", "extensions", "read_timeout_seconds", "request_body_bytes")
_NUMBERS = ("read_timeout_seconds", "request_body_bytes")


@dataclass(frozen=True)
class Found:
    """What was read on the host for one site, beside the facts.

    last_extensions: of existing files that the old handler takes. scan_complete: whether all folders were looked at.
    """

    ini: carry.IniFiles = field(default_factory=carry.IniFiles)
    last_extensions: tuple[str, ...] = ()
    scan_complete: bool = True
    entry_points: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class SitePlan:
    """The plan of one site; spec and block are empty where it is refused."""

    name: str
    site: str
    refused: str | None
    spec: dict[str, Any] = field(default_factory=dict)
    block: str = ""
    names: tuple[str, ...] = ()
    vhosts: tuple[dict[str, Any], ...] = ()
    carried: tuple[dict[str, str], ...] = ()
    reported: tuple[str, ...] = ()


class PlanError(ValueError):
    """The request names a site or an override that doesn't exist; one sentence."""


def choose(facts: Mapping[str, Any], names: Sequence[str]) -> list[Mapping[str, Any]]:
    """Return the sites to plan: those named (server name or slug), else all that php-cgi serves. Raises PlanError."""
    sites = [beneath(site) for site in facts.get("sites") or []]
    if not names:
        return [site for site in sites if (site.get("php") or {}).get("method") in PHP_CGI_METHODS]
    chosen = []
    for name in names:
        matching = [site for site in sites if name in (site.get("name"), site.get("site"))]
        if not matching:
            known = ", ".join(sorted(str(site.get("name")) for site in sites)) or "none"
            raise PlanError(f"There is no site {name!r} in this host's Apache; it has: {known}.")
        chosen += [site for site in matching if site not in chosen]
    return chosen


def beneath(site: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a site as it is without our own block; the facts show one that was moved as PHP-FPM's."""
    below = site.get("underneath")
    if not below:
        return site
    return {**site, "php": below.get("php"), "wrapper": below.get("wrapper"), "migratable": True, "reasons": []}


def override_of(overrides: Mapping[str, Any], site: Mapping[str, Any]) -> dict[str, Any]:
    """Return the overrides of a site, by its slug or server name. Raises PlanError for a wrong option or type."""
    merged: dict[str, Any] = {}
    for key in (site.get("name"), site.get("site")):
        given = overrides.get(str(key)) or {}
        if not isinstance(given, Mapping):
            raise PlanError(f"The overrides of {key} are no dictionary: write option and value.")
        merged.update(given)
    for option, value in merged.items():
        if option not in OVERRIDES:
            raise PlanError(
                "The overrides of {} name {!r}; give one of {}.".format(
                    site.get("name"), option, ", ".join(sorted(OVERRIDES))
                )
            )
        wrong = _wrong_type(option, value)
        if wrong:
            raise PlanError(f"The override {option} of {site.get('name')} is {wrong}.")
    return merged


def _wrong_type(option: str, value: Any) -> str | None:
    if option in _MERGED and not isinstance(value, Mapping):
        return "no dictionary"
    if option == "extensions" and not isinstance(value, (list, tuple)):
        return "no list"
    if option in _NUMBERS and not str(value).strip().isdigit():
        return f"no whole number: {value!r}"
    return None


def plan_site(site: Mapping[str, Any], override: Mapping[str, Any], found: Found, php_version: str) -> SitePlan:
    """Return the plan of one site of the facts. php_version is the host's own, such as "8.2". Never raises Refused."""
    notes = Notes()
    name, slug = str(site.get("name")), str(site.get("site"))
    try:
        _check(site, override, php_version)
        site = _with_extensions(site, override)
        rules = handlers.rules(site)
        excluded, more = handlers.htaccess(site, notes)
        rules += more
        spec = _spec(site, rules, found, php_version, notes)
        block = render(_block(site, override, rules, excluded, notes))
    except (Refused, BlockError) as error:
        return SitePlan(name, slug, str(error), reported=tuple(notes.reported))
    for option, value in override.items():
        if option in _MERGED:
            spec[option] = {**spec[option], **value}
        elif option not in _BLOCK_ONLY:
            spec[option] = value
        # The values of variables may be secret.
        shown = ", ".join(sorted(map(str, value))) if option == "environment" else value
        notes.carry(option, "the site's overrides", "the site", shown)
    _report(site, found, notes)
    vhosts = tuple(dict(vhost) for vhost in site.get("vhosts") or [])
    names = tuple(site.get("names") or [name])
    return SitePlan(name, slug, None, spec, block, names, vhosts, tuple(notes.carried), tuple(notes.reported))


def _check(site: Mapping[str, Any], override: Mapping[str, Any], php_version: str) -> None:
    php, wrapper = site.get("php") or {}, site.get("wrapper") or {}
    if php.get("method") not in PHP_CGI_METHODS:
        raise Refused("PHP does not run as php-cgi here but by {}.".format(php.get("method") or "nothing known"))
    if not site.get("migratable", True):
        raise Refused(" ".join(site.get("reasons") or ["The facts call it not migratable."]))
    if site.get("user") in (None, "", "root"):
        raise Refused("PHP would run as {!r}: give the site a user of its own.".format(site.get("user")))
    version = php.get("version")
    if version != php_version:
        raise Refused(
            "It runs PHP {}, and this host's PHP-FPM is {}.".format(version or "of unknown version", php_version)
        )
    if not site.get("document_root") or not site.get("vhosts"):
        raise Refused("It has no document root or no virtual host of its own.")
    macros = [vhost.get("macro") for vhost in site["vhosts"] if vhost.get("macro")]
    if macros:
        raise Refused(f"Its virtual host is written by the macro {macros[0]}: migrate the macro by hand.")
    unresolved = [line for line in wrapper.get("unresolved") or [] if not _harmless(str(line))]
    if unresolved and not override.get("accept_unresolved"):
        raise Refused(
            "Its wrapper {} has parts that were not understood ({}): check them and set accept_unresolved.".format(
                wrapper.get("path"), "; ".join(map(str, unresolved))
            )
        )
    if wrapper and wrapper.get("readable") is False:
        raise Refused("Its wrapper {} can't be read: run with become.".format(wrapper.get("path")))


def _harmless(line: str) -> bool:
    # Virtualmin's starter: a variable of each request, which FPM makes itself.
    return "SCRIPT_FILENAME" in line or "PATH_TRANSLATED" in line


def _with_extensions(site: Mapping[str, Any], override: Mapping[str, Any]) -> Mapping[str, Any]:
    if "extensions" not in override:
        return site
    return {**site, "php": {**site["php"], "extensions": list(override["extensions"])}}


def _spec(
    site: Mapping[str, Any], rules: Sequence[Rule], found: Found, php_version: str, notes: Notes
) -> dict[str, Any]:
    wrapper = site.get("wrapper") or {}
    ini, opcache = carry.ini_settings(site, found.ini, php_version, notes)
    environment = carry.environment(site, notes)
    notes.carry(
        "user and group",
        "SuexecUserGroup" if site.get("suexec") else "Apache's own user",
        "User=, Group=",
        "{} {}".format(site.get("user"), site.get("group")),
    )
    if found.ini.php_ini:
        notes.carry("php.ini", "-c or PHPRC", "php-fpm -c", found.ini.php_ini)
    elif wrapper.get("phprc") or wrapper.get("ini_path"):
        notes.report(
            "There is no php.ini at {}: php-cgi read its default, and so does FPM.".format(
                wrapper.get("ini_path") or wrapper.get("phprc")
            )
        )
    umask = str(wrapper.get("umask") or "022")
    if wrapper.get("umask"):
        notes.carry("umask", "the wrapper", "UMask=", umask)
    return {
        "name": site["site"],
        "user": site["user"],
        "group": site.get("group") or site["user"],
        "php_version": php_version,
        "document_root": site["document_root"],
        "php_ini": found.ini.php_ini,
        "ini_scan_dirs": _scan_dirs(site, notes),
        "ini": ini,
        "opcache": opcache,
        "environment": environment,
        "process_manager": carry.process_manager(site, notes),
        "request_terminate_timeout_seconds": carry.terminate_timeout_seconds(site, notes),
        "limit_extensions": handlers.limit_extensions(site, rules, found.last_extensions, notes),
        "umask": umask,
        "entry_points": list(found.entry_points),
    }


def _scan_dirs(site: Mapping[str, Any], notes: Notes) -> list[str]:
    given = carry.process_environment(site).get("PHP_INI_SCAN_DIR")
    if given is None:
        return []
    folders = [part for part in given.split(":") if part]
    notes.carry("PHP_INI_SCAN_DIR", "the wrapper", "PHP_INI_SCAN_DIR", " ".join(folders))
    if len(folders) == len(given.split(":")):
        notes.report(f"FPM's own conf.d is read beside PHP_INI_SCAN_DIR; php-cgi read {given} alone.")
    return folders


def _block(
    site: Mapping[str, Any],
    override: Mapping[str, Any],
    rules: tuple[Rule, ...],
    excluded: tuple[str, ...],
    notes: Notes,
) -> Block:
    timeout, timeout_given = carry.fcgid_number(site, "FcgidIOTimeout", 40)
    length, length_given = carry.fcgid_number(site, "FcgidMaxRequestLen", 131072)
    if "read_timeout_seconds" in override:
        timeout, timeout_given = int(override["read_timeout_seconds"]), True
    if "request_body_bytes" in override:
        length, length_given = int(override["request_body_bytes"]), True
    if timeout_given:
        notes.carry("longest silence", "FcgidIOTimeout", "ProxySet timeout=", timeout)
    else:
        notes.report(
            "FcgidIOTimeout was never set (40 s): a silent script may now take as long as Apache's Timeout allows"
            " (300 s), and then gives 504."
        )
    if length_given:
        notes.carry("largest request body", "FcgidMaxRequestLen", "the block: 413 for a longer one", length)
    else:
        notes.report(
            f"FcgidMaxRequestLen was never set: bodies over {length} bytes gave error 500 and pass now;"
            " php.ini's post_max_size rules."
        )
    headers = carry.pass_headers(site)
    authorization = "authorization" in [header.lower() for header in headers]
    if authorization:
        notes.carry("FcgidPassHeader Authorization", "mod_fcgid", "CGIPassAuth On")
    for header in headers:
        notes.report(
            "FcgidPassHeader {}: PHP has it as HTTP_{} alone, no longer as {}.".format(
                header, header.upper().replace("-", "_"), header.replace("-", "_")
            )
        )
    return Block(
        site=str(site["site"]),
        rules=rules,
        excluded=excluded,
        pass_authorization=authorization,
        request_body_bytes=length if length_given else None,
        read_timeout_seconds=timeout if timeout_given else None,
    )


def _report(site: Mapping[str, Any], found: Found, notes: Notes) -> None:
    allowed = {str(word).lower() for word in site.get("allow_override") or []}
    if site.get("suexec") and allowed & {"all", "fileinfo"}:
        # Tried: SetHandler "proxy:unix:<another site's socket>" ran code as that site's user.
        notes.report(
            "AllowOverride {} lets its .htaccess set handlers: who can write one then reaches the PHP-FPM of every site"
            " of this host, which suexec did not allow. Take FileInfo away where sites don't trust each other.".format(
                " ".join(site["allow_override"])
            )
        )
    for line in site.get("php_values") or []:
        notes.report(
            "{}:{}: {} {} is for mod_php alone and had no effect.".format(
                line.get("file"), line.get("line"), line.get("kind"), line.get("name")
            )
        )
    for sentence in (site.get("wrapper") or {}).get("warnings") or []:
        notes.report(str(sentence))
    for sentence in site.get("warnings") or []:
        notes.report(str(sentence))
    limits = (site.get("wrapper") or {}).get("ulimits") or []
    if limits:
        notes.report("The wrapper's ulimit {} is not carried: add Limit…= to hardening.".format(", ".join(limits)))
    if not found.scan_complete:
        notes.report(
            "Not every folder was searched for names such as p.php.de: such a file gives 403 until its last"
            " extension is in limit_extensions."
        )


def keep(stored: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    """Return the spec of a site that runs by PHP-FPM already: what is stored for it, with the overrides."""
    spec = dict(stored)
    for option, value in override.items():
        if option in _MERGED:
            spec[option] = {**(stored.get(option) or {}), **value}
        elif option not in _BLOCK_ONLY:
            spec[option] = value
    return spec


def warn_doubles(plans: Sequence[SitePlan]) -> None:
    """Raise PlanError where two sites have one slug: their sockets would be one."""
    seen: dict[str, str] = {}
    for plan in plans:
        if plan.site in seen:
            raise PlanError(f"The sites {seen[plan.site]} and {plan.name} have the same short name {plan.site}.")
        seen[plan.site] = plan.name
