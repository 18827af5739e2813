# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds what is wrong with the links of a folder of HTML pages, without a network."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# The elements that make a browser fetch something, and the attribute that says what.
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "audio": "src", "video": "src"}
# Of <link rel=…>; others, such as "author", are only followed.
LOADED = {"stylesheet", "icon", "preload", "modulepreload", "manifest"}
# They lead to no page.
IGNORED = ("mailto", "data", "javascript")
RUNBOOK = re.compile(r"^ *runbook_url: *(\S+)$", re.MULTILINE)
CSS_LOAD = re.compile(r"""(?:url\(|@import)\s*["']?\s*(?:https?:)?//""", re.IGNORECASE)


@dataclass
class Page:
    """What a page offers to be linked to, links to, and loads."""

    anchors: set[str] = field(default_factory=set)
    repeated: set[str] = field(default_factory=set)
    links: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)


class Reader(HTMLParser):
    """Collects a page's anchors and links."""

    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what one element says."""
        found = {name: value for name, value in attrs if value}
        anchor = found.get("id")
        if anchor:
            if anchor in self.page.anchors:
                self.page.repeated.add(anchor)
            self.page.anchors.add(anchor)
        if tag == "a" and "name" in found:
            self.page.anchors.add(found["name"])
        if tag == "a" and "href" in found:
            self.page.links.add(found["href"])
        if tag == "link" and "href" in found:
            loaded = LOADED & set(found.get("rel", "").split())
            (self.page.loads if loaded else self.page.links).add(found["href"])
        if tag in LOADS and LOADS[tag] in found:
            self.page.loads.add(found[LOADS[tag]])


def read(path: Path) -> Page:
    """Read one page."""
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader.page


def external(link: str) -> str:
    """Return the host that a link leads to, or "" when it stays on the site."""
    parts = urlsplit(link)
    return parts.netloc if parts.scheme in ("http", "https", "") else ""


def dead(link: str, path: Path, pages: dict[Path, Page]) -> str:
    """Say why a link within the site leads nowhere, or ""."""
    parts = urlsplit(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return f"{link} leads to no file"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
        return f"{link} leads to no such place on that page"
    return ""


def read_hosts(path: Path) -> set[str]:
    """Read the hosts that may be linked to: one per line, # begins a comment."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {line for line in lines if line}


def runbooks(rules: Path, folder: Path) -> list[str]:
    """Return what is wrong with the runbook_url of the alerts in a file of rules: each leads to a place of a page.

    Only the page's name and the place are looked up: the address before them is the reader's to set.
    """
    links = RUNBOOK.findall(rules.read_text(encoding="utf-8"))
    found = [] if links else ["no alert has a runbook_url"]
    for link in links:
        parts = urlsplit(link)
        pages = sorted(folder.rglob(Path(parts.path).name)) if parts.path.endswith(".html") else []
        if len(pages) != 1:
            found.append(f"{link} leads to {len(pages)} pages, not to one")
        elif not parts.fragment or unquote(parts.fragment) not in read(pages[0]).anchors:
            found.append(f"{link} leads to no such place on that page")
    return [f"{rules.name}: {text}" for text in found]


def problems(folder: Path, hosts: set[str]) -> list[str]:
    """Return what is wrong: dead links, loads from other hosts, hosts that are not named, names that no link needs."""
    folder = folder.resolve()
    pages = {path: read(path) for path in sorted(folder.rglob("*.html"))}
    # What each says, and the pages that it is true of: a theme writes the same link on all of them.
    found: dict[str, list[str]] = {} if pages else {"there is no page": [str(folder)]}
    used = set()
    for path, page in pages.items():
        said = [f"the id {anchor} is there more than once" for anchor in sorted(page.repeated)]
        for link in sorted(page.links | page.loads):
            host = external(link)
            if urlsplit(link).scheme not in (*IGNORED, "http", "https", ""):
                said.append(f"{link} can't be read")
            elif host and link in page.loads:
                said.append(f"{link} is loaded from another host")
            elif host:
                used.add(host)
                said += [] if host in hosts else [f"{link} leads to a host that is not in the list"]
            elif not urlsplit(link).scheme:
                reason = dead(link, path, pages)
                said += [reason] if reason else []
        for text in said:
            found.setdefault(text, []).append(str(path.relative_to(folder)))
    for path in sorted(folder.rglob("*.css")):
        if CSS_LOAD.search(path.read_text(encoding="utf-8")):
            found.setdefault("it loads from another host", []).append(str(path.relative_to(folder)))
    for host in sorted(hosts - used):
        found[f"{host} is in the list of hosts, and no page links to it"] = ["hosts.txt"]
    return [f"{where[0]}{f' and {len(where) - 1} more' if where[1:] else ''}: {text}" for text, where in found.items()]
