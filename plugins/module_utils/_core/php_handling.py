# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Which file names of a virtual host PHP takes, and which parts of it are handled otherwise than the document root."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from dataclasses import dataclass, field
from typing import Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_config import (
    HANDLER_DIRECTIVES,
    directory_covers,
    location_covers,
    path_depth,
    section_path,
    touches_handlers,
    walk,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_handlers import Runner, Server, literal_name

# Extensions to try besides those that the configuration names.
_USUAL = (
    ".php",
    ".php3",
    ".php4",
    ".php5",
    ".php7",
    ".php8",
    ".phtml",
    ".pht",
    ".phar",
    ".phps",
    ".inc",
    ".html",
    ".htm",
)
_PHP_NAME = re.compile(r"\.(ph(p[0-9.]*|t|tml|ar)|inc|html?)")
_OTHER_LOCATIONS = {"server-status", "server-info", "balancer-manager", "ldap-status", "cgi-script"}


@dataclass
class Handling:
    """How one virtual host runs PHP at its document root, and the exceptions below it."""

    runner: Runner
    extensions: list[str] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    # Names that PHP takes but with another wrapper or handler than .php.
    others: list[tuple[str, Runner]] = field(default_factory=list)
    # A section, the name it was tried with, and what runs that name there.
    exceptions: list[tuple[Directive, str, Runner]] = field(default_factory=list)
    # Sections about handlers whose pattern says nothing certain.
    unsure: list[Directive] = field(default_factory=list)
    only_part: bool = False
    # What the virtual host and its .htaccess files say, as the identities of the directives.
    own: frozenset[int] = frozenset()

    def is_foreign(self, other: Runner) -> bool:
        """Tell whether ``other`` comes from the whole server while .php has a handler of the virtual host's own."""
        return self._is_own(self.runner) and not self._is_own(other)

    def _is_own(self, runner: Runner) -> bool:
        return bool(runner.decided_by) and id(runner.decided_by[0]) in self.own


def handling_of(server: Server) -> Handling:
    """Say who runs PHP in one virtual host; ``runner.method`` is "none" where nobody does."""
    first = next((runner for runner in (server.runner("x" + ext) for ext in (".php", ".php5", ".phtml"))
                  if _runs_php(runner)), None)  # fmt: skip
    if first is None:
        part = _part(server)
        if part is None:
            return Handling(server.runner("x.php"))
        return Handling(part[1], exceptions=[(part[0], "x.php", part[1])], only_part=True)
    trees = [server.vhost, *server.htaccess.values()]
    handling = Handling(first, own=frozenset(id(item) for tree in trees for item in walk(tree)))
    _names(server, handling)
    handling.patterns = _patterns(server, first)
    _exceptions(server, handling)
    return handling


def _runs_php(runner: Runner) -> bool:
    return runner.method != "none"


def _names(server: Server, handling: Handling) -> None:
    first = handling.runner
    tables = list(first.settings.handlers) + list(first.settings.types) + list(first.settings.wrappers)
    candidates = sorted({item.lower() for item in tables if item.startswith(".")} | set(_USUAL))
    for extension in candidates:
        runner = server.runner("x" + extension)
        if not _runs_php(runner):
            continue
        if first.semantics == "sethandler" and runner.semantics == "sethandler" and extension not in (".php", ".phtml"):
            continue
        if runner.same_as == first.same_as:
            handling.extensions.append(extension)
        elif _PHP_NAME.fullmatch(extension) and (runner.command or runner.method == "mod_php"):
            handling.others.append((extension, runner))


def _sections(server: Server, *keys: str) -> list[Directive]:
    return [item for item in [*server.main, *server.vhost] if item.section and item.key in keys]


def _covering_files(server: Server) -> list[Directive]:
    """All <Files> sections that hold at the document root: the servers' own and those of covering folders."""
    found: list[Directive] = []
    for item in [*server.main, *server.vhost]:
        if item.section and item.key in ("files", "filesmatch"):
            found.append(item)
        elif item.section and item.key in ("directory", "directorymatch"):
            path, is_pattern = section_path(item)
            if is_pattern or directory_covers(path, server.document_root):
                found += [inner for inner in item.children if inner.section and inner.key in ("files", "filesmatch")]
    for folder, directives in server.htaccess.items():
        if directory_covers(folder, server.document_root):
            found += [inner for inner in directives if inner.section and inner.key in ("files", "filesmatch")]
    return found


def _patterns(server: Server, first: Runner) -> list[str]:
    """The regular expressions of the sections that give names to PHP; shell wildcards are turned into one."""
    patterns: list[str] = []
    for section in _covering_files(server):
        given = [item.words[0].lower() for item in section.children if item.key == "sethandler" and item.words]
        if not given or given[-1] != (first.handler or "").lower():
            continue
        pattern, is_pattern = section_path(section)
        text = pattern if is_pattern else _regex(pattern)
        if text not in patterns:
            patterns.append(text)
    return patterns


def _regex(wildcard: str) -> str:
    escaped = re.escape(wildcard).replace(r"\*", ".*").replace(r"\?", ".")
    return f"^{escaped}$"


def _part(server: Server) -> tuple[Directive, Runner] | None:
    """Find a part below the document root that runs PHP although the root doesn't."""
    for section, folder, url in _parts(server):
        runner = server.runner("x.php", folder, url)
        if _runs_php(runner):
            return section, runner
    return None


def _parts(server: Server) -> list[tuple[Directive, str, str]]:
    """Sections about handlers for a folder or a URL below the document root, with a folder and URL to try."""
    found: list[tuple[Directive, str, str]] = []
    for section in _sections(server, "directory"):
        path, is_pattern = section_path(section)
        rest = None if is_pattern else _below(path, server.document_root)
        if rest and touches_handlers(section):
            found.append((section, rest, rest))
    for section in _sections(server, "location"):
        path, is_pattern = section_path(section)
        if is_pattern or not touches_handlers(section) or location_covers(path, "/x.php"):
            continue
        plain = path.strip("/").replace("*", "x").replace("?", "x")
        if plain and not server.aliased("/" + plain + "/x.php") and not _known_location(section):
            found.append((section, plain, plain))
    for folder, directives in server.htaccess.items():
        rest = _below(folder, server.document_root)
        touching = [item for item in walk(directives) if item.key in HANDLER_DIRECTIVES]
        if rest and touching:
            found.append((touching[0], rest, rest))
    return found


def _below(path: str, root: str) -> str | None:
    """The rest of a <Directory> path below a document root, its wildcards filled in, or None when it isn't below."""
    depth = path_depth(root)
    parts = [part for part in path.split("/") if part]
    if len(parts) <= depth:
        return None
    above = [part for part in root.split("/") if part]
    if not all(fnmatch.fnmatchcase(have, want) for want, have in zip(parts, above)):
        return None
    return posixpath.join(*(part.replace("*", "x").replace("?", "x") for part in parts[depth:]))


def _known_location(section: Directive) -> bool:
    """A URL of Apache's own (/server-status) that is no file, in one handler line."""
    lines = [item for item in walk([section]) if item.key in HANDLER_DIRECTIVES]
    return all(
        item.key == "sethandler" and item.words[:1] and item.words[0].lower() in _OTHER_LOCATIONS for item in lines
    )


def _exceptions(server: Server, handling: Handling) -> None:
    first = handling.runner
    names = ["x" + extension for extension in handling.extensions] or ["x.php"]
    for section, folder, url in _parts(server):
        for name in names:
            runner = server.runner(name, folder, url)
            if runner.same_as != first.same_as:
                handling.exceptions.append((section, posixpath.join(folder, name), runner))
                break
    for section in _covering_files(server):
        if touches_handlers(section):
            _file_exception(server, handling, section)
    for section in _sections(server, "directorymatch", "locationmatch", "directory", "location"):
        if not section_path(section)[1] or not touches_handlers(section) or _known_location(section):
            continue
        if not any(item in first.decided_by for item in walk(section.children)):
            handling.unsure.append(section)


def _file_exception(server: Server, handling: Handling, section: Directive) -> None:
    first = handling.runner
    name = literal_name(section)
    if name is not None:
        runner = server.runner(name)
        taken = any(name.lower().endswith(extension) for extension in handling.extensions)
        if taken and runner.same_as != first.same_as:
            handling.exceptions.append((section, name, runner))
        return
    given = [item.words[0].lower() for item in section.children if item.key == "sethandler" and item.words]
    about_php = "ph" in section.arguments.lower()
    if given and given[-1] != (first.handler or "").lower() and about_php and not _is_extension(section):
        handling.unsure.append(section)


def _is_extension(section: Directive) -> bool:
    """A pattern that the extensions tried above have answered already, such as "\\.phps$" or ".+\\.ph(p|tml)$"."""
    pattern, is_pattern = section_path(section)
    return bool(is_pattern and re.fullmatch(r"(\.[+*])?\\\.[\w()|?:\[\]+*-]*\$?", pattern)) or pattern.startswith("*.")


def describe(runner: Runner) -> str:
    """Name who runs a file, for a sentence."""
    if runner.command:
        return " ".join(runner.command)
    return runner.handler or "no handler"


def same_everywhere(handlings: Sequence[Handling]) -> bool:
    """Tell whether all virtual hosts of a site run PHP alike."""
    return len({handling.runner.same_as for handling in handlings}) <= 1
