# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Who runs a file: mod_php, mod_fcgid with a wrapper, an Action's php-cgi, a FastCGI proxy, or nobody."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import Mapping, Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_config import (
    Place,
    Settings,
    section_path,
    settings_at,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive

_MOD_PHP = re.compile(r"application/x-httpd-(php|ea-php)[0-9.]*|php[0-9]?-script")

# The methods of a Runner by which php-cgi runs.
PHP_CGI_METHODS = ("fcgid_wrapper", "action_cgi")


@dataclass
class Runner:
    """How one file name is handled. ``command`` is what mod_fcgid starts: the program, then its arguments."""

    method: str = "none"
    handler: str | None = None
    semantics: str | None = None
    command: list[str] = field(default_factory=list)
    virtual: bool = False
    action: dict[str, str | None] | None = None
    decided_by: list[Directive] = field(default_factory=list)
    settings: Settings = field(default_factory=Settings)

    @property
    def same_as(self) -> tuple[str, str | None, tuple[str, ...]]:
        """What must be equal for two files to be run alike."""
        return self.method, self.handler, tuple(self.command)


@dataclass(frozen=True)
class Server:
    """One virtual host (or the main server, with ``vhost`` empty) and the .htaccess files that it reads."""

    main: Sequence[Directive]
    vhost: Sequence[Directive]
    document_root: str
    modules: Sequence[str]
    htaccess: Mapping[str, Sequence[Directive]]

    def runner(self, name: str, folder: str = "", url_folder: str = "") -> Runner:
        """Say who runs the file ``name`` of a folder below the document root (which is the default)."""
        directory = posixpath.join(self.document_root, folder) if folder else self.document_root
        url = posixpath.normpath("/" + (url_folder or folder) + "/" + name)
        return self._run(Place(directory.rstrip("/"), "/" + url.lstrip("/"), name), depth=0)

    def _run(self, place: Place, depth: int, forced: Directive | None = None) -> Runner:
        settings = settings_at(self.main, self.vhost, place, self.htaccess)
        runner = Runner(settings=settings)
        proxied = self._proxied(place.url)
        if proxied is not None:
            runner.method, runner.handler, runner.semantics = "proxy_fcgi", proxied.words[-1], "filesmatch"
            runner.decided_by.append(proxied)
            return runner
        self._find_handler(runner, settings, place.name, forced)
        handler = (runner.handler or "").lower()
        action = settings.actions.get(handler)
        if action is not None and depth == 0:
            self._follow_action(runner, action)
        elif handler == "fcgid-script":
            self._take_wrapper(runner, settings, place)
        elif handler == "cgi-script" and depth:
            runner.method = "action_cgi"
            runner.command = [posixpath.join(place.directory, place.name)]
        elif handler.startswith("proxy:") and ("fcgi://" in handler or "balancer://" in handler):
            runner.method = "proxy_fcgi"
        elif _MOD_PHP.fullmatch(handler) and any(re.fullmatch("php[0-9]?", module) for module in self.modules):
            runner.method = "mod_php"
        return runner

    def _find_handler(self, runner: Runner, settings: Settings, name: str, forced: Directive | None) -> None:
        """SetHandler wins over AddHandler, that over ScriptAlias, and a content type comes last."""
        extensions = ["." + part for part in name.lower().split(".")[1:]]
        chosen = settings.set_handler
        if chosen is not None and chosen.words[0].lower() not in ("none", "default-handler"):
            runner.handler = chosen.words[0]
            runner.semantics = "filesmatch" if settings.set_handler_in_files else "sethandler"
        elif chosen is not None and chosen.words[0].lower() == "default-handler":
            runner.handler = "default-handler"
        else:
            by_handler = [settings.handlers[item] for item in extensions if item in settings.handlers]
            by_type = [settings.types[item] for item in extensions if item in settings.types]
            chosen = by_handler[-1] if by_handler else forced if forced is not None else None
            chosen = chosen if chosen is not None else by_type[-1] if by_type else None
            if chosen is None:
                return
            runner.handler = "cgi-script" if chosen is forced else chosen.words[0].lower()
            runner.semantics = "addhandler"
        runner.decided_by.append(chosen)

    def _take_wrapper(self, runner: Runner, settings: Settings, place: Place) -> None:
        """Find FcgidWrapper by the last extension, else the one without an extension (fcgid_conf.c)."""
        runner.method = "fcgid_wrapper"
        suffix = "." + place.name.rsplit(".", 1)[1] if "." in place.name else "*"
        wrapper = settings.wrappers.get(suffix, settings.wrappers.get("*"))
        if wrapper is None:
            return
        words = wrapper.words
        # mod_fcgid splits the command at blanks, without quotes (ap_getword_white).
        runner.command = words[0].split()
        runner.virtual = words[-1].lower() == "virtual" and len(words) > 1
        runner.decided_by.append(wrapper)

    def _follow_action(self, runner: Runner, action: Directive) -> None:
        words = action.words
        runner.method = "action_cgi"
        runner.virtual = len(words) > 2 and words[2].lower() == "virtual"
        runner.decided_by.append(action)
        url = words[1]
        alias, path = self._map(url)
        runner.action = {"handler": words[0].lower(), "url": url, "script": path}
        if alias is not None:
            runner.decided_by.append(alias)
        forced = alias if alias is not None and alias.key.startswith("script") else None
        place = Place(posixpath.dirname(path), url, posixpath.basename(path))
        inner = self._run(place, depth=1, forced=forced)
        runner.decided_by.extend(item for item in inner.decided_by if item is not alias)
        runner.action["runs_as"] = inner.handler
        runner.command = inner.command or [path]

    def _map(self, url: str) -> tuple[Directive | None, str]:
        """Map a URL's path to a file by Alias and ScriptAlias: the virtual host's own first, then the server's."""
        for directive in list(self.vhost) + list(self.main):
            words = directive.words
            if directive.key in ("alias", "scriptalias") and len(words) == 2:
                fake, real = words
                rest = url[len(fake) :]
                if url.startswith(fake) and (fake.endswith("/") or rest[:1] in ("", "/")):
                    return directive, posixpath.normpath(real + rest if rest else real)
            elif directive.key in ("aliasmatch", "scriptaliasmatch") and len(words) == 2:
                try:
                    found = re.match(words[0], url)
                except (re.error, OverflowError, RecursionError):
                    continue
                if found:
                    target = words[1]
                    for number, value in enumerate(found.groups()[:9], 1):
                        target = target.replace(f"${number}", value or "")
                    return directive, posixpath.normpath(target)
        return None, posixpath.normpath(self.document_root + "/" + url)

    def _proxied(self, url: str) -> Directive | None:
        for directive in list(self.vhost) + list(self.main):
            words = directive.words
            if directive.key not in ("proxypass", "proxypassmatch") or len(words) < 2 or "fcgi://" not in words[1]:
                continue
            if directive.key == "proxypass":
                if url.startswith(words[0]):
                    return directive
                continue
            try:
                if re.search(words[0], url):
                    return directive
            except (re.error, OverflowError, RecursionError):
                continue
        return None

    def aliased(self, url: str) -> bool:
        """Tell whether a URL's path lies outside of the document root."""
        return self._map(url)[0] is not None


def literal_name(section: Directive) -> str | None:
    """The one file name that a <Files> or <FilesMatch> section means, when it means one."""
    pattern, is_pattern = section_path(section)
    if not is_pattern:
        return pattern if pattern and not any(char in pattern for char in "*?[") else None
    bare = re.sub(r"\\([.\-_])", r"\1", pattern.lstrip("^").rstrip("$"))
    return bare if re.fullmatch(r"[\w.\-]+", bare) and "." in bare.strip(".") else None
