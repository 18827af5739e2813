# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.phpinfo import directives
from hypothesis import given
from hypothesis import strategies as st

TEXT = """phpinfo()
PHP Version => 8.2.35
Directive => Local Value => Master Value
opcache.enable => Off => Off
opcache.jit => no value => no value
opcache.jit_buffer_size => 64M => 64M
opcache.memory_consumption => 16 => 32
session.gc_divisor => 1000 => 1000
"""


def test_the_master_values() -> None:
    assert directives(TEXT, "opcache.") == {
        "opcache.enable": "Off",
        "opcache.jit": "",
        "opcache.jit_buffer_size": "64M",
        "opcache.memory_consumption": "32",
    }
    assert directives(TEXT, "session.") == {"session.gc_divisor": "1000"}


@given(st.text(max_size=200))
def test_any_text_never_crashes(text: str) -> None:
    assert isinstance(directives(text, ""), dict)
