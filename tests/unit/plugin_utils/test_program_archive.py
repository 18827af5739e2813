# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is packed runs by itself, and only what it needs is packed."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible_collections.phpops.webhost.plugins.plugin_utils.program_archive import PACKAGE, pack, programs

MAIN = "def main():\n    print(deep.WORD)\n    return 3\n"
HEADER = "# SPDX-FileCopyrightText: x\n"


@pytest.fixture
def utils(tmp_path: Path) -> Path:
    """A module_utils with one program: it needs two modules, one of them by way of the other."""
    files = {
        "_core/shown.py": f"{HEADER}WORD = 'done'\n",
        "_core/nested/deep.py": f"from {PACKAGE}._core.shown import WORD\n",
        "_core/unused.py": "raise SystemExit('imported')\n",
        "_host/programs/job.py": f"from {PACKAGE}._core.nested import deep\n\n{MAIN}",
    }
    for name, text in files.items():
        path = tmp_path / "module_utils" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "module_utils"


def names(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return [info.filename for info in archive.infolist() if info.file_size]


def test_a_program_and_what_it_imports_are_packed(utils: Path) -> None:
    base = PACKAGE.replace(".", "/")
    packed = names(pack("job", utils))
    assert packed == [
        "__main__.py",
        f"{base}/_core/nested/deep.py",
        f"{base}/_core/shown.py",
        f"{base}/_host/programs/job.py",
    ]


def test_it_runs_without_the_collection(utils: Path, tmp_path: Path) -> None:
    path = tmp_path / "job.pyz"
    path.write_bytes(pack("job", utils))
    done = subprocess.run([sys.executable, "-I", str(path)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "done\n", "")


def test_the_bytes_depend_on_the_sources_alone(utils: Path) -> None:
    first = pack("job", utils)
    (utils / "_core" / "shown.py").touch()
    assert pack("job", utils) == first
    assert first.startswith(b"#!/usr/bin/python3 -I\n")
    (utils / "_core" / "shown.py").write_text("WORD = 'other'\n")
    assert pack("job", utils) != first


def test_a_program_that_is_not_there_is_refused(utils: Path) -> None:
    with pytest.raises(AnsibleError, match="no program 'other': give one of job"):
        pack("other", utils)


@pytest.mark.parametrize("program", programs())
def test_each_program_of_ours_starts_by_itself(program: str, tmp_path: Path) -> None:
    path = tmp_path / "program.pyz"
    path.write_bytes(pack(program))
    command = [sys.executable, "-I", str(path), "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage: " in done.stdout
