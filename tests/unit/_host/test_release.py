# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release from its source to its name, what is shared, and what a run that failed or was killed leaves."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host import (
    lease,
    release,
    release_build,
    release_place,
    release_shared,
)
from ansible_collections.phpops.webhost.tests.unit._host.release_fixture import Host, tar

FILES = (("app/public/index.php", "<?php"), ("app/config/base.php", "<?php"))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def source(host: Host, *files: tuple[str, str], **more: Any) -> dict[str, Any]:
    path = tar(host.folder / "app.tgz", *(files or FILES))
    return {"kind": "archive", "path": path, "strip_components": 1, **more}


def test_a_release_is_built_once(host: Host) -> None:
    would = host.run(check_mode=True, source=source(host), public="public")
    assert (would["changed"], host.path.exists()) == (True, False)
    built = host.run(source=source(host), public="public")
    name = built["release"]["id"]
    assert {**would["release"], "seconds": 0} == {**built["release"], "seconds": 0}
    assert built["release"]["document_root"] == f"{host.releases}/{name}/public"
    assert (host.releases / name / "public/index.php").read_text() == "<?php"
    assert host.names() == [name, f"{name}.json"]
    assert os.readlink(host.path / "current") == f"{host.layout.pointer('wiki')}/release"
    assert stat.S_IMODE((host.path / "incoming").stat().st_mode) == 0o700
    again = host.run(source=source(host), public="public")
    assert (again["changed"], again["reused"], again["release"]) == (False, True, built["release"])
    assert built["diff"]["after"].startswith(f"{host.releases}/{name}: 2 files, 10 bytes")


def test_the_same_content_from_another_source_is_the_same_release(host: Host) -> None:
    built = host.run(source=source(host))
    code = host.folder / "code"
    for name, content in FILES:
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text(content)
    copied = host.run(source={"kind": "tree", "path": str(code / "app")})
    other = host.run(
        source={"kind": "archive", "path": tar(host.folder / "b.txz", *FILES, mode="w:xz"), "strip_components": 1}
    )
    for result in (copied, other):
        assert (result["release"]["id"], result["reused"], result["changed"]) == (built["release"]["id"], True, False)
    assert len(host.names()) == 2


def test_a_commit_is_exported_and_its_submodules_named(host: Host) -> None:
    work = host.folder / "work"
    environment = {
        **os.environ,
        **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=work, check=True, capture_output=True, text=True, env=environment)
        return done.stdout.strip()

    work.mkdir()
    git("init", "-q")
    (work / "index.php").write_text("<?php")
    (work / "left.txt").write_text("x")
    (work / ".gitattributes").write_text("left.txt export-ignore\n")
    git("add", ".")
    git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor/sub")
    git("commit", "-qm", "one")
    git("clone", "-q", "--bare", ".", str(host.folder / "bare"))
    built = host.run(source={"kind": "git", "path": str(host.folder / "bare"), "commit": "HEAD"})
    place = Path(built["release"]["path"])
    assert sorted(path.name for path in place.iterdir()) == [".gitattributes", "index.php", "vendor"]
    assert built["warnings"] == ["The submodule 'vendor/sub' is not exported: its directory is empty."]
    again = host.run(source={"kind": "git", "path": str(host.folder / "bare"), "commit": git("rev-parse", "HEAD")})
    assert (again["reused"], again["changed"]) == (True, False)
    missing = host.run(source={"kind": "git", "path": str(host.folder / "bare"), "commit": "nowhere"})
    assert "git could not read nowhere" in missing["msg"]
    nothing = host.run(source={"kind": "git", "path": str(host.folder / "srv"), "commit": "HEAD"})
    assert "is not a git repository" in nothing["msg"]


def test_an_id_never_means_two_contents(host: Host) -> None:
    assert host.build("v1", ("a", "1"))["changed"]
    assert host.build("v1", ("a", "1"))["reused"]
    other = host.build("v1", ("a", "2"))
    assert "v1 is there already and was built from another content: a release never changes" in other["msg"]
    assert "other options" in host.build("v1", ("a", "1"), shared_dirs=["u"])["msg"]
    assert host.names() == ["v1", "v1.json"]
    assert (host.releases / "v1/a").read_text() == "1"
    (host.releases / "mine").mkdir()
    assert "is not of this module" in host.build("mine", ("a", "1"))["msg"]


