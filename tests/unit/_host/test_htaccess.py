# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for .htaccess files."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._host.htaccess import Scan


def tree(tmp_path):
    root = tmp_path / "site"
    for folder in ("a/b", "uploads", "static"):
        (root / folder).mkdir(parents=True)
    (root / ".htaccess").write_text("AddHandler x .php\n")
    (root / "a/b/.htaccess").write_text("SetHandler none\n")
    (root / "static/.htaccess").write_text("ExpiresActive On\n")
    (root / "a/loop").symlink_to(root)
    (root / "a/away").symlink_to("/nonexistent")
    return root


def scan(**options):
    return Scan(["fcgid"], **{"max_directories": 100, "max_seconds": 10.0, **options})


def test_files_below_the_root(tmp_path):
    root = tree(tmp_path)
    search = scan()
    found = search.find(str(root), lambda folder: folder.startswith(str(root)))
    assert set(found) == {str(root), f"{root}/a/b"}
    # A loop of symlinks is walked once; every folder is counted once.
    assert (search.directories, search.reasons) == (5, [])


def test_files_above_the_root_count_too(tmp_path):
    root = tree(tmp_path)
    (tmp_path / ".htaccess").write_text("RemoveHandler .php\n")
    assert str(tmp_path) in scan().find(str(root), lambda folder: folder.startswith(str(tmp_path)))


def test_where_override_forbids_them_they_are_passed_over(tmp_path):
    root = tree(tmp_path)
    assert set(scan().find(str(root), lambda folder: folder == str(root))) == {str(root)}


def test_the_bounds_are_said(tmp_path):
    root = tree(tmp_path)
    search = scan(max_directories=2)
    search.find(str(root), lambda folder: True)
    assert search.directories == 2
    assert "raise htaccess_max_directories" in search.reasons[0]


def test_time_is_bounded(tmp_path):
    clock = iter(range(0, 1000, 6))
    search = scan(clock=lambda: float(next(clock)))
    search.find(str(tree(tmp_path)), lambda folder: True)
    assert search.reasons


def test_a_missing_root_is_no_error(tmp_path):
    search = scan()
    assert search.find(str(tmp_path / "gone"), lambda folder: False) == {}
    assert search.reasons == []


def test_another_name(tmp_path):
    (tmp_path / ".acl").write_text("SetHandler none\n")
    assert set(scan(name=".acl").find(str(tmp_path), lambda folder: folder == str(tmp_path))) == {str(tmp_path)}
