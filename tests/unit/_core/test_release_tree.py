# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which names of an archive may be written, and where the links of a release lead."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.release_tree import (
    DIRECTORY,
    FILE,
    LINK,
    Node,
    Tree,
    member_path,
    relative,
    within,
)
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.text(st.characters(), max_size=30) | st.lists(
    st.sampled_from(["", ".", "..", "a", "b", "c d", "\n", "\udcff"]), max_size=6
).map("/".join)


def tree(**nodes: str | None) -> Tree:
    """Return a tree: None is a file, "/" a directory, other text a link's target; __ in a name stands for /."""
    made = Tree()
    for name, target in nodes.items():
        path = name.replace("__", "/")
        kind = FILE if target is None else DIRECTORY if target == "/" else LINK
        made.admit(path, kind)
        if kind != DIRECTORY:
            made.put(path, Node(kind, target or "0"))
    return made


@pytest.mark.parametrize(
    ("name", "strip", "subdirectory", "path"),
    [
        ("a/b", 0, "", "a/b"),
        ("./a//b/", 0, "", "a/b"),
        (".", 0, "", None),
        ("top/a", 1, "", "a"),
        ("./top/a", 1, "", "a"),
        ("top", 1, "", None),
        ("top/web/a", 1, "web", "a"),
        ("top/web", 1, "web", None),
        ("top/webs/a", 1, "web", None),
        ("a b\n\udcff", 0, "", "a b\n\udcff"),
        ("..a/b..", 0, "", "..a/b.."),
    ],
)
def test_a_member_goes_where_strip_and_subdirectory_say(
    name: str, strip: int, subdirectory: str, path: str | None
) -> None:
    assert member_path(name, strip, subdirectory) == path


@pytest.mark.parametrize("name", ["/etc/passwd", "../a", "a/../../b", "a/..", "..", "a\0b", "\ud800"])
@pytest.mark.parametrize("strip", [0, 1, 5])
def test_a_name_that_leads_out_is_refused_even_when_it_would_be_stripped(name: str, strip: int) -> None:
    with pytest.raises(StepFailed, match="pack it anew"):
        member_path(name, strip)


@given(NAMES, st.integers(0, 3), st.sampled_from(["", "a", "a/b"]))
def test_what_is_not_refused_stays_below_the_top(name: str, strip: int, subdirectory: str) -> None:
    try:
        path = member_path(name, strip, subdirectory)
    except StepFailed:
        return
    if path is not None:
        full = os.path.normpath(f"/release/{path}")
        assert full == f"/release/{path}"
        assert full.startswith("/release/")


@given(NAMES)
def test_an_option_stays_below_the_top(value: str) -> None:
    try:
        path = relative("public", value, empty=True)
    except StepFailed:
        return
    assert os.path.normpath(f"/r/{path}").startswith("/r")
    assert ".." not in path.split("/")


@pytest.mark.parametrize("value", ["", "/", "/a", "../a", "a/../b", "a\nb", "."])
def test_an_option_that_names_nothing_below_is_refused(value: str) -> None:
    with pytest.raises(StepFailed, match=r"shared_dirs .* can't be used"):
        relative("shared_dirs", value)


def test_parents_are_made_once_and_outermost_first() -> None:
    made = Tree()
    assert made.admit("a/b/c", FILE) == (["a", "a/b"], False)
    made.put("a/b/c", Node(FILE, "0"))
    assert made.admit("a/b/d", FILE) == ([], False)
    assert made.admit("a/b/c", FILE) == ([], True)
    assert made.admit("a/b", DIRECTORY) == ([], True)


@pytest.mark.parametrize("first", [{"a": "b"}, {"a": None}, {"a": "b", "b__x": None}])
@pytest.mark.parametrize("kind", [FILE, LINK, DIRECTORY])
def test_nothing_is_written_through_a_link_or_below_a_file(first: dict[str, str | None], kind: str) -> None:
    with pytest.raises(StepFailed, match="leads through the"):
        tree(**first).admit("a/x/y", kind)


