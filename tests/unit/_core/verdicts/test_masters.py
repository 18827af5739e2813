# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import (
    FULL,
    MIB,
    master,
    opcache,
    slot_site,
)


def test_masters_of_one_cure_are_one_verdict_and_the_distributions_own_has_another() -> None:
    found = judge(opcache(master("a", **FULL), master("b", **FULL), master(None, **FULL)))
    assert [(verdict["code"], verdict["cure"]["play"]) for verdict in found] == [
        ("opcache_full", "phpops.webhost.tune"),
        ("opcache_full", None),
    ]
    assert found[0]["sentence"].count("127 MiB of 128 MiB taken") == 2
    assert [item["name"] for item in found[0]["evidence"]][::2] == ["OPcache of a taken", "OPcache of b taken"]
    assert "opcache.memory_consumption in the ini" in found[1]["cure"]["text"]


def test_waste_is_cured_by_a_new_master_where_there_is_a_release() -> None:
    waste = master(wasted_ratio=0.2, wasted_bytes=20 * MIB)
    released = slot_site(True, {"opcache.validate_timestamps": "0"})["phpops_slot"]
    (verdict,) = judge(opcache(waste, phpops_slot=released))
    assert verdict["cure"]["play"] == "phpops.webhost.roll"
    assert verdict["cure"]["variables"] == {"deploy_site": {"name": "wiki"}}
    (verdict,) = judge(opcache(waste))
    assert (verdict["cure"]["play"], verdict["cure"]["tags"]) == ("phpops.webhost.tune", ["opcache"])
    (verdict,) = judge(opcache(master(None, wasted_ratio=0.2)))
    assert verdict["cure"]["play"] is None
