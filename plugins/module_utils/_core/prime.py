# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What an entry point's request is, and whether its answer is right."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import Response
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import EntryPoint

# What a request line may hold as it is (RFC 3986): a path that is encoded already stays so.
_URI = "/%:@!$&'()*+,;=~?"
# A header of these names has a CGI variable of its own (RFC 3875, 4.1.2 and 4.1.3).
_OWN_VARIABLE = ("CONTENT_TYPE", "CONTENT_LENGTH")
_FATAL_STDERR = re.compile(r"PHP (?:Fatal|Parse|Recoverable fatal) error:")
# display_errors, with html_errors and without: a fatal error is the end of the page.
_FATAL_BODY = re.compile(rb"(?:<b>|^(?:PHP )?)(?:Fatal|Parse|Recoverable fatal) error(?:</b>)?: ", re.MULTILINE)
_FATAL_PLACE = re.compile(rb" on line (?:<b>)?\d")
_END_BYTES = 8192


def split_script(path: str) -> tuple[str, str]:
    """Return (script, path info) of a URL path: the first part that ends in an extension is the script.

    A path that ends in / means its index.php; one without an extension is the script as it is.
    """
    if path.endswith("/") and not re.search(r"\.\w+/", path):
        return path + "index.php", ""
    match = re.match(r"^(.*?\.(?:php|phtml|php\d|html?))(/.*)?$", path)
    return (match.group(1), match.group(2) or "") if match else (path, "")


def _script_of(entry: EntryPoint) -> tuple[str, str]:
    """Return (script, path info), decoded as a web server does.

    A front controller gets no path info but what follows its own name: nginx (try_files) and Apache (FallbackResource)
    redirect to it inside, and the path stays in REQUEST_URI.
    """
    path = unquote(entry.path, errors="surrogateescape")
    if not entry.script:
        return split_script(path)
    return entry.script, path[len(entry.script) :] if path.startswith(entry.script + "/") else ""


def entry_params(entry: EntryPoint, site: str, root: str) -> dict[str, str]:
    """Return the CGI variables of an entry point (RFC 3875), with the script below ``root``."""
    script, path_info = _script_of(entry)
    uri = entry.path + ("?" + entry.query if entry.query else "")
    params = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "phpops",
        "SERVER_NAME": entry.host or site,
        "SERVER_ADDR": "127.0.0.1",
        "SERVER_PORT": "443" if entry.https else "80",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_PORT": "0",
        "REQUEST_SCHEME": "https" if entry.https else "http",
        "REQUEST_METHOD": entry.method,
        "REQUEST_URI": quote(uri, safe=_URI),
        "SCRIPT_NAME": script,
        "SCRIPT_FILENAME": root + script,
        "DOCUMENT_ROOT": root,
        "QUERY_STRING": entry.query,
        "HTTP_HOST": entry.host or site,
        "HTTP_USER_AGENT": "phpops-prime",
    }
    if entry.https:
        params["HTTPS"] = "on"
    if entry.method == "POST":
        params.update(CONTENT_TYPE="application/x-www-form-urlencoded", CONTENT_LENGTH="0")
    if path_info:
        params["PATH_INFO"] = path_info
    for name, value in entry.headers.items():
        variable = name.upper().replace("-", "_")
        if variable != "CONTENT_LENGTH":
            params[variable if variable in _OWN_VARIABLE else "HTTP_" + variable] = value
    return params


def verdict(entry: EntryPoint, answer: Response, source: str = "from the idle slot") -> str | None:
    """Return None when the answer is the one that was asked for, else what is wrong with it.

    source: where the answer came from, in words. A fatal error of PHP is wrong with any status but an expected 5xx.
    """
    said = [line for line in answer.stderr.strip().splitlines() if line.strip()]
    fatal = [line for line in said if _FATAL_STDERR.search(line)]
    because = f" PHP says: {(fatal or said)[0][:300].rstrip('.')}." if said else ""
    if answer.status != entry.status:
        return f"answered {answer.status} {source}, not {entry.status}.{because}"
    if entry.status < 500 and fatal:
        return f"answered {answer.status} {source}, with a fatal error.{because}"
    if entry.status < 500:
        shown = _shown_error(answer.body[-_END_BYTES:])
        if shown:
            return f"answered {answer.status} {source}, with a fatal error in the page: {shown}"
    if entry.contains and entry.contains.encode("utf-8", "surrogateescape") not in answer.body:
        return f"answered {answer.status} {source}, without the text {entry.contains!r}.{because}"
    return None


def _shown_error(end: bytes) -> str:
    """Return the fatal error that the end of a page shows, "" for none: words about one alone are no error."""
    for match in _FATAL_BODY.finditer(end):
        place = _FATAL_PLACE.search(end, match.end())
        if place:
            text = end[match.start() : place.end() + 8].decode("utf-8", "replace")
            return " ".join(re.sub(r"<[^>]*>?", "", text).split())[:300]
    return ""
