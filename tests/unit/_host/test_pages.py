# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Iterator

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.pages import target
from ansible_collections.phpops.webhost.plugins.module_utils._host.pages import fetch


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"{self.headers['Host']} {self.path}".encode()
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    """Return the port of a server on this host."""
    server = HTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_this_host_is_asked_by_the_sites_name(port: int) -> None:
    goal = target({"url": f"http://shop.example:{port}/x?y=1"})
    page = fetch(goal, 5)
    assert (page.status, page.bytes) == (200, len(f"shop.example:{port} /x?y=1"))
    other = fetch(target({"url": f"http://127.0.0.1:{port}/x?y=1", "host": f"shop.example:{port}"}), 5)
    assert other.digest == page.digest


def test_redirects_are_not_followed(port: int) -> None:
    assert fetch(target({"url": f"http://shop.example:{port}/moved"}), 5).status == 302


def test_no_answer_is_status_zero(port: int) -> None:
    assert fetch(target({"url": f"https://shop.example:{port}/"}), 5).status == 0
    page = fetch(target({"url": "http://shop.example:1/"}), 5)
    assert (page.status, page.digest) == (0, "")
    assert page.error != ""
