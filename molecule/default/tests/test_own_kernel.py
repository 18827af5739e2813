# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container's kernel is its machine's: what would change that is refused in a sentence."""

from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize(
    ("module", "options", "sentence"),
    [
        ("swap_file", {"size_bytes": 1 << 30}, "its swap is its host's; add swap there."),
        ("dentry_cache", {"vfs_cache_pressure": 200}, "the kernel's settings are its host's; set them there."),
    ],
)
def test_the_kernel_of_another_is_left_alone(host, module, options, sentence):
    told = host.ansible(f"phpops.webhost.{module}", json.dumps(options), check=True)
    assert told["msg"] == f"This host is a container (podman): {sentence}"
