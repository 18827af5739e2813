# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The throw-away PHP process that compiles a site's files into an OPcache segment of its own, executing none."""

from __future__ import annotations

import json
from typing import Any, Iterable, Mapping, NamedTuple, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import (
    MIB,
    SettingsError,
    version_key,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_sizing import Need
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_status import StatusError, parse_status

# Files per child. More is faster, and a little higher: in one process early binding links more classes
# (MediaWiki: 92.76 MiB with 500, 92.71 MiB with one file per child, but 1.7 s against 22.6 s).
BATCH_FILES = 500
FILE_SECONDS = 20
CHILD_MEMORY = "512M"

# The parent owns the segment and never compiles: a fatal error ends only the child that met it, and the file is
# tried again alone, since a name declared twice in one process is an error of the batch, not of the file.
SCRIPT = r"""
$o = json_decode($argv[1], true);
$files = explode("\0", stream_get_contents(STDIN));
array_pop($files);
$count = count($files);
$start = microtime(true);
$before = opcache_get_status(false);
$failed = []; $next = 0; $stop = null;
while ($next < $count) {
    if (microtime(true) - $start >= $o['seconds']) { $stop = 'time'; break; }
    $pair = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
    $pid = pcntl_fork();
    if ($pid < 0) { $stop = 'fork'; break; }
    if ($pid === 0) {
        fclose($pair[0]);
        $out = $pair[1];
        $say = function ($letter, $text) use ($out) {
            fwrite($out, $letter . json_encode($text, JSON_INVALID_UTF8_SUBSTITUTE) . "\n");
        };
        register_shutdown_function(function () use ($say) {
            $last = error_get_last();
            if ($last !== null) { $say('D', $last['message']); }
        });
        for ($i = $next; $i < min($count, $next + $o['batch']); $i++) {
            error_clear_last();
            pcntl_alarm($o['file_seconds']);
            try {
                opcache_compile_file($files[$i]);
            } catch (\Throwable $thrown) {
                $say('X', $thrown->getMessage() . ' (line ' . $thrown->getLine() . ')');
                continue;
            }
            if (opcache_is_script_cached($files[$i])) { $say('C', null); continue; }
            $last = error_get_last();
            $say('N', $last === null ? null : $last['message']);
            break;
        }
        pcntl_alarm(0);
        error_clear_last();
        exit(0);
    }
    fclose($pair[1]);
    $done = 0; $error = null; $ended = true;
    while (($line = fgets($pair[0])) !== false) {
        $text = json_decode(substr($line, 1), true);
        if ($line[0] === 'C') { $done++; }
        if ($line[0] === 'X') { $failed[] = [$next + $done, $text]; $done++; }
        if ($line[0] === 'N') { $ended = false; $error = $text; }
        if ($line[0] === 'D') { $error = $text; }
    }
    fclose($pair[0]);
    pcntl_waitpid($pid, $status);
    $next += $done;
    if ($done > 0 || $next >= $count) { continue; }
    $now = opcache_get_status(false);
    $room = $now['memory_usage']['free_memory'];
    if (!$ended && ($now['cache_full'] || ($error === null && $room < 32 * filesize($files[$next])))) {
        $stop = 'memory';
        break;
    }
    if ($error === null && pcntl_wifsignaled($status)) {
        $signal = pcntl_wtermsig($status);
        $error = 'PHP died of signal ' . $signal . ($signal === SIGALRM ? ' (took too long)' : '');
    }
    $failed[] = [$next++, $error];
}
echo json_encode(['done' => $next, 'stop' => $stop, 'failed' => $failed, 'before' => $before,
    'after' => opcache_get_status(false), 'version' => PHP_VERSION], JSON_INVALID_UTF8_SUBSTITUTE);
"""

PROBE_SCRIPT = (
    "echo json_encode(['version' => PHP_VERSION, 'sapi' => PHP_SAPI, 'opcache' => extension_loaded('Zend OPcache'),"
    " 'fork' => function_exists('pcntl_fork')]);"
)


class CompileError(Exception):
    """PHP could not be used for compiling; the message is a sentence with the cure."""


class Php(NamedTuple):
    """What a PHP binary can do: its version, and whether OPcache is built in (8.5) or loaded as an extension."""

    binary: str
    version: str
    builtin_opcache: bool


class CompilePass(NamedTuple):
    """One process: files taken (in order), why it stopped early, files that failed, and what the rest takes."""

    done: int
    stop: str | None  # None | time | memory | fork
    failed: list[tuple[int, str]]
    need: Need
    scripts: int
    strings: int


def probe_command(binary: str) -> list[str]:
    """Return the command that tells what a PHP binary is; its ini files are not read."""
    return [binary, "-n", "-d", "display_errors=0", "-r", PROBE_SCRIPT]


def parse_probe(binary: str, status: int, out: str, err: str) -> Php:
    """Return what ``probe_command`` said; raises CompileError with the cure when this PHP can't compile for us."""
    try:
        said = json.loads(out)
        version, sapi = str(said["version"]), said["sapi"]
    except (ValueError, KeyError, TypeError) as error:
        detail = (err.strip() or out.strip() or f"exit status {status}").splitlines()[0][:200]
        raise CompileError(f"{binary} is not a PHP that can be used ({detail}): name a PHP CLI binary.") from error
    if sapi != "cli":
        raise CompileError(f"{binary} is PHP's {sapi} flavour: name the CLI binary, as in /usr/bin/php8.2.")
    if not said.get("fork"):
        raise CompileError(f"{binary} has no pcntl_fork(): install PHP's pcntl extension for the CLI.")
    try:
        version_key(version)
    except SettingsError as error:
        raise CompileError(str(error)) from error
    return Php(binary, version, said.get("opcache") is True)


def compile_command(
    php: Php, memory_mib: int, files: int, seconds: int, ini: Mapping[str, str] | None = None
) -> list[str]:
    """Return the command of one pass: PHP without its ini files, a segment of ``memory_mib`` MiB, at most ``seconds``.

    ``ini`` adds directives that change how code compiles (short_open_tag, opcache.save_comments). What could run code
    of the site or hide files (auto_prepend_file, preload, open_basedir) is not read, because of -n.
    """
    settings = {
        "opcache.enable": "1",
        "opcache.enable_cli": "1",
        "opcache.memory_consumption": str(memory_mib),
        "opcache.interned_strings_buffer": str(max(min(memory_mib // 5, 128), 1)),
        "opcache.max_accelerated_files": str(min(max(files + 1, 200), 1000000)),
        "opcache.file_update_protection": "0",
        "opcache.validate_timestamps": "0",
        "opcache.max_file_size": "0",
        "memory_limit": CHILD_MEMORY,
        "display_errors": "0",
        "log_errors": "0",
        "html_errors": "0",
        "short_open_tag": "0",
    }
    if version_key(php.version) >= (8, 0):
        settings["opcache.jit"] = "disable"
    settings.update(ini or {})
    command = [php.binary, "-n"]
    if not php.builtin_opcache:
        command += ["-d", "zend_extension=opcache"]
    for name, value in settings.items():
        command += ["-d", f'{name}="{value}"' if value and not value.isalnum() else f"{name}={value}"]
    options = {"seconds": seconds, "batch": BATCH_FILES, "file_seconds": FILE_SECONDS}
    return [*command, "-r", SCRIPT, json.dumps(options)]


def encode_files(files: Iterable[str]) -> bytes:
    """Return the file names as the script reads them from its input: each ended by a null byte."""
    return b"".join(name.encode("utf-8", "surrogateescape") + b"\0" for name in files)


def no_shared_memory(err: str) -> bool:
    """Tell whether PHP's stderr says that the segment could not be allocated (so a smaller one may do)."""
    return "Unable to allocate shared memory segment" in err


def parse_pass(status: int, out: str, err: str) -> CompilePass:
    """Return what one pass measured; raises CompileError when the process gave no result."""
    try:
        said = json.loads(out)
        before, after = (parse_status(json.dumps(said[key])) for key in ("before", "after"))
        failed = [
            (int(index), str(text or "PHP would not cache it and gave no reason")) for index, text in said["failed"]
        ]
        done, stop = int(said["done"]), said["stop"]
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, StatusError):
            raise CompileError(f"OPcache did not start in the process that compiles: {error}") from error
        detail = (err.strip() or out.strip() or "no output").splitlines()[-1][:300]
        raise CompileError(f"The process that compiles ended with {status} and gave no result: {detail}") from error
    need = Need(
        after["used_memory_bytes"] - before["used_memory_bytes"],
        (after["interned_used_bytes"] or 0) - (before["interned_used_bytes"] or 0),
        after["num_cached_keys"],
    )
    strings = (after["interned_strings"] or 0) - (before["interned_strings"] or 0)
    return CompilePass(done, stop, failed, need, after["num_cached_scripts"], strings)


def total(passes: Sequence[CompilePass]) -> dict[str, Any]:
    """Return the sum over passes: scripts are disjoint, strings common to several passes count more than once."""
    return {
        "scripts": sum(one.scripts for one in passes),
        "keys": sum(one.need.keys for one in passes),
        "scripts_bytes": sum(one.need.scripts_bytes for one in passes),
        "interned_used_bytes": sum(one.need.interned_bytes for one in passes),
        "interned_strings": sum(one.strings for one in passes),
        "passes": len(passes),
    }


def pass_sizes(limit_mib: int) -> list[int]:
    """Return the segment sizes (MiB) to try in turn, from ``limit_mib`` down to 16."""
    sizes = [limit_mib]
    while sizes[-1] // 2 >= 16:
        sizes.append(sizes[-1] // 2)
    return sizes


def headroom_mib(free_bytes: int | None, bound_mib: int) -> int:
    """Return the segment to ask for: the bound, or half of what the host has free, so live masters keep the rest."""
    if free_bytes is None:
        return bound_mib
    return max(min(bound_mib, free_bytes // 2 // MIB), 16)
