# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page in a real headless Chromium: it opens without a complaint, sorts, filters, and works by keyboard."""

from __future__ import annotations

import json
import struct
import sys
import time
import zlib
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_fleet import fleet_model
from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts.text import command
from ansible_collections.phpops.webhost.plugins.plugin_utils.report_page import render
from ansible_collections.phpops.webhost.tests.unit.contract.tree import ROOT
from ansible_collections.phpops.webhost.tests.unit.report import fleet
from ansible_collections.phpops.webhost.tests.unit.report.chromium import Chromium

sys.path.insert(0, str(ROOT / "tools"))

from paths import CACHE

# The newest pictures stay there, for a person to look at.
SCREENSHOTS = CACHE / "screenshots"
# Names in the order in which the table, or the list of hosts below it, shows them.
ROWS = "[...document.querySelectorAll('#fleet tbody tr')].filter(e => !e.hidden).map(e => e.cells[0].textContent)"
SECTIONS = "[...document.querySelectorAll('.host')].filter(e => !e.hidden).map(e => e.querySelector('h3').textContent)"
SHOWN = "document.getElementById('shown').textContent"
FOCUS = "document.activeElement.id || document.activeElement.textContent.trim()"
CONTRAST = """(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => {
      const value = part / 255;
      return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
  };
  return [...document.querySelectorAll("h1, p, td, th, a, .badge, button, .quiet, data, code, .amount, .better")]
    .filter((element) => element.textContent.trim() && element.checkVisibility())
    .map((element) => {
      const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.outerHTML.slice(0, 120)];
    })
    .filter(([ratio]) => ratio < 4.5);
})()"""

# What the pictures of one host are of: numbers by key for each master, slab parts by name, limits, kills.
PICTURES = """(() => {
  const host = [...document.querySelectorAll('.host')].find(e => e.querySelector('h3').textContent === HOST);
  const byKey = (element) => {
    const found = {};
    for (const e of element.querySelectorAll('data')) (found[e.dataset.key] ||= []).push(Number(e.value));
    return found;
  };
  const slab = [...host.querySelectorAll('[data-key=slab-part]')].map(e =>
    [e.previousSibling.textContent.trim(), Number(e.value)]);
  const now = host.querySelector('.side > :last-child');
  return {
    masters: [...host.querySelectorAll('.masters > li')].map(byKey),
    slab,
    limits: [...now.querySelectorAll('.limit')].map(byKey).filter(e => e.limit)
      .map(e => [e['limit-used'][0], e.limit[0]]),
    kills: host.querySelectorAll('svg.time circle').length,
  };
})()"""


def limits_of(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the limits of a host's JSON that the page has bars of; a tmpfs has none."""
    found = [limit for limit in facts["phpops_shm"]["limits"] if limit["name"] != "tmpfs"]
    for container in facts["phpops_beancounters"].get("containers", {}).values():
        counters = [container["resources"].get(name) for name in ("shmpages", "physpages", "privvmpages")]
        found += [{**counter, "used_bytes": counter["held_bytes"]} for counter in counters if counter]
    return [limit for limit in found if limit["limit_bytes"]]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of the small fleet, before and after."""
    found = tmp_path_factory.mktemp("report") / "report.html"
    found.write_text(render(fleet_model(fleet.fleet(), fleet.earlier())), encoding="utf-8")
    return found


@pytest.fixture
def page(browser: Chromium, path: Path) -> Chromium:
    browser.open(path)
    return browser


def change(page: Chromium, what: str, value: str) -> None:
    """Change a field as a person would."""
    page.run(
        f"(() => {{ const e = document.querySelector({what!r}); {value}; "
        "e.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


def sort_by(page: Chromium, column: str) -> Any:
    page.run(f"[...document.querySelectorAll('#fleet thead button')].find(e => e.textContent === {column!r}).click()")
    return page.run(ROWS)


def pixels(png: bytes) -> tuple[int, int, set[bytes]]:
    """Return a PNG's width, height, and the distinct lines of its pixels."""
    width, height = struct.unpack(">II", png[16:24])
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + length]
        at += 12 + length
    raw = zlib.decompress(data)
    size = len(raw) // height
    return width, height, {raw[row * size : (row + 1) * size] for row in range(height)}


