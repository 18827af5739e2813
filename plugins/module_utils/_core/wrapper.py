# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What a mod_fcgid wrapper script says: which php-cgi it runs, with which options and environment.

The script is read, never run. Whatever isn't a plain list of assignments, exports and one php-cgi ends up in
``unresolved``, so that a migration can refuse instead of guessing.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import Mapping

from ansible_collections.phpops.webhost.plugins.module_utils._core.shell_words import (
    NotPlain,
    Word,
    assignment,
    expand,
    is_all_arguments,
    names,
    needed,
    split_commands,
    split_words,
)

_PHP_CGI = re.compile(r"php[0-9.]*-?(f?cgi)?[0-9.-]*(\.f?cgi)?")
_PLACEHOLDER = re.compile(r"\{[A-Z][A-Z0-9_]*\}|###\w+###|@[A-Z][A-Z0-9_]*@|%%\w+%%|<%.*%>|\{\{.*\}\}")
_RESERVED = {"if", "then", "elif", "else", "fi", "case", "esac", "for", "while", "until", "do", "done", "function"}
_RESERVED |= {"{", "}", "[[", "!", "select", "time"}
_OPENS = {"if", "case", "for", "while", "until", "select", "{"}
_CLOSES = {"fi", "esac", "done", "}"}
# Set by PHP's or Apache's own requests, so a copy at start-up means nothing.
_REQUEST_VARIABLES = {
    "SCRIPT_FILENAME",
    "PATH_TRANSLATED",
    "REDIRECT_STATUS",
    "DOCUMENT_ROOT",
    "PWD",
    "OLDPWD",
    "SHLVL",
}
_PHP_VARIABLES = ("PHP_FCGI_CHILDREN", "PHP_FCGI_MAX_REQUESTS", "PHPRC")
# A shell sets these by itself; their values can't be read from the script.
_SHELL_VARIABLES = {"HOSTNAME", "UID", "EUID", "RANDOM", "SECONDS", "LINENO", "PPID", "HOME", "USER", "LOGNAME", "IFS"}

# The PATH of a wrapper: what Apache itself was started with, and what suexec leaves.
APACHE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SUEXEC_PATH = "/usr/local/bin:/usr/bin:/bin"
# The file is the site's own: real ones have some kilobytes, and A=$A$A in 40 lines would make a terabyte.
MAX_SCRIPT_CHARACTERS = 64 * 1024
MAX_EXPANDED_CHARACTERS = 256 * 1024
MAX_UNRESOLVED = 20


@dataclass
class Wrapper:
    """One wrapper script, read. Paths are absolute where the script's own folder is enough to tell."""

    path: str
    interpreter: str | None = None
    execs: bool = False
    binary: str | None = None
    arguments: list[str] = field(default_factory=list)
    php_fcgi_children: int | None = None
    php_fcgi_max_requests: int | None = None
    phprc: str | None = None
    ini_path: str | None = None
    no_ini: bool = False
    ini: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    umask: str | None = None
    ulimits: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class _Run:
    """The state of the script while its commands are read one after the other."""

    def __init__(self, wrapper: Wrapper, initial: Mapping[str, str], arguments: list[str]) -> None:
        self.wrapper = wrapper
        self.variables: dict[str, str] = dict(initial)
        self.exported: set[str] = set(initial)
        self.used: set[str] = set()
        self.assigned: dict[str, None] = {}
        self.room = MAX_EXPANDED_CHARACTERS
        self.unsure: set[str] = set()
        self.folder = posixpath.dirname(wrapper.path) or "/"
        self.variables["PWD"] = self.folder
        for number, argument in enumerate(arguments, 1):
            self.variables[str(number)] = argument
        self.variables["0"] = wrapper.path
        self.arguments = list(arguments)
        self.depth = 0

    def assign(self, name: str, word: Word) -> None:
        """Take one NAME=value."""
        self.used.update(names(word))
        special = [item for item in names(word) if item in _SHELL_VARIABLES and item not in self.variables]
        if special:
            raise NotPlain(f"the variable ${special[0]}")
        unset = [item for item in needed(word) if item not in self.variables or item in self.unsure]
        self.unsure.discard(name)
        if unset:
            self.unsure.add(name)
        self.variables[name] = "".join(self.expand(word, split=False))
        self.assigned[name] = None

    def expand(self, word: Word, split: bool) -> list[str]:
        """Expand a word, within what all words of a script may come to."""
        fields = expand(word, self.variables, split, self.room)
        self.room -= sum(len(field) + 1 for field in fields)
        return fields

    def words(self, words: list[Word]) -> list[str]:
        """Expand the words of a command; a variable whose value isn't known is refused."""
        expanded: list[str] = []
        for word in words:
            self.used.update(names(word))
            if is_all_arguments(word):
                expanded.extend(self.arguments)
                continue
            for name in needed(word):
                known = name in self.variables or name in "123456789"
                if not known or name in self.unsure:
                    raise NotPlain(f"the variable ${name}, which has no value here")
            expanded.extend(self.expand(word, split=True))
        return expanded


