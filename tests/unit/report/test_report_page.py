# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands on the page: the numbers of the JSON, every host, and no markup of theirs."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_fleet import BadReport, fleet_model
from ansible_collections.phpops.webhost.plugins.plugin_utils.report_page import FOLDER, change, render, shown
from ansible_collections.phpops.webhost.tests.unit.report import fleet

MIB = 2**20


class Page(HTMLParser):
    """Collects <data> by key in each section, ids, the texts of scripts, and attributes that would run something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.section, self.names, self.tags = "", {}, []
        self.data: dict[tuple[str, str], list[str]] = {}
        self.scripts: list[str] = []
        self.active: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "tr" and "data-id" in found:
            self.section = "row " + found["data-id"]
        elif tag == "details" and found.get("id"):
            self.section = found["id"]
        if tag == "th" and "data-value" in found:
            self.names[self.section[len("row ") :]] = found["data-value"]
        if tag == "data":
            self.data.setdefault((self.section, found.get("data-key", "")), []).append(found["value"])
        if tag == "script":
            self.scripts.append("")
        self.active += [(tag, name) for name in found if name.startswith("on") or name in ("src", "style")]
        self.active += [(tag, value) for name, value in found.items() if name == "href" and not value.startswith("#")]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "script":
            self.scripts[-1] += data


def page(records: list[dict[str, Any]], **more: Any) -> Page:
    return Page(render(fleet_model(records, **more)))


@pytest.fixture(scope="module")
def compared() -> Page:
    """Return the page of the small fleet, before and after."""
    return page(fleet.fleet(), before=fleet.earlier())


def test_the_numbers_are_those_of_the_json() -> None:
    records = fleet.fleet(migrated=False)
    found = page(records)
    ids = {name: key for key, name in found.names.items()}
    for record in records:
        if record["state"] != "answered":
            continue
        facts, key = record["facts"], ids[record["host"]]
        told = {name: values for (section, name), values in found.data.items() if section == key}
        row = {name: values for (section, name), values in found.data.items() if section == f"row {key}"}
        groups = facts["phpops_shm"]["groups"]
        assert row["opcache_bytes"] == [str(sum(group["opcache_bytes"] for group in groups))]
        assert row["oom_events"] == [str(len(facts["phpops_oom"]["events"]))]
        assert row["dentry_bytes"] == [str(facts["phpops_slab"]["dentry"]["bytes"])]
        assert told["slab_bytes"] == [str(facts["phpops_slab"]["total_bytes"])]
        assert told["processes"] == [str(group["processes"]) for group in groups]
        assert told["resident"] == [str(group["resident_bytes"]) for group in groups]
        assert told["critical"] == [str(sum(verdict["severity"] == "critical" for verdict in record["verdicts"]))]
        evidence = [item["value"] for verdict in record["verdicts"] for item in verdict["evidence"]]
        assert told["evidence"] == [str(value) for value in evidence] if evidence else "evidence" not in told
        limits = {str(limit["limit_bytes"]) for limit in facts["phpops_shm"]["limits"]}
        assert limits <= set(told["limit"])


def test_the_parts_of_a_limit_come_to_what_is_used() -> None:
    for model in fleet_model(fleet.fleet())["hosts"]:
        for limit in model["limits"]:
            assert sum(part["bytes"] for part in limit["parts"]) == limit["used_bytes"], limit


def test_before_and_after_stand_side_by_side(compared: Page) -> None:
    key = next(key for key, name in compared.names.items() if name == "vps-000.example.org")
    told = {name: values for (section, name), values in compared.data.items() if section == key}
    assert (told["before-opcache_segments"], told["after-opcache_segments"]) == (["11"], ["1"])
    assert told["change-opcache_segments"] == ["-10"]
    assert told["change-opcache_bytes"] == [str(-10 * 64 * MIB)]
    assert told["change-failed"] == ["-10067"]
    assert told["limit-used"].count("1012211712") == 1


def test_the_fleets_sums_are_of_hosts_that_answered_twice() -> None:
    lost = [{**record, "state": "unreachable"} if "vps-001" in record["host"] else record for record in fleet.fleet()]
    before = fleet_model(lost, fleet.earlier())["before"]
    rows = {row["key"]: row for row in before["rows"]}
    assert (rows["php_cgi"]["before"], rows["php_cgi"]["after"], rows["php_cgi"]["trend"]) == (11, 0, "better")
    assert before["compared"] == 4


def test_hosts_of_one_run_only_are_named() -> None:
    before = fleet_model(fleet.fleet()[1:], fleet.earlier()[:-1])["before"]
    assert before["not_now"] == ["vps-000.example.org"]
    assert before["not_before"] == ["broken.example.org"]


def test_verdicts_that_are_cured_new_or_left_are_named() -> None:
    after, before = fleet.vps("a", migrated=True), fleet.vps("a", migrated=False)
    (model,) = fleet_model([after], [before])["hosts"]
    assert model["before"]["cured"] == ["opcache_segment_per_process", "shmpages_failing"]
    assert (model["before"]["new"], model["before"]["left"]) == ([], ["facts_unavailable"])
    (model,) = fleet_model([before], [after])["hosts"]
    assert model["before"]["new"] == ["opcache_segment_per_process", "shmpages_failing"]


def test_nothing_of_a_host_is_markup(compared: Page) -> None:
    everything = fleet.EVIL
    script = (FOLDER / "page.js").read_text(encoding="utf-8").strip()
    evil = json.loads(json.dumps(fleet.fleet()[0]).replace("php-cgi", "<script>x</script>").replace("ram", "<b>"))
    evil["host"] = everything
    evil["time"] = everything
    for verdict in evil["verdicts"]:
        verdict.update(code=everything, sentence=everything)
        verdict["cure"].update(text=everything, play=everything)
        for item in verdict["evidence"]:
            item.update(name=everything, unit=everything)
    evil["facts"]["phpops_opcache"]["masters"][0].update(site=everything, slot=everything, reason=everything)
    evil["facts"]["phpops_oom"] = {"available": True, "units": [{"unit": everything, "result": everything, "count": 1}]}
    event = {"time": everything, "kind": everything, "unit": everything, "limit_cgroup": everything}
    evil["facts"]["phpops_oom"]["events"] = [{**event, "victim": {"comm": everything}, "trigger": {"comm": everything}}]
    evil["facts"]["phpops_slab"] = {**evil["facts"]["phpops_slab"], "notes": [everything]}
    for found in (compared, page([evil], before=[evil]), page(fleet.fleet(), hosts=[everything])):
        assert [text.strip() for text in found.scripts] == [script]
        assert found.active == [("link", "data:,")]
        assert found.tags.count("b") == 0


def test_the_page_names_no_address() -> None:
    """The policy forbids what is not inlined, and nothing would be fetched anyway."""
    text = render(fleet_model(fleet.fleet()))
    assert re.findall(r"https?:|@import|url\(", text) == []
    assert "default-src 'none'" in text


def test_hosts_that_did_not_answer_are_listed(compared: Page) -> None:
    assert {"lost.example.org", "broken.example.org"} <= set(compared.names.values())
    text = render(fleet_model(fleet.fleet()))
    assert text.count("Failed to connect: &lt;b&gt;timed out&lt;/b&gt;") == 2


def test_a_host_without_a_record_is_listed() -> None:
    (model,) = fleet_model([], hosts=["new.example.org"])["hosts"]
    assert (model["state"], model["answered"]) == ("failed", False)
    assert "left no record" in model["reason"]


def test_hosts_stand_by_severity_then_by_name() -> None:
    states = [model["state"] for model in fleet_model(fleet.fleet())["hosts"]]
    assert states == ["critical", "warning", "warning", "unreachable", "failed", "info", "good"]


@pytest.mark.parametrize("hosts", [None, []])
def test_an_empty_fleet_is_refused(hosts: Any) -> None:
    with pytest.raises(BadReport, match="no host to report on: run the playbook diagnose with diagnose_output_dir"):
        fleet_model([], hosts=hosts)


@pytest.mark.parametrize("record", [{}, {"format": 2, "host": "a"}, {"format": 1, "host": 3}])
def test_a_foreign_record_is_refused(record: Any) -> None:
    with pytest.raises(BadReport, match="not from this version of diagnose"):
        fleet_model([record])


def test_a_host_of_which_nothing_is_known_has_a_page() -> None:
    bare = {"format": 1, "host": "a", "state": "answered", "time": None, "facts": {}, "verdicts": []}
    text = render(fleet_model([bare], [bare]))
    assert "No limit is known." in text
    assert "No log could be read." in text


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (64 * MIB, "bytes", "64 MiB"),
        (0.942, "ratio", "94 %"),
        (10067, "count", "10,067"),
        (11, "processes", "11 processes"),
        (1, "processes", "1 process"),
        (1, "reasons", "1 reason"),
        (1, "per second", "1 per second"),
        (0, "reasons", "0 reasons"),
        (None, "bytes", "not known"),
        (True, "count", "not known"),
        ("<b>", "count", "not known"),
    ],
)
def test_numbers_in_words(value: Any, unit: str, told: str) -> None:
    assert shown(value, unit) == told


@pytest.mark.parametrize(
    ("value", "unit", "told"),
    [
        (-640 * MIB, "bytes", "\N{MINUS SIGN}640 MiB"),
        (3, "count", "+3"),
        (0.05, "ratio", "+5 points"),
        (-0.014, "ratio", "\N{MINUS SIGN}1 point"),
        (1, "processes", "+1 process"),
        (0, "count", "no change"),
    ],
)
def test_differences_in_words(value: Any, unit: str, told: str) -> None:
    assert change(value, unit) == told


def test_one_is_not_said_as_many() -> None:
    record = fleet.vps("a", migrated=False)
    facts = record["facts"]
    facts["phpops_opcache"]["not_asked"][0]["processes"] = 1
    facts["phpops_opcache"]["masters"] = [fleet.master("wiki", 38, 24, oom_restarts=1)]
    facts["phpops_opcache"]["masters"][0]["fpm"]["max_children_reached"] = 1
    event = {"time": fleet.TIME, "kind": "unit", "unit": "x.service"}
    facts["phpops_oom"] = {"events": [event], "units": [{"unit": "x.service", "result": "oom-kill", "count": 1}]}
    facts["phpops_oom"]["available"] = facts["phpops_opcache"]["available"] = True
    text = re.sub(r"<[^>]+>", "", render(fleet_model([record])))
    assert "x.service ended with oom-kill, 1 time." in text
    assert "which was reached 1 time; " in text
    assert "Restarted 1 time for lack of room." in text
    assert re.findall(r"\b1 (?:processes|times|points|reasons|files|warnings|hosts)\b", text) == []


def test_the_assets_are_short_and_end_no_element() -> None:
    for path in sorted(Path(FOLDER).iterdir()):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) < 250
        if path.suffix in (".js", ".css"):
            assert "</" not in text
