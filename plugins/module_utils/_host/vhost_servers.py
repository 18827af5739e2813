# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What differs between Apache and nginx where a site gets a virtual host."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePath

from ansible_collections.phpops.webhost.plugins.module_utils._core.apache_dump import Directive
from ansible_collections.phpops.webhost.plugins.module_utils._core.vhost import Vhost, file_name, text
from ansible_collections.phpops.webhost.plugins.module_utils._core.vhost_host import (
    apache_listens,
    apache_names,
    needs_proxy,
    nginx_listens,
    nginx_names,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host import handler_files, php_cgi
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import (
    Apache,
    ApacheError,
    broken_certificates,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.nginx_control import Nginx, NginxError
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_references import nginx_tree

# A graceful reload of Apache ends the php-cgi of sites that were not migrated: so long it waits until none is busy.
IDLE_SECONDS = 30.0


class ApacheSide:
    """Apache, with the modules that it needs for PHP-FPM."""

    name, title = "apache", "Apache"
    # The one that handing sites to PHP-FPM takes as well: both change Apache's files and reload it.
    lock = "/run/phpops-apache.lock"
    errors = (ApacheError,)

    def __init__(self, control: Apache, backup_folder: str = handler_files.BACKUP_FOLDER) -> None:
        self.control, self._backup = control, backup_folder
        self._dump: list[Directive] = []
        self._modules = ""
        self._listens = True

    def look(self, vhost: Vhost) -> None:
        """Read what Apache has now. Raises ApacheError when its configuration doesn't pass."""
        self._dump, self._modules = self.control.dump_and_modules()
        self._listens = apache_listens(self._dump, vhost.port, file_name(vhost.site))

    def text(self, vhost: Vhost) -> str:
        return text(replace(vhost, listen=not self._listens), self.name)

    def taken(self, vhost: Vhost) -> str | None:
        return apache_names(self._dump, vhost.port, vhost.server_names, file_name(vhost.site))

    def is_new_port(self, vhost: Vhost) -> bool:
        """Tell whether Apache would have to bind the port at the reload."""
        return bool(self.control.parent()) and not apache_listens(self._dump, vhost.port, "")

    def module_links(self, vhost: Vhost, state: str) -> dict[str, str]:
        """Return the symlinks of modules to make, or, with "" as their target, to remove: ours, that none needs."""
        if state == "present":
            return handler_files.missing_links(self._modules, self.control.config_root)
        record, own = handler_files.read_record(self._backup), file_name(vhost.site)
        if record.sites or needs_proxy(self._dump, lambda item: PurePath(item.file).name == own):
            return {}
        return dict.fromkeys(record.links, "")

    def note_modules(self, modules: dict[str, str], state: str) -> None:
        """Keep which modules were switched on by us, so that whoever leaves last switches them off."""
        if modules:
            record = handler_files.read_record(self._backup)
            links = set(record.links)
            record.links = sorted(links | set(modules) if state == "present" else links - set(modules))
            handler_files.write_record(record, self._backup)

    def reload_problem(self) -> str:
        """Return why a reload with the files as they are would end Apache, or ""."""
        return " ".join(broken_certificates(self.control.dump()))

    def reload(self, timeout_seconds: float) -> str:
        """Reload when no php-cgi serves a request; return a warning, or ""."""
        _waited, working = php_cgi.wait_idle(IDLE_SECONDS)
        self.control.graceful(timeout_seconds)
        if not working:
            return ""
        return f"{len(working)} php-cgi still served a request after {IDLE_SECONDS:g} s: the reload may have cut it."


class NginxSide:
    """nginx, which needs no modules for PHP-FPM."""

    name, title = "nginx", "nginx"
    lock = "/run/phpops-nginx.lock"
    errors = (NginxError,)

    def __init__(self, control: Nginx, if_inet6: str = "/proc/net/if_inet6") -> None:
        self.control, self._if_inet6 = control, if_inet6

    def look(self, vhost: Vhost) -> None:
        """nginx is read when it is needed."""

    def text(self, vhost: Vhost) -> str:
        return text(replace(vhost, ipv6=Path(self._if_inet6).exists()), self.name)

    def taken(self, vhost: Vhost) -> str | None:
        return nginx_names(nginx_tree(), vhost.port, vhost.server_names, file_name(vhost.site))

    def is_new_port(self, vhost: Vhost) -> bool:
        """Tell whether nginx would have to bind the port at the reload."""
        return bool(self.control.parent()) and not nginx_listens(nginx_tree(), vhost.port)

    def module_links(self, _vhost: Vhost, _state: str) -> dict[str, str]:
        return {}

    def note_modules(self, _modules: dict[str, str], _state: str) -> None:
        """There is nothing to note."""

    def reload_problem(self) -> str:
        return ""

    def reload(self, timeout_seconds: float) -> str:
        self.control.graceful(timeout_seconds)
        return ""