def read_wrapper(
    text: str, path: str, initial: Mapping[str, str] | None = None, arguments: list[str] | None = None
) -> Wrapper:
    """Read the script ``text`` at ``path``.

    ``initial`` is the environment that mod_fcgid starts it with, ``arguments`` those of FcgidWrapper. The current
    folder is the script's own (fcgid_proc_unix.c sets it, suexec wants it). Never fails: see ``unresolved``.
    """
    wrapper = Wrapper(path)
    if text.startswith("#!"):
        wrapper.interpreter = text[2:].split("\n", 1)[0].strip(" \t") or None
    shell = posixpath.basename((wrapper.interpreter or "").split(" ")[0])
    if shell not in ("sh", "bash", "dash", "ksh"):
        wrapper.unresolved.append(f"line 1: the interpreter {wrapper.interpreter or 'is missing'}")
        return wrapper
    if len(text) > MAX_SCRIPT_CHARACTERS:
        wrapper.unresolved.append(f"the script is longer than {MAX_SCRIPT_CHARACTERS} characters")
        return wrapper
    run = _Run(wrapper, initial or {}, arguments or [])
    for number, command in split_commands(text):
        if len(wrapper.unresolved) >= MAX_UNRESOLVED:
            break
        try:
            if _ended(run, command):
                break
        except NotPlain as reason:
            wrapper.unresolved.append(f"line {number}: {command[:200]} ({reason})")
    _finish(run)
    return wrapper


def read_direct_binary(path: str, arguments: list[str], initial: Mapping[str, str] | None = None) -> Wrapper:
    """Describe a FcgidWrapper that names php-cgi itself: no script, the options are its arguments."""
    wrapper = Wrapper(path, execs=True, binary=path)
    run = _Run(wrapper, initial or {}, [])
    try:
        _options(run, arguments)
    except NotPlain as reason:
        wrapper.unresolved.append(f"{path} {' '.join(arguments)} ({reason})")
    _finish(run)
    return wrapper


def _ended(run: _Run, text: str) -> bool:
    """Take one logical line; True when php-cgi runs from here on."""
    first = re.split(r"[\s;(]", text, maxsplit=1)[0]
    if first in _RESERVED or run.depth:
        tokens = re.findall(r"[^\s;]+", text)
        run.depth += sum(token in _OPENS for token in tokens) - sum(token in _CLOSES for token in tokens)
        run.depth = max(run.depth, 0)
        raise NotPlain("a condition or a loop")
    return any(_command(run, command) for command in split_words(text))


def _command(run: _Run, words: list[Word]) -> bool:
    wrapper = run.wrapper
    prefix: list[tuple[str, Word]] = []
    while words:
        found = assignment(words[0])
        if found is None:
            break
        prefix.append(found)
        words = words[1:]
    for name, value in prefix:
        run.assign(name, value)
    if not words:
        return False
    if prefix:
        run.exported.update(name for name, _value in prefix)
    literal = "".join(getattr(part, "text", "$") for part in words[0])
    if literal == "export":
        for word in words[1:]:
            found = assignment(word)
            if found is not None:
                run.assign(*found)
            name = found[0] if found is not None else "".join(getattr(part, "text", "$") for part in word)
            if not re.fullmatch(r"[A-Za-z_]\w*", name):
                raise NotPlain(f"export {name}")
            run.exported.add(name)
        return False
    if literal == "readonly":
        for word in words[1:]:
            found = assignment(word)
            if found is None:
                raise NotPlain("readonly")
            run.assign(*found)
        return False
    if literal == "unset":
        for name in run.words(words[1:]):
            run.variables.pop(name, None)
            run.exported.discard(name)
            run.unsure.discard(name)
        return False
    if literal in ("umask", "ulimit", "cd"):
        _process_setting(run, literal, run.words(words[1:]))
        return False
    if literal == "set" and all(re.fullmatch(r"[-+][eux]+", item) for item in run.words(words[1:])):
        return False
    if literal in (":", "true"):
        return False
    return _run_program(run, words, literal, wrapper)


