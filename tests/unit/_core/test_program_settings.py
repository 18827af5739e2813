# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.program_settings import SettingsError, read_object
from hypothesis import given
from hypothesis import strategies as st


def test_an_object_is_returned_as_it_is() -> None:
    assert read_object('{"a": [1, null]}', "metrics") == {"a": [1, None]}


@pytest.mark.parametrize(
    ("text", "said"), [("", "it is no JSON ("), ("[]", "it holds no object;"), ("5", "it holds no object;")]
)
@pytest.mark.parametrize("role", ["metrics", "worker_recycle"])
def test_anything_else_names_the_role_that_writes_it(text: str, said: str, role: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_object(text, role)
    assert str(error.value).startswith(said)
    assert str(error.value).endswith(f"run the role {role} again")


@given(st.text())
def test_any_text(text: str) -> None:
    try:
        assert isinstance(read_object(text, "x"), dict)
    except SettingsError as error:
        assert str(error)
