# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Which directives Apache applies to one file of one virtual host, in the order in which it merges its sections.

Order (httpd's docs/manual/sections.html): server, virtual host; then of both <Directory> from the shortest path to the
longest with each folder's .htaccess; regular expressions of folders; <Files>; <Location>; <If>.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from typing import Iterator, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.mime_map import MimeMap, grouped, merged

# The handler that phpops itself writes: an <If> that is known, not a condition to fear.
OWN_HANDLER = re.compile(r"proxy:unix:/var/lib/phpops/([a-z0-9][a-z0-9_-]{0,31})/ptr/live/php\.sock\|")
HANDLER_DIRECTIVES = {
    "sethandler",
    "addhandler",
    "removehandler",
    "addtype",
    "forcetype",
    "removetype",
    "action",
    "fcgidwrapper",
    "fcgiwrapper",
}
PHP_DIRECTIVES = {"php_value", "php_flag", "php_admin_value", "php_admin_flag"}
_CONDITIONS = {"if", "elseif", "else"}


@dataclass(frozen=True)
class Place:
    """One file as a request finds it: its folder (no slash at the end), its URL's path, its name."""

    directory: str
    url: str
    name: str


@dataclass
class Settings:
    """What applies to one place. Extensions are lower case with their dot, but FcgidWrapper's, which are exact."""

    set_handler: Directive | None = None
    set_handler_in_files: bool = False
    handlers: dict[str, Directive] = field(default_factory=dict)
    types: dict[str, Directive] = field(default_factory=dict)
    actions: dict[str, Directive] = field(default_factory=dict)
    wrappers: dict[str, Directive] = field(default_factory=dict)
    php_values: list[Directive] = field(default_factory=list)
    options_exec: bool = False
    allow_override: Directive | None = None
    conditional: list[Directive] = field(default_factory=list)
    own: Directive | None = None
    # Patterns that Python can't compile; they were taken as not matching.
    unknown_patterns: list[Directive] = field(default_factory=list)


def walk(directives: Sequence[Directive]) -> Iterator[Directive]:
    """Go through all directives, sections and what is inside of them, in order."""
    for directive in directives:
        yield directive
        yield from walk(directive.children)


def touches_handlers(section: Directive) -> bool:
    """Tell whether a section holds, at any depth, a directive that can change who handles a file."""
    return any(item.key in HANDLER_DIRECTIVES for item in walk(section.children))


def settings_at(
    main: Sequence[Directive],
    vhost: Sequence[Directive],
    place: Place,
    htaccess: Mapping[str, Sequence[Directive]] | None = None,
) -> Settings:
    """Merge what ``main`` (the server's top level) and ``vhost`` (a virtual host's children) say about ``place``.

    ``htaccess`` holds the directives of .htaccess files by folder; pass only those that AllowOverride lets in.
    """
    settings = Settings()
    files: list[Directive] = []
    conditions: list[Directive] = []
    total = MimeMap()
    folders = _directories(settings, main, vhost, place, htaccess or {})
    for group in ([main, vhost], folders):
        total = merged(total, grouped(_apply(settings, inside, files, conditions) for inside in group))
    named = [item.children for item in files if _matches_file(settings, item, place.name)]
    total = merged(total, grouped(_apply(settings, inside, None, conditions, in_files=True) for inside in named))
    located: list[MimeMap | None] = []
    for item in [*main, *vhost]:
        if item.section and _matches_location(settings, item, place.url):
            inner: list[Directive] = []
            located.append(_apply(settings, item.children, inner, conditions))
            for section in inner:
                if _matches_file(settings, section, place.name):
                    located.append(_apply(settings, section.children, None, conditions, in_files=True))
    total = merged(total, grouped(located))
    settings.handlers, settings.types = total.handlers, total.types
    _conditions(settings, conditions)
    return settings


def _apply(
    settings: Settings,
    directives: Sequence[Directive],
    files: list[Directive] | None,
    conditions: list[Directive],
    in_files: bool = False,
) -> MimeMap | None:
    """Take one section's directives; what it says to mod_mime comes back, None when it says nothing."""
    mime = MimeMap()
    for directive in directives:
        key = directive.key
        if directive.section:
            if key in _CONDITIONS:
                conditions.append(directive)
            elif key in ("files", "filesmatch") and files is not None:
                files.append(directive)
            continue
        if not mime.take(directive):
            _apply_one(settings, directive, key, in_files)
    return mime if mime.present else None


def _apply_one(settings: Settings, directive: Directive, key: str, in_files: bool) -> None:
    words = directive.words
    if key == "sethandler" and words:
        settings.set_handler, settings.set_handler_in_files = directive, in_files
    elif key == "action" and len(words) > 1:
        settings.actions[words[0].lower()] = directive
    elif key in ("fcgidwrapper", "fcgiwrapper") and words:
        suffix = words[1] if len(words) > 1 and words[1].lower() != "virtual" else "*"
        settings.wrappers[suffix] = directive
    elif key in PHP_DIRECTIVES:
        settings.php_values.append(directive)
    elif key == "options":
        _options(settings, words)
    elif key == "allowoverride":
        settings.allow_override = directive


def _options(settings: Settings, words: list[str]) -> None:
    relative = any(word[:1] in "+-" for word in words)
    if not relative:
        settings.options_exec = False
    for word in words:
        if word.lstrip("+-").lower() in ("execcgi", "all"):
            settings.options_exec = not word.startswith("-")


def _conditions(settings: Settings, conditions: list[Directive]) -> None:
    for section in conditions:
        for item in walk([section]):
            if item.key not in HANDLER_DIRECTIVES:
                continue
            if item.key == "sethandler" and OWN_HANDLER.match(" ".join(item.words)):
                settings.own = item
            else:
                settings.conditional.append(item)
    if settings.own is not None:
        # Its second half: a missing file is left to Apache's own 404.
        settings.conditional = [item for item in settings.conditional if item.words != ["default-handler"]]


def _directories(
    settings: Settings,
    main: Sequence[Directive],
    vhost: Sequence[Directive],
    place: Place,
    htaccess: Mapping[str, Sequence[Directive]],
) -> list[Sequence[Directive]]:
    plain: list[tuple[int, int, Sequence[Directive]]] = []
    patterns: list[Sequence[Directive]] = []
    for section in list(main) + list(vhost):
        if section.key not in ("directory", "directorymatch") or not section.section:
            continue
        path, is_pattern = section_path(section)
        if is_pattern:
            if _search(settings, section, path, place.directory + "/"):
                patterns.append(section.children)
        elif directory_covers(path, place.directory):
            plain.append((path_depth(path), 0, section.children))
    for folder, directives in htaccess.items():
        if directory_covers(folder, place.directory):
            plain.append((path_depth(folder), 1, directives))
    plain.sort(key=lambda item: item[:2])
    return [item[2] for item in plain] + patterns


def section_path(section: Directive) -> tuple[str, bool]:
    """Read a section's argument: (path or pattern, whether it is a regular expression)."""
    words = section.words
    if words and words[0] == "~":
        return (words[1] if len(words) > 1 else ""), True
    return (words[0] if words else ""), section.key.endswith("match")


def path_depth(path: str) -> int:
    """Count the components of a path."""
    return len([part for part in path.split("/") if part])


def directory_covers(path: str, directory: str) -> bool:
    """Tell whether <Directory path> applies to a folder; shell wildcards don't span a slash."""
    wanted = [part for part in path.split("/") if part]
    given = [part for part in directory.split("/") if part]
    if len(wanted) > len(given):
        return False
    return all(fnmatch.fnmatchcase(have, want) for want, have in zip(wanted, given))


def _matches_file(settings: Settings, section: Directive, name: str) -> bool:
    pattern, is_pattern = section_path(section)
    if is_pattern:
        return _search(settings, section, pattern, name)
    return fnmatch.fnmatchcase(name, pattern)


def _matches_location(settings: Settings, section: Directive, url: str) -> bool:
    if section.key not in ("location", "locationmatch"):
        return False
    path, is_pattern = section_path(section)
    if is_pattern:
        return _search(settings, section, path, url)
    return location_covers(path, url)


def location_covers(path: str, url: str) -> bool:
    """Tell whether <Location path> applies to a URL's path: whole components, or shell wildcards."""
    if any(char in path for char in "*?["):
        return fnmatch.fnmatchcase(url, path) or fnmatch.fnmatchcase(url, path.rstrip("/") + "/*")
    if not path or not url.startswith(path):
        return False
    return path.endswith("/") or url[len(path) : len(path) + 1] in ("", "/")


def _search(settings: Settings, section: Directive, pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except (re.error, OverflowError, RecursionError):
        if section not in settings.unknown_patterns:
            settings.unknown_patterns.append(section)
        return False
