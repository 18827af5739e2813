# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Primes a master by real requests, straight to its own socket, and checks their answers."""

from __future__ import annotations

import time
from typing import Any, Callable

from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import Response
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.prime import entry_params, verdict
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import SiteSpec
from ansible_collections.phpops.webhost.plugins.module_utils._host.fastcgi import FastCgiError, request

Request = Callable[..., Response]
ROUNDS = 2


def prime(
    spec: SiteSpec, socket_path: str, root: str, timeout_seconds: float = 60.0, ask: Request = request
) -> dict[str, Any]:
    """Request each entry point twice, one after the other; the second answer is the one that is checked.

    root is the document root as live traffic names it. Returns {seconds, requests, root, entry_points: [{path, status,
    first_seconds, last_seconds}]}; StepFailed names the entry point that gave something else than it should.
    """
    started = time.monotonic()
    found = []
    for entry in spec.entry_points:
        params = entry_params(entry, spec.name, root)
        seconds = []
        for _round in range(ROUNDS):
            try:
                answer = ask(socket_path, params, timeout_seconds=timeout_seconds)
            except FastCgiError as error:
                raise StepFailed(f"Entry point {entry.path} gave no answer from the idle slot: {error}.") from error
            seconds.append(round(answer.seconds, 4))
            wrong = verdict(entry, answer)
            if wrong is not None:
                raise StepFailed(f"Entry point {entry.path} {wrong}")
        found.append(
            {"path": entry.path, "status": answer.status, "first_seconds": seconds[0], "last_seconds": seconds[-1]}
        )
    return {
        "seconds": round(time.monotonic() - started, 3),
        "requests": len(found) * ROUNDS,
        "root": root,
        "entry_points": found,
    }
