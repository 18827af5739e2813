# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What a release is: its options, its id, the record beside it, and the links to what releases share."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_tree import relative, within, writable
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import NAME

ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
KINDS = ("archive", "git", "tree")
_COMMIT = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_./+-]{0,254}$")
_SHA256 = re.compile(r"^[0-9a-f]{64}$")
# What this module makes beside a release and takes away again: nothing else of that folder is its own.
LEFTOVER = re.compile(r"^\.(?:new|old)-[A-Za-z0-9][A-Za-z0-9._-]{0,63}-[0-9a-f]{16}$")


@dataclass(frozen=True)
class Source:
    """Where the code comes from. ``sha256`` and ``commit`` are "" when not given; ``here``: it is on this host."""

    kind: str
    path: str
    commit: str = ""
    sha256: str = ""
    strip_components: int = 0
    subdirectory: str = ""
    here: bool = True

    def key(self, version: str) -> str:
        """Return what this source is known by: the same key, the same tree. version: sum or commit."""
        parts = [self.kind, version, self.strip_components, self.subdirectory]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Shape:
    """What is made of the code: all of it is part of a release's digest, so that an id always means the same."""

    public: str
    shared_dirs: tuple[str, ...]
    shared_files: tuple[str, ...]
    asset_paths: tuple[str, ...]
    owner: str
    group: str
    dir_mode: int
    file_mode: int

    @property
    def shared(self) -> tuple[str, ...]:
        """All shared paths."""
        return self.shared_dirs + self.shared_files

    def as_dict(self) -> dict[str, Any]:
        """Return the shape as JSON keeps it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def mode(self, executable: bool) -> int:
        """Return a file's mode: who may read it may also execute it, when it is executable."""
        return self.file_mode | (self.file_mode & 0o444) >> 2 if executable else self.file_mode


@dataclass(frozen=True)
class Wanted:
    """One release as it is asked for. ``id`` is "" when the digest gives it; ``source`` None takes what is there."""

    site: str
    path: str
    id: str
    source: Source | None
    shape: Shape
    user: str
    keep: int

    @property
    def releases(self) -> str:
        """The folder of all releases."""
        return f"{self.path}/releases"


def octal(option: str, value: str, needed: int) -> int:
    """Return a mode; StepFailed unless it is octal, has the owner's ``needed`` bits and is writable by no other."""
    if not re.fullmatch(r"0?[0-7]{3}", value):
        raise StepFailed(f"{option} {value!r} can't be used: give three octal digits, quoted, such as '0644'.")
    mode = int(value, 8)
    if mode & needed != needed or mode & 0o022:
        raise StepFailed(
            f"{option} {value!r} can't be used: the owner must be able to read it, and group and others not to write."
        )
    return mode


