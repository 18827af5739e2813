# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""How mod_mime merges AddHandler, AddType and their removals (modules/http/mod_mime.c, server/request.c).

A removal acts on the merge of its section with the one before it *in the same group* (folders, files, locations) and
is forgotten then. So RemoveHandler in a folder's .htaccess doesn't take away a handler of the whole server, unless it
is the group's only section that says anything to mod_mime (seen with Apache 2.4.71).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive

# Any of these gives a section a configuration of mod_mime.
_DIRECTIVES = {
    f"{verb}{what}"
    for verb in ("add", "remove")
    for what in ("handler", "type", "charset", "encoding", "language", "inputfilter", "outputfilter")
} | {"defaultlanguage", "multiviewsmatch", "modmimeusepathinfo"}


@dataclass
class MimeMap:
    """What one section, or several merged ones, say to mod_mime. Extensions are lower case, with their dot."""

    handlers: dict[str, Directive] = field(default_factory=dict)
    types: dict[str, Directive] = field(default_factory=dict)
    no_handlers: set[str] = field(default_factory=set)
    no_types: set[str] = field(default_factory=set)
    present: bool = False

    def take(self, directive: Directive) -> bool:
        """Take one directive; False when it isn't mod_mime's."""
        key = directive.key
        if key not in _DIRECTIVES:
            return False
        self.present = True
        if key == "addhandler":
            self.handlers.update((extension(word), directive) for word in directive.words[1:])
        elif key == "addtype":
            self.types.update((extension(word), directive) for word in directive.words[1:])
        elif key == "removehandler":
            self.no_handlers.update(extension(word) for word in directive.words)
        elif key == "removetype":
            self.no_types.update(extension(word) for word in directive.words)
        return True


def extension(word: str) -> str:
    """Write an extension as mod_mime keeps it: lower case, with its dot."""
    return "." + word.lstrip(".").lower()


def merged(base: MimeMap, over: MimeMap | None) -> MimeMap:
    """Merge two: ``over`` wins, its removals act on the result and end with it; those of ``base`` are lost."""
    if over is None:
        return base
    result = MimeMap({**base.handlers, **over.handlers}, {**base.types, **over.types}, present=True)
    for name in over.no_handlers:
        result.handlers.pop(name, None)
    for name in over.no_types:
        result.types.pop(name, None)
    return result


def grouped(sections: Iterable[MimeMap | None]) -> MimeMap | None:
    """Merge a group's sections in order; a single one keeps its removals for the merge with what is outside."""
    result: MimeMap | None = None
    for section in sections:
        if section is not None:
            result = section if result is None else merged(result, section)
    return result
