# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host.container import container_kind


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({}, None),
        ({"run/systemd/container": "lxc\n"}, "lxc"),
        ({"run/systemd/container": "systemd-nspawn", ".dockerenv": ""}, "systemd-nspawn"),
        ({"run/systemd/container": "<b>?\n"}, None),
        ({"run/.containerenv": ""}, "podman"),
        ({".dockerenv": ""}, "docker"),
        ({"proc/vz": ""}, "openvz"),
        ({"proc/vz": "", "proc/bc": ""}, None),
    ],
)
def test_the_marks_of_a_container(tmp_path: Path, files: dict[str, str], kind: str | None) -> None:
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    assert container_kind(str(tmp_path)) == kind