@pytest.mark.parametrize(("there", "kind"), [("b", FILE), ("b", DIRECTORY), (None, LINK), ("/", LINK), ("/", FILE)])
def test_another_kind_with_the_same_name_is_refused(there: str | None, kind: str) -> None:
    with pytest.raises(StepFailed, match="is there as"):
        tree(a=there).admit("a", kind)


@pytest.mark.parametrize(
    ("nodes", "leads_out"),
    [
        ({"l": "a"}, False),
        ({"d__l": "../a"}, False),
        ({"l": "/etc/passwd"}, True),
        ({"l": ".."}, True),
        ({"d__l": "../../x"}, True),
        ({"l": "nowhere/x"}, False),
        ({"l": "nowhere/../../x"}, True),
        ({"l": "l"}, False),
        # By the names alone "l" stays inside; "d/e/top" is the top, and ".." of that is not.
        ({"d__e__top": "../..", "l": "d/e/top/../x"}, True),
        ({"d__e__top": "../..", "l": "d/e/top/x"}, False),
        ({"deep": "a/b/c", "a__b__c": "/", "l": "deep/../../x"}, False),
        ({"storage": "/", "public__s": "../storage/app"}, False),
        ({"storage__x": None, "public__s": "../storage/app/../../.."}, True),
        ({"storage": "/elsewhere"}, False),
    ],
)
def test_links_may_lead_within_the_release_only(nodes: dict[str, str], leads_out: bool) -> None:
    made = tree(**nodes)
    if not leads_out:
        made.check_links(["storage"])
        return
    with pytest.raises(StepFailed, match="leads out of the release"):
        made.check_links(["storage"])


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "d/a", "d/e/f"]),
        st.lists(st.sampled_from(["..", "a", "b", "d", "e", "f", "."]), min_size=1, max_size=6).map("/".join),
        max_size=4,
    )
)
def test_what_is_allowed_stays_inside_on_a_real_file_system(links: dict[str, str]) -> None:
    made = Tree()
    with tempfile.TemporaryDirectory() as folder:
        top = os.path.realpath(folder)
        Path(f"{top}/r/d/e").mkdir(parents=True)
        for path, target in links.items():
            made.admit(path, LINK)
            made.put(path, Node(LINK, target))
            Path(f"{top}/r/{path}").symlink_to(target)
        for path in {"a", "b", "d/a", "d/e/f"} - set(links):
            Path(f"{top}/r/{path}").mkdir()
        for path in links:
            if made.resolve(path) is None:
                continue
            # What leads nowhere leads nowhere else: realpath goes on by the names where the kernel ends.
            if Path(f"{top}/r/{path}").exists():
                assert within(os.path.realpath(f"{top}/r/{path}"), f"{top}/r")


def test_the_digest_sees_content_names_bits_and_targets_but_no_order() -> None:
    def digest(*entries: tuple[str, Node]) -> str:
        made = Tree()
        for path, node in entries:
            made.admit(path, node.kind)
            made.put(path, node)
        return made.digest()

    one, two = ("a", Node(FILE, "11")), ("b", Node(FILE, "22"))
    base = digest(one, two)
    assert digest(two, one) == base
    others = [
        digest(one),
        digest(one, ("b", Node(FILE, "33"))),
        digest(one, ("c", Node(FILE, "22"))),
        digest(one, ("b", Node(FILE, "22", executable=True))),
        digest(one, ("b", Node(LINK, "22"))),
        digest(one, two, ("d", Node(DIRECTORY))),
    ]
    assert len({base, *others}) == 7


def test_what_is_dropped_is_gone_with_all_below() -> None:
    made = tree(a__b__c=None, a__l="b", ab=None)
    made.drop("a")
    assert (list(made.nodes), made.links) == (["ab"], set())
    assert made.admit("a", LINK) == ([], False)
