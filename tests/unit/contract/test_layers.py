# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""_core computes, _host reads and writes, modules join them: nobody reaches over."""

from __future__ import annotations

import ast
import sys

import pytest
from ansible_collections.phpops.webhost.tests.unit.contract.tree import ROOT

PLUGINS = ROOT / "plugins"
OURS = "ansible_collections.phpops.webhost.plugins.module_utils"
# The standard library's ways to the outside.
OUTSIDE = {
    *("asyncio", "ctypes", "fcntl", "glob", "grp", "http", "io", "logging", "mmap", "multiprocessing", "os", "pathlib"),
    *("pwd", "select", "shutil", "signal", "socket", "ssl", "subprocess", "sys", "tempfile", "threading", "time"),
    *("urllib",),
}


def files(folder):
    """Return the Python files below a folder, as paths relative to plugins."""
    return sorted(str(path.relative_to(PLUGINS)) for path in (PLUGINS / folder).rglob("*.py"))


def imports(name):
    """Return the modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse((PLUGINS / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: a relative import"
            pure = node.module == "pathlib" and all(alias.name.startswith("Pure") for alias in node.names)
            found.add("posixpath" if pure else node.module)
    return found


@pytest.mark.parametrize("name", files("module_utils/_core"))
def test_core_does_no_input_or_output(name):
    others = {module for module in imports(name) if not module.startswith(f"{OURS}._core")}
    top = {module.partition(".")[0] for module in others - {"urllib.parse"}}
    assert top <= set(sys.stdlib_module_names)
    assert top & OUTSIDE == set()
    calls = {
        node.func.id
        for node in ast.walk(ast.parse((PLUGINS / name).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert calls & {"open", "print", "input", "eval", "exec", "__import__"} == set()


@pytest.mark.parametrize("name", files("module_utils/_host"))
def test_host_does_not_know_ansible(name):
    foreign = {module for module in imports(name) if not module.startswith(OURS)}
    assert {module.partition(".")[0] for module in foreign} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("name", files("module_utils"))
def test_module_utils_are_private(name):
    text = (PLUGINS / name).read_text(encoding="utf-8")
    assert not text or "# Private to phpops.webhost: not for use outside of the collection." in text


@pytest.mark.parametrize("name", files("module_utils"))
def test_files_stay_short(name):
    assert len((PLUGINS / name).read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("name", files("modules"))
def test_modules_stay_thin(name):
    """Documentation may be as long as it needs; what is left only joins the layers below."""
    text = (PLUGINS / name).read_text(encoding="utf-8")
    documentation = sum(
        node.end_lineno - node.lineno + 1
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    )
    assert len(text.splitlines()) - documentation <= 150
