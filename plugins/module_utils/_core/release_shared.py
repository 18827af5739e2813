# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What happens to the paths that all releases of a site share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.release import Shape
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_tree import DIRECTORY, LINK, Tree


@dataclass(frozen=True)
class Share:
    """One shared path.

    ``action``: kept (it is there), seeded (moved there from the release), made (an empty directory), missing (a file
    that is nowhere).
    """

    path: str
    kind: str
    action: str


def plan_shared(tree: Tree | None, shape: Shape, there: Mapping[str, str | None]) -> list[Share]:
    """Return what to do for each shared path; StepFailed where a path is of the wrong kind.

    tree: the release's own content, None for a release that is there already. there: by path, what lies in the shared
    folder now: "directory", "file", "link" or None.
    """
    plan = []
    for path in sorted(shape.shared):
        kind = "directory" if path in shape.shared_dirs else "file"
        option = "shared_dirs" if kind == "directory" else "shared_files"
        own = tree.nodes.get(path) if tree is not None else None
        if tree is not None:
            _check_parents(tree, path, option)
        for place, found in (("the release", own.kind if own else None), ("the shared folder", there.get(path))):
            if found not in (None, LINK, kind):
                raise StepFailed(f"{option} names {path!r}, which is a {found} in {place}; move it away.")
        if there.get(path) is not None:
            action = "kept"
        elif own is not None and own.kind != LINK:
            action = "seeded"
        else:
            action = "made" if kind == "directory" else "missing"
        plan.append(Share(path, kind, action))
    return plan


def _check_parents(tree: Tree, path: str, option: str) -> None:
    """StepFailed when a shared path would be linked through a file or a symlink of the release."""
    parent = path.rpartition("/")[0]
    while parent:
        node = tree.nodes.get(parent)
        if node is not None and node.kind != DIRECTORY:
            raise StepFailed(f"{option} names {path!r}, but {parent!r} is a {node.kind} in the release.")
        parent = parent.rpartition("/")[0]


def missing_sentence(path: str, site_path: str) -> str:
    """Return why a shared file that is nowhere stops a deploy, and what to do."""
    return (
        f"The shared file {path!r} is neither in {site_path}/shared nor in the release: put it there first (an"
        " application without its settings may show its installer), or take it out of shared_files."
    )
