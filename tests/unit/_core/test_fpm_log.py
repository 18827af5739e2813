# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.fpm_log import error_log, reached
from hypothesis import given
from hypothesis import strategies as st

LOG = """[21-Nov-2026 10:00:00] NOTICE: fpm is running, pid 700
[21-Nov-2026 10:05:00] WARNING: [pool www] server reached pm.max_children setting (5), consider raising it
[21-Nov-2026 18:24:39] NOTICE: exiting, bye-bye!
[21-Nov-2026 18:24:40] NOTICE: fpm is running, pid 1201
[21-Nov-2026 18:24:40] NOTICE: ready to handle connections
[21-Nov-2026 18:25:53] WARNING: [pool odd] server reached max_children setting (1), consider raising it
[21-Nov-2026 18:26:53] WARNING: [pool www] server reached pm.max_children setting (5), consider raising it
[21-Nov-2026 18:27:53] WARNING: [pool www] server reached pm.max_children setting (5), consider raising it
"""


def test_only_what_came_since_the_master_began_counts() -> None:
    found = reached(LOG, 1201)
    assert {pool: found.of(pool) for pool in ("odd", "www", "quiet")} == {"odd": 1, "www": 2, "quiet": 0}


@pytest.mark.parametrize("text", [LOG.partition("bye-bye!\n")[2].partition("connections\n")[2], LOG])
def test_a_log_without_the_masters_beginning_never_says_zero(text: str) -> None:
    found = reached(text, 9)
    assert (found.of("www"), found.of("quiet")) == (2, None)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[global]\nerror_log = /var/log/php8.2-fpm.log\n", "/var/log/php8.2-fpm.log"),
        ('[global]\n error_log="/x.log" ; ours\n', "/x.log"),
        ("[global]\nerror_log = syslog\n", None),
        (";error_log = /x\n[www]\nphp_admin_value[error_log] = /y\n", None),
        ("", None),
    ],
)
def test_the_log_that_the_configuration_names(text: str, path: str | None) -> None:
    assert error_log(text) == path


@given(st.text(alphabet="[pool] server reached max_children setting(1)\nfpm is running, pid \x00é"), st.integers())
def test_any_text_is_read(text: str, pid: int) -> None:
    reached(text, pid)
    error_log(text)
