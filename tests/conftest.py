# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets the tests import the collection by its full name from any checkout."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from pathlib import Path

from hypothesis import settings

# A slow moment of the machine is no failure; a parser that hangs is caught by the part's time limit.
settings.register_profile("default", deadline=None)
settings.register_profile("soak", deadline=None, max_examples=5000)
settings.load_profile("default")

ROOT = Path(__file__).resolve().parent.parent


def _collection_tree() -> Path:
    """Return the folder that holds ansible_collections/phpops/webhost, made when the checkout is not in one."""
    if ROOT.parts[-3:] == ("ansible_collections", "phpops", "webhost"):
        return ROOT.parents[2]
    tree = Path(tempfile.mkdtemp(prefix="phpops-tree-"))
    atexit.register(shutil.rmtree, tree, ignore_errors=True)
    link = tree / "ansible_collections" / "phpops" / "webhost"
    link.parent.mkdir(parents=True)
    link.symlink_to(ROOT, target_is_directory=True)
    return tree


sys.path.insert(0, str(_collection_tree()))
