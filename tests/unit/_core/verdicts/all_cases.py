# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All cases of all verdicts. Each module with a rule must have a test file of its name."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Callable

from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import TABLE


def module_of(rule: Callable[..., Any]) -> str:
    """Return the short name of the module that has a rule."""
    return rule.__module__.rpartition(".")[2]


_FILES = {name: import_module(f"{__package__}.test_{name}") for name in dict.fromkeys(map(module_of, TABLE))}
FIRES_OF = {name: file.FIRES for name, file in _FILES.items()}
QUIETS_OF = {name: file.QUIETS for name, file in _FILES.items()}
FIRES = [case for cases in FIRES_OF.values() for case in cases]
