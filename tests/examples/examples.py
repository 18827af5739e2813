# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the examples out of the README and the guides: blocks of code with their place, and the commands in them."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (ROOT / "README.md", *sorted(ROOT.glob("docs/docsite/rst/*.rst")), *sorted(ROOT.glob("docs/site/*.rst")))
_RST_BLOCK = re.compile(r"^( *)\.\. code-block:: (\S+)\n((?: *\n|\1 +.*\n)*)", re.MULTILINE)
_MD_BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)(?:``([^`\n]+)``|`([^`\n]+)`)(?!`)")
# A comment begins a line or stands behind a command.
_COMMENT = re.compile(r"(?:^|\s+)#\s.*$")


@dataclass(frozen=True)
class Block:
    """One example. The language of a literal within a sentence is "inline"."""

    place: str
    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """One command line, as a reader would copy it."""

    place: str
    text: str


def blocks_of(text: str, name: str) -> list[Block]:
    """Return the examples of a document in reStructuredText or, as its name says, Markdown."""
    pattern = _MD_BLOCK if name.endswith(".md") else _RST_BLOCK
    found = []
    for match in pattern.finditer(text):
        place = f"{name}:{text.count(chr(10), 0, match.start()) + 1}"
        found.append(Block(place, match[2], textwrap.dedent(match[3]).strip("\n")))
    rest = pattern.sub(lambda match: "\n" * match[0].count("\n"), text)
    for match in _INLINE.finditer(rest):
        place = f"{name}:{rest.count(chr(10), 0, match.start()) + 1}"
        found.append(Block(place, "inline", match[1] or match[2]))
    return found


def commands_of(block: Block) -> list[Command]:
    """Return the commands of a block for a terminal, or of a literal that is one.

    In reStructuredText they stand behind "$ ", and what else is there would be output: no guide shows any, so that a
    command without its "$ " can't get lost. Raises ValueError for such a line.
    """
    if block.language == "inline":
        is_command = re.match(r"(ansible|ansible-playbook) \S", block.text)
        return [Command(block.place, block.text)] if is_command else []
    if block.language not in ("console", "shell", "bash", "sh"):
        return []
    marked = not block.place.startswith("README.md:")
    found = []
    for line in block.text.replace("\\\n", " ").splitlines():
        text = _COMMENT.sub("", line).strip()
        if text and marked and not text.startswith("$ "):
            raise ValueError(f"{block.place}: this line is no command: {line}")
        if text:
            found.append(Command(block.place, text[2:] if marked else text))
    return found


@lru_cache(maxsize=None)
def blocks() -> tuple[Block, ...]:
    """Return all examples."""
    found = [blocks_of(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))) for path in SOURCES]
    return tuple(block for part in found for block in part)


@lru_cache(maxsize=None)
def commands() -> tuple[Command, ...]:
    """Return all commands, each as often as it is written."""
    return tuple(command for block in blocks() for command in commands_of(block))


@lru_cache(maxsize=None)
def not_run() -> dict[str, str]:
    """Return the commands that no test runs, with the reason."""
    listed = yaml.safe_load(Path(__file__).with_name("not_run.yml").read_text(encoding="utf-8"))
    return {command: group["reason"] for group in listed for command in group["commands"]}


def to_run() -> list[str]:
    """Return each command that is run as it is written, once: those that are not listed, in the order of the texts.

    A later one may need what an earlier one left, as a reader would have it.
    """
    return [text for text in dict.fromkeys(command.text for command in commands()) if text not in not_run()]