def test_it_opens_without_a_complaint_and_asks_for_nothing(page: Chromium, path: Path) -> None:
    page.run("document.getElementById('open').click()")
    assert page.complaints() == []
    assert [url for url in page.requests() if url not in ("about:blank", "data:,")] == [path.as_uri()]
    assert page.run("document.title") == "Memory of PHP web hosts: 7 hosts"
    assert page.run("document.querySelectorAll('script').length") == 1


def test_a_complaint_would_be_seen(page: Chromium) -> None:
    page.run("setTimeout(() => { throw new Error('seen') }); fetch('https://example.org/').catch(() => 0)")
    page.run("new Promise(done => setTimeout(done, 50))")
    complaints = "\n".join(page.complaints())
    assert "seen" in complaints
    assert "Content Security Policy" in complaints


def test_the_numbers_in_the_page_are_those_of_the_json(page: Chromium) -> None:
    told = page.run(
        "Object.fromEntries([...document.querySelectorAll('#fleet tbody tr')].map(row => [row.cells[0].textContent,"
        " Object.fromEntries([...row.querySelectorAll('data')].map(e => [e.dataset.key, Number(e.value)]))]))"
    )
    for record in fleet.fleet():
        facts = record["facts"]
        row = told[record["host"]]
        if record["state"] != "answered":
            assert row == {}
            continue
        assert row["tightest_ratio"] == max(limit["used_bytes"] / limit["limit_bytes"] for limit in limits_of(facts))
        assert row["opcache_bytes"] == sum(group["opcache_bytes"] for group in facts["phpops_shm"]["groups"])
        assert row["dentry_bytes"] == facts["phpops_slab"]["dentry"]["bytes"]
        assert row["oom_events"] == len(facts["phpops_oom"]["events"])


@pytest.mark.parametrize("record", [item for item in fleet.fleet() if item["facts"]], ids=lambda item: item["host"])
def test_the_pictures_of_a_host_are_of_its_json(page: Chromium, record: dict[str, Any]) -> None:
    facts = record["facts"]
    told = page.run(PICTURES.replace("HOST", json.dumps(record["host"])))
    masters = facts["phpops_opcache"]["masters"]
    assert len(told["masters"]) == len(masters)
    for shown, master in zip(told["masters"], masters):
        used = master["used_bytes"] + master["wasted_bytes"]
        assert shown["gauge-used"] == [used, master["keys"], master["interned_used_bytes"]]
        assert shown["gauge-whole"] == [used + master["free_bytes"], master["max_keys"], master["interned_bytes"]]
        assert shown["segment"] == [master["segment_bytes"]]
        assert shown["hit_ratio"] == [master["hit_ratio"]]
        for key in ("active", "idle", "max_children", "max_children_reached", "listen_queue"):
            assert shown[key] == [master["fpm"][key]]
    sizes = {cache["name"]: cache["bytes"] for cache in facts["phpops_slab"]["caches"]}
    parts = dict(told["slab"])
    rest = parts.pop("other caches", 0)
    assert {name: sizes[name] for name in parts} == parts
    assert set(parts) >= {"dentry", *sorted(sizes, key=lambda name: -sizes[name])[:5]}
    assert sum(parts.values()) + rest == facts["phpops_slab"]["total_bytes"]
    assert sorted(told["limits"]) == sorted([limit["used_bytes"], limit["limit_bytes"]] for limit in limits_of(facts))
    # The page draws the last 50 of a storm, and those whose time the log tells.
    timed = [event for event in facts["phpops_oom"]["events"][-50:] if event["time"]]
    assert told["kills"] == len(timed)


def test_there_are_kills_and_masters_to_draw() -> None:
    """So that the test above can fail."""
    records = [item["facts"] for item in fleet.fleet() if item["facts"]]
    assert sum(len(facts["phpops_opcache"]["masters"]) for facts in records) > 4
    assert sum(bool(event["time"]) for facts in records for event in facts["phpops_oom"]["events"]) > 2


