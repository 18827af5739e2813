# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import (
    SpecError,
    build,
    differences,
    merge,
)
from hypothesis import given
from hypothesis import strategies as st

LEAST = {"name": "wiki", "user": "wiki", "php_version": "8.2", "document_root": "/srv/wiki"}


def test_a_new_site_needs_four_options_and_has_defaults_for_the_rest() -> None:
    spec = build(LEAST)
    assert (spec.group, spec.web_group, spec.umask, spec.limit_extensions) == ("wiki", "www-data", "022", [".php"])
    assert (spec.process_manager.mode, spec.process_manager.max_children) == ("ondemand", 5)
    assert spec.process_control_timeout_seconds == 60


def test_what_is_stored_is_built_again_without_a_difference() -> None:
    spec = build({**LEAST, "entry_points": [{"path": "/a.php", "headers": {"X-A": "1"}}], "ini": {"a": ["b", "c"]}})
    again = build(json.loads(json.dumps(spec.as_dict())))
    assert again == spec
    assert differences(spec, again) == []


@pytest.mark.parametrize(
    ("stored", "given", "expected"),
    [
        (None, {"name": "a", "user": None}, {"name": "a"}),
        ({"user": "a", "umask": "022"}, {"user": None, "umask": "027"}, {"user": "a", "umask": "027"}),
        ({"ini": {"a": "1", "b": "2"}}, {"ini": {"a": "1"}}, {"ini": {"a": "1"}}),
        ({"ini": {"a": "1"}}, {"ini": {}}, {"ini": {}}),
        (
            {"process_manager": {"mode": "static", "max_children": 4}},
            {"process_manager": {"mode": None, "max_children": 8}},
            {"process_manager": {"mode": "static", "max_children": 8}},
        ),
    ],
)
def test_what_is_left_out_stays(stored: dict[str, Any], given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert merge(stored, given) == expected


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"name": "Wiki"}, "Site name 'Wiki' can't be used"),
        ({"name": "a" * 33}, "1 to 32 characters"),
        ({"name": "-a"}, "letter or digit first"),
        ({"name": "a\n"}, "can't be used"),
        ({"name": None}, "Site name None"),
        ({"user": ""}, "user is missing"),
        ({"user": "root"}, "the site's own user, never root"),
        ({"user": "a b"}, "an account"),
        ({"web_group": "www data"}, "web_group is 'www data'"),
        ({"php_version": "8"}, "a version like 8.2"),
        ({"document_root": "srv"}, "absolute path"),
        ({"document_root": "/srv/../etc"}, "without .."),
        ({"document_root": "/srv\n"}, "control characters"),
        ({"php_ini": "/etc/my php.ini"}, "php_ini"),
        ({"ini_scan_dirs": ["/a:/b"]}, "ini_scan_dirs is '/a:/b'"),
        ({"ini": {"a b": "1"}}, "php.ini directive"),
        ({"ini": {"a": "1\n2"}}, "ini.a is"),
        ({"ini": {"a": ["1", 2]}}, "ini.a is 2"),
        ({"opcache": {"memory_consumption": "64"}}, "begin with opcache."),
        ({"opcache": {"opcache.enable": "1"}, "ini": {"opcache.enable": "1"}}, "in opcache only"),
        ({"environment": {"1A": "x"}}, "environment variable"),
        ({"environment": {"A": "x\ny"}}, "environment.A"),
        ({"limit_extensions": ["php"]}, "with its dot"),
        ({"umask": "22"}, "three octal digits"),
        ({"memory_max_bytes": 1024}, "memory_max_bytes is 1024; give at least 1048576"),
        ({"hardening": ["User=root"]}, "which the slot itself sets"),
        ({"hardening": ["ExecStartPre=+/bin/sh"]}, "no ExecStartPre="),
        ({"hardening": ["a"]}, "Directive=value"),
        ({"hardening": ["ProtectSystem=full\\"]}, "Directive=value"),
        ({"process_manager": {"mode": "fast"}}, "one of ondemand, dynamic, static"),
        ({"process_manager": {"max_children": 0}}, "from 1 to 10000"),
        ({"process_manager": {"size": 1}}, "process_manager.size"),
        ({"process_manager": {"mode": "dynamic", "max_children": 2, "max_spare_servers": 3}}, "from 1 to 2"),
        ({"process_manager": {"mode": "dynamic", "start_servers": 9}}, "start_servers is 9"),
        ({"process_control_timeout_seconds": 0}, "from 1 to 86400"),
        ({"request_terminate_timeout_seconds": True}, "at least 0"),
        ({"entry_points": [{"path": "a.php"}]}, "with its first /"),
        ({"entry_points": [{"path": "/a.php?b=1"}]}, "goes to query"),
        ({"entry_points": [{"path": "/../a.php"}]}, "without .."),
        ({"entry_points": [{"method": "PUT"}]}, "one of GET, HEAD, POST"),
        ({"entry_points": [{"script": "index.php"}]}, "such as /index.php"),
        ({"entry_points": [{"script": "/../index.php"}]}, "such as /index.php"),
        ({"entry_points": [{"headers": {"A:B": "1"}}]}, "HTTP header"),
        ({"script_root": "x"}, "one of auto, document_root, pointer"),
        ({"colour": "red"}, "colour is 'red'"),
    ],
)
def test_what_can_not_be_used_is_named_with_its_cure(options: dict[str, Any], match: str) -> None:
    with pytest.raises(SpecError, match=match.replace("+", r"\+")):
        build({**LEAST, **options})


