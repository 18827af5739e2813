# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_settings import (
    Settings,
    settings,
    settings_text,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.program_settings import SettingsError
from hypothesis import given
from hypothesis import strategies as st


def test_settings_come_back_as_they_were() -> None:
    mine = Settings("/srv/prom", 30, 2.5, ("slab", "oom"), ("/var/log/*.log",), ("/srv/x",), "/root/ubc", "/root/slab")
    assert settings(settings_text(mine)) == mine
    assert json.loads(settings_text(mine))["ansible_managed"] == "phpops.webhost, role metrics"
    assert settings("{}") == Settings()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"interval_seconds": 14}, "interval_seconds is 14; give at least 15"),
        ({"interval_seconds": True}, "interval_seconds is True"),
        ({"probe_timeout_seconds": 0}, "probe_timeout_seconds is 0; give seconds above 0, at most 120"),
        ({"probe_timeout_seconds": 121.0}, "probe_timeout_seconds is 121"),
        ({"probes": []}, "probes is ; give each once"),
        ({"probes": ["slab", "slab"]}, "probes is slab, slab; give each once"),
        ({"probes": ["cpu"]}, "probes is cpu; give each once, of beancounters, slab"),
        ({"probes": "slab"}, "probes is 'slab'"),
        ({"error_logs": ["log"]}, "error_logs has 'log'; give an absolute path without blanks"),
        ({"opcache_folders": ["/a b"]}, "opcache_folders has '/a b'"),
        ({"textfile_directory": "/a\nb"}, "textfile_directory has"),
        ({"slabinfo_path": 5}, "slabinfo_path is 5"),
    ],
)
def test_what_can_not_be_used_is_refused_by_name(change: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings(json.dumps(change))
    assert said in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "5"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="run the role metrics again"):
        settings(text)


@given(
    st.dictionaries(
        st.sampled_from(sorted(Settings.__dataclass_fields__)), st.text() | st.floats() | st.lists(st.text())
    )
)
def test_any_object_is_read_or_refused(found: dict[str, Any]) -> None:
    try:
        assert isinstance(settings(json.dumps(found)), Settings)
    except SettingsError as error:
        assert str(error)


def test_a_run_has_time_to_end_every_probe() -> None:
    assert Settings(probe_timeout_seconds=10.0).run_seconds == 10 * 15 + 30
