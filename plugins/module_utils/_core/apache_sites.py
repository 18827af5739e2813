# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The PHP sites of an Apache configuration: virtual hosts grouped to sites, and who runs their PHP."""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive, VhostName
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_handlers import Server

_USED_ON = re.compile(r"used on line (\d+) of \"([^\"]+)\"")
_SLUG_LENGTH = 32


@dataclass(frozen=True)
class Vhost:
    """One <VirtualHost> section, or the main server (``section`` is None)."""

    section: Directive | None
    server_name: str
    aliases: tuple[str, ...]
    addresses: tuple[str, ...]
    document_root: str
    error_log: str | None
    # Whether the configuration names it, or Apache made the name up from the host's.
    named: bool

    @property
    def file(self) -> str:
        """The file to edit: for a macro the one that uses it last."""
        if self.section is None:
            return ""
        used = _USED_ON.findall(self.section.file)
        return used[-1][1] if used else self.section.file

    @property
    def line(self) -> int:
        """The line of <VirtualHost>, or that of the macro's use."""
        if self.section is None:
            return 0
        used = _USED_ON.findall(self.section.file)
        return int(used[-1][0]) if used else self.section.line


@dataclass
class Group:
    """A site: virtual hosts with one name and one document root, and what runs PHP in each of them."""

    name: str
    slug: str
    vhosts: list[Vhost] = field(default_factory=list)
    servers: list[Server] = field(default_factory=list)


def find_vhosts(
    config: Sequence[Directive], listed: Sequence[VhostName], run: Mapping[str, str]
) -> tuple[list[Directive], list[Vhost]]:
    """Split a configuration into (the main server's own directives, its virtual hosts).

    ``listed`` names those that don't name themselves, ``run`` gives what they inherit (document_root, error_log).
    A configuration without any virtual host gives one Vhost without a section: the main server.
    """
    main = [item for item in config if item.key != "virtualhost"]
    names = {(item.file, item.line): item.name for item in listed}
    inherited = _last(main, "errorlog") or run.get("error_log")
    root = _last(main, "documentroot") or run.get("document_root") or ""
    vhosts = []
    for section in config:
        if section.key != "virtualhost":
            continue
        given = _last(section.children, "servername")
        fallback = names.get((section.file, section.line)) or _last(main, "servername") or ""
        vhosts.append(
            Vhost(
                section=section,
                server_name=_host(given or fallback),
                aliases=tuple(word for item in section.children if item.key == "serveralias" for word in item.words),
                addresses=tuple(section.words),
                document_root=_clean(_last(section.children, "documentroot") or root),
                error_log=_last(section.children, "errorlog") or inherited,
                named=given is not None,
            )
        )
    if not vhosts:
        name = _last(main, "servername")
        vhosts.append(Vhost(None, _host(name or "main-server"), (), (), _clean(root), inherited, name is not None))
    return main, vhosts


def _last(directives: Sequence[Directive], key: str) -> str | None:
    found = None
    for item in directives:
        if item.key == key and item.words:
            found = item.words[0]
    return found


def _host(name: str) -> str:
    """A ServerName without its scheme and port."""
    return re.sub(r"^\w+://|:\d+$", "", name).lower()


def _clean(path: str) -> str:
    return posixpath.normpath(path) if path else ""


def group_vhosts(vhosts: Sequence[Vhost]) -> list[Group]:
    """Put the virtual hosts with the same name and document root together; each group gets a slug of its own."""
    groups: dict[tuple[str, str], Group] = {}
    for vhost in vhosts:
        key = (vhost.server_name, vhost.document_root)
        if key not in groups:
            groups[key] = Group(vhost.server_name, "")
        groups[key].vhosts.append(vhost)
    return list(groups.values())


def name_slugs(groups: Sequence[Group]) -> None:
    """Give each group a slug: from its name; where two would share one, with a hash of name and document root."""
    wanted = [slug(group.name) for group in groups]
    for group, base in zip(groups, wanted):
        if wanted.count(base) == 1:
            group.slug = base
            continue
        text = group.name + "\n" + group.vhosts[0].document_root
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:6]
        group.slug = base[: _SLUG_LENGTH - 7].rstrip("-") + "-" + digest


def slug(name: str) -> str:
    """Turn a host name into a site's name: ^[a-z0-9][a-z0-9_-]{0,31}$; a long one ends in a hash of all of it."""
    text = re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-_") or "site"
    if len(text) <= _SLUG_LENGTH:
        return text
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:6]
    return text[: _SLUG_LENGTH - 7].rstrip("-_") + "-" + digest


def suexec_identity(main: Sequence[Directive], vhost: Vhost) -> tuple[str, str, Directive] | None:
    """The user and group of SuexecUserGroup (or mpm_itk's AssignUserID), as written: names or "#1026"."""
    own = vhost.section.children if vhost.section else []
    for directives in (own, main):
        for item in reversed(directives):
            if item.key in ("suexecusergroup", "assignuserid") and len(item.words) == 2:
                return item.words[0], item.words[1], item
    return None


def chains(*trees: Sequence[Directive]) -> dict[int, list[Directive]]:
    """Map each directive (by its identity) to the sections that it stands in, outermost first."""
    found: dict[int, list[Directive]] = {}

    def visit(directives: Sequence[Directive], above: list[Directive]) -> None:
        for item in directives:
            found[id(item)] = above
            visit(item.children, [*above, item])

    for tree in trees:
        visit(tree, [])
    return found


def finding(directive: Directive, above: Mapping[int, list[Directive]]) -> dict[str, Any]:
    """A directive as the facts show it: directive, arguments, file, line, and the sections around it."""
    headings = [f"<{item.name} {item.arguments}>".replace(" >", ">") for item in above.get(id(directive), [])]
    return {
        "directive": directive.name,
        "arguments": directive.words,
        "file": directive.file,
        "line": directive.line,
        "section": headings,
    }
