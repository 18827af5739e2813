# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Asks a running pool for its OPcache figures: a small script, placed where the pool may read it, and taken away."""

from __future__ import annotations

import json
import os
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Mapping, NamedTuple, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import Response
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_status import StatusError, parse_status
from ansible_collections.phpops.webhost.plugins.module_utils._host.fastcgi import FastCgiError, request, script_params

Request = Callable[..., Response]

# What the pool answers is the site's own word: it could name other folders for ever.
MAX_PLACES = 8

# Framed, because code of the site that is prepended to every script may print something too.
_FRAME = "phpops-opcache-probe"
SCRIPT = f"""<?php
$api = function_exists('opcache_get_status');
$all = function_exists('ini_get_all') ? ini_get_all(null, false) : [];
$own = [];
foreach ($all as $name => $value) {{
    if (strncmp($name, 'opcache.', 8) === 0) {{ $own[$name] = (string) $value; }}
}}
echo "\\n{_FRAME}:", json_encode([
    'api' => $api,
    'status' => $api ? @opcache_get_status(false) : null,
    'restrict_api' => (string) ini_get('opcache.restrict_api'),
    'open_basedir' => (string) ini_get('open_basedir'),
    'enable' => (string) ini_get('opcache.enable'),
    'directives' => (object) $own,
    'version' => PHP_VERSION,
    'temp_folder' => function_exists('sys_get_temp_dir') ? (string) sys_get_temp_dir() : null,
    'now' => time(),
    'cached' => $api && @opcache_is_script_cached(__FILE__),
], JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR), ":{_FRAME}\\n";
"""


# What PHP says where open_basedir keeps the script out (main/fopen_wrappers.c).
_OPEN_BASEDIR = re.compile(
    r"open_basedir restriction in effect\. {1,2}File\(.{0,4096}?\) is not within the allowed path\(s\): "
    r"\((/.{0,4096}?)\) in "
)
_SAID_LETTERS = 65536
_KINDS: dict[str, tuple[type, ...]] = {
    "api": (bool,),
    "status": (dict, bool, type(None)),
    "restrict_api": (str,),
    "open_basedir": (str,),
    "enable": (str,),
    "directives": (dict,),
    "version": (str,),
    "now": (int,),
}


class ProbeError(Exception):
    """No figures could be had from the pool; the message is a sentence with the cure."""


class NotRun(ProbeError):
    """The pool did not run the script; ``open_basedir`` is where its error says that it may, empty when it doesn't."""

    def __init__(self, message: str, open_basedir: str = "") -> None:
        super().__init__(message)
        self.open_basedir = open_basedir


class OpcacheOff(ProbeError):
    """The pool runs without OPcache by its own configuration (opcache.enable=0)."""


class Place(NamedTuple):
    """A folder that a pool may be able to read, and how the script's name must begin there."""

    folder: str
    prefix: str = ".phpops-"


class Measured(NamedTuple):
    """What a pool says of itself: parsed status, its ini values, PHP version, and how old its cache is.

    ``cached`` says that the script that asked is itself in the cache: one script, one key, 3 KiB. ``temp_folder`` is
    where PHP puts temporary files (sys_temp_dir, else TMPDIR), None where the pool does not tell.
    """

    status: dict[str, Any]
    directives: dict[str, str]
    version: str
    age_seconds: int | None
    cached: bool = False
    temp_folder: str | None = None


def places(folders: Sequence[str], restrict_api: str = "", open_basedir: str = "") -> list[Place]:
    """Return where the script may go, best first; restrict_api is a prefix of a path, open_basedir a list of them."""
    if restrict_api:
        path = Path(restrict_api)
        return [Place(restrict_api.rstrip("/")), Place(str(path.parent), path.name)]
    allowed = [entry.rstrip("/") or "/" for entry in open_basedir.split(":") if entry.startswith("/")]
    if not allowed:
        return [Place(folder) for folder in folders]
    inside = [folder for folder in folders if any(_below(folder, entry) for entry in allowed)]
    return [Place(folder) for folder in [*inside, *allowed]]


