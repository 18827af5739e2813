# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""mod_fcgid's limits and initial environment in force for a virtual host (2.3.9: fcgid_conf.c, mod_fcgid.c).

Where Apache takes a limit ("Context" in docs/manual/mod/mod_fcgid.xml, RSRC_CONF in mod_fcgid.c): all of them in the
server's own configuration, those that are not for it alone (GLOBAL_ONLY in fcgid_conf.c) in a virtual host as well,
none in a <Directory>, <Location>, <Files>, <If> or .htaccess. A virtual host's own line wins over the server's, and of
two lines in one place the later one. FcgidCmdOptions sets all of a command's limits at once: what it leaves out gets
mod_fcgid's default, not the server's or the virtual host's value.
"""

from __future__ import annotations

from typing import Any, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive

# Limit: (default, whether only the main server takes it). FcgidConnectTimeout has no effect on Unix.
LIMITS: dict[str, tuple[int, bool]] = {
    "FcgidBusyScanInterval": (120, True),
    "FcgidBusyTimeout": (300, False),
    "FcgidConnectTimeout": (3, False),
    "FcgidErrorScanInterval": (3, True),
    "FcgidFixPathinfo": (0, True),
    "FcgidIdleScanInterval": (120, True),
    "FcgidIdleTimeout": (300, False),
    "FcgidIOTimeout": (40, False),
    "FcgidMaxProcesses": (1000, True),
    "FcgidMaxProcessesPerClass": (100, False),
    "FcgidMaxRequestInMem": (65536, False),
    "FcgidMaxRequestLen": (131072, False),
    "FcgidMaxRequestsPerProcess": (0, False),
    "FcgidMinProcessesPerClass": (3, False),
    "FcgidOutputBufferSize": (65536, False),
    "FcgidProcessLifeTime": (3600, False),
    "FcgidSpawnScore": (1, True),
    "FcgidSpawnScoreUpLimit": (10, True),
    "FcgidTerminationScore": (2, True),
    "FcgidTimeScore": (1, True),
    "FcgidZombieScanInterval": (3, True),
}
# The names before 2.3.6, which still work.
OLD_NAMES = {
    "busyscaninterval": "FcgidBusyScanInterval",
    "busytimeout": "FcgidBusyTimeout",
    "defaultinitenv": "FcgidInitialEnv",
    "defaultmaxclassprocesscount": "FcgidMaxProcessesPerClass",
    "defaultminclassprocesscount": "FcgidMinProcessesPerClass",
    "errorscaninterval": "FcgidErrorScanInterval",
    "fastcgiaccesschecker": "FcgidAccessChecker",
    "fastcgiaccesscheckerauthoritative": "FcgidAccessCheckerAuthoritative",
    "fastcgiauthenticator": "FcgidAuthenticator",
    "fastcgiauthenticatorauthoritative": "FcgidAuthenticatorAuthoritative",
    "fastcgiauthorizer": "FcgidAuthorizer",
    "fastcgiauthorizerauthoritative": "FcgidAuthorizerAuthoritative",
    "fcgiwrapper": "FcgidWrapper",
    "idlescaninterval": "FcgidIdleScanInterval",
    "idletimeout": "FcgidIdleTimeout",
    "ipccommtimeout": "FcgidIOTimeout",
    "ipcconnecttimeout": "FcgidConnectTimeout",
    "maxprocesscount": "FcgidMaxProcesses",
    "maxrequestinmem": "FcgidMaxRequestInMem",
    "maxrequestlen": "FcgidMaxRequestLen",
    "maxrequestsperprocess": "FcgidMaxRequestsPerProcess",
    "outputbuffersize": "FcgidOutputBufferSize",
    "passheader": "FcgidPassHeader",
    "php_fix_pathinfo_enable": "FcgidFixPathinfo",
    "processlifetime": "FcgidProcessLifeTime",
    "sharemempath": "FcgidProcessTableFile",
    "socketpath": "FcgidIPCDir",
    "spawnscore": "FcgidSpawnScore",
    "spawnscoreuplimit": "FcgidSpawnScoreUpLimit",
    "terminationscore": "FcgidTerminationScore",
    "timescore": "FcgidTimeScore",
    "zombiescaninterval": "FcgidZombieScanInterval",
}
_CANONICAL = {name.lower(): name for name in [*LIMITS, "FcgidInitialEnv", "FcgidPassHeader", "FcgidWrapper"]}
# What suexec.c lets through of the environment; everything else that mod_fcgid sets is lost.
_SUEXEC_KEEPS = {
    "AUTH_TYPE", "CONTENT_LENGTH", "CONTENT_TYPE", "CONTEXT_DOCUMENT_ROOT", "CONTEXT_PREFIX", "DATE_GMT", "DATE_LOCAL",
    "DOCUMENT_NAME", "DOCUMENT_PATH_INFO", "DOCUMENT_ROOT", "DOCUMENT_URI", "GATEWAY_INTERFACE", "HTTPS",
    "LAST_MODIFIED", "PATH_INFO", "PATH_TRANSLATED", "QUERY_STRING", "QUERY_STRING_UNESCAPED", "REMOTE_ADDR",
    "REMOTE_HOST", "REMOTE_IDENT", "REMOTE_PORT", "REMOTE_USER", "REDIRECT_ERROR_NOTES", "REDIRECT_HANDLER",
    "REDIRECT_QUERY_STRING", "REDIRECT_REMOTE_USER", "REDIRECT_SCRIPT_FILENAME", "REDIRECT_STATUS", "REDIRECT_URL",
    "REQUEST_METHOD", "REQUEST_SCHEME", "REQUEST_URI", "SCRIPT_FILENAME", "SCRIPT_NAME", "SCRIPT_URI", "SCRIPT_URL",
    "SERVER_ADMIN", "SERVER_ADDR", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SIGNATURE",
    "SERVER_SOFTWARE", "TZ", "UNIQUE_ID", "USER_NAME",
}  # fmt: skip


def canonical(name: str) -> str:
    """A mod_fcgid directive's present name, for any old one in any case; other names come back as they are."""
    lowered = name.lower()
    return _CANONICAL.get(lowered) or OLD_NAMES.get(lowered) or name


