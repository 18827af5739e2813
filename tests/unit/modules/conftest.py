# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules run here as on a host, also after other tests have loaded the controller's side of Ansible."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Callable

import pytest
from ansible.module_utils import _internal
from ansible.module_utils.common import warnings


@pytest.fixture(autouse=True)
def _on_a_host(monkeypatch):
    """Let warnings go into the result, not to the controller's screen; none is left from another test."""
    monkeypatch.setattr(_internal, "is_controller", False)
    monkeypatch.setattr(warnings, "_global_warnings", {})


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[Any, ...]]]:
    """Return a function that lets functions of a Python module only note their calls; it returns the notes."""

    def replace(owner: ModuleType, *names: str) -> list[tuple[Any, ...]]:
        seen: list[tuple[Any, ...]] = []

        def called(name: str) -> Callable[..., dict[str, Any]]:
            def call(*arguments: Any) -> dict[str, Any]:
                seen.append((name, *arguments))
                return {"changed": False}

            return call

        for name in names:
            monkeypatch.setattr(owner, name, called(name))
        return seen

    return replace
