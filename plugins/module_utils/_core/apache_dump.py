# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Parsers of what Apache prints about its own configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

_IN_FILE = re.compile(r"# In file: (.*)", re.DOTALL)
_NUMBER = re.compile(r"((?:  )*)# *(\d+):")
_MODULE = re.compile(r"\s+(\w+)_module \((?:static|shared)\)")
_VHOST = re.compile(r"(?:(?P<address>\S+) +)?(?P<name>\S+) \((?P<file>.*):(?P<line>\d+)\)")
_NAMED = re.compile(r"\s+port \S+ namevhost (?P<name>\S+) \((?P<file>.*):(?P<line>\d+)\)")
_MACRO = re.compile(r"macro '([^']*)' ")


@dataclass(eq=False)
class Directive:
    """One line of the configuration that Apache took, or a section with what is inside of it.

    Two of them are equal only when they are the same one: the same text may stand in many places.
    """

    name: str
    arguments: str
    file: str
    line: int
    section: bool = False
    children: list[Directive] = field(default_factory=list)

    @cached_property
    def key(self) -> str:
        """The name in lower case: Apache takes a directive's name in any case."""
        return self.name.lower()

    @cached_property
    def words(self) -> list[str]:
        """The arguments as Apache splits them."""
        return split_arguments(self.arguments)

    @property
    def macro(self) -> str | None:
        """The macro that wrote this line, or None when it stands in a file."""
        found = _MACRO.match(self.file)
        return found.group(1) if found else None


@dataclass(frozen=True)
class VhostName:
    """A virtual host as Apache lists it: what it is called when its own lines don't say."""

    name: str
    file: str
    line: int


def split_arguments(text: str) -> list[str]:
    """Split a directive's arguments as Apache's ap_getword_conf() does.

    A quote opens a word only at its start; inside of quotes a backslash escapes that quote and itself, outside
    only itself. An unclosed quote ends with the text.
    """
    words: list[str] = []
    position, end = 0, len(text)
    while True:
        while position < end and text[position].isspace():
            position += 1
        if position >= end:
            return words
        quote = text[position] if text[position] in "\"'" else ""
        if quote:
            position += 1
        word: list[str] = []
        while position < end:
            char = text[position]
            if char == "\\" and position + 1 < end and text[position + 1] in ("\\", quote or "\\"):
                position += 1
                char = text[position]
            elif (quote and char == quote) or (not quote and char.isspace()):
                break
            word.append(char)
            position += 1
        if quote and position < end:
            position += 1
        words.append("".join(word))


def config_part(text: str) -> str:
    """Return DUMP_CONFIG's part of an output that has DUMP_VHOSTS before and DUMP_RUN_CFG after it."""
    begin = re.search(r"^# In file: ", text, re.MULTILINE)
    # The directive has no colon; the run configuration begins with this line.
    end = re.search(r'^ServerRoot: "', text, re.MULTILINE)
    return text[begin.start() if begin else len(text) : end.start() if end else len(text)]


def parse_config_dump(text: str) -> list[Directive]:
    """Parse the output of ``apache2ctl -t -D DUMP_CONFIG`` (mod_info) into the tree of directives.

    Each directive follows a line ``#  N:`` whose indent is its depth; an empty section prints no closing tag, so
    the depth alone nests. Lines that belong to neither form are passed over. Format: httpd's mod_info.c.
    """
    top: list[Directive] = []
    stack: list[Directive] = []
    file = ""
    number: re.Match[str] | None = None
    for line in text.split("\n"):
        if number is not None:
            depth = len(number.group(1)) // 2
            entry = _directive(line.strip(" "), file, int(number.group(2)))
            number = None
            del stack[depth:]
            (stack[-1].children if stack else top).append(entry)
            stack.append(entry)
            continue
        found = _IN_FILE.fullmatch(line)
        if found:
            file = found.group(1)
        else:
            number = _NUMBER.fullmatch(line)
    return top


def _directive(text: str, file: str, line: int) -> Directive:
    name, _blank, arguments = text.partition(" ")
    arguments = arguments.strip()
    if not name.startswith("<"):
        return Directive(name, arguments, file, line)
    # Apache cuts at the last ">", even inside of quotes.
    if ">" in arguments:
        arguments = arguments[: arguments.rindex(">")].rstrip()
    return Directive(name[1:].rstrip(">"), arguments, file, line, section=True)


def parse_vhosts(text: str) -> list[VhostName]:
    """Parse the output of ``apache2ctl -t -D DUMP_VHOSTS``: each virtual host's name with the file and line it is in.

    Lines that list no virtual host ("alias …", "is a NameVirtualHost", the run configuration) are passed over.
    """
    found: dict[tuple[str, int], VhostName] = {}
    for line in text.split("\n"):
        match = _NAMED.fullmatch(line)
        if match is None and not line.startswith(" "):
            match = _VHOST.fullmatch(line)
        if match is not None:
            key = (match.group("file"), int(match.group("line")))
            found.setdefault(key, VhostName(match.group("name"), *key))
    return list(found.values())


def parse_run_configuration(text: str) -> dict[str, str]:
    """Parse ``apache2ctl -t -D DUMP_RUN_CFG``: server_root, document_root, error_log, pid_file, user, group.

    What isn't printed is missing from the answer. Format: httpd's server/core.c and modules/arch/unix/mod_unixd.c.
    """
    names = {
        "ServerRoot": "server_root",
        "Main DocumentRoot": "document_root",
        "Main ErrorLog": "error_log",
        "PidFile": "pid_file",
    }
    answer: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.partition(": ")
        if not colon:
            continue
        if name in names:
            answer[names[name]] = value.strip().strip('"')
        elif name in ("User", "Group"):
            quoted = re.search(r'name="([^"]*)"', value)
            if quoted:
                answer[name.lower()] = quoted.group(1)
    return answer


def parse_modules(text: str) -> list[str]:
    """Parse ``apache2ctl -M``: the names of the loaded modules without ``_module``, sorted ("fcgid", "mpm_event")."""
    return sorted(
        {match.group(1) for match in (_MODULE.fullmatch(line.rstrip()) for line in text.split("\n")) if match}
    )


def parse_version(text: str) -> str | None:
    """Find Apache's version in the output of ``apache2ctl -v``: "2.4.71", or None."""
    found = re.search(r"^Server version: Apache/(\S+)", text, re.MULTILINE)
    return found.group(1) if found else None


def version_in_program(program: bytes) -> str | None:
    """Find Apache's version in the bytes of its program (AP_SERVER_BASEVERSION of include/ap_release.h), or None."""
    found = re.search(rb"\bApache/(\d+\.\d+\.\d+)\b", program)
    return found.group(1).decode("ascii") if found else None
