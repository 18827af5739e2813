# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads the code of a release: a tar or zip archive, or a directory of the host."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, Iterator, cast

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.release import Source
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_tree import member_path, show
from ansible_collections.phpops.webhost.plugins.module_utils._host.release_build import (
    CHUNK_BYTES,
    FOLDER,
    Builder,
    raw,
)

_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError, struct.error),
    *(ValueError, NotImplementedError, RuntimeError, OverflowError),
)
_ZIP_UNIX, _ZIP_DOS, _ZIP_UTF8, _ZIP_ENCRYPTED = 3, 0, 0x800, 0x1
_SYMLINK_MAX_BYTES = 4096
# As the kernel counts (path_resolution(7)).
_MOST_LINKS = 40
# tarfile copies the rest of its buffer at each read.
_TAR_BUFFER_BYTES = 32 * 1024


@contextmanager
def open_archive(path: str) -> Iterator[BinaryIO]:
    """Open a regular file, not through a symlink at its end; StepFailed says why it can't be."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise StepFailed(f"The archive {path} can't be opened: {error.strerror}.") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise StepFailed(f"The archive {path} is not a regular file; name one.")
        yield cast(BinaryIO, file)


def sha256_of(file: BinaryIO) -> str:
    """Return the sum of a file's whole content and go back to its begin."""
    total = hashlib.sha256()
    for chunk in iter(lambda: file.read(CHUNK_BYTES), b""):
        total.update(chunk)
    file.seek(0)
    return total.hexdigest()


def check_sum(source: Source, found: str) -> None:
    """StepFailed names both sums when the archive is not the one that was asked for."""
    if source.sha256 and source.sha256 != found:
        raise StepFailed(
            f"The archive {source.path} has the sha256 {found}, not {source.sha256} as asked: fetch it again or correct"
            " the sum. Nothing was unpacked."
        )


def unpack(file: BinaryIO, source: Source, builder: Builder) -> None:
    """Give all members of an archive to the builder; the kind of archive is read from its first bytes."""
    head = file.read(6)
    file.seek(0)
    try:
        if head.startswith(b"PK"):
            _unpack_zip(file, source, builder)
        elif head.startswith(b"\x1f\x8b"):
            with gzip.GzipFile(fileobj=file) as stream:
                unpack_tar(cast(IO[bytes], stream), source, builder)
        elif head.startswith(b"BZh"):
            with bz2.BZ2File(file) as stream:
                unpack_tar(cast(IO[bytes], stream), source, builder)
        elif head == b"\xfd7zXZ\x00":
            with lzma.LZMAFile(file) as stream:
                unpack_tar(cast(IO[bytes], stream), source, builder)
        elif head.startswith(b"\x28\xb5\x2f\xfd"):
            raise StepFailed(
                f"The archive {source.path} is packed with zstd, which this module can't read; use gz or xz."
            )
        else:
            unpack_tar(file, source, builder)
    except _BROKEN as error:
        raise StepFailed(
            f"The archive {source.path} can't be read: {_reason(error)}; fetch or pack it anew."
        ) from error
    except OSError as error:
        # gzip and bz2 tell broken data by an OSError without a number.
        if error.errno is not None:
            raise
        raise StepFailed(
            f"The archive {source.path} can't be read: {_reason(error)}; fetch or pack it anew."
        ) from error


def _reason(error: BaseException) -> str:
    return str(error).strip().rstrip(".") or type(error).__name__


class _Watched:
    """A stream that counts its bytes, and those that are zero at its end."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.total = self.zeros = 0

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        rest = len(data.rstrip(b"\0"))
        self.zeros = len(data) - rest if rest else self.zeros + len(data)
        self.total += len(data)
        return data


def unpack_tar(stream: IO[bytes], source: Source, builder: Builder) -> None:
    """Give all members of a tar stream to the builder.

    Python's tarfile takes a header that is broken or cut off for the archive's end: only what ends in blocks of zeros
    (pax(1), "ustar Interchange Format") is whole.
    """
    watched = _Watched(stream)
    with tarfile.open(
        fileobj=cast(Any, watched), mode="r|", bufsize=_TAR_BUFFER_BYTES, encoding="utf-8", errors="surrogateescape"
    ) as archive:
        for member in archive:
            _tar_member(archive, member, source, builder)
        end = archive.offset
        while watched.read(CHUNK_BYTES):
            pass
    if watched.total < end + tarfile.BLOCKSIZE or watched.total - watched.zeros > end:
        raise StepFailed(f"The archive {source.path} is not whole: it ends or breaks at byte {end}; fetch it again.")


def _tar_member(archive: tarfile.TarFile, member: tarfile.TarInfo, source: Source, builder: Builder) -> None:
    path = member_path(member.name, source.strip_components, source.subdirectory)
    known = member.isreg() or member.isdir() or member.issym() or member.islnk()
    if not known:
        raise StepFailed(f"The archive holds {show(member.name)}, a device or pipe; pack it anew without.")
    if path is None:
        return
    if member.isdir():
        builder.directory(path)
    elif member.issym():
        builder.link(path, member.linkname)
    elif member.islnk():
        first = member_path(member.linkname, source.strip_components, source.subdirectory)
        if first is None:
            raise StepFailed(
                f"The archive holds a hard link {show(path)} to {show(member.linkname)}, which isn't unpacked; change"
                " strip_components or subdirectory."
            )
        builder.copy(path, first)
    else:
        content = archive.extractfile(member)
        if content is None:
            raise StepFailed(f"The archive holds {show(member.name)}, which has no content that can be read.")
        builder.file(path, bool(member.mode & 0o100), content.read)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Return a member's name; what a Unix tool packed has the bytes of the file's name, in no stated code."""
    name = info.orig_filename
    if info.create_system == _ZIP_UNIX and not info.flag_bits & _ZIP_UTF8:
        name = name.encode("cp437").decode("utf-8", "surrogateescape")
    if info.create_system == _ZIP_DOS and "\\" in name:
        raise StepFailed(f"The archive holds {show(name)} with a backslash; pack it anew with / between names.")
    return name


