# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import Response
from ansible_collections.phpops.webhost.plugins.module_utils._host import opcache_probe
from ansible_collections.phpops.webhost.plugins.module_utils._host.fastcgi import FastCgiError
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_probe import (
    Measured,
    Place,
    ProbeError,
    measure,
    places,
)
from ansible_collections.phpops.webhost.tests.unit._host import played_pool

STATUS = json.loads(
    (Path(__file__).resolve().parents[2] / "fixtures/opcache/php82-mediawiki-primed.json").read_text(encoding="utf-8")
)


class Pool:
    """A pool that can read the folders in ``readable`` and has restrict_api, if any."""

    def __init__(self, readable: list[Path], restrict_api: str = "", noise: str = "", **changes: Any) -> None:
        self.readable, self.restrict_api, self.noise, self.changes = readable, restrict_api, noise, changes
        self.scripts: list[Path] = []

    def __call__(self, socket_path: str, params: dict[str, str], timeout_seconds: float) -> Response:
        script = Path(params["SCRIPT_FILENAME"])
        self.scripts.append(script)
        assert script.read_text().startswith("<?php")
        assert stat.S_IMODE(script.stat().st_mode) == 0o640
        if not any(script.parent == folder for folder in self.readable):
            return Response(404, {}, b"File not found.\n", "Primary script unknown", 0.1)
        allowed = str(script).startswith(self.restrict_api)
        answer = {
            "api": True,
            "status": STATUS if allowed else False,
            "restrict_api": self.restrict_api,
            "open_basedir": "",
            "enable": "1",
            "directives": {"opcache.memory_consumption": "40"},
            "version": "8.2.35",
            "now": STATUS["opcache_statistics"]["start_time"] + 100,
            **self.changes,
        }
        frame = "phpops-opcache-probe"
        text = f"{self.noise}\n{frame}:{json.dumps(answer)}:{frame}\n{self.noise}"
        return Response(200, {}, text.encode(), "", 0.1)


def ask(pool: Pool, *folders: Path) -> Measured:
    return measure("/run/x.sock", [str(folder) for folder in folders], os.getgid(), 5.0, ask=pool)


@pytest.fixture(name="folders")
def _folders(tmp_path: Path) -> list[Path]:
    found = [tmp_path / name for name in ("slot", "site", "tools")]
    for folder in found:
        folder.mkdir()
    return found


def left_over(folders: list[Path]) -> list[Path]:
    return [path for folder in folders for path in folder.iterdir()]


def test_the_first_readable_folder_is_taken_and_left_clean(folders: list[Path]) -> None:
    pool = Pool([folders[1]])
    found = ask(pool, *folders)
    assert [script.parent for script in pool.scripts] == folders[:2]
    assert (found.status["num_cached_scripts"], found.version, found.age_seconds) == (1092, "8.2.35", 100)
    assert found.directives == {"opcache.memory_consumption": "40"}
    assert left_over(folders) == []


def test_names_cannot_be_guessed(folders: list[Path]) -> None:
    pool = Pool(folders)
    ask(pool, folders[0])
    ask(pool, folders[0])
    assert len({script.name for script in pool.scripts}) == 2
    assert all(re.fullmatch(r"\.phpops-[0-9a-f]{32}\.php", script.name) for script in pool.scripts)


def test_restrict_api_leads_to_the_folder_that_it_allows(folders: list[Path]) -> None:
    pool = Pool(folders, restrict_api=str(folders[2]))
    assert ask(pool, folders[0]).status["num_cached_scripts"] == 1092
    assert pool.scripts[-1].parent == folders[2]
    assert left_over(folders) == []


def test_restrict_api_may_be_the_beginning_of_a_name(folders: list[Path]) -> None:
    pool = Pool(folders, restrict_api=str(folders[2] / "opc"))
    ask(pool, folders[0])
    assert pool.scripts[-1].name.startswith("opc")


def test_noise_of_prepended_code_is_passed_over(folders: list[Path]) -> None:
    assert ask(Pool(folders, noise="Warning: x\n"), folders[0]).version == "8.2.35"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"enable": "0", "status": False}, "has opcache.enable=0"),
        ({"api": False}, "OPcache is not loaded, or disable_functions has it"),
        ({"status": {"file_cache_only": True}}, "nothing to size"),
        ({"status": False}, "returned false"),
    ],
)
def test_a_pool_without_figures(folders: list[Path], changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ProbeError, match=said):
        ask(Pool(folders, **changes), folders[0])
    assert left_over(folders) == []


def test_each_place_that_failed_is_named_with_its_reason(folders: list[Path]) -> None:
    with pytest.raises(ProbeError) as error:
        ask(Pool([]), folders[0], Path("/nowhere"))
    assert f"{folders[0]}: status 404, Primary script unknown" in str(error.value)
    assert "/nowhere: [Errno 2]" in str(error.value)
    with pytest.raises(ProbeError, match="no folder was given"):
        ask(Pool([]))


def test_a_dead_pool_leaves_nothing_behind(folders: list[Path]) -> None:
    def dead(*_words: Any, **_options: Any) -> Response:
        raise FastCgiError("/run/x.sock can't be used: Connection refused")

    with pytest.raises(ProbeError, match="Connection refused"):
        measure("/run/x.sock", [str(folders[0])], os.getgid(), 5.0, ask=dead)
    assert left_over(folders) == []


