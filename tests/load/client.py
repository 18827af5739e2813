# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps a web server busy over keep-alive connections and counts every request that did not end well.

    python3 client.py --url http://192.0.2.1/ --get /work.php --post /post.php --clients 16 --seconds 10

Nothing is retried: a request that got no whole answer is counted, as a browser's POST would be lost. It prints one
JSON object. With --log (a file in which the application notes each POST's id) it says also
which POSTs were lost or doubled. With --switches (a file of lines "moment release": when a release went live, by the
wall clock) it counts the stale answers. It needs nothing but Python, and can run on the web server's own host.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import re
import select
import socket
import sys
import threading
import time
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterable, NamedTuple
from urllib.parse import urlsplit

# Every mark of one answer names a release, such as main=R1 and late=R1: two names in one answer are a mixed one.
MARK = re.compile(rb"(?:main|late)=(\w+)")
# A file's time is that of the kernel's last tick: 10 ms at 100 Hz, the slowest that is usual.
TICK_SECONDS = 0.01


class Event(NamedTuple):
    """One request: when it was sent (seconds since 1970), how long it took, how it ended, which releases answered."""

    sent: float
    seconds: float
    outcome: str
    releases: list[str]


@dataclass
class Result:
    """What one run of the load saw; latencies in seconds."""

    sent: int = 0
    ok: int = 0
    cut: int = 0
    hung: int = 0
    wrong_status: int = 0
    mixed: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    releases: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    posted: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    connections: int = 0
    seconds: float = 0.0

    @property
    def failed(self) -> int:
        """Requests that got no answer, a wrong one, or one of two releases."""
        return self.sent - self.ok

    def percentile(self, share: float) -> float:
        """Return the latency that this share of the answers did not exceed, 0 without an answer."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def posts(self, log: str) -> dict[str, list[str]]:
        """Compare the POSTs with the application's log, one id a line.

        lost: acknowledged, but not in the log. doubled: there more than once. unacknowledged: run, but the client
        got no answer.
        """
        run = Counter(line.strip() for line in log.splitlines() if line.strip())
        return {
            "lost": sorted(self.acknowledged - set(run)),
            "doubled": sorted(name for name in self.posted if run[name] > 1),
            "unacknowledged": sorted((self.posted - self.acknowledged) & set(run)),
        }

    def stale(self, switches: list[tuple[float, str]]) -> int:
        """Count the recorded answers of a release that was not live at any moment of their request.

        switches: when a release went live (seconds since the epoch), in their order. What was live before the first
        is not known: nothing that began before it is stale.
        """
        moments = [moment for moment, _release in switches]
        count = 0
        for event in self.events:
            first = bisect_right(moments, event.sent - TICK_SECONDS) - 1
            last = bisect_right(moments, event.sent + event.seconds)
            live = {release for _moment, release in switches[first:last]}
            count += first >= 0 and len(event.releases) == 1 and event.releases[0] not in live
        return count

    def as_dict(self) -> dict[str, Any]:
        """Return the counts and latencies as plain values."""
        return {
            "sent": self.sent,
            "ok": self.ok,
            "failed": self.failed,
            "cut": self.cut,
            "hung": self.hung,
            "wrong_status": self.wrong_status,
            "mixed": self.mixed,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "releases": dict(sorted(self.releases.items())),
            "errors": dict(self.errors.most_common(5)),
            "posts": len(self.posted),
            "connections": self.connections,
            "seconds": round(self.seconds, 2),
            "p50_seconds": round(self.percentile(0.50), 4),
            "p99_seconds": round(self.percentile(0.99), 4),
            "max_seconds": round(max(self.latencies, default=0.0), 4),
        }


def closed_by_server(connection: http.client.HTTPConnection) -> bool:
    """Return whether the server ended an idle connection, as every client looks before it sends on one again."""
    return connection.sock is not None and bool(select.select([connection.sock], [], [], 0)[0])


class Load:
    """Clients that each send one request after the other over a connection of their own, until stop()."""

    def __init__(
        self,
        url: str,
        get: str = "/",
        post: str | None = None,
        clients: int = 8,
        timeout_seconds: float = 30.0,
        host: str | None = None,
        status: int = 200,
        pause_seconds: float = 0.0,
        record: bool = False,
    ) -> None:
        """url: where to connect; host: the Host header; post: a path that each second request goes to, with an id.

        pause_seconds is how long a client waits after an answer; without it the server is always busy.
        record keeps every request in the result's events.
        """
        parts = urlsplit(url)
        self.address, self.port = parts.hostname or "localhost", parts.port or 80
        self.host = host or parts.netloc
        self.get, self.post, self.status = get, post, status
        self.timeout_seconds, self.pause_seconds, self.record = timeout_seconds, pause_seconds, record
        self.result = Result()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._ids = itertools.count()
        self._run = f"{time.time_ns():x}"
        self._threads = [threading.Thread(target=self._client, daemon=True) for _number in range(clients)]
        self._started = 0.0

    def start(self) -> Load:
        """Begin; returns itself."""
        self._started = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> Result:
        """Let every client end its request, and return what was seen."""
        self._stop.set()
        for thread in self._threads:
            thread.join(self.timeout_seconds + 5)
        self.result.seconds = time.monotonic() - self._started
        return self.result

    def __enter__(self) -> Load:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def wait_for(self, answers: int, timeout_seconds: float = 30.0) -> None:
        """Wait until so many more requests were answered; TimeoutError when they weren't."""
        wanted, deadline = self.result.ok + answers, time.monotonic() + timeout_seconds
        while self.result.ok < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{wanted - self.result.ok} of {answers} answers still missing")
            time.sleep(0.01)

    def _client(self) -> None:
        connection: http.client.HTTPConnection | None = None
        for turn in itertools.count():
            if self._stop.is_set():
                break
            if connection is not None and closed_by_server(connection):
                connection.close()
                connection = None
            if connection is None:
                connection = http.client.HTTPConnection(self.address, self.port, timeout=self.timeout_seconds)
                with self._lock:
                    self.result.connections += 1
            if not self._one(connection, turn):
                connection.close()
                connection = None
            self._stop.wait(self.pause_seconds)
        if connection is not None:
            connection.close()

    def _one(self, connection: http.client.HTTPConnection, turn: int) -> bool:
        """Send one request and count it; False when the connection can't be used any more."""
        name = f"{self._run}-{next(self._ids)}" if self.post and turn % 2 else None
        with self._lock:
            self.result.sent += 1
            if name:
                self.result.posted.add(name)
        started = time.monotonic()
        try:
            if name:
                form = {"Host": self.host, "Content-Type": "application/x-www-form-urlencoded"}
                connection.request("POST", self.post or "/", body=f"id={name}", headers=form)
            else:
                connection.request("GET", self.get, headers={"Host": self.host})
            answer = connection.getresponse()
            body = answer.read()
        except (socket.timeout, TimeoutError):
            self._failed("hung", "no answer in time", started)
            return False
        except (OSError, http.client.HTTPException) as error:
            self._failed("cut", f"{type(error).__name__}: {error}"[:120], started)
            return False
        self._answered(answer.status, body, time.monotonic() - started, name)
        return not answer.will_close

    def _failed(self, kind: str, why: str, started: float) -> None:
        with self._lock:
            self._note(time.monotonic() - started, kind, ())
            setattr(self.result, kind, getattr(self.result, kind) + 1)
            self.result.errors[why] += 1

    def _note(self, seconds: float, outcome: str, releases: Iterable[str]) -> None:
        if self.record:
            self.result.events.append(Event(time.time() - seconds, seconds, outcome, sorted(releases)))

    def _answered(self, status: int, body: bytes, seconds: float, name: str | None) -> None:
        releases = {found.decode() for found in MARK.findall(body)}
        with self._lock:
            result = self.result
            result.statuses[status] += 1
            result.latencies.append(seconds)
            result.releases.update(releases)
            right = "mixed" if len(releases) > 1 else "ok"
            self._note(seconds, right if status == self.status else str(status), releases)
            if name and status == self.status:
                result.acknowledged.add(name)
            if status != self.status:
                result.wrong_status += 1
                result.errors[f"{status}: {body[:80].decode('utf-8', 'replace')}"] += 1
            elif len(releases) > 1:
                result.mixed += 1
            else:
                result.ok += 1


def read_switches(text: str) -> list[tuple[float, str]]:
    """Return the lines "moment release" of a file of --switches."""
    return [(float(words[0]), words[1]) for words in map(str.split, text.splitlines()) if words]


def main() -> int:
    """Run the load from the command line; the exit status is 1 when a request failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--get", default="/")
    parser.add_argument("--post")
    parser.add_argument("--host")
    parser.add_argument("--status", type=int, default=200)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--until", type=Path, help="a file: its appearance ends the load before --seconds do")
    parser.add_argument("--progress", type=Path, help="a file that holds the number of answers so far")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds that a client waits after an answer")
    parser.add_argument("--events", type=Path, help="a file for one JSON list a request, see Event")
    parser.add_argument("--timeout", type=float, default=30.0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--switches", type=Path, help="a file of lines 'moment release', read at the end")
    given = parser.parse_args()
    record = bool(given.events or given.switches)
    more = {"host": given.host, "status": given.status, "pause_seconds": given.pause, "record": record}
    load = Load(given.url, given.get, given.post, given.clients, given.timeout, **more).start()
    deadline = time.monotonic() + given.seconds
    while time.monotonic() < deadline and not (given.until and given.until.exists()):
        time.sleep(min(0.05, given.seconds))
        if given.progress:
            given.progress.write_text(f"{load.result.sent - load.result.hung - load.result.cut}\n", encoding="ascii")
    result = load.stop()
    report = result.as_dict()
    if given.events:
        rows = "".join(json.dumps(event) + "\n" for event in result.events)
        given.events.write_text(rows, encoding="utf-8")
    if given.log:
        report.update(result.posts(given.log.read_text(encoding="utf-8")))
    if given.switches:
        report["stale"] = result.stale(read_switches(given.switches.read_text(encoding="utf-8")))
    print(json.dumps(report))
    return 1 if result.failed else 0


if __name__ == "__main__":
    sys.exit(main())
