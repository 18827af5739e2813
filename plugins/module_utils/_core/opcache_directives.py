# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The table of OPcache's directives in PHP 7.4 to 8.5: kind, default, scope, bounds and life of each."""

from __future__ import annotations

from typing import NamedTuple

MIN_ACCELERATED_FILES = 200
MAX_ACCELERATED_FILES = 1000000
MIN_MEMORY_MIB = 8


class Directive(NamedTuple):
    """One directive: kind, default, bounds (unit as PHP reads it), where it may be changed, and its life."""

    kind: str  # bool | int | mib | bytes | percent | text
    default: str
    scope: str = "system"  # system: the master's ini only; all: also a pool, .user.ini or ini_set()
    minimum: int | None = None
    maximum: int | None = None
    since: str = "7.4"
    removed: str | None = None
    default_changed: tuple[str, str] | None = None  # (version, default from that version on)
    maximum_changed: tuple[str, int] | None = None


# php/doc-en reference/opcache/ini.xml and zend_accelerator_module.c; names without "opcache.".
DIRECTIVES: dict[str, Directive] = {
    "enable": Directive("bool", "1", "all"),
    "enable_cli": Directive("bool", "0"),
    "memory_consumption": Directive("mib", "128", minimum=MIN_MEMORY_MIB, maximum=1048576),
    "interned_strings_buffer": Directive("mib", "8", minimum=0, maximum=4095, maximum_changed=("8.4", 32767)),
    "max_accelerated_files": Directive("int", "10000", minimum=MIN_ACCELERATED_FILES, maximum=MAX_ACCELERATED_FILES),
    "max_wasted_percentage": Directive("percent", "5", minimum=1, maximum=50),
    "use_cwd": Directive("bool", "1"),
    "validate_timestamps": Directive("bool", "1", "all"),
    "revalidate_freq": Directive("int", "2", "all", minimum=0),
    "revalidate_path": Directive("bool", "0", "all"),
    "save_comments": Directive("bool", "1"),
    "record_warnings": Directive("bool", "0", since="8.0"),
    "enable_file_override": Directive("bool", "0"),
    "optimization_level": Directive("text", "0x7FFEBFFF"),
    "dups_fix": Directive("bool", "0", "all"),
    "blacklist_filename": Directive("text", ""),
    "max_file_size": Directive("int", "0", minimum=0),
    "consistency_checks": Directive("int", "0", "all", minimum=0, removed="8.3"),
    "force_restart_timeout": Directive("int", "180", minimum=0),
    "error_log": Directive("text", ""),
    "log_verbosity_level": Directive("int", "1", minimum=-1, maximum=4),
    "preferred_memory_model": Directive("text", ""),
    "protect_memory": Directive("bool", "0"),
    "restrict_api": Directive("text", ""),
    "file_update_protection": Directive("int", "2", "all", minimum=0),
    "huge_code_pages": Directive("bool", "0"),
    "lockfile_path": Directive("text", "/tmp"),
    "opt_debug_level": Directive("text", "0"),
    "validate_permission": Directive("bool", "0"),
    "validate_root": Directive("bool", "0"),
    "file_cache": Directive("text", ""),
    "file_cache_only": Directive("bool", "0"),
    "file_cache_consistency_checks": Directive("bool", "1"),
    "file_cache_read_only": Directive("bool", "0", since="8.5"),
    "preload": Directive("text", ""),
    "preload_user": Directive("text", ""),
    "jit": Directive("text", "tracing", "all", since="8.0", default_changed=("8.4", "disable")),
    "jit_buffer_size": Directive("bytes", "0", minimum=0, since="8.0", default_changed=("8.4", "64M")),
    "jit_hot_loop": Directive("int", "64", minimum=0, maximum=255, since="8.0", default_changed=("8.5", "61")),
    "jit_hot_func": Directive("int", "127", minimum=0, maximum=255, since="8.0"),
    "jit_hot_return": Directive("int", "8", minimum=0, maximum=255, since="8.0"),
    "jit_hot_side_exit": Directive("int", "8", minimum=0, maximum=255, since="8.0"),
    "jit_blacklist_root_trace": Directive("int", "16", minimum=0, maximum=255, since="8.0"),
    "jit_blacklist_side_trace": Directive("int", "8", minimum=0, maximum=255, since="8.0"),
    "jit_max_root_traces": Directive("int", "1024", minimum=1, since="8.0"),
    "jit_max_side_traces": Directive("int", "1024", minimum=0, since="8.0"),
    "jit_max_exit_counters": Directive("int", "8192", minimum=0, since="8.0"),
    "jit_max_loop_unrolls": Directive("int", "8", "all", minimum=0, since="8.0"),
    "jit_max_recursive_calls": Directive("int", "2", "all", minimum=0, since="8.0"),
    "jit_max_recursive_returns": Directive("int", "2", "all", minimum=0, since="8.0"),
    "jit_max_polymorphic_calls": Directive("int", "2", "all", minimum=0, since="8.0"),
    "jit_prof_threshold": Directive("text", "0.005", "all", since="8.0"),
    "jit_max_trace_length": Directive("int", "1024", minimum=4, maximum=1024, since="8.4"),
    "jit_debug": Directive("int", "0", "all", since="8.0"),
    "jit_bisect_limit": Directive("int", "0", "all", since="8.0"),
}
# Directives that earlier PHP had, and that old guides and ini files still set.
LONG_GONE = {"fast_shutdown": "7.2", "inherited_hack": "7.3"}