def test_each_command_is_the_one_of_its_verdict(page: Chromium) -> None:
    found = page.run(
        "Object.fromEntries([...document.querySelectorAll('.host')].map(host => [host.querySelector('h3').textContent,"
        " [...host.querySelectorAll('.command code')].map(e => e.textContent)]))"
    )
    for record in fleet.fleet():
        cures = [verdict["cure"] for verdict in record["verdicts"]]
        assert found[record["host"]] == [command(record["host"], cure) for cure in cures if cure["play"]]
    assert sum(map(len, found.values())) > 5


@pytest.mark.parametrize("allowed", [True, False])
def test_the_button_copies_the_command(page: Chromium, allowed: bool) -> None:
    page.allow_clipboard(allowed)
    page.run("document.getElementById('open').click()")
    wanted = page.run("document.querySelector('.command code').textContent")
    page.run("document.querySelector('.copy').focus()")
    page.press("Enter")
    page.run("new Promise(done => setTimeout(done, 200))")
    copied = page.run("navigator.clipboard.readText()") if allowed else page.run("getSelection().toString()")
    assert page.run("document.querySelector('.copy').textContent") == ("Copied" if allowed else "Press Ctrl+C")
    assert copied == wanted


def test_the_buttons_sort_both_ways_with_the_unknown_last(page: Chromium) -> None:
    unknown = {"lost.example.org", "broken.example.org"}
    by_dentries = sort_by(page, "Dentry cache")
    assert by_dentries[:2] == ["web-10.example.org", "web-2.example.org"]
    assert set(by_dentries[-2:]) == unknown
    turned = sort_by(page, "Dentry cache")
    assert turned[:5] == ["blog-1.example.org", *[n for n in turned if n.startswith("vps")], *by_dentries[1::-1]]
    assert set(turned[-2:]) == unknown
    by_name = sort_by(page, "Host")
    # As people count: 2 before 10.
    assert by_name.index("web-2.example.org") < by_name.index("web-10.example.org")
    assert page.run(SECTIONS) == by_name
    assert page.run("[...document.querySelectorAll('th[aria-sort]')].map(e => e.textContent + e.ariaSort)") == [
        "Hostascending"
    ]


def test_the_fields_filter_the_table_and_the_hosts(page: Chromium) -> None:
    change(page, "#find", "e.value = 'WEB- oom_kills'")
    assert page.run(ROWS) == page.run(SECTIONS) == ["web-10.example.org", "web-2.example.org"]
    assert page.run(SHOWN) == "2 of 7 hosts"
    change(page, "[value=warning]", "e.checked = false")
    assert page.run(ROWS) == []
    assert page.run("document.getElementById('none').checkVisibility()") is True
    page.run("document.querySelector('[type=reset]').click(); new Promise(done => setTimeout(done, 20))")
    assert page.run(SHOWN) == "7 of 7 hosts"
    change(page, "#problem", "e.value = 'shmpages_failing'")
    assert page.run(ROWS) == ["vps-001.example.org"]


def test_a_problem_in_the_overview_shows_its_hosts(page: Chromium) -> None:
    page.run("document.querySelector('[data-problem=oom_kills]').click()")
    assert page.run(ROWS) == ["web-10.example.org", "web-2.example.org"]
    assert page.run("document.getElementById('problem').value") == "oom_kills"


def test_a_link_opens_its_host(page: Chromium, path: Path) -> None:
    assert page.run("document.querySelectorAll('.host[open]').length") == 0
    page.run("document.querySelector('#fleet a[href=\"#host-1\"]').click(); new Promise(done => setTimeout(done, 50))")
    assert page.run("[...document.querySelectorAll('.host[open]')].map(e => e.id)") == ["host-1"]
    page.open(path, "#host-2")
    assert page.run("document.getElementById('host-2').open") is True


