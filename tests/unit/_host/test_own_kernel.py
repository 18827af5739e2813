# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has a kernel of its own."""

from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._host.own_kernel import shared_with


def says(status, text):
    return lambda _words: (status, text, "")


@pytest.mark.parametrize(
    ("files", "detect", "kind"),
    [
        ([], says(1, "none\n"), None),
        ([], says(127, ""), None),
        ([], says(0, "lxc\n"), "a container (lxc)"),
        (["run/.containerenv"], says(127, ""), "a container (podman)"),
        (["proc/vz/version"], says(1, "none\n"), "a container (openvz)"),
        (["proc/vz/version", "proc/bc/resources"], says(1, "none\n"), "an OpenVZ node"),
    ],
)
def test_kinds(tmp_path, files, detect, kind):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert shared_with(detect, str(tmp_path)) == kind
