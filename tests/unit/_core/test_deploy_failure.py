# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.deploy_failure import sentence
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"msg": "It broke."}, "It broke."),
        ({"msg": "It\n broke"}, "It broke."),
        ({"msg": "non-zero return code", "stderr": "no such table"}, "non-zero return code: no such table."),
        ({"msg": "MODULE FAILURE", "module_stderr": "Traceback"}, "MODULE FAILURE: Traceback."),
        ({"msg": "It broke.", "stderr": "noise"}, "It broke."),
        ({"stderr": "no such table"}, "no such table."),
        ({"reason": "There is no file /x.yml"}, "There is no file /x.yml."),
        ({}, "it says no reason."),
        (
            {"msg": "All items completed", "results": [{"msg": "well"}, {"failed": True, "msg": "The second broke!"}]},
            "The second broke!",
        ),
        ({"msg": "One or more items failed", "results": [{"msg": "well"}, None]}, "One or more items failed."),
    ],
)
def test_a_result_is_one_sentence(result: dict[str, Any], said: str) -> None:
    assert sentence(result, "task") == said


OTHER_SUM = {
    "msg": "The checksum for /root/.ansible/tmp/x/tmpabc did not match 00aa; it was 11bb.",
    "url": "https://example.org/app.tgz",
}


def test_another_sum_is_told_with_the_address_both_sums_and_the_cure() -> None:
    said = sentence(OTHER_SUM, "Fetch")
    assert said.startswith(
        "The archive https://example.org/app.tgz has the sha256 11bb, not 00aa as deploy_source.sha256"
    )
    assert "correct the address or the sum" in said
    assert sentence(OTHER_SUM, "Fetch", "before_release").endswith(str(OTHER_SUM["msg"]))


def test_a_hook_is_named_with_its_task() -> None:
    assert sentence({"msg": "It broke."}, "Migrate", "before_switch") == (
        "The hook before_switch failed in its task 'Migrate': It broke."
    )


@given(
    st.dictionaries(
        st.sampled_from(["msg", "stderr", "results", "reason"]), st.none() | st.text() | st.lists(st.text())
    )
)
def test_it_is_always_one_line(result: dict[str, Any]) -> None:
    assert "\n" not in sentence(result, "t")
