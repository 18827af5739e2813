# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads what check_support wants to know."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.phpops.webhost.plugins.module_utils._core.support import check_support


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def refusal(php_version: str | None = None, root: str = "/") -> str | None:
    """Return None where the collection may change this host, else one sentence; root is for tests."""
    top = Path(root)
    return check_support(
        _read(top / "etc/os-release"),
        _read(top / "sys/fs/selinux/enforce"),
        _read(top / "sys/kernel/security/apparmor/profiles"),
        php_version,
        (top / "run/systemd/system").is_dir(),
    )
