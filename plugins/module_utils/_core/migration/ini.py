# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Reads php.ini files as PHP does (Zend/zend_ini_scanner.l), and finds what FPM would not know of php-cgi's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Iterable, Mapping

_NAME = re.compile(r"\s*([A-Za-z_][\w.\-]*(?:\[[^\]]*\])?)\s*(?:=\s*(.*))?$", re.DOTALL)
_TRUE = frozenset(("on", "yes", "true"))
_FALSE = frozenset(("off", "no", "false", "none", "null"))
_LOADERS = ("extension", "zend_extension")
_LEVELS = {
    "E_ERROR": 1, "E_WARNING": 2, "E_PARSE": 4, "E_NOTICE": 8, "E_CORE_ERROR": 16, "E_CORE_WARNING": 32,
    "E_COMPILE_ERROR": 64, "E_COMPILE_WARNING": 128, "E_USER_ERROR": 256, "E_USER_WARNING": 512,
    "E_USER_NOTICE": 1024, "E_STRICT": 2048, "E_RECOVERABLE_ERROR": 4096, "E_DEPRECATED": 8192,
    "E_USER_DEPRECATED": 16384,
}  # fmt: skip
_TOKEN = re.compile(r"\s*(?:(\d+)|([A-Z_]+)|([|&^~!()]))")


@dataclass
class Settings:
    """The directives of one or more ini files: the later file wins, as in PHP."""

    values: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    extensions: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    scoped: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Difference:
    """What FPM must be told to behave as php-cgi did; `lines` are (directive, value, source)."""

    lines: tuple[tuple[str, str, str], ...]
    extensions: tuple[tuple[str, str, str], ...]
    only_fpm: tuple[str, ...]
    only_fpm_extensions: tuple[str, ...]


def read(files: Iterable[tuple[str, str]], php_version: str) -> Settings:
    """Return the settings of (path, text) pairs, read in order. Never raises: lines PHP can't read are `ignored`."""
    settings = Settings()
    for path, text in files:
        section = ""
        for number, line in _logical_lines(text):
            source = f"{path}:{number}"
            stripped = line.strip()
            if stripped.startswith("["):
                section = stripped[1:].split("]")[0].strip()
                continue
            match = _NAME.match(line)
            if match is None:
                settings.ignored.append(source)
            elif section.upper().startswith(("PATH=", "HOST=")):
                settings.scoped.append(source)
            else:
                _store(settings, match.group(1), value(match.group(2), php_version), source)
    return settings


def _store(settings: Settings, name: str, content: str, source: str) -> None:
    kind = name.lower()
    if kind in _LOADERS:
        library = PurePosixPath(content).name
        short = library[: -len(".so")] if library.endswith(".so") else library
        settings.extensions[short] = (kind, content, source)
        return
    settings.values[name] = content
    settings.sources[name] = source


def _logical_lines(text: str) -> Iterable[tuple[int, str]]:
    """Yield (number, content) without comments; a value in double quotes may go on over several lines."""
    pending: str | None = None
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        if pending is not None:
            pending += "\n" + line
            if pending.count('"') - pending.count('\\"') >= 2:
                yield start, _uncomment(pending)
                pending = None
            continue
        content = line.strip().lstrip("\ufeff")
        if not content or content[0] in ";#":
            continue
        body = content.partition("=")[2].strip()
        if body.startswith('"') and '"' not in body[1:].replace('\\"', ""):
            start, pending = number, content
            continue
        yield number, _uncomment(content)


def _uncomment(line: str) -> str:
    quote = ""
    for index, char in enumerate(line):
        if quote:
            if char == quote and line[index - 1] != "\\":
                quote = ""
        elif char in "\"'" and "=" in line[:index]:
            quote = char
        elif char == ";":
            return line[:index].rstrip()
    return line.rstrip()


def value(raw: str | None, php_version: str) -> str:
    """Return what PHP makes of a value as it is written: without quotes, On as "1", Off as "", E_ constants computed.

    A name without `=` is "1" (as `-d name`). E_ALL lost E_STRICT in PHP 8.4. What isn't understood stays as written.
    """
    if raw is None:
        return "1"
    text = raw.strip()
    if len(text) >= 2 and text[0] in "\"'" and text[-1] == text[0]:
        inner = text[1:-1]
        return inner.replace('\\"', '"') if text[0] == '"' else inner
    if text.lower() in _TRUE:
        return "1"
    if text.lower() in _FALSE:
        return ""
    if "E_" in text:
        number = _level(text, php_version)
        return text if number is None else str(number)
    return text


def _level(text: str, php_version: str) -> int | None:
    """Compute an error level: `|`, `&` and `^` have one precedence and bind from the left in zend_ini_parser.y."""
    tokens: list[str] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            return None
        tokens.append(match.group(0).strip())
        position = match.end()
    names = dict(_LEVELS)
    newer = tuple(int(part) for part in re.findall(r"\d+", php_version)[:2]) >= (8, 4)
    names["E_ALL"] = 30719 if newer else 32767
    try:
        result, rest = _expression(tokens, names)
    except (KeyError, IndexError, RecursionError):
        return None
    return None if rest else result


def _expression(tokens: list[str], names: Mapping[str, int]) -> tuple[int, list[str]]:
    result, rest = _operand(tokens, names)
    while rest and rest[0] in "|&^":
        operator = rest[0]
        right, rest = _operand(rest[1:], names)
        result = {"|": result | right, "&": result & right, "^": result ^ right}[operator]
    return result, rest


def _operand(tokens: list[str], names: Mapping[str, int]) -> tuple[int, list[str]]:
    first, rest = tokens[0], tokens[1:]
    if first == "~":
        number, rest = _operand(rest, names)
        return ~number, rest
    if first == "!":
        number, rest = _operand(rest, names)
        return int(not number), rest
    if first == "(":
        number, rest = _expression(rest, names)
        if rest[0] != ")":
            raise KeyError(rest[0])
        return number, rest[1:]
    return (int(first), rest) if first.isdigit() else (names[first], rest)


def difference(cgi: Settings, fpm: Settings) -> Difference:
    """Return what php-cgi was told and FPM is not, and what FPM alone is told (its default can't be restored)."""
    lines = tuple(
        (name, content, cgi.sources[name])
        for name, content in sorted(cgi.values.items())
        if fpm.values.get(name) != content
    )
    return Difference(
        lines=lines,
        extensions=tuple(cgi.extensions[name] for name in cgi.extensions if name not in fpm.extensions),
        only_fpm=tuple(sorted(name for name in fpm.values if name not in cgi.values)),
        only_fpm_extensions=tuple(name for name in fpm.extensions if name not in cgi.extensions),
    )
