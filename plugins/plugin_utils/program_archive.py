# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Packs a program of the collection, with all modules that it needs, into one file that Python runs as it is."""

from __future__ import annotations

import ast
import io
import zipfile
from pathlib import Path, PurePosixPath

from ansible.errors import AnsibleError

PACKAGE = "ansible_collections.phpops.webhost.plugins.module_utils"
UTILS = Path(__file__).resolve().parents[1] / "module_utils"
# -I: neither the caller's environment nor the folder it is called in has a say in what is imported.
SHEBANG = b"#!/usr/bin/python3 -I\n"
# Times of files are those of a checkout; this is the first that a zip file can hold.
_TIME = (1980, 1, 1, 0, 0, 0)
_MAIN = """# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Ansible managed: phpops.webhost
import sys

from {module} import main

sys.exit(main())
"""


def programs(utils: Path = UTILS) -> list[str]:
    """Return the names of the programs that can be packed."""
    return sorted(path.stem for path in (utils / "_host" / "programs").glob("*.py") if path.stem != "__init__")


def pack(program: str, utils: Path = UTILS) -> bytes:
    """Return the program as a zip file with a first line for the kernel. AnsibleError names one that isn't there.

    The same sources give the same bytes everywhere: stored and not compressed, as zlib's output differs by version.
    """
    if program not in programs(utils):
        raise AnsibleError(f"There is no program {program!r}: give one of {', '.join(programs(utils))}.")
    entry = f"{PACKAGE}._host.programs.{program}"
    files = {"__main__.py": _MAIN.format(module=entry).encode()}
    for path in sorted(_needed(entry, utils)):
        name = PurePosixPath(*PACKAGE.split("."), path.relative_to(utils).as_posix())
        files[str(name)] = path.read_bytes()
        for folder in list(name.parents)[:-1]:
            files.setdefault(f"{folder}/__init__.py", b"")
    buffer = io.BytesIO()
    buffer.write(SHEBANG)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        for member in sorted(files):
            info = zipfile.ZipInfo(member, _TIME)
            info.external_attr = 0o644 << 16
            info.create_system = 3
            archive.writestr(info, files[member])
    return buffer.getvalue()


def _needed(module: str, utils: Path) -> set[Path]:
    """Return the files of a module and of all modules of ours that it imports, near or far."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = _file(waiting.pop(), utils)
        if path is None or path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                # A name may be a module of its own (from …_core import shm) or be found in one.
                waiting += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def _file(module: str, utils: Path) -> Path | None:
    if not module.startswith(PACKAGE + "."):
        return None
    base = utils.joinpath(*module[len(PACKAGE) + 1 :].split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None