def limits(main: Sequence[Directive], vhost: Sequence[Directive]) -> dict[str, dict[str, Any]]:
    """Every limit with its value (a number as Apache's atol() reads it) and its source ("default" or "file:line")."""
    found: dict[str, dict[str, Any]] = {
        name: {"value": default, "source": "default"} for name, (default, _server) in LIMITS.items()
    }
    for server_wide, directives in ((True, main), (False, vhost)):
        for directive in directives:
            name = canonical(directive.name)
            if name not in LIMITS or (LIMITS[name][1] and not server_wide) or not directive.words:
                continue
            found[name] = {"value": _number(directive.words[0]), "source": f"{directive.file}:{directive.line}"}
    return found


def _number(text: str) -> int:
    digits = ""
    for char in text.strip():
        if not (char in "0123456789" or (char == "-" and not digits)) or len(digits) > 18:
            break
        digits += char
    return int(digits) if digits.strip("-") else 0


def initial_environment(
    main: Sequence[Directive], vhost: Sequence[Directive], suexec: bool
) -> tuple[dict[str, str], list[str], list[Directive]]:
    """FcgidInitialEnv in force: (what reaches php-cgi, names that suexec drops, lines of the form NAME=value).

    "FcgidInitialEnv NAME=value" sets the variable called "NAME=value" to nothing, so php-cgi sees NAME as "value=",
    with an equals sign at its end (seen with 2.3.9). A PHPRC of that kind names no folder, so PHP passes it over:
    it is left out.
    """
    values: dict[str, str] = {}
    mistakes: list[Directive] = []
    for directive in list(main) + list(vhost):
        if canonical(directive.name) != "FcgidInitialEnv" or not directive.words:
            continue
        words = directive.words
        if "=" in words[0] and len(words) == 1:
            mistakes.append(directive)
            name, _equals, value = words[0].partition("=")
            if name not in ("PHPRC", ""):
                values[name] = value + "="
            continue
        values[words[0]] = words[1] if len(words) > 1 else ""
    if not suexec:
        return values, [], mistakes
    kept = {name: value for name, value in values.items() if _survives(name)}
    return kept, sorted(set(values) - set(kept)), mistakes


def _survives(name: str) -> bool:
    return name in _SUEXEC_KEEPS or name.startswith(("HTTP_", "SSL_"))
