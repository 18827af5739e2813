# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""A reader of the part of POSIX shell that a fixed list of commands needs: words, quotes, variables.

It never guesses: what it doesn't understand raises NotPlain with the construct's name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Mapping, Tuple, Union

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*|[0-9@*])(?:(:?-)([^{}$`\"'\\]*))?\}")
_BARE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*|[0-9@*])")


class NotPlain(ValueError):
    """A construct that this reader doesn't understand; the message names it."""


@dataclass(frozen=True)
class Literal:
    """Text that stands as it is; ``quoted`` text isn't split and holds no pattern."""

    text: str
    quoted: bool


@dataclass(frozen=True)
class Variable:
    """A ``$NAME``, ``${NAME}`` or ``${NAME:-default}``."""

    name: str
    quoted: bool
    operator: str = ""
    default: str = ""


Part = Union[Literal, Variable]
Word = Tuple[Part, ...]


def split_commands(text: str) -> list[tuple[int, str]]:
    """Cut a script into logical lines: (first line's number from 1, text without its continuations and comments).

    A backslash at the end of a line and a newline inside of quotes both go on with the next line.
    """
    commands: list[tuple[int, str]] = []
    start, quote, current = 1, "", ""
    number = 1
    position = 0
    while position < len(text):
        char = text[position]
        if char == "\\" and quote != "'" and position + 1 < len(text):
            following = text[position + 1]
            if following != "\n":
                current += char + following
            else:
                number += 1
            position += 2
            continue
        if char == "\n":
            number += 1
        if char == "\n" and not quote:
            commands.append((start, current))
            start, current = number, ""
        elif char == "#" and not quote and (not current or current[-1] in " \t;"):
            while position < len(text) and text[position] != "\n":
                position += 1
            continue
        else:
            if quote:
                quote = "" if char == quote else quote
            elif char in "\"'":
                quote = char
            current += char
        position += 1
    commands.append((start, current))
    return [(line, command.strip(" \t")) for line, command in commands if command.strip(" \t")]


def split_words(text: str) -> list[list[Word]]:
    """Split one logical line into its simple commands, joined by ``;`` alone, each a list of words.

    Raises NotPlain for anything else: pipes, redirections, conditions, substitutions, an unclosed quote.
    """
    commands: list[list[Word]] = [[]]
    parts: list[Part] = []
    inside = False
    position = 0
    while position < len(text):
        char = text[position]
        if char in " \t\n;":
            if inside:
                commands[-1].append(tuple(parts))
                parts, inside = [], False
            if char == ";":
                commands.append([])
            position += 1
            continue
        if char in "&|<>()":
            raise NotPlain(f"the operator {char}")
        inside = True
        if char == "'":
            end = text.find("'", position + 1)
            if end < 0:
                raise NotPlain("an unclosed quote")
            parts.append(Literal(text[position + 1 : end], quoted=True))
            position = end + 1
        elif char == '"':
            position = _double_quoted(text, position + 1, parts)
        elif char == "\\":
            if position + 1 >= len(text):
                raise NotPlain("a backslash at the end")
            parts.append(Literal(text[position + 1], quoted=True))
            position += 2
        elif char in "$`":
            position = _variable(text, position, parts, quoted=False)
        else:
            parts.append(Literal(char, quoted=False))
            position += 1
    if inside:
        commands[-1].append(tuple(parts))
    return [command for command in commands if command]


def _double_quoted(text: str, position: int, parts: list[Part]) -> int:
    # An empty pair of quotes is a word too.
    parts.append(Literal("", quoted=True))
    while position < len(text):
        char = text[position]
        if char == '"':
            return position + 1
        if char == "\\" and position + 1 < len(text) and text[position + 1] in '$`"\\':
            parts.append(Literal(text[position + 1], quoted=True))
            position += 2
        elif char in "$`":
            position = _variable(text, position, parts, quoted=True)
        else:
            parts.append(Literal(char, quoted=True))
            position += 1
    raise NotPlain("an unclosed quote")


def _variable(text: str, position: int, parts: list[Part], quoted: bool) -> int:
    if text[position] == "`" or text.startswith("$(", position):
        raise NotPlain("a command substitution")
    found = _BRACED.match(text, position)
    if found:
        parts.append(Variable(found.group(1), quoted, found.group(2) or "", found.group(3) or ""))
        return found.end()
    found = _BARE.match(text, position)
    if found:
        parts.append(Variable(found.group(1), quoted))
        return found.end()
    following = text[position + 1 : position + 2]
    if following and (following in "{$?!#-'\"" and not (quoted and following in "'\"")):
        raise NotPlain(f"the expansion ${following}")
    parts.append(Literal("$", quoted))
    return position + 1


def expand(word: Word, variables: Mapping[str, str], split: bool, most: int) -> list[str]:
    """Expand a word's variables (an unset one is empty) and, with ``split``, split what wasn't quoted at blanks.

    Raises NotPlain for file name patterns and ``~``, which depend on the host, and for more than ``most`` characters.
    """
    fields: list[str] = [""]
    # Whether the last field exists: an unquoted empty expansion alone makes no word.
    exists = False
    for index, part in enumerate(word):
        if isinstance(part, Literal):
            if split and not part.quoted and part.text in "*?[":
                raise NotPlain(f"the file name pattern {part.text}")
            if index == 0 and not part.quoted and part.text == "~":
                raise NotPlain("the home folder ~")
            fields[-1] += part.text
            exists = True
            continue
        value = _value(part, variables)
        most -= len(value)
        if most < 0:
            raise NotPlain("values that are too long")
        if part.quoted or not split:
            fields[-1] += value
            exists = exists or part.quoted
            continue
        if any(char in value for char in "*?["):
            raise NotPlain(f"a file name pattern in ${part.name}")
        pieces = value.split()
        if not pieces:
            continue
        if value[0] in " \t\n" and fields[-1]:
            fields.append("")
        fields[-1] += pieces[0]
        fields.extend(pieces[1:])
        exists = True
        if value[-1] in " \t\n" and index + 1 < len(word):
            fields.append("")
    return fields if exists or not split else []


def _value(part: Variable, variables: Mapping[str, str]) -> str:
    value = variables.get(part.name)
    if part.operator == ":-":
        return value or part.default
    if part.operator == "-":
        return part.default if value is None else value
    return value or ""


def assignment(word: Word) -> tuple[str, Word] | None:
    """Read a word as ``NAME=value``: the name and the value's parts, or None when it is none."""
    name = ""
    for index, part in enumerate(word):
        if not isinstance(part, Literal) or part.quoted:
            return None
        if part.text == "=":
            return (name, word[index + 1 :]) if _NAME.fullmatch(name) else None
        name += part.text
    return None


def names(word: Word) -> list[str]:
    """Name the variables that a word takes."""
    return [part.name for part in word if isinstance(part, Variable)]


def needed(word: Word) -> list[str]:
    """Name the variables that a word takes without a default of its own."""
    return [part.name for part in word if isinstance(part, Variable) and not part.operator]


def is_all_arguments(word: Word) -> bool:
    """Tell whether a word is ``$@``, ``"$@"`` or ``$*``: as many words as the script has arguments."""
    rest = [part for part in word if not (isinstance(part, Literal) and not part.text)]
    return len(rest) == 1 and isinstance(rest[0], Variable) and rest[0].name in "@*" and not rest[0].operator