def test_a_release_that_is_there_needs_no_source(host: Host) -> None:
    built = host.build("v1", ("a", "1"))
    taken = host.run(id="v1")
    assert (taken["changed"], taken["reused"], taken["release"]) == (False, True, built["release"])
    assert "There is no release v2" in host.run(id="v2")["msg"]


def test_a_wrong_sum_names_both_and_unpacks_nothing(host: Host) -> None:
    given = source(host)
    found = hashlib.sha256(Path(given["path"]).read_bytes()).hexdigest()
    result = host.run(source={**given, "sha256": "0" * 64})
    assert result["failed"]
    assert found in result["msg"] and "0" * 64 in result["msg"]
    assert host.names() == []
    assert host.run(source={**given, "sha256": found.upper()})["changed"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"public": "web"}, "has no directory 'web' to be served"),
        ({"public": "public/index.php"}, "has no directory"),
        ({"shared_files": ["config/local.php"]}, "'config/local.php' is neither in"),
        ({"shared_dirs": ["public/index.php"]}, "which is a file in the release"),
        ({"source": {"strip_components": 9}}, "would have no file"),
        ({"source": {"subdirectory": "nowhere"}}, "would have no file"),
        ({"owner": "no-such-user"}, "The user no-such-user does not exist"),
    ],
)
def test_what_can_not_be_is_one_sentence_and_leaves_nothing(host: Host, options: dict[str, Any], said: str) -> None:
    options = {**options, "source": source(host, **options.get("source", {}))}
    result = host.run(**options)
    assert (result["failed"], result["changed"]) == (True, False)
    assert said in result["msg"]
    assert not host.releases.exists() or host.names() == []
    assert not (host.path / "shared").exists() or list((host.path / "shared").iterdir()) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("place", ["write", "mkdir", "sync"])
def test_a_full_disk_leaves_nothing_and_says_what_was_free_when_it_failed(
    host: Host, monkeypatch: pytest.MonkeyPatch, number: int, place: str
) -> None:
    host.build("v1", ("a", "1"))
    before = host.names()

    def full(*_arguments: Any, **_named: Any) -> Any:
        raise OSError(number, os.strerror(number))

    def space(_path: str) -> Any:
        partial = any(path.name.startswith(".new-") for path in Path(host.releases).iterdir())
        return SimpleNamespace(f_bavail=3 if partial else 3000, f_frsize=1024, f_favail=7 if partial else 7000)

    monkeypatch.setattr(os, "statvfs", space)
    if place == "sync":
        monkeypatch.setattr(release, "sync", full)
    else:
        monkeypatch.setattr(
            release_build, {"write": "write_all", "mkdir": "os"}[place], full if place == "write" else _Os(full)
        )
    result = host.build("v2", ("d/a", "2"))
    assert result["failed"] and os.strerror(number) in result["msg"]
    assert f"{host.releases}: {os.strerror(number)}. 3 KiB and 7 inodes were free there" in result["msg"]
    assert [name for name in host.names() if name != "v2.json"] == before
    monkeypatch.undo()
    assert host.build("v2", ("d/a", "2"))["changed"]


class _Os:
    """The module os, where mkdir fails."""

    def __init__(self, mkdir: Any) -> None:
        self.mkdir = mkdir

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def test_a_name_that_is_too_long_is_no_full_disk(host: Host) -> None:
    result = host.build("v1", ("a" * 300, "1"))
    assert "File name too long" in result["msg"] and "make room" not in result["msg"]
    assert host.names() == []


def test_new_folders_can_be_entered_whatever_the_umask_says(host: Host) -> None:
    before = os.umask(0o077)
    try:
        host.run(source=source(host), shared_dirs=["config/a"])
    finally:
        os.umask(before)
    folders = [host.path.parent, host.path, host.releases, host.path / "shared", host.path / "shared/config"]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o755}