def measure(
    socket_path: str,
    folders: Sequence[str],
    gid: int | None,
    timeout_seconds: float,
    ask: Request = request,
    token: str | None = None,
    root: str = "",
    extension: str = ".php",
) -> Measured:
    """Return the figures of the master behind a socket.

    The script is root's, readable by group ``gid`` (mode 0640; by all without one), unguessable in name, and removed
    whatever happens. It is tried in each of ``folders``, then where the pool's open_basedir and opcache.restrict_api
    allow it. Raises ProbeError with the reason of each place.
    OPcache keeps no file that was last changed at second 0, as long as it looks at times at all. Where it looks at none
    (validate_timestamps and file_update_protection both 0), each new name costs a script and a key for good: give the
    same ``token``, which becomes part of the name, to all calls for one master.
    ``root`` is where this process sees the pool's file system (PrivateTmp=, chroot), as /proc/PID/root; ``extension``
    what security.limit_extensions lets the pool run.
    """
    tried: dict[Place, str] = {}
    pending = places(folders)
    while pending and len(tried) < MAX_PLACES:
        place = pending.pop(0)
        if place in tried:
            continue
        try:
            name = place.prefix + (token or secrets.token_hex(16)) + extension
            answer = _ask(socket_path, place, name, gid, timeout_seconds, ask, root)
        except (OSError, ValueError, FastCgiError, ProbeError) as error:
            # ValueError: a null byte in a folder's name.
            tried[place] = str(error)
            if isinstance(error, NotRun) and error.open_basedir:
                allowed = places(folders, "", error.open_basedir)
                pending = [*allowed, *(other for other in pending if other not in allowed)]
            continue
        if answer.get("enable") == "0":
            raise OpcacheOff("The running master has opcache.enable=0.")
        if not answer["api"]:
            raise ProbeError(
                "The pool has no opcache_get_status(): OPcache is not loaded, or disable_functions has it."
            )
        if answer["status"] is False and answer["restrict_api"]:
            tried[place] = f"opcache.restrict_api is {answer['restrict_api']}"
            pending = places(folders, answer["restrict_api"], answer["open_basedir"]) + pending
            continue
        return _measured(answer)
    reasons = "; ".join(f"{place.folder}: {reason}" for place, reason in tried.items()) or "no folder was given"
    raise ProbeError(f"The pool behind {socket_path} could not run the script that asks OPcache ({reasons}).")


def _measured(answer: Mapping[str, Any]) -> Measured:
    try:
        status = parse_status(json.dumps(answer["status"]))
    except StatusError as error:
        raise ProbeError(str(error)) from error
    started = status["start_time_seconds"]
    reset = status["last_restart_time_seconds"]
    since = max(started or 0, reset or 0)
    directives = {key: str(value) for key, value in answer["directives"].items()}
    age = max(answer["now"] - since, 0) if since else None
    temp = answer.get("temp_folder")
    temp_folder = temp[:4096] if isinstance(temp, str) and temp.startswith("/") else None
    return Measured(status, directives, answer["version"][:40], age, answer.get("cached") is True, temp_folder)


def _ask(
    socket_path: str, place: Place, name: str, gid: int | None, timeout_seconds: float, ask: Request, root: str
) -> dict[str, Any]:
    folder = os.open(_seen(place.folder, root), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(FileNotFoundError):
            # What a run that was killed left there.
            os.unlink(name, dir_fd=folder)
        # Exclusive and relative to the folder: a site's user who owns it can't have root write elsewhere.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(SCRIPT.encode())
                file.flush()
                os.fchown(file.fileno(), -1, -1 if gid is None else gid)
                os.fchmod(file.fileno(), 0o644 if gid is None else 0o640)
                os.utime(file.fileno(), (0, 0))
            path = f"{place.folder.rstrip('/')}/{name}"
            response = ask(socket_path, script_params(path, place.folder, "/" + name), timeout_seconds=timeout_seconds)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
    finally:
        os.close(folder)
    return _framed(response)


def _framed(response: Response) -> dict[str, Any]:
    text = response.body.decode("utf-8", "replace")
    begin, _start, rest = text.partition(f"\n{_FRAME}:")
    body, end, _rest = rest.partition(f":{_FRAME}\n")
    if not end:
        said = " ".join((response.stderr or begin).split())[:200] or "an empty answer"
        told = _OPEN_BASEDIR.search(response.stderr) or _OPEN_BASEDIR.search(begin[:_SAID_LETTERS])
        raise NotRun(f"status {response.status}, {said}", told.group(1) if told else "")
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise ProbeError(f"the answer is no JSON ({error})") from error
    if not isinstance(answer, dict) or any(type(answer.get(name)) not in kinds for name, kinds in _KINDS.items()):
        raise ProbeError("the answer is not of this script")
    return answer


def _seen(folder: str, root: str) -> str:
    """Return how this process names a folder of the pool: its own name where that is the same folder.

    A unit may see a folder read-only that is writable here (ProtectSystem=).
    """
    if not root:
        return folder
    inside = root + folder
    try:
        same = os.path.samestat(os.stat(inside), os.stat(folder))  # noqa: PTH116
    except (OSError, ValueError):
        same = False
    return folder if same else inside


def _below(path: str, entry: str) -> bool:
    return path == entry or path.startswith(entry.rstrip("/") + "/")
