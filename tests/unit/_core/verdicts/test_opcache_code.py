# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.verdicts import judge
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.case_fixture import fires, keeps_quiet
from ansible_collections.phpops.webhost.tests.unit._core.verdicts.facts_fixture import (
    MIB,
    master,
    opcache,
    shm,
    slot_site,
    written,
)


def second(both: int) -> dict[str, Any]:
    cache = {"name": "XCache", "processes": 4, "beside_opcache": both}
    return shm(groups=[{"name": "php-cgi", "kind": "php-cgi", "opcode_caches": [cache]}])


# (code, severity, facts that fire it, words of its sentence)
FIRES = [
    (
        "opcache_directive_ineffective",
        "warning",
        opcache(
            master(
                None,
                directives_disagree=True,
                config={
                    "opcache.memory_consumption": "512",
                    "opcache.max_accelerated_files": "20000",
                    "opcache.interned_strings_buffer": "16",
                },
            )
        ),
        "Directives of OPcache have no effect: php8.2-fpm.service (opcache.memory_consumption=512, the cache has 128 "
        "MiB, opcache.max_accelerated_files=20000, the cache has 3907 keys, opcache.interned_strings_buffer=16, the "
        "buffer has 8 MiB).",
    ),
    (
        "opcache_directive_ineffective",
        "warning",
        opcache(
            master(config={"opcache.save_comments": "1", "opcache.revalidate_freq": "2"}),
            phpops_slot=slot_site(False, {"opcache.save_comments": "off", "opcache.revalidate_freq": "2"})[
                "phpops_slot"
            ],
        ),
        "wiki (opcache.save_comments=off, the master has 1).",
    ),
    (
        "opcache_directive_ineffective",
        "info",
        opcache(master(jit={"enabled": True, "on": False, "buffer_bytes": 64 * MIB})),
        "opcache.jit_buffer_size reserves memory for a JIT that is off: wiki (64 MiB).",
    ),
    (
        "timestamps_validated",
        "warning",
        slot_site(True, {"opcache.validate_timestamps": "1"}),
        "(opcache.validate_timestamps=1) in 1 site whose code never changes below a running master: wiki.",
    ),
    (
        "timestamps_validated",
        "warning",
        opcache(
            master(config={"opcache.validate_timestamps": "1"}),
            phpops_slot=slot_site(True, {"opcache.validate_timestamps": "0"})["phpops_slot"],
        ),
        "in 1 site",
    ),
    (
        "php_written_at_run_time",
        "info",
        written(5, "1"),
        "wiki writes PHP while it runs (5 files, such as /srv/wiki/cache/a.php), and OPcache keeps it: each change of "
        "them wastes memory.",
    ),
    ("php_written_at_run_time", "warning", written(5, "0", examples=[]), "keeps it: it never sees a change of them."),
    (
        "second_opcode_cache",
        "warning",
        second(2),
        "2 processes of php-cgi have loaded XCache beside OPcache: two caches of one code.",
    ),
]
# (code, facts just below the mark)
QUIETS = [
    (
        "opcache_directive_ineffective",
        opcache(
            master(
                jit={"enabled": False, "on": False, "buffer_bytes": 0},
                config={
                    "opcache.max_accelerated_files": "3000",
                    "opcache.interned_strings_buffer": "8",
                    "opcache.enable": "1",
                    "opcache.jit_buffer_size": "67108864",
                    "opcache.jit": "",
                },
            ),
            phpops_slot=slot_site(
                False, {"opcache.enable": "on", "opcache.jit_buffer_size": "64M", "opcache.jit": '"off"'}
            )["phpops_slot"],
        ),
    ),
    ("opcache_directive_ineffective", opcache(master(jit={"enabled": True, "on": True, "buffer_bytes": 64 * MIB}))),
    ("timestamps_validated", slot_site(True, {"opcache.validate_timestamps": "0"})),
    ("timestamps_validated", slot_site(False, {"opcache.validate_timestamps": "1"})),
    ("php_written_at_run_time", written(4, "0")),
    ("php_written_at_run_time", slot_site(php_files=None)),
    ("second_opcode_cache", second(0)),
]

test_a_verdict_fires_with_its_numbers = fires(FIRES)
test_a_verdict_keeps_quiet_below_its_mark = keeps_quiet(QUIETS)


def test_the_blacklist_that_a_cure_gives_keeps_the_lines_that_are_there() -> None:
    (verdict,) = judge(written(9, "0"))
    entry = {"name": "wiki", "profile": "release", "blacklist": ["/srv/old/", "/srv/wiki/cache/"]}
    assert verdict["cure"]["variables"] == {"opcache_sites": [entry]}
