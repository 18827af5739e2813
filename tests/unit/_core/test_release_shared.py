# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to the paths that releases share."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.release import wanted_of
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_shared import plan_shared
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_tree import (
    DIRECTORY,
    FILE,
    LINK,
    Node,
    Tree,
)


def shape(**options: Any) -> Any:
    return wanted_of({"site": "wiki", "path": "/srv/wiki", "id": "x", "state": "present", **options}).shape


def tree(**kinds: str) -> Tree:
    made = Tree()
    for path, kind in kinds.items():
        made.admit(path, kind)
        made.put(path, Node(kind, "x"))
    return made


@pytest.mark.parametrize(
    ("option", "own", "there", "action"),
    [
        ("shared_dirs", None, None, "made"),
        ("shared_dirs", DIRECTORY, None, "seeded"),
        ("shared_dirs", DIRECTORY, "directory", "kept"),
        ("shared_dirs", None, "link", "kept"),
        ("shared_dirs", LINK, None, "made"),
        ("shared_files", None, None, "missing"),
        ("shared_files", FILE, None, "seeded"),
        ("shared_files", FILE, "file", "kept"),
        ("shared_files", LINK, None, "missing"),
    ],
)
def test_what_is_done_with_a_shared_path(option: str, own: str | None, there: str | None, action: str) -> None:
    made = tree(**{"u": own} if own else {})
    plan = plan_shared(made, shape(**{option: ["u"]}), {"u": there})
    assert [(share.path, share.action) for share in plan] == [("u", action)]


@pytest.mark.parametrize(
    ("option", "own", "there", "said"),
    [
        ("shared_dirs", FILE, None, "a file in the release"),
        ("shared_dirs", None, "file", "a file in the shared folder"),
        ("shared_files", DIRECTORY, None, "a directory in the release"),
        ("shared_files", None, "directory", "a directory in the shared folder"),
    ],
)
def test_the_wrong_kind_is_refused(option: str, own: str | None, there: str | None, said: str) -> None:
    with pytest.raises(StepFailed, match=said):
        plan_shared(tree(**{"u": own} if own else {}), shape(**{option: ["u"]}), {"u": there})


@pytest.mark.parametrize("kind", [FILE, LINK])
def test_no_link_is_made_through_a_link_of_the_release(kind: str) -> None:
    with pytest.raises(StepFailed, match=f"'web' is a {kind} in the release"):
        plan_shared(tree(web=kind), shape(shared_dirs=["web/uploads"]), {})
