# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Iterator

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import EntryPoint
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_check import check


class Slot:
    """Counts what a played web server hands on to PHP: all but /static."""

    def __init__(self) -> None:
        self.taken, self.asked = 41, []  # type: ignore[var-annotated]


@pytest.fixture
def slot() -> Slot:
    return Slot()


@pytest.fixture
def url(slot: Slot) -> Iterator[str]:
    """Return the URL of a web server on this host that hands requests to the slot."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            slot.asked.append((self.command, self.headers["Host"], self.path, self.headers["X-Probe"], length))
            slot.taken += self.path != "/static"
            if self.path == "/silent":
                self.close_connection = True
                return
            body = b"" if self.command == "HEAD" else b"hello"
            self.send_response(200)
            self.send_header("Content-Length", "99" if self.path == "/short" else str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        do_GET = do_HEAD = do_POST = _answer

        def log_message(self, *_arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_each_entry_point_is_asked_as_it_says_and_measured(slot: Slot, url: str) -> None:
    port = url.rpartition(":")[2]
    entries = [
        EntryPoint("/a", query="x=1", headers={"X-Probe": "p"}, contains="hello"),
        EntryPoint("/b", host="other.example", method="POST"),
        EntryPoint("/c", method="HEAD"),
    ]
    found = check(entries, "wiki", url, 5, lambda: slot.taken)
    assert [(item.path, item.status, item.msg) for item in found] == [("/a", 200, ""), ("/b", 200, ""), ("/c", 200, "")]
    assert all(0 < item.seconds < 5 for item in found)
    assert slot.asked == [
        ("GET", f"wiki:{port}", "/a?x=1", "p", 0),
        ("POST", f"other.example:{port}", "/b", None, 0),
        ("HEAD", f"wiki:{port}", "/c", None, 0),
    ]


def test_a_slot_that_was_not_asked_is_told(slot: Slot, url: str, tmp_path: Path) -> None:
    (only,) = check([EntryPoint("/static")], "wiki", url, 5, lambda: slot.taken, Layout(state=str(tmp_path)))
    assert only.status == 200
    assert f"no enabled file of Apache or nginx names {tmp_path}/wiki/ptr/live/php.sock" in only.msg


def test_the_first_wrong_answer_ends_the_check(slot: Slot, url: str) -> None:
    first, silent = check([EntryPoint(path) for path in ("/a", "/silent", "/b")], "w", url, 5, lambda: slot.taken)
    assert (first.status, first.msg, silent.status) == (200, "", 0) and "got no answer" in silent.msg
    (short,) = check([EntryPoint("/short"), EntryPoint("/b")], "w", url, 5, lambda: slot.taken)
    assert short.status == 0 and "ended 94 bytes too early" in short.msg
    (wrong,) = check([EntryPoint("/a", status=404), EntryPoint("/b")], "w", url, 5, lambda: slot.taken)
    assert wrong.status == 200 and wrong.msg
    assert [path for _method, _host, path, _probe, _length in slot.asked] == ["/a", "/silent", "/short", "/a"]


def test_a_web_server_that_is_down_is_one_sentence() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (only,) = check([EntryPoint("/a"), EntryPoint("/b")], "wiki", f"http://127.0.0.1:{port}", 5, lambda: 0)
    assert only.msg.startswith(f"no web server of this host listens at 127.0.0.1, port {port}: start it")


def test_a_server_that_never_answers_is_left_in_time() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(1)
        (only,) = check([EntryPoint("/a")], "w", f"http://127.0.0.1:{mute.getsockname()[1]}", 0.2, lambda: 0)
    assert "there was no answer within 0.2 s" in only.msg


def test_a_url_that_can_not_be_used_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(StepFailed, match="The check URL"):
        check([EntryPoint("/a")], "wiki", "127.0.0.1", 5, lambda: pytest.fail("asked"))
