# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""A site's own virtual host for Apache or nginx: its options, validated, and its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core import (
    apache_docroot,
    apache_preflight,
    nginx_docroot,
    nginx_preflight,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import NAME
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import HEADER, Layout
from ansible_collections.phpops.webhost.plugins.module_utils._core.web_finding import Finding

SERVERS = ("apache", "nginx")
# The folder of a server's configuration, below its root, and the name of a site's file there.
AVAILABLE, ENABLED = "sites-available", "sites-enabled"
_SERVER_NAME = re.compile(
    r"^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$"
)
_FRONT = re.compile(r"^(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+\.php$")
_OVERRIDE = re.compile(
    r"^(?:None|All|(?:(?:AuthConfig|FileInfo|Indexes|Limit|Options(?:=[A-Za-z,]+)?|Nonfatal=(?:Override|Unknown|All))"
    r"(?: (?=\w)|$))+)$"
)


class VhostError(ValueError):
    """An option of a virtual host can't be used; one sentence with the cure."""


@dataclass(frozen=True)
class Vhost:
    """What a virtual host says. ``listen`` and ``ipv6`` come from the host: what its server needs to be told."""

    site: str
    server_names: tuple[str, ...]
    port: int = 80
    front_controller: str = ""
    allow_override: str = "None"
    extra_lines: tuple[str, ...] = ()
    listen: bool = False
    ipv6: bool = False
    pointer: str = ""

    @property
    def socket(self) -> str:
        return f"{self.pointer}/php.sock"

    @property
    def docroot(self) -> str:
        return f"{self.pointer}/docroot"


def file_name(site: str) -> str:
    """Return the name of a site's file in the folder of a web server."""
    return f"phpops-{site}.conf"


def build(options: Mapping[str, Any], server: str, layout: Layout) -> Vhost:
    """Return the validated virtual host of the module's options; VhostError names the first that can't be used.

    A site without server_names is asked for by its own name, as the check of its entry points does.
    """
    site = options["site"]
    if not isinstance(site, str) or not NAME.fullmatch(site):
        raise VhostError(
            f"Site name {site!r} can't be used: give 1 to 32 characters of a-z, 0-9, _ and -, with a letter or digit"
            " first."
        )
    names = [str(name).lower() for name in options.get("server_names") or [site]]
    for name in names:
        if not _SERVER_NAME.fullmatch(name) or len(name) > 253:
            _refuse(site, "server_names", name, "a host name; *.example.org is one, other alphabets are in punycode")
    if names[0].startswith("*"):
        _refuse(site, "server_names", names[0], "a name without * first; names with * may follow it")
    port = options.get("port") or 80
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536:
        _refuse(site, "port", port, "a number from 1 to 65535")
    front = options.get("front_controller") or ""
    if front and (not _FRONT.fullmatch(front) or ".." in front):
        _refuse(site, "front_controller", front, "the path of one script in the document root, such as /index.php")
    override = options.get("allow_override") or "None"
    if not _OVERRIDE.fullmatch(override):
        _refuse(site, "allow_override", override, "what Apache's AllowOverride takes, such as All or FileInfo Limit")
    if server == "nginx" and override != "None":
        _refuse(site, "allow_override", override, "None: nginx reads no .htaccess; write its rules to extra_lines")
    extra = options.get("extra_lines") or []
    _check_extra(site, server, extra)
    return Vhost(site, tuple(dict.fromkeys(names)), port, front, override, tuple(extra), pointer=layout.pointer(site))


def _refuse(site: str, option: str, value: Any, cure: str) -> None:
    raise VhostError(f"Site {site}: {option} holds {value!r}; give {cure}.")


def _check_extra(site: str, server: str, lines: Sequence[Any]) -> None:
    """An element is one line inside of the virtual host: it neither joins the next one nor leaves it."""
    for line in lines:
        if not isinstance(line, str) or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", line):
            _refuse(site, "extra_lines", line, "each line as an element of its own, without control characters")
        if server == "apache" and line.endswith("\\"):
            _refuse(site, "extra_lines", line, "it without the \\ at its end, which would take in the next line")
        if server == "apache" and re.match(r"\s*</?VirtualHost\b", line, re.IGNORECASE):
            _refuse(site, "extra_lines", line, "lines that stay inside of the virtual host")
    problem = nginx_preflight.unbalanced("\n".join(lines)) if server == "nginx" else None
    if problem:
        raise VhostError(f"Site {site}: extra_lines {problem}; give whole directives that stay inside of the server.")


def lines(vhost: Vhost, server: str) -> list[str]:
    """Return the lines that a virtual host of one's own needs to serve the site through its pointer."""
    return apache_lines(vhost) if server == "apache" else nginx_lines(vhost)


def text(vhost: Vhost, server: str) -> str:
    """Return the whole file, for Apache 2.4 or nginx 1.22 and newer."""
    return apache_text(vhost) if server == "apache" else nginx_text(vhost)