@pytest.mark.parametrize("step", ["fill", "seed", "record", "sync", "rename", "after"])
def test_a_run_that_was_killed_is_finished_by_the_next(host: Host, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    class Killed(BaseException):
        pass

    def killed(*_arguments: Any, **_named: Any) -> Any:
        raise Killed

    options = {"source": source(host), "public": "public", "shared_dirs": ["config"], "id": "v1"}
    # What cleans up after a failure doesn't run in a process that was killed.
    monkeypatch.setattr(release._Release, "remove", staticmethod(lambda _root: None))
    owner, name = {
        "fill": (release.Builder, "finish"),
        "seed": (release_shared, "link_all"),
        "record": (release._Release, "write"),
        "sync": (release, "sync"),
        "rename": (release, "os"),
        "after": (release, "fsync_dir"),
    }[step]
    broken = _Os(os.mkdir) if step == "rename" else None
    if broken is not None:
        broken.rename = killed  # type: ignore[attr-defined]
    monkeypatch.setattr(owner, name, broken or killed)
    with pytest.raises(Killed):
        host.run(**options)
    monkeypatch.undo()
    left = [name for name in host.names() if name.startswith(".new-")]
    assert len(left) == (0 if step == "after" else 1)
    (host.releases / ".git").mkdir()
    (host.releases / ".new-x").mkdir()
    result = host.run(**options)
    assert result.get("failed") is None
    assert host.names() == [".git", ".new-x", "v1", "v1.json"]
    assert (host.releases / "v1/config/base.php").read_text() == "<?php"
    assert (host.path / "shared/config/base.php").exists()


def test_shared_paths_are_seeded_once_and_then_left_alone(host: Host) -> None:
    files = (*FILES, ("app/local.php", "first"))
    options = {"shared_dirs": ["config", "public/up/loads"], "shared_files": ["local.php"]}
    first = host.run(source=source(host, *files), **options)
    place = Path(first["release"]["path"])
    assert [(one["path"], one["action"]) for one in first["shared"]] == [
        ("config", "seeded"),
        ("local.php", "seeded"),
        ("public/up/loads", "made"),
    ]
    assert os.readlink(place / "public/up/loads") == "../../../../shared/public/up/loads"
    assert (place / "config/base.php").read_text() == "<?php"
    assert stat.S_IMODE((host.path / "shared/config").stat().st_mode) == 0o755
    (host.path / "shared/local.php").write_text("mine")
    second = host.run(source=source(host, *files, ("app/new", "1")), **options)
    assert {one["action"] for one in second["shared"]} == {"kept"}
    assert (Path(second["release"]["path"]) / "local.php").read_text() == "mine"
    assert second["release"]["files"] == 2
    # A release that is there gets what it needs again.
    (host.path / "shared/public/up/loads").rmdir()
    third = host.run(source=source(host, *files, ("app/new", "1")), **options)
    assert (third["reused"], third["changed"], (host.path / "shared/public/up/loads").is_dir()) == (True, True, True)


def test_a_shared_folder_on_another_file_system_gets_a_copy(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.rename

    def rename(old: Any, new: Any, **named: Any) -> None:
        if "dst_dir_fd" in named and b"/.new-seed-" not in old:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        real(old, new, **named)

    monkeypatch.setattr(os, "rename", rename)
    files = (("app/u/d/f", "1"), ("app/index.php", "2"))
    result = host.run(source=source(host, *files), shared_dirs=["u"])
    assert result["shared"][0]["action"] == "seeded"
    assert (host.path / "shared/u/d/f").read_text() == "1"
    assert sorted(path.name for path in (host.path / "shared").iterdir()) == ["u"]


def test_a_symlink_on_the_way_to_a_shared_path_is_not_followed(host: Host) -> None:
    host.build("v1", ("a", "1"))
    (host.folder / "outside").mkdir()
    (host.path / "shared/public").symlink_to(host.folder / "outside")
    result = host.run(source=source(host), shared_dirs=["public/uploads"])
    assert "public on the way is no directory" in result["msg"]
    assert list((host.folder / "outside").iterdir()) == []
    assert host.names() == ["v1", "v1.json"]


def test_in_check_mode_a_missing_shared_file_is_a_warning(host: Host) -> None:
    result = host.run(check_mode=True, source=source(host), shared_files=["local.php"])
    assert result["release"]["id"]
    assert "'local.php' is neither in" in result["warnings"][0]
    late = host.run(check_mode=True, source={"kind": "archive", "path": str(host.folder / "later.tgz")})
    assert (late["changed"], late["release"]) == (True, None)
    assert "is not on this host yet" in late["msg"]
    assert not host.path.exists()


def test_old_assets_are_carried_but_not_for_ever(host: Host) -> None:
    options = {"asset_paths": ["js"], "keep": 2}
    ids = [f"v{number}" for number in range(1, 6)]
    for number, name in enumerate(ids):
        files = ((f"js/{number}.js", name), ("js/same.js", name), ("index.php", name))
        result = host.build(name, *files, **options)
        assert result["assets_carried"] == min(number, 3)
        host.live(name, *ids[:number])
    assert sorted(path.name for path in (host.releases / "v5/js").iterdir()) == [
        "1.js",
        "2.js",
        "3.js",
        "4.js",
        "same.js",
    ]
    assert (host.releases / "v5/js/same.js").read_text() == "v5"
    assert json.loads((host.releases / "v5.json").read_text())["assets"] == ["js/4.js", "js/same.js"]


def test_a_release_that_goes_live_again_gets_the_assets_of_the_one_that_is(host: Host) -> None:
    options: dict[str, Any] = {"asset_paths": ["js"]}
    host.build("v1", ("js/1.js", "1"), **options)
    host.live("v1")
    host.build("v2", ("js/2.js", "2"), **options)
    host.live("v2", "v1")
    back = host.run(id="v1")
    assert (back["changed"], back["assets_carried"]) == (True, 1)
    assert sorted(path.name for path in (host.releases / "v1/js").iterdir()) == ["1.js", "2.js"]
    assert host.run(id="v1")["changed"] is False
    assert host.names() == ["v1", "v1.json", "v2", "v2.json"]


@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_a_folder_that_others_may_change_is_refused(host: Host, mode: int) -> None:
    (host.folder / "srv").mkdir()
    (host.folder / "srv").chmod(mode)
    result = host.build("v1", ("a", "1"))
    assert f"{host.folder / 'srv'} can be changed by others than root" in result["msg"]
    assert not host.path.exists()


def test_a_path_of_another_tool_or_site_is_refused(host: Host) -> None:
    host.path.mkdir(parents=True)
    (host.path / "current").symlink_to("releases/20260101")
    assert (
        "current is there and not of this module (it leads to releases/20260101)" in host.build("v1", ("a", "1"))["msg"]
    )
    (host.path / "current").unlink()
    assert host.build("v1", ("a", "1"))["changed"]
    (host.path / "current").unlink()
    assert "holds releases of site wiki" in host.run(site="shop", id="v1")["msg"]


def test_two_runs_in_one_folder_do_not_meet(host: Host) -> None:
    host.build("v1", ("a", "1"))
    with release_place.path_lock(str(host.releases)):
        assert "is being changed by a run for another site" in host.build("v2", ("a", "2"))["msg"]


def test_a_deploy_keeps_others_out_and_sees_its_step(host: Host) -> None:
    lease.take("wiki", "d1", "ada", "deploy", 60, host.layout)
    assert "is being deployed by ada" in host.build("v1", ("a", "1"))["msg"]
    assert host.build("v1", ("a", "1"), deploy_id="d1")["changed"]
    found = lease.read("wiki", host.layout)
    assert found is not None and found.step == "release"
    assert host.run(state="pruned", deploy_id="d1")["kept"]
    found = lease.read("wiki", host.layout)
    assert found is not None and found.step == "prune"
    assert host.run(state="pruned", deploy_id="d1", unlock=True)["unlocked"] is True
    assert lease.read("wiki", host.layout) is None
    assert host.run(state="pruned", unlock=True)["unlocked"] is False


def test_shared_paths_need_a_user(host: Host) -> None:
    assert "give user, who owns shared paths" in host.run(source=source(host), shared_dirs=["u"], user=None)["msg"]
    host.live("v0")
    assert host.run(source=source(host), shared_dirs=["u"], user=None)["changed"]
