# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The tree that a release is made of: which names of an archive may be written, where its links lead, its digest.

Paths are relative, with "/" between names and "" for the top; bytes that are not UTF-8 are surrogates (PEP 383).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Iterable, Iterator

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed

DIRECTORY, FILE, LINK = "directory", "file", "link"
# As the kernel counts (path_resolution(7)).
_MAX_LINKS = 40


@dataclass(frozen=True)
class Node:
    """One entry. ``content`` is a file's sha256 or a link's target, ``size`` a file's bytes."""

    kind: str
    content: str = ""
    executable: bool = False
    size: int = 0


def show(path: str) -> str:
    """Return a path for a message: quoted, with line breaks and bytes that are not UTF-8 as escapes."""
    return repr(path)


def writable(value: str) -> bool:
    """Return whether a text can be a name: no null byte, and no surrogates but those that stand for bytes."""
    try:
        return b"\0" not in value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False


def relative(option: str, value: str, empty: bool = False) -> str:
    """Return a relative path of the options without "." and doubled slashes; StepFailed names option and cure."""
    parts = [part for part in value.split("/") if part not in ("", ".")]
    bad = (
        value.startswith("/")
        or ".." in parts
        or not writable(value)
        or any(ord(letter) < 32 or ord(letter) == 127 for letter in value)
    )
    if bad or (not parts and not empty):
        raise StepFailed(
            f"{option} {show(value)} can't be used: give a path below the release, without .. and control characters."
        )
    return "/".join(parts)


def member_path(name: str, strip_components: int = 0, subdirectory: str = "") -> str | None:
    """Return where a member of an archive goes, None for one that is left out (stripped, or not in subdirectory).

    "." components don't count for ``strip_components``. StepFailed for a name that leads out of the archive.
    """
    if name.startswith("/"):
        raise StepFailed(f"The archive holds the absolute path {show(name)}; pack it anew with relative paths.")
    if not writable(name):
        raise StepFailed(f"The archive holds the name {show(name)}, which no file can have; pack it anew.")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise StepFailed(f"The archive holds the path {show(name)}, which leads upwards (..); pack it anew without.")
    parts = parts[strip_components:]
    wanted = subdirectory.split("/") if subdirectory else []
    if parts[: len(wanted)] != wanted:
        return None
    return "/".join(parts[len(wanted) :]) or None


class Tree:
    """What was admitted so far; it refuses whatever would be written through a link or in the place of another kind."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.links: set[str] = set()
        self._directories = {""}

    def make_way(self, path: str) -> list[str]:
        """Return the directories above a path that are still to be made, outermost first. StepFailed as above."""
        parent = path.rpartition("/")[0]
        missing: list[str] = []
        while parent not in self._directories:
            node = self.nodes.get(parent)
            if node is not None:
                raise StepFailed(f"The path {show(path)} leads through the {node.kind} {show(parent)}; pack it anew.")
            missing.append(parent)
            parent = parent.rpartition("/")[0]
        for directory in missing:
            self.nodes[directory] = Node(DIRECTORY)
            self._directories.add(directory)
        return missing[::-1]

    def admit(self, path: str, kind: str) -> tuple[list[str], bool]:
        """Return the directories to make first, and whether an entry of this kind is there and is replaced.

        As with tar, the last of several entries with one name counts; another kind in its place is refused.
        """
        missing = self.make_way(path)
        there = self.nodes.get(path)
        if there is not None and there.kind != kind:
            raise StepFailed(f"The path {show(path)} is there as {there.kind} and as {kind}; pack it anew.")
        if kind == DIRECTORY and there is None:
            self.nodes[path] = Node(DIRECTORY)
            self._directories.add(path)
        return missing, there is not None

    def put(self, path: str, node: Node) -> None:
        """Keep what an admitted file or link turned out to be."""
        self.nodes[path] = node
        if node.kind == LINK:
            self.links.add(path)

    def files(self, below: str = "") -> Iterator[str]:
        """Yield the files below a directory, and a file of that name."""
        for path, node in self.nodes.items():
            if node.kind == FILE and within(path, below):
                yield path

    def drop(self, below: str) -> None:
        """Forget an entry and all below it."""
        for path in [path for path in self.nodes if within(path, below)]:
            del self.nodes[path]
            self.links.discard(path)
            self._directories.discard(path)

    def resolve(self, path: str, shared: Iterable[str] = ()) -> str | None:
        """Return where a path leads when links are followed, None when it leaves the tree.

        A path of ``shared`` is a link to outside that the release itself makes: what ends there or below is fine.
        """
        outside, todo, hops = frozenset(shared), path.split("/")[::-1], 0
        at: list[str] = []
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                if not at:
                    return None
                at.pop()
                continue
            at.append(part)
            here = "/".join(at)
            if here in outside:
                return None if ".." in todo else "/".join([*at, *todo[::-1]])
            node = self.nodes.get(here)
            if node is not None and node.kind == LINK:
                hops += 1
                if node.content.startswith("/"):
                    return None
                if hops > _MAX_LINKS:
                    return here
                at.pop()
                todo += node.content.split("/")[::-1]
        return "/".join(at)

    def check_links(self, shared: Iterable[str] = ()) -> None:
        """StepFailed for the first symlink that leads out of the tree (not those that ``shared`` replaces)."""
        shared = tuple(shared)
        for path in sorted(self.links):
            if any(within(path, place) for place in shared):
                continue
            if self.resolve(path, shared) is None:
                raise StepFailed(
                    f"The symlink {show(path)} leads out of the release, to {show(self.nodes[path].content)};"
                    " take it out, or name its path in shared_dirs or shared_files."
                )

    def digest(self) -> str:
        """Return the sha256 of all paths, kinds, executable bits, contents and targets; no times, no owners."""
        total = hashlib.sha256()
        for path, node in sorted(self.nodes.items(), key=lambda item: item[0].encode("utf-8", "surrogateescape")):
            parts = (node.kind, "x" if node.executable else "-", path, node.content)
            total.update("\0".join(parts).encode("utf-8", "surrogateescape") + b"\0\n")
        return total.hexdigest()


def within(path: str, place: str) -> bool:
    """Return whether a path is a place or below it."""
    return place in ("", path) or path.startswith(place + "/")
