# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads the JSON file in which a role leaves the settings of its program on a host."""

from __future__ import annotations

import json
from typing import Any


class SettingsError(ValueError):
    """The settings can't be used; the text names the setting, its value and the cure."""


def read_object(text: str, role: str) -> dict[str, Any]:
    """Return the JSON object in a file's text; SettingsError for anything else names the role that writes it."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"it is no JSON ({error}); run the role {role} again") from error
    if not isinstance(found, dict):
        raise SettingsError(f"it holds no object; run the role {role} again")
    return found