def test_reasons_name_the_option_and_both_values() -> None:
    old = build({**LEAST, "opcache": {"opcache.memory_consumption": "64"}, "environment": {"A": "x", "B": "y"}})
    new = build(
        {
            **LEAST,
            "opcache": {"opcache.memory_consumption": "32"},
            "environment": {"A": "secret", "C": "secret"},
            "process_manager": {"max_children": 9},
            "memory_max_bytes": 2**30,
            "entry_points": [{"path": "/"}],
        }
    )
    assert differences(old, new) == [
        "environment.A changed",
        "environment.B unset",
        "environment.C set",
        "memory_max_bytes unset → 1073741824",
        "opcache.memory_consumption 64 → 32",
        "process_manager.max_children 5 → 9",
    ]


@given(st.dictionaries(st.sampled_from([*LEAST, "umask", "php_ini"]), st.text(max_size=40)))
def test_any_text_is_a_spec_or_a_sentence(options: dict[str, str]) -> None:
    try:
        spec = build({**LEAST, **options})
    except SpecError as error:
        assert str(error).endswith((".", "it."))
    else:
        assert "\n" not in spec.user + spec.document_root + spec.umask


def test_another_release_is_one_reason_and_its_history_none() -> None:
    release = {"id": "r1", "path": "/srv/releases/r1", "history": []}
    first = build({**LEAST, "document_root": "/srv/releases/r1/public", "release": release})
    second = build(
        {
            **LEAST,
            "document_root": "/srv/releases/r2",
            "release": {"id": "r2", "path": "/srv/releases/r2", "history": ["r1"]},
        }
    )
    assert differences(first, second) == ["release r1 → r2"]
    assert differences(build(LEAST), first) == ["release unset → r1"]
    longer = build({**LEAST, "document_root": "/srv/releases/r1/public", "release": {**release, "history": ["r0"]}})
    assert differences(first, longer) == []


@pytest.mark.parametrize(
    ("release", "said"),
    [
        ({"id": "a b", "path": "/srv/a b", "history": []}, "release.id is 'a b'"),
        ({"id": "a", "path": "srv", "history": []}, "release.path is 'srv'"),
        ({"id": "a", "path": "/srv", "history": ["../x"]}, "release.history is '../x'"),
    ],
)
def test_a_release_that_can_not_be_used_is_named(release: dict[str, object], said: str) -> None:
    with pytest.raises(SpecError, match=re.escape(said)):
        build({**LEAST, "release": release})
