# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page in a real headless Chromium: it opens without a complaint, sorts, filters, and works by keyboard."""

from __future__ import annotations

import struct
import time
import zlib
from pathlib import Path
from typing import Any, Iterator

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.report_fleet import fleet_model
from ansible_collections.phpops.webhost.plugins.plugin_utils.report_page import render
from ansible_collections.phpops.webhost.tests.unit.report import fleet
from ansible_collections.phpops.webhost.tests.unit.report.chromium import Chromium

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
        if record["state"] != "answered":
            assert told[record["host"]] == {}
            continue
        row = told[record["host"]]
        assert row["opcache_bytes"] == sum(group["opcache_bytes"] for group in facts["phpops_shm"]["groups"])
        assert row["dentry_bytes"] == facts["phpops_slab"]["dentry"]["bytes"]
        assert row["oom_events"] == len(facts["phpops_oom"]["events"])


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
    width, height, lines = pixels(page.screenshot())
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
    """How fast is the bench's matter; here all that has to end within the browser's limit."""
    large = tmp_path / "large.html"
    large.write_text(render(fleet_model(fleet.large(500))), encoding="utf-8")
    started = time.monotonic()
    browser.open(large)
    change(browser, "#find", "e.value = 'web-0499'")
    assert browser.run(SHOWN) == "1 of 500 hosts"
    assert browser.complaints() == []
    print(f"500 hosts: opened and filtered in {time.monotonic() - started:.1f} s")