def _unpack_zip(file: BinaryIO, source: Source, builder: Builder) -> None:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            name = _zip_name(info)
            if info.flag_bits & _ZIP_ENCRYPTED:
                raise StepFailed(f"The archive {source.path} is encrypted ({show(name)}); pack it anew without.")
            path = member_path(name, source.strip_components, source.subdirectory)
            mode = info.external_attr >> 16 if info.create_system != _ZIP_DOS else 0
            kind = stat.S_IFMT(mode)
            if name.endswith("/"):
                kind = stat.S_IFDIR
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
                raise StepFailed(f"The archive holds {show(name)}, a device or pipe; pack it anew without.")
            if path is None:
                continue
            if kind == stat.S_IFDIR:
                builder.directory(path)
                continue
            with archive.open(info) as content:
                if kind == stat.S_IFLNK:
                    target = content.read(_SYMLINK_MAX_BYTES + 1)
                    if len(target) > _SYMLINK_MAX_BYTES:
                        raise StepFailed(f"The archive holds the symlink {show(name)} with a target too long.")
                    builder.link(path, target.decode("utf-8", "surrogateescape"))
                else:
                    builder.file(path, bool(mode & 0o100), content.read)


def read_tree(source: Source, builder: Builder, avoid: str) -> None:
    """Give a directory of this host to the builder, without following any symlink; ``avoid`` may not be in it."""
    top = os.path.realpath(os.path.join(source.path, source.subdirectory))
    if os.path.realpath(avoid).startswith(top.rstrip("/") + "/") or os.path.realpath(avoid) == top:
        raise StepFailed(f"The directory {source.path} holds {avoid}, where releases are kept; name the code alone.")
    try:
        descriptor = _open_directory(os.path.join(source.path, source.subdirectory))
    except OSError as error:
        raise StepFailed(f"The directory {top} can't be read: {error.strerror}.") from error
    try:
        _read_directory(descriptor, "", source, builder)
    finally:
        os.close(descriptor)


def _open_directory(path: str) -> int:
    """Open a directory; StepFailed for a symlink on the way that others than root can change. Raises OSError.

    Who owns a folder on the way could lead root, and with it the release, to any other folder of the host.
    """
    at, todo, hops = os.open("/", FOLDER), path.split("/")[::-1], 0
    try:
        while todo:
            name = raw(todo.pop())
            if name in (b"", b"."):
                continue
            try:
                inner = os.open(name, FOLDER, dir_fd=at)
            except OSError as error:
                if not stat.S_ISLNK(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode) or hops >= _MOST_LINKS:
                    raise
                target = os.fsdecode(os.readlink(name, dir_fd=at))
                found = os.fstat(at)
                if found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o022:
                    raise StepFailed(
                        f"On the way to {path}, {os.readlink(f'/proc/self/fd/{at}')}/{os.fsdecode(name)} is a symlink"
                        " that others than root can change, so root does not follow it: name the directory itself."
                    ) from error
                hops += 1
                todo += target.split("/")[::-1]
                inner = os.open("/" if target.startswith("/") else ".", FOLDER, dir_fd=at)
            os.close(at)
            at = inner
    except BaseException:
        os.close(at)
        raise
    return at


def _read_directory(descriptor: int, above: str, source: Source, builder: Builder) -> None:
    """Read one directory by its descriptor: the names above it may be changed while we read."""
    with os.scandir(descriptor) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        # os.scandir() of a descriptor gives text in the file system's encoding.
        there = os.fsencode(name).decode("utf-8", "surrogateescape")
        full = f"{above}{there}"
        path = member_path(full, source.strip_components)
        mode = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            if path is not None:
                target = os.readlink(name, dir_fd=descriptor)
                builder.link(path, os.fsencode(target).decode("utf-8", "surrogateescape"))
            continue
        if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
            raise StepFailed(f"The directory {source.path} holds {show(full)}, a device, pipe or socket; take it out.")
        inner = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptor)
        try:
            if stat.S_ISDIR(mode):
                if path is not None:
                    builder.directory(path)
                _read_directory(inner, f"{full}/", source, builder)
            elif path is not None:
                _read_file(inner, path, mode, builder)
        finally:
            os.close(inner)


def _read_file(descriptor: int, path: str, mode: int, builder: Builder) -> None:
    builder.file(path, bool(mode & 0o100), lambda size: os.read(descriptor, size))