def test_it_works_by_keyboard(page: Chromium) -> None:
    page.press("Tab")
    assert page.run(FOCUS) == "Skip to the hosts"
    reached = []
    for _press in range(60):
        page.press("Tab")
        reached.append(page.run(FOCUS))
        if reached[-1] == "Dentry cache":
            break
    assert {"theme", "find", "problem", "Host"} <= set(reached)
    page.press("Enter")
    assert page.run(ROWS)[0] == "web-10.example.org"
    for _press in range(60):
        page.press("Tab")
        if page.run("document.activeElement.tagName") == "SUMMARY":
            break
    page.press(" ")
    assert page.run("document.activeElement.parentElement.open") is True


def test_a_screen_reader_gets_names_for_all(page: Chromium) -> None:
    page.run("document.getElementById('open').click()")
    nodes = [node for node in page.call("Accessibility.getFullAXTree")["nodes"] if not node["ignored"]]
    named = ("button", "link", "image", "searchbox", "combobox", "checkbox", "table")
    roles = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes]
    # Tables in a host stand below its headings; the fleet's has a caption.
    nameless = [role for role, name in roles if role in named and role != "table" and not name.strip()]
    assert nameless == []
    assert {role for role, _name in roles} >= {"main", "banner", "search", "status", *named}
    assert any(
        role == "image" and "shmpages: 965.3 MiB of 1 GiB, 94 %. By whom: php-cgi 704 MiB" in n for role, n in roles
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_drawn_and_can_be_read_in_light_and_dark(page: Chromium, path: Path, scheme: str) -> None:
    page.colours(scheme)
    page.open(path)
    page.run("document.getElementById('open').click()")
    assert page.run(CONTRAST) == []
    png = page.screenshot()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    picture = SCREENSHOTS / f"report-{scheme}.png"
    picture.write_bytes(png)
    print(f"the page in {scheme} colours: {picture}")
    width, height, lines = pixels(png)
    assert (width, height > 3000) == (1360, True)
    # A page that is not drawn has one line only.
    assert len(lines) > 300
    assert page.run("document.getElementById('theme').ariaPressed") == str(scheme == "dark").lower()


def test_the_button_turns_the_colours(page: Chromium) -> None:
    page.colours("light")
    colour = "getComputedStyle(document.body).backgroundColor"
    first = page.run(colour)
    page.run("document.getElementById('theme').click()")
    assert page.run(colour) != first


@pytest.mark.parametrize("width", [1360, 640, 360])
def test_it_never_scrolls_sideways(page: Chromium, width: int) -> None:
    page.size(width, 800)
    page.run("document.getElementById('open').click()")
    wide = page.run("document.documentElement.scrollWidth")
    page.size(1360, 1000)
    assert wide <= width


def test_a_large_fleet_stays_usable(browser: Chromium, tmp_path: Path) -> None:
    """How fast is the matter of make bench ONLY=report; here all has to be right, within the browser's limit."""
    large = tmp_path / "large.html"
    records = fleet.large(500)
    names = [record["host"] for record in records]
    large.write_text(render(fleet_model(records)), encoding="utf-8")
    started = time.monotonic()
    browser.open(large)
    change(browser, "#find", "e.value = 'web-0499'")
    assert browser.run(SHOWN) == "1 of 500 hosts"
    change(browser, "#find", "e.value = ''")
    assert sort_by(browser, "Host") == names
    assert sort_by(browser, "Host") == names[::-1]
    kills = {record["host"]: len(record["facts"].get("phpops_oom", {}).get("events", "")) for record in records}
    by_kills = [kills[name] for name in sort_by(browser, "OOM kills")]
    assert by_kills == sorted(kills.values(), reverse=True)
    assert sort_by(browser, "Host")[0] == names[0]
    change(browser, "#problem", "e.value = 'oom_kills'")
    killed = [item["host"] for item in records if "oom_kills" in [verdict["code"] for verdict in item["verdicts"]]]
    assert browser.run(ROWS) == browser.run(SECTIONS) == killed
    assert browser.run(SHOWN) == f"{len(killed)} of 500 hosts"
    assert browser.complaints() == []
    print(f"500 hosts: opened, filtered and sorted in {time.monotonic() - started:.1f} s")
