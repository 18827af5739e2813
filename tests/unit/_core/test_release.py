# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a release, its id, its record."""

from __future__ import annotations

import os
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.release import (
    LEFTOVER,
    Record,
    id_of,
    known,
    link_target,
    parse_record,
    release_digest,
    wanted_of,
)
from hypothesis import given
from hypothesis import strategies as st

ARCHIVE = {"kind": "archive", "path": "/x/a.tgz"}


def options(**changes: Any) -> dict[str, Any]:
    return {"site": "wiki", "path": "/srv/www/wiki", "source": ARCHIVE, "state": "present", **changes}


def record(**changes: Any) -> Record:
    shape = wanted_of(options()).shape.as_dict()
    base: dict[str, Any] = {
        **{"id": "a" * 12, "site": "wiki", "digest": "a" * 64, "source_key": "k", "shape": shape, "public": ""},
        **{"files": 1, "bytes": 2, "built": 3.0, "seconds": 0.1, "assets": ("x",)},
    }
    return Record(**{**base, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"site": "Wiki"}, "Site name 'Wiki'"),
        ({"path": "srv"}, "path 'srv'"),
        ({"path": "/"}, "path '/'"),
        ({"path": "/srv/../etc"}, "path '/srv/../etc'"),
        ({"path": "/srv/\ud800"}, "path '/srv/\\ud800' can't be used"),
        ({"user": "a\0b"}, "user 'a\\x00b' can't be used"),
        ({"path": "/srv//x"}, "path '/srv//x'"),
        ({"id": "../x"}, "id '../x'"),
        ({"id": ".new-x"}, "id '.new-x'"),
        ({"id": "v1.json"}, "id 'v1.json'"),
        ({"source": None}, "Give a source"),
        ({"keep": -1}, "keep -1"),
        ({"dir_mode": "0775"}, "dir_mode '0775'"),
        ({"dir_mode": "0455"}, "dir_mode '0455'"),
        ({"file_mode": "0666"}, "file_mode '0666'"),
        ({"file_mode": "4755"}, "file_mode '4755'"),
        ({"public": "../x"}, "public '../x'"),
        ({"shared_dirs": ["a", "a/b"]}, "'a' and 'a/b' overlap"),
        ({"shared_dirs": ["a"], "shared_files": ["a"]}, "'a' and 'a' overlap"),
        ({"shared_dirs": ["a"], "public": "a/web"}, "public 'a/web' lies in the shared path 'a'"),
        ({"shared_dirs": ["a"], "asset_paths": ["a/js"]}, "asset path 'a/js' lies in"),
        ({"source": {"kind": "svn", "path": "/x"}}, "source.kind 'svn'"),
        ({"source": {"kind": "tree", "path": "x"}}, "source.path 'x'"),
        ({"source": {"kind": "git", "path": "/x"}}, "source.commit belongs to"),
        ({"source": {**ARCHIVE, "commit": "main"}}, "source.commit belongs to"),
        ({"source": {"kind": "git", "path": "/x", "commit": "--output=/etc/x"}}, "source.commit '--output"),
        ({"source": {"kind": "git", "path": "/x", "commit": "a..b"}}, "source.commit 'a..b'"),
        ({"source": {**ARCHIVE, "sha256": "abc"}}, "source.sha256 'abc'"),
        ({"source": {"kind": "tree", "path": "/x", "sha256": "a" * 64}}, "source.sha256 belongs to"),
        ({"source": {**ARCHIVE, "strip_components": -1}}, "strip_components -1"),
        ({"source": {**ARCHIVE, "subdirectory": "/x"}}, "source.subdirectory '/x'"),
    ],
)
def test_an_option_that_can_not_be_used_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(StepFailed) as failed:
        wanted_of(options(**changes))
    assert said in str(failed.value)


def test_the_id_depends_on_the_content_and_on_what_is_made_of_it() -> None:
    base = release_digest("t", wanted_of(options()).shape)
    shaped = [
        {"public": "web"},
        {"shared_dirs": ["u"]},
        {"shared_files": ["u"]},
        {"asset_paths": ["u"]},
        {"owner": "www"},
        {"group": "www"},
        {"dir_mode": "0750"},
        {"file_mode": "0640"},
    ]
    digests = [release_digest("t", wanted_of(options(**changes)).shape) for changes in shaped]
    assert len({base, release_digest("u", wanted_of(options()).shape), *digests}) == 10
    same = [{"keep": 9}, {"path": "/srv/other"}, {"user": "u"}, {"site": "shop"}, {"dir_mode": "755"}]
    assert {release_digest("t", wanted_of(options(**changes)).shape) for changes in same} == {base}
    assert id_of(base) == base[:12]


@pytest.mark.parametrize(
    ("mode", "executable", "wanted"),
    [("0644", True, 0o755), ("0640", True, 0o750), ("0600", True, 0o700), ("0644", False, 0o644)],
)
def test_who_may_read_may_execute(mode: str, executable: bool, wanted: int) -> None:
    assert wanted_of(options(file_mode=mode)).shape.mode(executable) == wanted


@given(st.text(max_size=200) | st.sampled_from(["null", "[]", "{}", '{"id": 1}', record().render()[:-9]]))
def test_no_text_breaks_the_reading_of_a_record(text: str) -> None:
    assert parse_record(text) is None


def test_a_record_is_read_as_it_was_written() -> None:
    assert parse_record(record(assets=("a b", "c")).render()) == record(assets=("a b", "c"))


def test_a_release_is_known_by_source_and_shape() -> None:
    wanted = wanted_of(options())
    one = record()
    assert known({one.id: one}, wanted, "k") == one
    assert known({one.id: one}, wanted, "other") is None
    assert known({one.id: one}, wanted_of(options(public="web")), "k") is None
    # A release that was given a name is not the one that the digest names, and the other way round.
    named = record(id="v1")
    assert known({"v1": named}, wanted, "k") is None
    assert known({"v1": named, one.id: one}, wanted_of(options(id="v1")), "k") == named


@pytest.mark.parametrize("path", ["uploads", "public/uploads", "a/b/c"])
def test_the_link_of_a_shared_path_leads_there(path: str) -> None:
    full = os.path.normpath(f"/srv/wiki/releases/1/{path}/../{link_target(path)}")
    assert full == f"/srv/wiki/shared/{path}"


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        (".new-abc-0123456789abcdef", True),
        (".old-v1.2-0123456789abcdef", True),
        (".new-abc", False),
        (".new--0123456789abcdef", False),
        (".git", False),
        ("abc-0123456789abcdef", False),
        (".new-abc-0123456789abcdef.bak", False),
    ],
)
def test_only_own_names_are_leftovers(name: str, ours: bool) -> None:
    assert bool(LEFTOVER.fullmatch(name)) is ours
