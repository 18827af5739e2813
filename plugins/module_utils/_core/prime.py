# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What an entry point's request is, and whether its answer is right."""

from __future__ import annotations

import re

from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgi import Response
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import EntryPoint


def split_script(path: str) -> tuple[str, str]:
    """Return (script, path info) of a URL path: the first part that ends in an extension is the script.

    A path that ends in / means its index.php; one without an extension is the script as it is.
    """
    if path.endswith("/") and not re.search(r"\.\w+/", path):
        return path + "index.php", ""
    match = re.match(r"^(.*?\.(?:php|phtml|php\d|html?))(/.*)?$", path)
    return (match.group(1), match.group(2) or "") if match else (path, "")


def entry_params(entry: EntryPoint, site: str, root: str) -> dict[str, str]:
    """Return the CGI variables of an entry point (RFC 3875), with the script below ``root``."""
    script, path_info = split_script(entry.path)
    uri = entry.path + ("?" + entry.query if entry.query else "")
    params = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "phpops",
        "SERVER_NAME": entry.host or site,
        "SERVER_ADDR": "127.0.0.1",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": entry.method,
        "REQUEST_URI": uri,
        "SCRIPT_NAME": script,
        "SCRIPT_FILENAME": root + script,
        "DOCUMENT_ROOT": root,
        "QUERY_STRING": entry.query,
        "HTTP_HOST": entry.host or site,
        "HTTP_USER_AGENT": "phpops-prime",
    }
    if path_info:
        params["PATH_INFO"] = path_info
    for name, value in entry.headers.items():
        params["HTTP_" + name.upper().replace("-", "_")] = value
    return params


def verdict(entry: EntryPoint, answer: Response, source: str = "from the idle slot") -> str | None:
    """Return None when the answer is the one that was asked for, else what is wrong with it.

    source: where the answer came from, in words.
    """
    said = answer.stderr.strip().splitlines()
    because = f" PHP says: {said[0][:300]}" if said else ""
    if answer.status != entry.status:
        return f"answered {answer.status} {source}, not {entry.status}.{because}"
    if entry.contains and entry.contains.encode() not in answer.body:
        return f"answered {answer.status} {source}, without the text {entry.contains!r}.{because}"
    return None
