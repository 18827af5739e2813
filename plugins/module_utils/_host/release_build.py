# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Writes a release's tree, or only computes what it would be."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import stat
from contextlib import suppress
from typing import Callable

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.release import Shape
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_tree import (
    DIRECTORY,
    FILE,
    LINK,
    Node,
    Tree,
    show,
)

CHUNK_BYTES = 1024 * 1024
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def raw(path: str) -> bytes:
    """Return a path as the file system has it, whatever locale Python runs in."""
    return path.encode("utf-8", "surrogateescape")


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of a chunk. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def folder_in(at: int, name: bytes, mode: int | None = None, uid: int = -1, gid: int = -1) -> int:
    """Open a folder by the descriptor of the one that it lies in, never through a symlink. Raises OSError.

    With a mode it is made where it is missing, for that owner. All by descriptors: who owns the folder above may put
    another thing in its place at any moment.
    """
    made = False
    if mode is not None:
        with suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=at)
            made = True
    found = os.open(name, FOLDER, dir_fd=at)
    try:
        if made and mode is not None:
            there = os.fstat(found)
            if (there.st_uid, stat.S_IMODE(there.st_mode)) != (os.geteuid(), 0o700):
                raise FileExistsError(errno.EEXIST, "somebody put another folder there", os.fsdecode(name))
            os.fchown(found, uid, gid)
            os.fchmod(found, mode)
    except BaseException:
        os.close(found)
        raise
    return found


class Builder:
    """Takes directories, files and links in any order; with root None nothing is written.

    The root is a new folder that nobody but us may enter, so that no path in it changes under our hands. Files get the
    time at which they are written: a sum of name, size and a time that an archive has for all of its files would be an
    ETag that stays the same for another content.
    """

    def __init__(self, root: str | None, shape: Shape, uid: int, gid: int) -> None:
        self.tree = Tree()
        self.root = None if root is None else raw(root)
        self._shape = shape
        self._owner = None if (uid, gid) == (os.geteuid(), os.getegid()) else (uid, gid)

    def path(self, path: str) -> bytes:
        """Return where an entry is on disk."""
        return (self.root or b"") + b"/" + raw(path)

    def _admit(self, path: str, kind: str) -> None:
        missing, replaced = self.tree.admit(path, kind)
        if self.root is None:
            return
        for directory in missing:
            os.mkdir(self.path(directory), 0o700)
        if replaced and kind != DIRECTORY:
            os.unlink(self.path(path))
        elif kind == DIRECTORY and not replaced:
            os.mkdir(self.path(path), 0o700)

    def directory(self, path: str) -> None:
        """Add a directory. Raises StepFailed and OSError, as all below."""
        self._admit(path, DIRECTORY)

    def file(self, path: str, executable: bool, read: Callable[[int], bytes]) -> None:
        """Add a file with what ``read`` gives until it gives nothing."""
        self._admit(path, FILE)
        total, size = hashlib.sha256(), 0
        descriptor = -1 if self.root is None else os.open(self.path(path), _NEW, 0o600)
        try:
            data = read(CHUNK_BYTES)
            while data:
                total.update(data)
                size += len(data)
                if descriptor >= 0:
                    write_all(descriptor, data)
                data = read(CHUNK_BYTES)
            if descriptor >= 0:
                if self._owner is not None:
                    os.fchown(descriptor, *self._owner)
                os.fchmod(descriptor, self._shape.mode(executable))
        finally:
            if descriptor >= 0:
                os.close(descriptor)
        self.tree.put(path, Node(FILE, total.hexdigest(), executable, size))

    def copy(self, path: str, first: str) -> None:
        """Add a copy of a file that was added before: a hard link would let one change the other."""
        node = self.tree.nodes.get(first)
        if node is None or node.kind != FILE:
            raise StepFailed(f"The archive holds a hard link {show(path)} to {show(first)}, which is not there before.")
        if path == first:
            return
        if self.root is None:
            self._admit(path, FILE)
            self.tree.put(path, node)
            return
        descriptor = os.open(self.path(first), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self.file(path, node.executable, lambda size: os.read(descriptor, size))
        finally:
            os.close(descriptor)

    def link(self, path: str, target: str) -> None:
        """Add a symlink; where it leads is checked when all is there."""
        if not target or "\0" in target:
            raise StepFailed(f"The symlink {show(path)} has no target that can be written; pack it anew.")
        self._admit(path, LINK)
        if self.root is not None:
            os.symlink(raw(target), self.path(path))
            self.own(self.path(path))
        self.tree.put(path, Node(LINK, target))

    def own(self, path: bytes) -> None:
        """Give one path to the release's owner."""
        if self._owner is not None:
            os.chown(path, self._owner[0], self._owner[1], follow_symlinks=False)

    def finish(self) -> None:
        """Set owner and mode of all directories but the top."""
        for path, node in self.tree.nodes.items():
            if node.kind == DIRECTORY:
                self._give(path)

    def open_up(self) -> None:
        """Give the top, and all with it, to the owner: nothing may be done to the tree by its paths any more."""
        self._give("")

    def _give(self, path: str) -> None:
        if self.root is not None:
            self.own(self.path(path))
            os.chmod(self.path(path), self._shape.dir_mode)


def sync(folder: str) -> None:
    """Write all data of a folder's file system to disk (syncfs(2)). Raises OSError.

    One call for the whole tree: fsync(2) for each of 5,000 files is as many commits of the journal, and a rename that
    is seen after a power cut while the data of the files is not would be a release of empty files.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if call is None:
            os.sync()
        elif call(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), folder)
    finally:
        os.close(descriptor)
