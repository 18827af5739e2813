# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.runtime_php import (
    PhpFile,
    RuntimeFile,
    deployed_at,
    find_runtime_files,
    is_left_out,
    propose_blacklist,
    writable,
)
from hypothesis import given
from hypothesis import strategies as st

DEPLOYED = 1_700_000_000.0
USER, ROOT = 1026, 0


def php(path: str, uid: int = USER, later: float = 0.0, mode: int = 0o644, **changes: int) -> PhpFile:
    file = PhpFile(path, 100, DEPLOYED + later, DEPLOYED + later, uid, uid, mode, uid, uid, 0o755)
    return file._replace(**changes)


CODE = [php(f"/srv/site/lib/{number}.php") for number in range(10)]
SMARTY = b"<?php\n/* Smarty version 4.3.1, created on 2026\n  from 'page.tpl' */"


@pytest.mark.parametrize(
    ("path", "later", "content", "strong"),
    [
        ("/srv/site/templates_c/5f2b8c0d9e7a6b5c4d3e2f10_0.page.tpl.php", 90000, SMARTY, True),
        ("/srv/site/templates_c/5f2b8c0d9e7a6b5c4d3e2f10_0.page.tpl.php", 0, b"<?php echo 1;", True),
        ("/srv/site/var/cache/prod/Container.php", 90000, b"<?php", True),
        ("/srv/site/storage/framework/views/9b74c9897bac770ffc029102a200c5de.php", 0, b"<?php", True),
        ("/srv/site/lib/Proxy.php", 90000, b"<?php\nnamespace Proxies\\__CG__\\App;", True),
        ("/srv/site/cache/keep.php", 0, b"<?php", False),
        ("/srv/site/settings.php", 90000, b"<?php $password = 1;", False),
        ("/srv/site/lib/index.php", 0, SMARTY, None),
        ("/srv/site/lib/index.php", 1800, b"<?php", None),
        ("/srv/site/lib/deadbeefdeadbeefdead.php", 0, b"<?php", None),
    ],
)
def test_signs(path: str, later: float, content: bytes, strong: bool | None) -> None:
    found = find_runtime_files([*CODE, php(path, later=later)], USER, [USER], lambda _path: content)
    assert [(one.path, one.strong) for one in found] == ([] if strong is None else [(path, strong)])


def test_what_the_user_cannot_write_is_no_runtime_file() -> None:
    file = php("/srv/site/cache/5f2b8c0d9e7a6b5c4d3e2f10.php", uid=ROOT, later=90000)
    assert find_runtime_files([*CODE, file], USER, [USER], lambda _path: SMARTY) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"uid": USER, "mode": 0o100644}, True),
        ({"uid": USER, "mode": 0o100444}, False),
        ({"gid": 33, "mode": 0o100664}, True),
        ({"gid": 33, "mode": 0o100644}, False),
        ({"mode": 0o100666}, True),
        ({"folder_uid": USER}, True),
        ({"folder_gid": 33, "folder_mode": 0o40775}, True),
    ],
)
def test_writable(changes: dict[str, int], expected: bool) -> None:
    assert writable(php("/a.php", uid=ROOT)._replace(**changes), USER, [USER, 33]) == expected


def test_deployed_at_is_the_median_of_change_times() -> None:
    assert deployed_at([]) is None
    assert deployed_at([*CODE, php("/x.php", later=1e6)]) == DEPLOYED


@pytest.mark.parametrize(
    ("strong", "lines"),
    [
        (["/srv/site/cache/a/1.php", "/srv/site/cache/b/2.php"], ["/srv/site/cache/"]),
        (["/srv/site/lib/proxy.php"], ["/srv/site/lib/proxy.php"]),
        (["/srv/site/gen/a.php", "/srv/site/gen/b.php"], ["/srv/site/gen/"]),
        (["/srv/site/lib/odd*name.php"], []),
        ([], []),
    ],
)
def test_propose_blacklist(strong: list[str], lines: list[str]) -> None:
    found = [RuntimeFile(path, True, ["x"]) for path in strong]
    assert propose_blacklist(found, [*CODE, *[php(path) for path in strong]]) == lines


def test_weak_cases_are_named_and_not_proposed() -> None:
    weak = RuntimeFile("/srv/site/settings.php", False, ["it changed after the code was deployed"])
    assert propose_blacklist([weak], CODE) == []


def test_a_cache_folder_with_deployed_code_is_proposed_file_by_file() -> None:
    code, written = php("/srv/site/cache/Cache.php"), "/srv/site/cache/x/1.php"
    found = [RuntimeFile(written, True, ["x"])]
    assert propose_blacklist(found, [code, php(written)]) == ["/srv/site/cache/x/"]


@given(st.lists(st.text(), max_size=6), st.binary())
def test_no_name_or_content_crashes_the_finder(names: list[str], content: bytes) -> None:
    files = [php("/" + name, later=90000) for name in names]
    found = find_runtime_files(files, USER, [USER], lambda _path: content)
    for line in propose_blacklist(found, files):
        assert line.startswith("/")


@pytest.mark.parametrize(
    ("line", "path", "left_out"),
    [
        ("/srv/cache/", "/srv/cache/x.php", True),
        ("/srv/cache", "/srv/cache2/x.php", True),
        ("/srv/cache/", "/srv/code/x.php", False),
        ('"/srv/cache/"', "/srv/cache/x.php", True),
        ("/srv/*/cache/", "/srv/a/cache/x.php", True),
        ("/srv/*/cache/", "/srv/a/b/cache/x.php", False),
        ("/srv/**/cache/", "/srv/a/b/cache/x.php", True),
        ("/srv/?.php", "/srv/a.php", True),
        ("/srv/?.php", "/srv/ab.php", False),
        (";/srv/", "/srv/a.php", False),
        ("", "/srv/a.php", False),
        ("/srv/a.b", "/srv/a+b", False),
    ],
)
def test_what_a_line_of_the_blacklist_leaves_out(line: str, path: str, left_out: bool) -> None:
    assert is_left_out(path, [line]) is left_out
