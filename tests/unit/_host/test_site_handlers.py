# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Against a tree of files and an Apache that does as it is told; the real one is in the scenario fpm_migrate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Mapping

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.pages import Page, Target
from ansible_collections.phpops.webhost.plugins.module_utils._host import php_cgi, site_handlers
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import Apache, ApacheError
from ansible_collections.phpops.webhost.plugins.module_utils._host.site_handlers import HandlersError, Settings, apply

VHOST = "<VirtualHost *:80>\r\n  ServerName {0}\r\n</VirtualHost>\r\n"


class FakeApache(Apache):
    """Refuses any file that holds the word Bad; counts reloads."""

    def __init__(self, root: Path) -> None:
        super().__init__(lambda _words, _variables: (0, "", ""), str(root))
        self.reloads: list[str] = []
        self.pid = 4
        self.dies = False
        # What a start says of an Apache that ended at the reload; None: it goes on with what it had.
        self.started: str | None = None
        self.lines: list[Directive] = []

    def complaint(self, config_root: str | None = None) -> str | None:
        texts = [path.read_bytes() for path in Path(config_root or self.config_root).rglob("*.conf")]
        return "Bad word." if any(b"Bad" in text for text in texts) else None

    def modules(self) -> str:
        return " core_module (static)\n"

    def parent(self) -> int:
        return self.pid

    def dump(self) -> list[Directive]:
        return self.lines

    def graceful(self, timeout_seconds: float) -> float:
        self.reloads.append("".join(sorted(path.name for path in Path(self.config_root).rglob("*.load"))))
        if self.dies:
            self.pid = 4 if self.started is None else 0
            raise ApacheError("It ended.")
        return 0.5

    def start(self) -> str:
        return self.started or ""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return (apache, settings, folder of sites, pages by URL)."""
    root = tmp_path / "apache2"
    for folder in ("sites-available", "mods-available", "mods-enabled"):
        (root / folder).mkdir(parents=True)
    for name in ("proxy.load", "proxy.conf", "proxy_fcgi.load"):
        (root / "mods-available" / name).touch()
    for name in ("a", "b"):
        (root / "sites-available" / f"{name}.conf").write_bytes(VHOST.format(name).encode())
    pages: dict[str, list[Page]] = {}

    def fetch(goal: Target, _timeout: float) -> Page:
        answers = pages.get(goal.host, [Page(200, "x", 1)])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    monkeypatch.setattr(site_handlers, "fetch", fetch)
    monkeypatch.setattr(php_cgi, "wait_idle", lambda _timeout, _quiet=0.0: (0.0, []))
    monkeypatch.setattr(php_cgi, "php_cgi", lambda: [])
    monkeypatch.setattr(site_handlers.time, "sleep", lambda _seconds: None)
    settings = Settings(lock=str(tmp_path / "lock"), backup_folder=str(tmp_path / "backup"), lock_timeout_seconds=0.3)
    return FakeApache(root), settings, root / "sites-available", pages


def site(folder: Path, name: str, word: str = "Good") -> dict[str, Any]:
    """Return a site as the plan has it."""
    text = f"    # BEGIN phpops.webhost {name}\n    {word}\n    # END phpops.webhost {name}\n"
    vhost = {"file": str(folder / f"{name}.conf"), "line": 1, "address": "*:80"}
    return {"site": name, "name": f"{name}.example", "names": [f"{name}.example"], "block": text, "vhosts": [vhost]}


def outcome(answer: Mapping[str, Any]) -> dict[str, tuple[bool, Any]]:
    """Return (changed, step that failed) by site."""
    return {one["site"]: (one["changed"], one["step"]) for one in answer["sites"]}


def test_there_and_back(host: Any) -> None:
    apache, settings, folder, _pages = host
    sites = [site(folder, "a"), site(folder, "b")]
    before = (folder / "a.conf").read_bytes()
    planned = apply("present", sites, [], apache, settings, True)
    assert planned["changed"] is True
    assert (folder / "a.conf").read_bytes() == before
    assert apache.reloads == []
    done = apply("present", sites, [], apache, settings, False)
    assert done["diff"] == planned["diff"]
    assert outcome(done) == {"a": (True, None), "b": (True, None)}
    assert b"    Good\r\n" in (folder / "a.conf").read_bytes()
    assert apache.reloads == ["proxy.loadproxy.loadproxy_fcgi.loadproxy_fcgi.load"]
    apache.modules = lambda: " proxy_module (shared)\n proxy_fcgi_module (shared)\n"
    assert apply("present", sites, [], apache, settings, False)["changed"] is False
    one = apply("absent", [{"site": "a.example"}], [], apache, settings, False)
    assert outcome(one) == {"a": (True, None)}
    assert one["sites"][0]["restored"] is True
    assert (folder / "a.conf").read_bytes() == before
    back = apply("absent", [], [], apache, settings, False)
    assert back["leaving"] == [{"name": "b"}]
    assert list((folder.parent / "mods-enabled").iterdir()) == []
    assert json.loads((Path(settings.backup_folder) / "handlers.json").read_text()) == {
        "files": {},
        "links": [],
        "sites": {},
    }
    assert apply("absent", [], [], apache, settings, False)["changed"] is False


def test_an_edit_made_meanwhile_survives_and_is_told(host: Any) -> None:
    apache, settings, folder, _pages = host
    apply("present", [site(folder, "a")], [], apache, settings, False)
    text = (folder / "a.conf").read_bytes() + b"# mine\n"
    (folder / "a.conf").write_bytes(text)
    answer = apply("absent", [], [], apache, settings, False)
    assert answer["sites"][0]["restored"] is False
    assert (folder / "a.conf").read_bytes() == VHOST.format("a").encode() + b"# mine\n"


@pytest.mark.parametrize(
    "line",
    [
        Directive("ProxyPass", "/x http://192.0.2.1/", "/etc/apache2/conf.d/x.conf", 1),
        Directive("SetHandler", "proxy:unix:/var/lib/phpops/c/ptr/live/php.sock|fcgi://c", "/etc/phpops-c.conf", 9),
    ],
)
def test_modules_that_something_else_needs_stay_on(host: Any, line: Directive) -> None:
    apache, settings, folder, _pages = host
    apply("present", [site(folder, "a")], [], apache, settings, False)
    apache.lines = [line]
    apply("absent", [], [], apache, settings, False)
    assert len(list((folder.parent / "mods-enabled").iterdir())) == 3


def test_a_site_that_answers_otherwise_is_taken_back_alone(host: Any) -> None:
    apache, settings, folder, pages = host
    before = (folder / "b.conf").read_bytes()
    pages["b.example"] = [Page(200, "x", 1), Page(200, "x", 1), Page(503, "y", 1)]
    answer = apply("present", [site(folder, "a"), site(folder, "b")], [], apache, settings, False)
    assert outcome(answer) == {"a": (True, None), "b": (False, "compare")}
    assert (folder / "b.conf").read_bytes() == before
    assert b"Good" in (folder / "a.conf").read_bytes()
    assert len(apache.reloads) == 2
    assert answer["reload"]["reloads"] == 2


def test_a_body_that_changes_by_itself_is_compared_by_status(host: Any) -> None:
    apache, settings, folder, pages = host
    pages["a.example"] = [Page(200, "1", 1), Page(200, "2", 1), Page(200, "3", 1)]
    answer = apply("present", [site(folder, "a")], [{"url": "http://a.example/"}], apache, settings, False)
    assert outcome(answer) == {"a": (True, None)}
    assert "changes by itself" in answer["reload"]["warnings"][0]


def test_a_page_that_bears_the_time_in_seconds_is_compared_by_status(
    host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    apache, settings, folder, _pages = host
    waits: list[float] = []

    def fetch(_goal: Target, _timeout: float) -> Page:
        return Page(200, str(int(100.2 + sum(waits) + 2 * len(apache.reloads))), 11077)

    monkeypatch.setattr(site_handlers.time, "sleep", waits.append)
    monkeypatch.setattr(site_handlers, "fetch", fetch)
    urls = [{"url": "http://a.example/doku.php"}, {"url": "http://a.example/", "host": "b.example"}]
    answer = apply("present", [site(folder, "a"), site(folder, "b")], urls, apache, settings, False)
    assert outcome(answer) == {"a": (True, None), "b": (True, None)}
    assert len(answer["reload"]["warnings"]) == 2
    assert waits == [1.5]


def test_nothing_is_waited_for_where_no_body_is_compared(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    apache, settings, folder, _pages = host
    waits: list[float] = []
    monkeypatch.setattr(site_handlers.time, "sleep", waits.append)
    assert apply("present", [site(folder, "a")], [], apache, settings, False)["changed"] is True
    assert waits == []


def test_one_url_by_two_names_is_two_pages(host: Any) -> None:
    apache, settings, folder, pages = host
    pages["b.example"] = [Page(404, "none", 1)]
    urls = [{"url": "http://a.example/"}, {"url": "http://a.example/", "host": "b.example"}]
    answer = apply("present", [site(folder, "a"), site(folder, "b")], urls, apache, settings, False)
    assert outcome(answer) == {"a": (True, None), "b": (True, None)}


def test_a_block_that_apache_refuses_fails_alone(host: Any) -> None:
    apache, settings, folder, _pages = host
    answer = apply("present", [site(folder, "a", "Bad"), site(folder, "b")], [], apache, settings, False)
    assert outcome(answer) == {"a": (False, "check"), "b": (True, None)}
    assert b"Bad" not in (folder / "a.conf").read_bytes()


def test_a_file_without_a_place_fails_alone(host: Any) -> None:
    apache, settings, folder, _pages = host
    odd = site(folder, "a")
    odd["vhosts"][0]["line"] = 3
    gone = site(folder, "c")
    answer = apply("present", [odd, gone, site(folder, "b")], [], apache, settings, False)
    assert outcome(answer) == {"a": (False, "place"), "c": (False, "place"), "b": (True, None)}


def test_a_configuration_that_is_broken_already_is_left_alone(host: Any) -> None:
    apache, settings, folder, _pages = host
    (folder / "b.conf").write_text("Bad\n")
    with pytest.raises(HandlersError, match="nothing was changed: Bad word"):
        apply("present", [site(folder, "a")], [], apache, settings, False)
    assert not Path(settings.backup_folder).exists()


def test_an_apache_that_does_not_run_is_left_alone(host: Any) -> None:
    apache, settings, folder, _pages = host
    apache.pid = 0
    before = (folder / "a.conf").read_bytes()
    with pytest.raises(HandlersError, match="is not running"):
        apply("present", [site(folder, "a")], [], apache, settings, False)
    assert (folder / "a.conf").read_bytes() == before


def test_files_go_back_when_the_reload_fails(host: Any) -> None:
    apache, settings, folder, _pages = host
    apache.dies = True
    before = (folder / "a.conf").read_bytes()
    with pytest.raises(HandlersError, match=r"It ended\. The files are as before"):
        apply("present", [site(folder, "a")], [], apache, settings, False)
    assert (folder / "a.conf").read_bytes() == before
    assert list((folder.parent / "mods-enabled").iterdir()) == []
    # Apache may have read the new files before: it is to read the old ones again.
    assert len(apache.reloads) == 2
    assert apply("absent", [], [], apache, settings, True)["sites"] == []


@pytest.mark.parametrize(
    ("started", "said"),
    [
        ("", r"^It ended\. The files are as before\.$"),
        ("It stays down.", r"^It ended\. The files are as before\. It stays down\.$"),
    ],
    ids=["started", "down"],
)
def test_an_apache_that_ends_at_the_reload_is_started_with_the_old_files(host: Any, started: str, said: str) -> None:
    apache, settings, folder, _pages = host
    apache.dies, apache.started = True, started
    before = (folder / "a.conf").read_bytes()
    with pytest.raises(HandlersError, match=said):
        apply("present", [site(folder, "a")], [], apache, settings, False)
    assert (folder / "a.conf").read_bytes() == before
    assert len(apache.reloads) == 1


def test_requests_in_php_cgi_at_the_reload_are_told(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    apache, settings, folder, _pages = host
    monkeypatch.setattr(php_cgi, "wait_idle", lambda _timeout, _quiet=0.0: (30.0, [php_cgi.Process(5, 1, 33, 1)]))
    answer = apply("present", [site(folder, "a")], [], apache, settings, False)
    assert answer["reload"]["busy_at_reload"] == 1
    assert "1 php-cgi still served a request" in answer["reload"]["warnings"][0]


def test_two_runs_at_once_are_refused(host: Any) -> None:
    apache, settings, folder, _pages = host
    said = r"Another run \(process \d+\) changes Apache"
    with site_handlers._locked(settings), pytest.raises(HandlersError, match=said):
        apply("present", [site(folder, "a")], [], apache, settings, False)


def test_a_lock_that_can_not_be_made_is_one_sentence(host: Any) -> None:
    apache, settings, folder, _pages = host
    Path(settings.lock).symlink_to("elsewhere")
    with pytest.raises(HandlersError, match=r"^Apache's files are not changed: the lock can't be taken \(.*lock'\)\.$"):
        apply("present", [site(folder, "a")], [], apache, settings, False)
