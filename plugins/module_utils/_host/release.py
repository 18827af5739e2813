# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Builds a release beside the others and gives it its name by one rename."""

from __future__ import annotations

import grp
import os
import pwd
import time
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.release import (
    Record,
    Shape,
    Source,
    Wanted,
    id_of,
    known,
    release_digest,
    wanted_of,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_keep import plan_assets
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_shared import (
    Share,
    missing_sentence,
    plan_shared,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_tree import DIRECTORY, Tree, show
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import (
    release_assets,
    release_git,
    release_place,
    release_read,
    release_shared,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import fsync_dir, write_atomic
from ansible_collections.phpops.webhost.plugins.module_utils._host.lease import hold
from ansible_collections.phpops.webhost.plugins.module_utils._host.lease import release as give_back
from ansible_collections.phpops.webhost.plugins.module_utils._host.release_build import Builder, sync
from ansible_collections.phpops.webhost.plugins.module_utils._host.release_prune import prune
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_store import live_slot, read_stored

LAYOUT = Layout()
EMPTY: dict[str, Any] = {
    **{"release": None, "reused": False, "shared": [], "assets_carried": 0, "pruned": [], "kept": []},
    **{"unlocked": False, "needs_archive": False, "warnings": [], "diff": {"before": "", "after": ""}, "msg": ""},
}


@dataclass
class Made:
    """What a run did, or would do."""

    record: Record | None = None
    reused: bool = False
    changed: bool = False
    shares: list[Share] = field(default_factory=list)
    carried: int = 0
    lacking: bool = False
    warnings: list[str] = field(default_factory=list)


def run(options: Mapping[str, Any], check_mode: bool, layout: Layout = LAYOUT) -> dict[str, Any]:
    """Do what the module's options say and return its result; ``failed`` and ``msg`` say what went wrong."""
    try:
        wanted = wanted_of(options)
        with hold(wanted.site, options.get("deploy_id"), layout, check_mode=check_mode) as held:
            release_place.check_path(wanted, layout)
            if options["state"] != "pruned":
                held.step("release")
                return {**EMPTY, **_result(wanted, _Release(wanted, layout, check_mode).present(), check_mode)}
            held.step("prune")
            result = {**EMPTY, **prune(wanted, layout, check_mode)}
        if options.get("unlock") and options.get("deploy_id"):
            result["unlocked"] = give_back(wanted.site, options["deploy_id"], layout, check_mode)
        return result
    except StepFailed as error:
        return {**EMPTY, "changed": False, "failed": True, "msg": str(error)}
    except OSError as error:
        cure = "; run the task with become" if isinstance(error, PermissionError) else ""
        said = f"Site {options['site']}: the releases could not be changed: {error}{cure}."
        return {**EMPTY, "changed": False, "failed": True, "msg": said}


def accounts(owner: str, group: str) -> tuple[int, int]:
    """Return the numbers of a user and a group ("": the user's own); StepFailed names what the host lacks."""
    try:
        found = pwd.getpwnam(owner)
    except KeyError as error:
        raise StepFailed(f"The user {owner} does not exist on this host; create it or name another.") from error
    try:
        return found.pw_uid, grp.getgrnam(group).gr_gid if group else found.pw_gid
    except KeyError as error:
        raise StepFailed(f"The group {group} does not exist on this host; create it or name another.") from error


def site_user(wanted: Wanted, layout: Layout) -> str:
    """Return who owns what releases share: the user given, else the one of the live slot."""
    if wanted.user:
        return wanted.user
    slot = live_slot(wanted.site, layout)
    stored = read_stored(wanted.site, slot, layout) if slot is not None else None
    user = str((stored or {}).get("user") or "")
    if not user:
        raise StepFailed(f"Site {wanted.site} has no slot that names its user yet; give user, who owns shared paths.")
    return user


class _Release:
    """One run for one release."""

    def __init__(self, wanted: Wanted, layout: Layout, check_mode: bool) -> None:
        self.wanted, self.layout, self.check_mode = wanted, layout, check_mode
        self.made = Made()
        self.owner = accounts(wanted.shape.owner, wanted.shape.group)
        self.user = accounts(site_user(wanted, layout), "") if wanted.shape.shared else self.owner
        self.began = time.monotonic()

    def present(self) -> Made:
        """Build the release, or find that it is there."""
        wanted, made = self.wanted, self.made
        if self.check_mode:
            made.changed = not os.path.lexists(f"{wanted.path}/current")
        else:
            made.changed = release_place.make_skeleton(wanted, self.layout)
        with nullcontext() if self.check_mode else release_place.path_lock(wanted.releases):
            if not self.check_mode:
                release_place.remove_leftovers(wanted.releases)
            if wanted.source is None:
                record = release_place.records(wanted.releases).get(wanted.id)
                if record is None:
                    raise StepFailed(
                        f"There is no release {wanted.id} in {wanted.releases}; give a source to build it from."
                    )
                self.wanted = replace(wanted, shape=shape_of(record))
                return self.reuse(record)
            if wanted.source.kind == "archive":
                return self.archive(wanted.source)
            if wanted.source.kind == "git":
                return self.git(wanted.source)
            return self.tree(wanted.source)

    def archive(self, source: Source) -> Made:
        if not source.here or (self.check_mode and source.sha256):
            record = known(release_place.records(self.wanted.releases), self.wanted, source.key(source.sha256))
            if record is not None:
                return self.reuse(record)
        if not source.here:
            self.made.lacking = True
            return self.made
        if self.check_mode and not os.path.lexists(source.path):
            return self.unknown(f"The archive {source.path} is not on this host yet: its release is unknown.")
        with release_read.open_archive(source.path) as file:
            found = release_read.sha256_of(file)
            if self.check_mode and source.sha256 not in ("", found):
                return self.unknown(
                    f"The archive {source.path} on this host is another one yet: its release is unknown."
                )
            release_read.check_sum(source, found)
            return self.find_or_build(source, found, lambda builder: release_read.unpack(file, source, builder))

    def unknown(self, why: str) -> Made:
        """In check mode, end where the source can't be read."""
        self.made.warnings.append(why)
        self.made.changed = True
        return self.made

    def git(self, source: Source) -> Made:
        if self.check_mode and not os.path.lexists(source.path):
            return self.unknown(f"The repository {source.path} is not on this host yet: its release is unknown.")
        try:
            commit = release_git.commit_of(source)
        except StepFailed:
            if self.check_mode:
                return self.unknown(f"Commit {source.commit} was not fetched to this host yet: its release is unknown.")
            raise
        for path in release_git.submodules(source, commit):
            self.made.warnings.append(f"The submodule {show(path)} is not exported: its directory is empty.")
        return self.find_or_build(source, commit, lambda builder: release_git.export(source, commit, builder))

    def tree(self, source: Source) -> Made:
        return self.find_or_build(source, "", lambda builder: release_read.read_tree(source, builder, self.wanted.path))

    def find_or_build(self, source: Source, version: str, fill: Any) -> Made:
        """Take the release that this source gave before, else build it."""
        records, key = release_place.records(self.wanted.releases), source.key(version)
        record = known(records, self.wanted, key) if version else None
        if record is not None:
            return self.reuse(record)
        there = records.get(self.wanted.id)
        if there is not None and there.shape != self.wanted.shape.as_dict():
            raise StepFailed(self.differs(there, "other options"))
        self.check_accounts_only_root()
        root = (
            None
            if self.check_mode
            else f"{self.wanted.releases}/{release_place.new_name('new', self.wanted.id or key[:12])}"
        )
        try:
            if root is not None:
                os.mkdir(root, 0o700)
            builder = Builder(root, self.wanted.shape, *self.owner)
            fill(builder)
            return self.finish(builder, key, records)
        except OSError as error:
            said = release_place.free_sentence(self.wanted.releases, error)
            self.remove(root)
            raise StepFailed(said) from error
        except BaseException:
            self.remove(root)
            raise

    def check_accounts_only_root(self) -> None:
        """StepFailed when we can't give files to another owner."""
        if os.geteuid() != 0 and not self.check_mode and self.owner != (os.geteuid(), os.getegid()):
            raise StepFailed(f"Only root may give files to {self.wanted.shape.owner}: run the task with become.")

    @staticmethod
    def remove(root: str | None) -> None:
        if root is not None and os.path.lexists(root):
            with suppress(OSError):
                release_place.remove_tree(root)

    def differs(self, there: Record, by: str) -> str:
        return (
            f"Release {there.id} is there already and was built from {by}: a release never changes. Give another id, or"
            f" none (the content then names it), or remove {self.wanted.releases}/{there.id} and its .json when nothing"
            " uses it."
        )

    def finish(self, builder: Builder, key: str, records: Mapping[str, Record]) -> Made:
        """Check the whole tree, then link it up and give it its name."""
        wanted, tree = self.wanted, builder.tree
        if not any(tree.files()):
            raise StepFailed("The release would have no file; correct strip_components and subdirectory of its source.")
        tree.check_links(wanted.shape.shared)
        digest = release_digest(tree.digest(), wanted.shape)
        release_id = wanted.id or id_of(digest)
        there = records.get(release_id)
        if there is not None:
            if there.digest != digest:
                raise StepFailed(self.differs(there, "another content"))
            self.remove(os.fsdecode(builder.root) if builder.root else None)
            if not self.check_mode:
                # The next run needn't unpack this source to know.
                self.write(replace(there, source_key=key))
            return self.reuse(there)
        if os.path.lexists(f"{wanted.releases}/{release_id}"):
            raise StepFailed(f"{wanted.releases}/{release_id} is not of this module; remove it or give an id.")
        self.share(tree)
        check_public(tree, wanted.shape)
        # Before seeds go, which keep their modes, and again for the folders that the links need.
        builder.finish()
        if not self.check_mode:
            release_shared.make(wanted, self.made.shares, builder, *self.user)
        release_shared.link_all(self.made.shares, builder)
        builder.finish()
        files = list(tree.files())
        record = Record(
            id=release_id,
            site=wanted.site,
            digest=digest,
            source_key=key,
            shape=wanted.shape.as_dict(),
            public=wanted.shape.public,
            files=len(files),
            bytes=sum(tree.nodes[path].size for path in files),
            built=time.time(),
            seconds=0.0,
            assets=tuple(sorted({path for place in wanted.shape.asset_paths for path in tree.files(place)})),
        )
        self.carry(record, None if builder.root is None else os.fsdecode(builder.root), set(tree.nodes))
        record = replace(record, built=time.time(), seconds=round(time.monotonic() - self.began, 3))
        self.made.record, self.made.changed = record, True
        if builder.root is not None:
            # The record first: a directory with a release's name is a whole release with a record.
            self.write(record)
            sync(wanted.releases)
            builder.open_up()
            os.rename(builder.root, os.fsencode(f"{wanted.releases}/{release_id}"))
            fsync_dir(wanted.releases)
        return self.made

    def write(self, record: Record) -> None:
        write_atomic(f"{self.wanted.releases}/{record.id}.json", record.render(), 0o644)

    def share(self, tree: Tree | None) -> None:
        """Plan the shared paths; a file that is nowhere ends it here (in check mode a task before may bring it)."""
        wanted = self.wanted
        shares = plan_shared(tree, wanted.shape, release_shared.look(f"{wanted.path}/shared", wanted.shape))
        for share in shares:
            if share.action == "missing":
                if not self.check_mode:
                    raise StepFailed(missing_sentence(share.path, wanted.path))
                self.made.warnings.append(missing_sentence(share.path, wanted.path))
        self.made.shares = shares

    def reuse(self, record: Record) -> Made:
        """Take a release that is there; what all releases share, and old assets, may still be missing."""
        self.share(None)
        made = sum(share.action == "made" for share in self.made.shares)
        if not self.check_mode:
            try:
                release_shared.make(self.wanted, self.made.shares, None, *self.user)
                self.carry(record, f"{self.wanted.releases}/{record.id}", set(record.assets))
            except OSError as error:
                raise StepFailed(release_place.free_sentence(self.wanted.releases, error)) from error
        else:
            self.carry(record, None, set(record.assets))
        self.made.record, self.made.reused = record, True
        self.made.changed = self.made.changed or bool(made or self.made.carried)
        return self.made

    def carry(self, record: Record, place: str | None, ships: set[str]) -> None:
        """Copy the old assets that the release lacks into its directory."""
        wanted = self.wanted
        if not wanted.shape.asset_paths:
            return
        plan: Mapping[str, Any] = plan_assets(
            ships,
            release_place.records(wanted.releases),
            release_place.chain(wanted.site, self.layout),
            wanted.keep,
        )
        plan = release_assets.lacking(place or f"{wanted.releases}/{record.id}", plan)
        if place is None or not plan:
            self.made.carried = len(plan)
            return
        stage = f"{wanted.releases}/{release_place.new_name('new', 'assets')}"
        os.mkdir(stage, 0o700)
        try:
            self.made.carried = release_assets.carry(wanted.releases, place, plan, stage, wanted.shape, *self.owner)
        finally:
            self.remove(stage)


def check_public(tree: Tree, shape: Shape) -> None:
    """StepFailed unless the public directory is in the release."""
    place = tree.resolve(shape.public) if shape.public else ""
    if place and (place not in tree.nodes or tree.nodes[place].kind != DIRECTORY):
        there = sorted(path for path, node in tree.nodes.items() if node.kind == DIRECTORY and "/" not in path)
        raise StepFailed(
            f"The release has no directory {show(shape.public)} to be served (public); at its top are"
            f" {', '.join(there[:10]) or 'no directories'}."
        )


def shape_of(record: Record) -> Shape:
    """Return the shape that a release was built in; StepFailed for a record of no use."""
    try:
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in record.shape.items()
        }
        return Shape(**given)
    except TypeError as error:
        raise StepFailed(f"The record of release {record.id} can't be used ({error}); give its source.") from error


def _result(wanted: Wanted, made: Made, check_mode: bool) -> dict[str, Any]:
    record, would = made.record, "would be " if check_mode else ""
    shared = [{"path": share.path, "kind": share.kind, "action": share.action} for share in made.shares]
    if record is None:
        told = {"shared": shared, "warnings": made.warnings, "msg": " ".join(made.warnings)}
        return {"changed": made.changed, "needs_archive": made.lacking, **told}
    place = f"{wanted.releases}/{record.id}"
    release = {
        **{name: getattr(record, name) for name in ("id", "digest", "files", "bytes", "public", "seconds")},
        "path": place,
        "document_root": f"{place}/{record.public}".rstrip("/"),
    }
    if made.reused:
        msg = f"Release {record.id} is there already."
    else:
        msg = f"Release {record.id} {would or 'was '}built: {record.files} files, {record.bytes} bytes."
    if made.carried:
        msg += f" {made.carried} old assets {would or 'were '}carried along."
    lines = [] if made.reused else [f"{place}: {record.files} files, {record.bytes} bytes, digest {record.digest}"]
    lines += [f"{wanted.path}/shared/{share.path}: {share.action}" for share in made.shares if share.action != "kept"]
    lines += [f"{made.carried} assets of earlier releases in {place}"] if made.carried else []
    return {
        "changed": made.changed,
        "release": release,
        "reused": made.reused,
        "shared": shared,
        "assets_carried": made.carried,
        "warnings": made.warnings,
        "diff": {"before": "", "after": "".join(f"{line}\n" for line in lines)},
        "msg": msg,
    }
