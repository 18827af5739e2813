# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.doc_fragments.entry_points import ModuleDocFragment
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_spec import ENTRY_POINT_OPTIONS
from ansible_collections.phpops.webhost.plugins.modules import opcache_prime
from ansible_collections.phpops.webhost.tests.unit._host.played_pool import Page, Pool, served


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that runs the module and returns what it printed."""

    def start(arguments: dict[str, Any]) -> Any:
        with patch_module_args(arguments), pytest.raises(SystemExit):
            opcache_prime.main()
        return json.loads(capsys.readouterr().out)

    return start


def test_a_pool_is_primed_and_returns_what_is_documented(run: Any, tmp_path: Path) -> None:
    with served(Pool({"/index.php": Page()}), tmp_path / "s") as socket:
        answer = run({"socket": socket, "root": str(tmp_path), "entry_points": [{"contains": "Main"}]})
    documented = set(yaml.safe_load(opcache_prime.RETURN))
    assert documented <= set(answer) and set(answer) - documented == {"changed", "invocation"}
    assert (answer["changed"], answer["requests"], answer["stable"]) == (True, 2, True)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({}, "one of the following is required: site, socket"),
        ({"socket": "/s"}, "parameters are required together: socket, root"),
        ({"site": "wiki", "socket": "/s", "root": "/w"}, "mutually exclusive"),
        ({"site": "wiki", "slot": "red"}, "must be one of: blue, green"),
    ],
)
def test_options_that_do_not_go_together(run: Any, arguments: dict[str, Any], match: str) -> None:
    answer = run(arguments)
    assert answer["failed"] and match in answer["msg"]


def test_the_fragment_documents_the_entry_points_that_there_are() -> None:
    documented = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]["entry_points"]["suboptions"]
    told = {
        name: {key: value for key, value in option.items() if key != "description"}
        for name, option in documented.items()
    }
    assert told == ENTRY_POINT_OPTIONS