def test_an_answer_of_other_code_is_refused(folders: list[Path]) -> None:
    def other(*_words: Any, **_options: Any) -> Response:
        return Response(200, {}, b"\nphpops-opcache-probe:[1]:phpops-opcache-probe\n", "", 0.1)

    with pytest.raises(ProbeError, match="not of this script"):
        measure("/run/x.sock", [str(folders[0])], os.getgid(), 5.0, ask=other)


def test_places_keep_to_open_basedir() -> None:
    assert places(["/srv/site", "/var/slot"], open_basedir="/srv/:/tmp") == [
        Place("/srv/site"),
        Place("/srv"),
        Place("/tmp"),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"now": "soon"},
        {"now": float("inf")},
        {"directives": [1]},
        {"version": None},
        {"open_basedir": ["/"], "status": False, "restrict_api": "/x"},
        {"status": False, "restrict_api": "/tmp/a\0b"},
        {"status": "all is well"},
    ],
)
def test_a_forged_answer_is_no_traceback(folders: list[Path], changes: dict[str, Any]) -> None:
    with pytest.raises(ProbeError):
        ask(Pool([folders[0]], **changes), folders[0])


def test_a_pool_that_names_ever_new_folders_is_left_soon(folders: list[Path]) -> None:
    pool = Pool([folders[0]], restrict_api="/")

    def lie(socket_path: str, params: dict[str, str], timeout_seconds: float) -> Response:
        pool.changes = {"status": False, "restrict_api": f"{folders[0]}/{len(pool.scripts)}"}
        return pool(socket_path, params, timeout_seconds)

    with pytest.raises(ProbeError, match="could not run the script"):
        measure("/run/x.sock", [str(folders[0])], os.getgid(), 5.0, ask=lie)
    assert len(pool.scripts) < 10 and left_over(folders) == []


def test_a_name_of_ones_own_stays_the_same_and_is_nothing_that_a_cache_keeps(folders: list[Path]) -> None:
    seen = []

    class Looks(Pool):
        def __call__(self, socket_path: str, params: dict[str, str], timeout_seconds: float) -> Response:
            script = Path(params["SCRIPT_FILENAME"])
            seen.append((script.name, script.stat().st_mtime))
            return super().__call__(socket_path, params, timeout_seconds)

    (folders[0] / ".phpops-own.php").write_text("left by a run that was killed")
    for _time in range(2):
        told = measure("/s", [str(folders[0])], os.getgid(), 5.0, ask=Looks([folders[0]], cached=True), token="own")
        assert told.cached
    assert seen == [(".phpops-own.php", 0.0)] * 2
    assert left_over(folders) == []


def test_without_a_group_all_may_read_the_script(folders: list[Path]) -> None:
    modes = []

    def ask(_socket: str, params: dict[str, str], timeout_seconds: float) -> Response:
        modes.append(stat.S_IMODE(Path(params["SCRIPT_FILENAME"]).stat().st_mode))
        return Response(404, {}, b"", "", timeout_seconds)

    with pytest.raises(ProbeError):
        measure("/s", [str(folders[0])], None, 5.0, ask=ask)
    assert modes == [0o644]


BASEDIR = (
    "PHP message: PHP Warning:  Unknown: open_basedir restriction in effect. File({script}) is not within the allowed "
    "path(s): ({allowed}:/nowhere) in Unknown on line 0\nUnable to open primary script: {script} (Operation not "
    "permitted)"
)


@pytest.mark.parametrize("in_body", [False, True])
def test_open_basedir_is_learnt_from_the_refusal(tmp_path: Path, in_body: bool) -> None:
    allowed, pool = tmp_path / "allowed", played_pool.Pool(looks_at_times=True)
    allowed.mkdir()

    def answered(_address: str, params: dict[str, str], timeout_seconds: float) -> Response:
        script = params["SCRIPT_FILENAME"]
        if Path(script).parent != allowed:
            said = BASEDIR.format(script=script, allowed=allowed)
            return Response(404, {}, said.encode() if in_body else b"No input file specified.\n", said, timeout_seconds)
        return pool.request("", params)

    found = measure("/s", [str(tmp_path), "/usr", "/tmp"], os.getgid(), 5.0, ask=answered)
    assert found.version == "8.2.35"
    assert list(allowed.iterdir()) == []


def test_a_private_file_system_is_seen_through_its_root(tmp_path: Path) -> None:
    """The pool's /tmp is another folder than this process's (PrivateTmp=); what both see is written by our own name."""
    inside, seen = tmp_path / "root", []
    (inside / "private").mkdir(parents=True)

    def answered(_address: str, params: dict[str, str], timeout_seconds: float) -> Response:
        script = params["SCRIPT_FILENAME"]
        seen.append(script)
        assert (inside / script.lstrip("/")).read_text(encoding="utf-8") == opcache_probe.SCRIPT
        answer = json.dumps({"status": False})
        return Response(200, {}, answer.encode(), "", timeout_seconds)

    with pytest.raises(ProbeError):
        measure("/s", ["/private"], None, 5.0, ask=answered, root=str(inside), extension=".phtml")
    assert seen[0].startswith("/private/.phpops-") and seen[0].endswith(".phtml")
    assert list((inside / "private").iterdir()) == []
    assert opcache_probe._seen("/usr", "/.") == "/usr"
