# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Renders a report as one HTML file that needs no network: style and script are inlined, all else is escaped."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any, Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.units import human_bytes, human_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

FOLDER = Path(__file__).resolve().parent / "report"
UNKNOWN = "not known"


def shown(value: object, unit: str) -> str:
    """Return a number with its unit as people read it; ``not known`` for None."""
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return UNKNOWN
    if unit == "bytes":
        return human_bytes(int(value))
    if unit == "ratio":
        return human_percent(value)
    number = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
    return number if unit == "count" else f"{number} {_noun(value, unit)}"


def _noun(value: float, unit: str) -> str:
    """Return a unit, which is a plural, as it is said after a number."""
    if value != 1 or not unit.endswith("s"):
        return unit
    return unit[:-2] if unit == "processes" else unit[:-1]


def change(value: object, unit: str) -> str:
    """Return a difference with its sign; a ratio's in points of percent."""
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return UNKNOWN
    if not value:
        return "no change"
    sign = "+" if value > 0 else "\N{MINUS SIGN}"
    if unit != "ratio":
        return f"{sign}{shown(abs(value), unit)}"
    points = round(abs(value) * 100)
    return f"{sign}{points} {_noun(points, 'points')}"


def when(time: object) -> str:
    """Return a record's time as people read it."""
    told = str(time)
    return f"{told[:-1].replace('T', ' ')} UTC" if told.endswith("Z") else told


def render(model: Mapping[str, Any]) -> str:
    """Return the page of a model that `fleet_model` made."""
    style, script = _asset("page.css"), _asset("page.js")
    return _template().render(
        model=model,
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


@lru_cache(maxsize=None)
def _asset(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


@lru_cache(maxsize=None)
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(str(FOLDER)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(shown=shown, change=change, when=when)
    return environment.get_template("page.html.j2")


def _hash(text: str) -> str:
    """Return what a Content-Security-Policy names an inlined text by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
