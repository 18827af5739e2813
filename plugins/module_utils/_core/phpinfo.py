# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Directives from the text that `php -i` prints."""

from __future__ import annotations

import re

_LINE = re.compile(r"(?m)^([a-z_][a-z0-9_.]*) => .* => (.*?)\r?$")


def directives(text: str, prefix: str) -> dict[str, str]:
    """Return the master values of directives whose name begins with ``prefix``.

    Lines are "name => local value => master value"; "no value" is an empty one (main/php_ini.c, php_ini_displayer).
    """
    found = {}
    for match in _LINE.finditer(text):
        name, value = match.group(1), match.group(2)
        if name.startswith(prefix):
            found[name] = "" if value == "no value" else value
    return found
