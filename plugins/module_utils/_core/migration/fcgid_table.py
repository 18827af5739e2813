# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Every setting of mod_fcgid 2.3.9 and of its PHP starters, and what becomes of it under PHP-FPM."""

from __future__ import annotations

from typing import NamedTuple


class Row(NamedTuple):
    """One setting: its default, its equivalent (None = there is none), and why."""

    name: str
    default: str
    equivalent: str | None
    why: str


ROWS: tuple[Row, ...] = (
    Row("FcgidWrapper", "", "phpops-fpm@.service, fpm.conf", "What the wrapper sets goes into the site's own master."),
    Row("FcgidInitialEnv", "", "env[NAME]", "PHPRC becomes the master's php.ini, PHP_FCGI_* the pool's limits."),
    Row(
        "FcgidPassHeader",
        "",
        "CGIPassAuth On",
        "For Authorization. Other headers arrive as HTTP_NAME anyway; the variable with the bare name is gone.",
    ),
    Row(
        "FcgidMaxProcessesPerClass",
        "100",
        "pm.max_children",
        "As set. Where it never was, 20: requests beyond wait in the socket's queue.",
    ),
    Row("FcgidMinProcessesPerClass", "3", None, "pm=ondemand keeps no idle worker: the master holds the cache."),
    Row(
        "FcgidMaxProcesses",
        "1000",
        None,
        "FPM's process.max counts one master, and each site has its own; the memory budget covers the host.",
    ),
    Row("FcgidMaxRequestsPerProcess", "0", "pm.max_requests", "The smaller of this and PHP_FCGI_MAX_REQUESTS."),
    Row(
        "FcgidIdleTimeout",
        "300",
        "pm.process_idle_timeout",
        "The same seconds, a year for 0 (never); FPM looks every second.",
    ),
    Row("FcgidIdleScanInterval", "120", None, "FPM looks for idle workers every second."),
    Row("FcgidProcessLifeTime", "3600", None, "FPM has no age limit for workers; pm.max_requests ends them."),
    Row(
        "FcgidBusyTimeout",
        "300",
        "request_terminate_timeout",
        "Plus FcgidBusyScanInterval: no request ends earlier than it did.",
    ),
    Row("FcgidBusyScanInterval", "120", "request_terminate_timeout", "Added to FcgidBusyTimeout."),
    Row(
        "FcgidIOTimeout",
        "40",
        "ProxySet timeout=",
        "Where it was set. Else Apache's Timeout holds, which is longer. A silent script then gives 504, not 500.",
    ),
    Row("FcgidConnectTimeout", "3", None, "A local socket that is not served refuses at once."),
    Row(
        "FcgidMaxRequestLen",
        "131072",
        "<If> with Redirect 413",
        "Where it was set; chunked bodies have no length and pass. LimitRequestBody has no effect on a proxy.",
    ),
    Row("FcgidMaxRequestInMem", "65536", None, "mod_proxy_fcgi streams the body; it never spools it to disk."),
    Row("FcgidOutputBufferSize", "65536", None, "mod_proxy_fcgi passes on what it gets; PHP's output_buffering rules."),
    Row("FcgidErrorScanInterval", "3", None, "FPM's master is told by the kernel when a worker ends."),
    Row("FcgidZombieScanInterval", "3", None, "FPM's master is told by the kernel when a worker ends."),
    Row("FcgidSpawnScore", "1", None, "FPM starts workers up to pm.max_children without a score."),
    Row("FcgidSpawnScoreUpLimit", "10", None, "FPM starts workers up to pm.max_children without a score."),
    Row("FcgidTerminationScore", "2", None, "FPM starts workers up to pm.max_children without a score."),
    Row("FcgidTimeScore", "1", None, "FPM starts workers up to pm.max_children without a score."),
    Row("FcgidCmdOptions", "", None, "Its values apply to one command; give them as the site's overrides."),
    Row("FcgidFixPathinfo", "0", "cgi.fix_pathinfo", "PHP's own setting, carried with php.ini."),
    Row("FcgidIPCDir", "/var/lib/apache2/fcgid/sock", "listen", "The site's own socket directory below /run/phpops."),
    Row("FcgidProcessTableFile", "/var/lib/apache2/fcgid/shm", None, "FPM keeps its scoreboard in the master."),
    Row("FcgidAccessChecker", "", None, "Not PHP of a site: it stays with mod_fcgid."),
    Row("FcgidAccessCheckerAuthoritative", "On", None, "Not PHP of a site: it stays with mod_fcgid."),
    Row("FcgidAuthenticator", "", None, "Not PHP of a site: it stays with mod_fcgid."),
    Row("FcgidAuthenticatorAuthoritative", "On", None, "Not PHP of a site: it stays with mod_fcgid."),
    Row("FcgidAuthorizer", "", None, "Not PHP of a site: it stays with mod_fcgid."),
    Row("FcgidAuthorizerAuthoritative", "On", None, "Not PHP of a site: it stays with mod_fcgid."),
    Row("FcgidWin32PreventOrphans", "Off", None, "Windows only."),
    Row("PHP_FCGI_CHILDREN", "0", None, "mod_fcgid gave each php-cgi one request at a time: its children never ran."),
    Row("PHP_FCGI_MAX_REQUESTS", "500", "pm.max_requests", "The smaller of this and FcgidMaxRequestsPerProcess."),
    Row("PHPRC", "", "php-fpm -c", "The php.ini that php-cgi found there."),
    Row("PHP_INI_SCAN_DIR", "", "PHP_INI_SCAN_DIR", "Added to FPM's own folder, which is read too."),
    Row("php-cgi -c", "", "php-fpm -c", "The same file."),
    Row("php-cgi -d", "", "ini.d/20-site.ini", "Read last, so it wins as it did on the command line."),
    Row("php-cgi -n", "", None, "A site that reads no php.ini at all is refused."),
    Row("umask", "", "UMask=", "In the unit of the site's master."),
    Row("SuexecUserGroup", "", "User=, Group=", "The master itself runs as this user."),
)


def directives() -> list[str]:
    """Return the names of mod_fcgid's directives in the table."""
    return [row.name for row in ROWS if row.name.startswith("Fcgid")]


def row(name: str) -> Row:
    """Return the row of a setting. Raises KeyError for an unknown one."""
    for candidate in ROWS:
        if candidate.name.lower() == name.lower():
            return candidate
    raise KeyError(name)


def render_rst() -> str:
    """Return the table as reStructuredText (a list-table)."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for cells in (
        ("mod_fcgid, php-cgi", "Default", "PHP-FPM", "Why"),
        *tuple((item.name, item.default or "\\-", item.equivalent or "none", item.why) for item in ROWS),
    ):
        lines += ["   * - " + cells[0]] + ["     - " + cell for cell in cells[1:]]
    return "\n".join(lines) + "\n"