def spoilers(vhost: Vhost, server: str, path: str) -> list[Finding]:
    """Return what in the file that is to be at ``path`` would spoil a flip of its own site: extra_lines may."""
    whole, site, pointer = text(vhost, server), vhost.site, vhost.pointer
    if server == "apache":
        apache = apache_preflight.parse(path, whole)
        return [
            *apache_preflight.apache_findings(apache, site, pointer),
            *apache_docroot.findings(apache, site, pointer),
        ]
    nginx = nginx_preflight.parse(path, whole)
    return [*nginx_preflight.nginx_findings(nginx, site, pointer), *nginx_docroot.findings(nginx, site, pointer)]


def apache_lines(vhost: Vhost) -> list[str]:
    """Return Apache's lines.

    Scripts arrive by the pointer's path, which each slot's master sees as its own slot. A missing file never goes to
    PHP, nor to a handler that the whole server has for .php (RemoveHandler, SetHandler None), so FallbackResource and
    ErrorDocument work for names that end in .php as well. Without mod_proxy_fcgi the
    handler would be a mere word, and Apache would send the scripts' source.
    """
    fallback = [f"    FallbackResource {vhost.front_controller}"] if vhost.front_controller else []
    return [
        f'DocumentRoot "{vhost.docroot}"',
        f'<Directory "{vhost.pointer.rpartition("/")[0]}">',
        "    Options FollowSymLinks",
        f"    AllowOverride {vhost.allow_override}",
        "    Require all granted",
        "    DirectoryIndex index.php index.html",
        *fallback,
        "    RemoveHandler .php",
        "</Directory>",
        r'<FilesMatch "\.php$">',
        "    SetHandler None",
        '    <If "-f %{REQUEST_FILENAME}">',
        f'        SetHandler "proxy:unix:{vhost.socket}|fcgi://{vhost.site}"',
        "        CGIPassAuth On",
        "    </If>",
        "    <IfModule !mod_proxy_fcgi.c>",
        "        Require all denied",
        "    </IfModule>",
        "</FilesMatch>",
        '<Files ".user.ini">',
        "    Require all denied",
        "</Files>",
    ]


def apache_text(vhost: Vhost) -> str:
    """Return Apache's file."""
    aliases = [f"    ServerAlias {name}" for name in vhost.server_names[1:]]
    whole = [
        f"# {HEADER}",
        *([f"Listen {vhost.port}"] if vhost.listen else []),
        f"<VirtualHost *:{vhost.port}>",
        f"    ServerName {vhost.server_names[0]}",
        *aliases,
        *[f"    {line}" for line in apache_lines(vhost)],
        *[f"    {line}" for line in vhost.extra_lines],
        "</VirtualHost>",
    ]
    return "\n".join(whole) + "\n"


def nginx_lines(vhost: Vhost) -> list[str]:
    """Return nginx's lines.

    $document_root is the pointer's path as it is written here: each slot's master sees its own slot there, and the
    keys that priming made are the ones that requests use. $realpath_root would be resolved by nginx, before it
    connects: a request on its way at the switch would then run the old release in the new slot.
    """
    front = vhost.front_controller
    php = f"fastcgi_pass unix:{vhost.socket};"
    own = [f"location = {front} {{", "    try_files $uri =404;", f"    {php}", "}"] if front else []
    rest = f"{front}$is_args$args" if front else "=404"
    host = ["fastcgi_param HTTP_HOST $host:$server_port;"] if vhost.port not in (80, 443) else []
    return [
        f"root {vhost.docroot};",
        "index index.php index.html;",
        "disable_symlinks off;",
        "open_file_cache off;",
        "include fastcgi_params;",
        *host,
        "fastcgi_param DOCUMENT_ROOT $document_root;",
        "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;",
        "fastcgi_param PATH_INFO $phpops_path_info if_not_empty;",
        'set $phpops_path_info "";',
        r"location ~ /\.(?:ht|user\.ini$) {",
        "    return 403;",
        "}",
        "location / {",
        f"    try_files $uri $uri/ {rest};",
        "}",
        *own,
        r"location ~ \.php(?:/|\z) {",
        r"    fastcgi_split_path_info ^(.+?\.php)(/.*)?\z;",
        "    # try_files empties $fastcgi_path_info.",
        "    set $phpops_path_info $fastcgi_path_info;",
        f"    try_files $fastcgi_script_name {rest};",
        f"    {php}",
        "}",
    ]


def nginx_text(vhost: Vhost) -> str:
    """Return nginx's file."""
    whole = [
        f"# {HEADER}",
        "server {",
        f"    listen {vhost.port};",
        *([f"    listen [::]:{vhost.port};"] if vhost.ipv6 else []),
        f"    server_name {' '.join(vhost.server_names)};",
        *[f"    {line}" for line in nginx_lines(vhost)],
        *[f"    {line}" for line in vhost.extra_lines],
        "}",
    ]
    return "\n".join(whole) + "\n"
