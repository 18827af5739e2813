# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the check of the documentation site's links finds, and what it lets pass."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))

from docs_links import problems, read_hosts, runbooks

HOSTS = {"docs.example.org"}
WELL = '<link rel="stylesheet" href="s.css?v=1"><a href="https://docs.example.org/x">x</a>'


@pytest.fixture
def site(tmp_path):
    """A site of two pages, with nothing wrong."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "index.html").write_text(f'{WELL}<a href="deep/a%20b.html#here">a</a><a href="#top">t</a><p id="top">')
    (tmp_path / "deep" / "a b.html").write_text('<p id="here"><a href="../">up</a><a href="mailto:a@example.org">m</a>')
    (tmp_path / "s.css").write_text("p { background: url(data:image/png;base64,AA) }")
    return tmp_path


def test_a_site_that_is_well_has_no_problem(site):
    assert problems(site, HOSTS) == []


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ('<a href="gone.html">', "gone.html leads to no file"),
        ('<a href="deep/a%20b.html#gone">', "leads to no such place"),
        ('<a href="#gone">', "#gone leads to no such place"),
        ('<img src="gone.png">', "gone.png leads to no file"),
        ('<p id="twice"><p id="twice">', "the id twice is there more than once"),
        ('<a href="https://elsewhere.example/">', "leads to a host that is not in the list"),
        ('<a href="//elsewhere.example/">', "leads to a host that is not in the list"),
        ('<script src="https://docs.example.org/x.js"></script>', "is loaded from another host"),
        ('<link rel="stylesheet" href="//docs.example.org/x.css">', "is loaded from another host"),
        ('<a href="file:///etc/passwd">', "can't be read"),
    ],
)
def test_what_is_wrong_is_found(site, html, words):
    page = site / "index.html"
    page.write_text(page.read_text() + html)
    (found,) = problems(site, HOSTS)
    assert found.startswith("index.html: ")
    assert words in found


@pytest.mark.parametrize("css", ['@import "https://x.example/a.css";', "p { background: url(//x.example/a.png) }"])
def test_a_style_sheet_that_loads_from_elsewhere_is_found(site, css):
    (site / "s.css").write_text(css)
    assert problems(site, HOSTS) == ["s.css: it loads from another host"]


def test_a_host_that_no_page_needs_is_found(site):
    assert problems(site, {*HOSTS, "old.example"}) == [
        "hosts.txt: old.example is in the list of hosts, and no page links to it"
    ]


def test_the_same_problem_on_many_pages_is_told_once(site):
    for name in ("b", "c"):
        (site / f"{name}.html").write_text('<a href="https://elsewhere.example/">')
    assert problems(site, HOSTS) == [
        "b.html and 1 more: https://elsewhere.example/ leads to a host that is not in the list"
    ]


def test_an_empty_folder_is_no_success(tmp_path):
    assert problems(tmp_path, set()) == [f"{tmp_path}: there is no page"]


def test_hosts_are_read_without_their_comments(tmp_path):
    file = tmp_path / "hosts.txt"
    file.write_text("# a comment\n\na.example  # why\nb.example\n")
    assert read_hosts(file) == {"a.example", "b.example"}


def rules(folder, *links):
    """Write a file of rules whose alerts have these links."""
    file = folder / "rules.yml"
    file.write_text("".join(f"  - annotations:\n      runbook_url: {link}\n" for link in links))
    return file


def test_a_runbook_that_is_there_is_no_problem(site, tmp_path):
    (site / "deep" / "guide.html").write_text('<section id="one"><section id="two">')
    links = ["https://docs.example.org/x/guide.html#one", "https://docs.example.org/x/guide.html#two"]
    assert runbooks(rules(tmp_path, *links), site) == []


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("https://docs.example.org/x/guide.html#gone", "leads to no such place on that page"),
        ("https://docs.example.org/x/guide.html", "leads to no such place on that page"),
        ("https://docs.example.org/x/gone.html#one", "leads to 0 pages, not to one"),
        ("https://docs.example.org/", "leads to 0 pages, not to one"),
    ],
)
def test_a_runbook_that_leads_nowhere_is_found(site, tmp_path, link, words):
    (site / "deep" / "guide.html").write_text('<section id="one">')
    assert runbooks(rules(tmp_path, link), site) == [f"rules.yml: {link} {words}"]


def test_rules_without_a_runbook_are_no_success(site, tmp_path):
    assert runbooks(rules(tmp_path), site) == ["rules.yml: no alert has a runbook_url"]