def _paths(option: str, values: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(sorted({relative(option, value) for value in values or []}))


def _check_overlaps(shape: Shape) -> None:
    """StepFailed for shared paths that lie in each other, and for public or assets that a shared path takes away."""
    for place in shape.shared:
        others = [other for other in shape.shared if other != place and within(other, place)]
        if others or shape.shared.count(place) > 1:
            inner = others[0] if others else place
            raise StepFailed(f"The shared paths {place!r} and {inner!r} overlap; name one of them, and only once.")
        if within(shape.public, place) and shape.public:
            raise StepFailed(f"public {shape.public!r} lies in the shared path {place!r}; it must belong to a release.")
        for asset in shape.asset_paths:
            if within(asset, place):
                raise StepFailed(f"The asset path {asset!r} lies in the shared path {place!r}: take it out.")


def source_of(given: Mapping[str, Any]) -> Source:
    """Return a validated source; StepFailed names what can't be used."""
    source = Source(
        kind=str(given.get("kind") or ""),
        path=str(given.get("path") or ""),
        commit=str(given.get("commit") or ""),
        sha256=str(given.get("sha256") or "").lower(),
        strip_components=int(given.get("strip_components") or 0),
        subdirectory=relative("source.subdirectory", str(given.get("subdirectory") or ""), empty=True),
        here=given.get("remote_src") is not False,
    )
    if source.kind not in KINDS:
        raise StepFailed(f"source.kind {source.kind!r} can't be used: give one of {', '.join(KINDS)}.")
    if not source.path.startswith("/"):
        raise StepFailed(f"source.path {source.path!r} can't be used: give an absolute path of this host.")
    if (source.kind == "git") != bool(source.commit):
        raise StepFailed("source.commit belongs to source.kind git, and only there: give the commit to export.")
    if source.commit and (not _COMMIT.fullmatch(source.commit) or ".." in source.commit):
        raise StepFailed(f"source.commit {source.commit!r} can't be used: give a commit's hash, a tag or a branch.")
    if source.sha256 and not _SHA256.fullmatch(source.sha256):
        raise StepFailed(f"source.sha256 {source.sha256!r} can't be used: give the 64 hexadecimal digits of the sum.")
    if source.sha256 and source.kind != "archive":
        raise StepFailed("source.sha256 belongs to source.kind archive: leave it out.")
    if not source.here and not (source.kind == "archive" and source.sha256):
        raise StepFailed("source.remote_src false belongs to source.kind archive with its sha256: leave it out.")
    if source.strip_components < 0:
        raise StepFailed(f"source.strip_components {source.strip_components} can't be used: give 0 or more.")
    return source


def wanted_of(options: Mapping[str, Any]) -> Wanted:
    """Return the module's options as one validated release; StepFailed names the option, its value and the cure."""
    for name, value in [*options.items(), *(options.get("source") or {}).items()]:
        if isinstance(value, str) and not writable(value):
            raise StepFailed(f"{name} {value!r} can't be used: it holds a null byte or a half character.")
    site, path, release_id = str(options["site"]), str(options["path"]), str(options.get("id") or "")
    if not NAME.fullmatch(site):
        raise StepFailed(f"Site name {site!r} can't be used: give 1 to 32 characters of a-z, 0-9, _ and -.")
    if not re.fullmatch(r"(?:/[^/\x00-\x1f\x7f]+)+", path) or {"..", "."} & set(path.split("/")):
        raise StepFailed(
            f"path {path!r} can't be used: give an absolute path without .. and without a slash at its end, such as"
            f" /srv/www/{site}."
        )
    if release_id and (not ID.fullmatch(release_id) or release_id.endswith(".json")):
        raise StepFailed(f"id {release_id!r} can't be used: give 1 to 64 letters, digits and . _ -, without .json.")
    if options.get("source") is None and not release_id and options.get("state") != "pruned":
        raise StepFailed("Give a source to build a release from, or the id of a release that is there.")
    shape = Shape(
        public=relative("public", str(options.get("public") or ""), empty=True),
        shared_dirs=_paths("shared_dirs", options.get("shared_dirs")),
        shared_files=_paths("shared_files", options.get("shared_files")),
        asset_paths=_paths("asset_paths", options.get("asset_paths")),
        owner=str(options.get("owner") or "root"),
        group=str(options.get("group") or ""),
        dir_mode=octal("dir_mode", str(options.get("dir_mode") or "0755"), 0o700),
        file_mode=octal("file_mode", str(options.get("file_mode") or "0644"), 0o400),
    )
    _check_overlaps(shape)
    keep = int(options["keep"]) if options.get("keep") is not None else 5
    if keep < 0:
        raise StepFailed(f"keep {keep} can't be used: give 0 or more.")
    given = options.get("source")
    source = source_of(given) if given is not None else None
    return Wanted(site, path, release_id, source, shape, str(options.get("user") or ""), keep)


def release_digest(tree_digest: str, shape: Shape) -> str:
    """Return a release's digest: its tree and its shape. The same on every host."""
    text = json.dumps([tree_digest, shape.as_dict()], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def id_of(digest: str) -> str:
    """Return the id that a digest gives."""
    return digest[:12]


@dataclass(frozen=True)
class Record:
    """The file <id>.json beside a release; ``assets`` are the files below asset_paths that it shipped itself."""

    id: str
    site: str
    digest: str
    source_key: str
    shape: dict[str, Any]
    public: str
    files: int
    bytes: int
    built: float
    seconds: float
    assets: tuple[str, ...]

    def render(self) -> str:
        """Return the file's text."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


def parse_record(text: str) -> Record | None:
    """Return the record in a file's text, None when it is none."""
    try:
        found = json.loads(text)
        return Record(
            id=str(found["id"]),
            site=str(found["site"]),
            digest=str(found["digest"]),
            source_key=str(found["source_key"]),
            shape=dict(found["shape"]),
            public=str(found["public"]),
            files=int(found["files"]),
            bytes=int(found["bytes"]),
            built=float(found["built"]),
            seconds=float(found["seconds"]),
            assets=tuple(str(path) for path in found["assets"]),
        )
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def known(records: Mapping[str, Record], wanted: Wanted, source_key: str) -> Record | None:
    """Return the release that was already built from this source in this shape, None when there is none."""
    shape = wanted.shape.as_dict()
    for record in records.values():
        right_id = record.id == wanted.id if wanted.id else record.id == id_of(record.digest)
        if right_id and record.source_key == source_key and record.shape == shape:
            return record
    return None


def link_target(path: str) -> str:
    """Return the target of a shared path's link, relative to where the link is in a release."""
    return "../" * (2 + path.count("/")) + f"shared/{path}"