def _process_setting(run: _Run, name: str, values: list[str]) -> None:
    if name == "umask":
        if len(values) != 1 or not re.fullmatch(r"[0-7]{1,4}", values[0]):
            raise NotPlain("umask")
        run.wrapper.umask = values[0].rjust(3, "0")
    elif name == "ulimit":
        run.wrapper.ulimits.append(" ".join(values))
    else:
        if len(values) != 1:
            raise NotPlain("cd")
        run.folder = posixpath.normpath(posixpath.join(run.folder, values[0]))
        run.variables["PWD"] = run.folder


def _run_program(run: _Run, words: list[Word], literal: str, wrapper: Wrapper) -> bool:
    execs = literal == "exec"
    expanded = run.words(words[1:] if execs else words)
    if expanded and posixpath.basename(expanded[0]) == "env":
        expanded = expanded[1:]
        while expanded and re.match(r"[A-Za-z_]\w*=", expanded[0]):
            name, _equals, value = expanded[0].partition("=")
            run.variables[name] = value
            run.exported.add(name)
            run.assigned[name] = None
            run.unsure.discard(name)
            expanded = expanded[1:]
    if not expanded or expanded[0].startswith("-"):
        raise NotPlain("exec or env with options")
    program = expanded[0]
    if not execs and _PHP_CGI.fullmatch(posixpath.basename(program)) is None:
        raise NotPlain(f"the command {program}")
    wrapper.execs = execs
    wrapper.binary = program
    _options(run, expanded[1:])
    return True


def _options(run: _Run, arguments: list[str]) -> None:
    """Read php-cgi's own options (sapi/cgi/cgi_main.c)."""
    wrapper = run.wrapper
    wrapper.arguments = list(arguments)
    rest = list(arguments)
    unknown: list[str] = []
    while rest:
        option = rest.pop(0)
        letter, value = option[:2], option[2:]
        if option == "-n":
            wrapper.no_ini = True
        elif letter in ("-c", "-d") and (value or rest):
            value = value or rest.pop(0)
            if letter == "-c":
                wrapper.ini_path = _absolute(run, value)
            else:
                name, equals, setting = value.partition("=")
                if len(setting) > 1 and setting[0] == setting[-1] and setting[0] in "\"'":
                    setting = setting[1:-1]
                wrapper.ini[name.strip()] = setting if equals else "1"
        else:
            unknown.append(option)
    if unknown:
        raise NotPlain(f"php-cgi's option {unknown[0]}")


def _absolute(run: _Run, path: str) -> str:
    return posixpath.normpath(posixpath.join(run.folder, path))


def _finish(run: _Run) -> None:
    wrapper = run.wrapper
    if wrapper.binary is None and not any("php" in line for line in wrapper.unresolved):
        wrapper.unresolved.append("the script runs no php-cgi")
    exported = {name: run.variables[name] for name in run.exported if run.variables.get(name)}
    wrapper.php_fcgi_children = _number(run, exported, "PHP_FCGI_CHILDREN")
    wrapper.php_fcgi_max_requests = _number(run, exported, "PHP_FCGI_MAX_REQUESTS")
    if exported.get("PHPRC"):
        wrapper.phprc = _absolute(run, exported["PHPRC"])
    for name in sorted(exported):
        if name in _PHP_VARIABLES or name in _REQUEST_VARIABLES or name not in run.assigned:
            continue
        if name in run.unsure:
            wrapper.unresolved.append(f"the value of {name}, which takes a variable that the script doesn't set")
        else:
            wrapper.environment[name] = exported[name]
    for name in sorted(set(run.exported) & set(_PHP_VARIABLES)):
        if not run.variables.get(name):
            wrapper.warnings.append(f"{name} is exported but never set: PHP uses its default.")
        elif name in run.unsure:
            wrapper.unresolved.append(f"the value of {name}, which takes a variable that the script doesn't set")
    for name in run.assigned:
        if name not in run.exported and name not in run.used:
            wrapper.warnings.append(f"{name} is set but neither exported nor used: it has no effect (misspelt?).")
    if wrapper.binary and not wrapper.execs:
        wrapper.warnings.append("The script runs php-cgi without exec: a shell stays in memory beside each process.")
    shown = [("the binary", wrapper.binary), ("PHPRC", wrapper.phprc), ("-c", wrapper.ini_path)]
    shown += list(wrapper.environment.items()) + list(wrapper.ini.items())
    for name, value in shown:
        if value and _PLACEHOLDER.search(value):
            wrapper.unresolved.append(f"a placeholder that no installer has filled in, in {name}")


def _number(run: _Run, exported: Mapping[str, str], name: str) -> int | None:
    value = exported.get(name)
    if value is None:
        return None
    found = re.match(r"\s*[0-9]{1,9}", value)
    if found is None:
        run.wrapper.warnings.append(f"{name} is {value!r}, which is no number: PHP reads it as 0.")
        return 0
    return int(found.group())
