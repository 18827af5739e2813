# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the demo: a column per moment, a row per number, and where each number came from."""

from __future__ import annotations

from typing import Any, Callable, Dict

Moment = Dict[str, Any]
MIB = 1024 * 1024
PHP = ("php-cgi", "php-fpm")


def mib(size: int | None) -> str:
    """Write bytes as MiB; what could not be read is said, never zero."""
    return "not readable" if size is None else f"{size / MIB:,.1f} MiB"


def php_groups(moment: Moment) -> list[dict[str, Any]]:
    """Return the process groups that run PHP outside of the web server."""
    return [group for group in moment["shm"]["groups"] if group["kind"] in PHP]


def summed(moment: Moment, key: str) -> int | None:
    """Sum a number over the PHP groups; None when one of them could not be read."""
    values = [group[key] for group in php_groups(moment)]
    return None if None in values else sum(values)


def processes(moment: Moment) -> str:
    """Count php-cgi, FPM masters and FPM workers."""
    cgi = sum(group["processes"] for group in php_groups(moment) if group["kind"] == "php-cgi")
    fpm = [group for group in php_groups(moment) if group["kind"] == "php-fpm"]
    workers = sum(group["processes"] - 1 for group in fpm)
    return f"{cgi} php-cgi; FPM: {len(fpm)} + {workers}"


def headroom(moment: Moment) -> str:
    """Name the tightest limit and what it leaves."""
    left = moment["budget"]["headroom_bytes"]
    return "no limit" if left is None else mib(left)


ROWS: tuple[tuple[str, Callable[[Moment], str], str], ...] = (
    ("php-cgi; FPM masters + workers", processes, "/proc/PID/stat, grouped by master"),
    ("OPcache segments", lambda moment: str(summed(moment, "opcache_segments")), "/proc/PID/maps, each inode once"),
    ("reserved by them", lambda moment: mib(summed(moment, "opcache_bytes")), "/proc/PID/maps, sizes of the mappings"),
    ("resident, shared", lambda moment: mib(summed(moment, "resident_bytes")), "pages touched, see shm_facts"),
    ("PSS of all PHP", lambda moment: mib(summed(moment, "pss_bytes")), "/proc/PID/smaps_rollup"),
    ("headroom", headroom, "memory_budget_info: the tightest limit that applies"),
)


def render(moments: dict[str, Moment]) -> str:
    """Return the table of the host's memory."""
    table = [["", *moments, "read from"]]
    table += [[title, *(cell(moment) for moment in moments.values()), source] for title, cell, source in ROWS]
    return markdown(table)


def markdown(table: list[list[str]]) -> str:
    """Return a table as lines of text, in Markdown so that it can be pasted."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = ["| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |" for row in table]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def share(events: list[Any], part: float) -> str:
    """Write the latency that this part of the answers did not exceed."""
    ordered = sorted(event.seconds for event in events if event.outcome == "ok")
    return ms(ordered[min(len(ordered) - 1, int(part * len(ordered)))]) if ordered else "no answer"


def ms(seconds: float) -> str:
    """Write seconds as milliseconds."""
    return f"{seconds * 1000:,.0f} ms"


def render_deploys(columns: dict[str, list[Any]], returned: dict[str, Moment], stale: int) -> str:
    """Return the table of what visitors saw, and the lines on the first request of each release.

    columns: the load client's events; returned: by release, what the deploy's modules returned.
    """
    served = {name: [event for event in events if event.outcome == "ok"] for name, events in columns.items()}
    table = [
        ["", *columns],
        ["requests served", *(str(len(events)) for events in served.values())],
        ["failed", *(str(len(events) - len(served[name])) for name, events in columns.items())],
        ["p50", *(share(events, 0.5) for events in columns.values())],
        ["p99", *(share(events, 0.99) for events in columns.values())],
    ]
    lines = [markdown(table), "", f"Answers of another release once the last deploy had ended: {stale}."]
    for release, modules in returned.items():
        point = max(modules["opcache_prime"]["entry_points"], key=lambda found: float(found["first_seconds"]))
        first = modules["slot_switch"]["first_request_seconds"]
        lines.append(
            f"{release}, {point['path']}: {ms(point['first_seconds'])} cold, in the idle slot;"
            f" {ms(point['last_seconds'])} primed; {ms(first)} the first one through Apache after the switch."
        )
    return "\n".join(lines)
