# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Which files the old handler ran, as rules for the new one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, Iterable, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.block import (
    Rule,
    any_extension,
    last_extension,
    python_pattern,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.notes import Notes, Refused

_OFF = ("none", "default-handler", "default")
_DIRECTORY = re.compile(r"<Directory\s+\"?(/[^\"*?\[\]>~]*)\"?>$", re.IGNORECASE)


def rules(site: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Return the rules of a site: the names that its handler took, where it took them. Raises Refused."""
    php = site.get("php") or {}
    extensions = list(php.get("extensions") or [])
    patterns = list(php.get("patterns") or [])
    semantics = php.get("semantics")
    found: list[Rule] = []
    if semantics == "addhandler" and extensions:
        found.append(any_extension(extensions))
    elif patterns:
        found += [Rule(pattern) for pattern in patterns]
    elif semantics == "sethandler":
        found.append(Rule("."))
    elif extensions:
        found.append(last_extension(extensions))
    if not found:
        raise Refused("No extension and no pattern says which files php-cgi runs: name them in the site's overrides.")
    scopes = _scopes(php.get("findings") or [], str(php.get("handler") or "").lower())
    return tuple(replace(rule, directory=scope) for scope in scopes for rule in found)


def _scopes(findings: Sequence[Mapping[str, Any]], handler: str) -> list[str]:
    """Return the directories that the handler was limited to; [""] where it holds for the whole host."""
    scopes = set()
    for finding in findings:
        if str(finding.get("directive", "")).lower() not in ("addhandler", "sethandler", "addtype"):
            continue
        # An Action's own target has a handler too: that of the script, not of the site's files.
        if handler and [str(word).lower() for word in finding.get("arguments") or []][:1] != [handler]:
            continue
        inner = [_DIRECTORY.match(str(section)) for section in finding.get("section") or []]
        directories = [match.group(1).rstrip("/") for match in inner if match]
        scopes.add(directories[-1] if directories else "")
    return [""] if "" in scopes or not scopes else sorted(scopes)


def wrapper_is_by_extension(site: Mapping[str, Any]) -> bool:
    """Return whether FcgidWrapper names extensions: then php-cgi never ran `p.php.de`, it gave an error 500."""
    arguments = [
        finding.get("arguments")
        for finding in (site.get("php") or {}).get("findings") or []
        if str(finding.get("directive", "")).lower() in ("fcgidwrapper", "fcgiwrapper")
    ]
    words = [item if isinstance(item, (list, tuple)) else str(item).split() for item in arguments]
    return bool(words) and all(len(item) > 1 for item in words)


def limit_extensions(site: Mapping[str, Any], found: Sequence[Rule], scanned: Iterable[str], notes: Notes) -> list[str]:
    """Return security.limit_extensions: FPM compares the last extension alone, in any case (fpm_main.c).

    `scanned` are the last extensions of existing files that a rule takes, such as .de of p.php.de. [] is no limit.
    """
    php = site.get("php") or {}
    wanted = {str(extension).lower() for extension in php.get("extensions") or []}
    if php.get("semantics") == "sethandler" and not php.get("patterns"):
        notes.report("Every file below the document root is run by PHP, as before: there is no limit to extensions.")
        return []
    for rule in found:
        wanted.update("." + name.lower() for name in _literal_extensions(rule.pattern))
    if wrapper_is_by_extension(site):
        notes.report(
            "Names such as index.php.de gave error 500 before and give 403 now: PHP runs them in neither case."
        )
    else:
        others = sorted({item.lower() for item in scanned} - wanted)
        if others:
            notes.carry("files with several extensions", "names found below the document root",
                        "security.limit_extensions", " ".join(others))  # fmt: skip
        wanted.update(others)
    notes.carry("extensions", "the handler", "security.limit_extensions", " ".join(sorted(wanted)))
    return sorted(wanted)


def _literal_extensions(pattern: str) -> list[str]:
    """Return the extensions that a pattern such as `\\.php[345]?$` or `\\.ph(p3?|tml)$` can end in, by trial."""
    compiled = python_pattern(Rule(pattern))
    if compiled is None:
        return []
    candidates = ["php", "phtml", "phps", "pht", "phar", "html", "htm", "inc", "shtml", "tpl"]
    candidates += [f"php{number}" for number in range(2, 9)]
    candidates += ["ph" + rest for rest in ("t", "tm", "tml")]
    return [name for name in candidates if compiled.search("a." + name)]


def last_extension_of(name: str, found: Sequence[Rule]) -> str | None:
    """Return the last extension of a file name that a rule takes, else None."""
    for rule in found:
        compiled = python_pattern(rule)
        if compiled is not None and compiled.search(name):
            suffix = PurePosixPath(name).suffix
            return suffix if re.match(r"^\.[A-Za-z0-9_-]+$", suffix) else None
    return None


def htaccess(site: Mapping[str, Any], notes: Notes) -> tuple[tuple[str, ...], tuple[Rule, ...]]:
    """Return (directories where PHP is switched off, further rules) of the .htaccess files. Raises Refused.

    `<If>` wins over .htaccess, so a folder of uploads whose .htaccess takes PHP's handler away must be left out.
    """
    php = site.get("php") or {}
    handler = str(php.get("handler") or "").lower()
    excluded: list[str] = []
    more: list[Rule] = []
    for entry in site.get("htaccess") or []:
        name = str(entry.get("directive", "")).lower()
        words = entry.get("arguments")
        words = [str(word) for word in words] if isinstance(words, (list, tuple)) else str(words or "").split()
        folder = str(PurePosixPath(str(entry.get("file"))).parent)
        where = "{}:{}".format(entry.get("file"), entry.get("line"))
        if name in ("sethandler", "forcetype") and words and words[0].lower() != handler:
            if name == "sethandler" and words[0].lower() not in _OFF:
                raise Refused(f"{where} sets another handler, {words[0]}: migrate that folder by hand.")
            excluded.append(folder)
        elif name in ("removehandler", "removetype"):
            excluded.append(folder)
        elif name == "addhandler" and len(words) > 1:
            if words[0].lower() == handler:
                more.append(replace(any_extension(words[1:]), directory=folder))
            elif _overlap(words[1:], php.get("extensions") or []):
                excluded.append(folder)
        elif name in ("fcgidwrapper", "fcgiwrapper", "action"):
            raise Refused(f"{where} gives a folder a PHP of its own ({name}): migrate it by hand.")
        elif name.startswith("php_"):
            notes.report("{}: {} {} is for mod_php alone.".format(where, name, " ".join(words)))
    for folder in sorted(set(excluded)):
        notes.carry("PHP switched off", folder + "/.htaccess", "an exception in the block", folder)
    return tuple(sorted(set(excluded))), tuple(more)


def _overlap(words: Iterable[str], extensions: Iterable[str]) -> bool:
    return bool({word.lstrip(".").lower() for word in words} & {item.lstrip(".").lower() for item in extensions})
