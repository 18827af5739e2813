# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Where a site's files are, and what they say: units, drop-ins, FPM's configuration and the master's ini files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import (
    SettingsError,
    render_profile,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import IniValue, SiteSpec, SpecError

# How slot_facts begins its reason on a host that never had a slot.
NO_SLOTS = "There is no folder"
SLOTS = ("blue", "green")
HEADER = "Written by phpops.webhost; changes by hand are replaced at the next run."
# sun_path of unix(7), with the final null byte.
MAX_SOCKET_PATH_BYTES = 107
PING_PATH, STATUS_PATH = "/phpops-ping", "/phpops-status"
# Values that php.ini takes bare: words, numbers, and expressions of its constants.
_BARE = re.compile(r"^(?:[A-Za-z0-9_./,:-]+|[A-Z0-9_ &|~^()-]+)$")


@dataclass(frozen=True)
class Layout:
    """The folders of the host that hold all sites."""

    state: str = "/var/lib/phpops"
    config: str = "/etc/phpops"
    run: str = "/run/phpops"
    units: str = "/etc/systemd/system"
    needrestart: str = "/etc/needrestart/conf.d"

    def site_dir(self, site: str) -> str:
        return f"{self.state}/{site}"

    def pointer(self, site: str) -> str:
        """The symlink whose rename is the switch."""
        return f"{self.state}/{site}/ptr/live"

    def live_socket(self, site: str) -> str:
        """The socket as web servers name it."""
        return f"{self.pointer(site)}/php.sock"

    def slot_dir(self, site: str, slot: str) -> str:
        return f"{self.state}/{site}/slots/{slot}"

    def config_dir(self, site: str, slot: str) -> str:
        return f"{self.config}/{site}/{slot}"

    def socket(self, site: str, slot: str) -> str:
        """The socket where the master binds it, in a folder of the site's user."""
        return f"{self.run}/{site}-{slot}/php.sock"

    def live_release(self, site: str) -> str:
        """The live release's folder, as cron jobs and the command line name it."""
        return f"{self.pointer(site)}/release"

    def lock(self, site: str) -> str:
        """The file whose flock(2) all that changes the site holds; not below a folder that state absent removes."""
        return f"{self.run}/.{site}.lock"

    def web_socket(self, site: str, slot: str) -> str:
        """A hard link to the socket, in a folder of root's: the site's user can't put another thing in its place."""
        return f"{self.run}/web/{site}-{slot}.sock"

    def status_socket(self, site: str, slot: str) -> str:
        return f"{self.run}/{site}-{slot}/status.sock"

    def drop_in(self, site: str, slot: str) -> str:
        return f"{self.units}/{unit_name(site, slot)}.d/10-phpops.conf"

    def stored_spec(self, site: str) -> str:
        """A symlink through the pointer: it always names the spec of the slot that is live."""
        return f"{self.config}/{site}/site.json"


@dataclass(frozen=True)
class File:
    """A file's text and mode; ``grouped`` files belong to root and the site's group, others to root."""

    text: str
    mode: int = 0o644
    grouped: bool = False


@dataclass(frozen=True)
class Rendering:
    """The files and symlinks of one slot, by absolute path."""

    files: dict[str, File]
    links: dict[str, str]


def unit_name(site: str, slot: str) -> str:
    """Return the unit that runs a slot's master."""
    return f"phpops-fpm@{site}-{slot}.service"


def boot_unit_name(site: str) -> str:
    """Return the unit that starts the live slot at boot."""
    return f"phpops-site@{site}.service"


def other(slot: str) -> str:
    """Return the slot that is not this one."""
    return SLOTS[1] if slot == SLOTS[0] else SLOTS[0]


def quote(value: str) -> str:
    """Return a value as PHP's ini scanner (normal mode) reads it back unchanged; ValueError when it can't be written.

    Single quotes are raw; double quotes know \\\\ and \\" but replace ${NAME} (Zend/zend_ini_scanner.l; tried on 8.2
    and 8.4).
    """
    if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
        raise ValueError("it holds a control character or a line break")
    if "'" not in value:
        return f"'{value}'" if value else '""'
    if "${" in value:
        raise ValueError("it holds both ' and ${")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def ini_text(title: str, table: dict[str, IniValue]) -> str:
    """Return an ini file; a list gives one line for each item (extension=). ValueError as quote()."""
    lines = [f"; {HEADER}", f"; {title}"]
    for name in sorted(table):
        value = table[name]
        for item in value if isinstance(value, list) else [value]:
            try:
                lines.append(f"{name} = {item if _BARE.fullmatch(item) else quote(item)}")
            except ValueError as error:
                raise ValueError(f"{name} can't be written to an ini file: {error}") from error
    return "\n".join(lines) + "\n"


def environment_line(name: str, value: str) -> str:
    """Return FPM's env[] line; ValueError for what FPM would replace (fpm_env.c, fpm_conf.c; tried on 8.2 and 8.4)."""
    if not value:
        # FPM refuses an empty value, and reads $NAME from its own environment: no NAME gives "".
        return f'env[{name}] = "$"'
    if value.startswith("$"):
        raise ValueError("it begins with $, which FPM takes for a variable of its own environment")
    if "$pool" in value:
        raise ValueError("it holds $pool, which FPM replaces by the pool's name")
    return f"env[{name}] = {quote(value)}"


def fpm_conf(spec: SiteSpec, slot: str, layout: Layout) -> str:
    """Return FPM's configuration: [global] and the site's only pool (install.fpm.configuration of PHP's manual)."""
    manager = spec.process_manager
    lines = [
        f"; {HEADER}",
        "[global]",
        "daemonize = no",
        "error_log = syslog",
        f"syslog.ident = phpops-{spec.name}-{slot}",
        "; 0, PHP's default, would cut requests in flight even at a graceful stop.",
        f"process_control_timeout = {spec.process_control_timeout_seconds}s",
        "",
        f"[{spec.name}]",
        f"listen = {layout.socket(spec.name, slot)}",
        "listen.mode = 0660",
        f"pm = {manager.mode}",
        f"pm.max_children = {manager.max_children}",
    ]
    if manager.mode == "ondemand":
        lines.append(f"pm.process_idle_timeout = {manager.process_idle_timeout_seconds}s")
    if manager.mode == "dynamic":
        least, most = manager.min_spare_servers, manager.max_spare_servers
        start = manager.start_servers if manager.start_servers is not None else (least + most) // 2
        lines += [
            f"pm.start_servers = {start}",
            f"pm.min_spare_servers = {least}",
            f"pm.max_spare_servers = {most}",
        ]
    lines += [
        f"pm.max_requests = {manager.max_requests}",
        f"pm.status_path = {STATUS_PATH}",
        f"pm.status_listen = {layout.status_socket(spec.name, slot)}",
        f"ping.path = {PING_PATH}",
        f"request_terminate_timeout = {spec.request_terminate_timeout_seconds}s",
        f"security.limit_extensions = {' '.join(spec.limit_extensions) or quote('')}",
        "clear_env = yes",
    ]
    for name in sorted(spec.environment):
        try:
            lines.append(environment_line(name, spec.environment[name]))
        except ValueError as error:
            raise SpecError(
                f"Site {spec.name}: environment.{name} can't be given to PHP-FPM: {error}; change the value or set it"
                " in the application."
            ) from error
    return "\n".join(lines) + "\n"


def ini_scan_path(spec: SiteSpec, slot: str | None, layout: Layout) -> str:
    """Return PHP_INI_SCAN_DIR: the folder that is compiled into PHP (the empty element), the site's, the slot's.

    Empty for a site without folders when no slot is named: PHP's own folder alone.
    """
    slots = [f"{layout.config_dir(spec.name, slot)}/ini.d"] if slot else []
    return "".join(f":{folder}" for folder in [*spec.ini_scan_dirs, *slots])


def _publish(spec: SiteSpec, slot: str, layout: Layout) -> list[str]:
    """Return the drop-in's lines that link the socket for web servers, and take the link away.

    Web servers never go through the folder of the site's user: a symlink there would lead them, and scripts of this
    site with them, to another site's socket. What was linked is looked at before it gets its name.
    """
    web, new = layout.web_socket(spec.name, slot), f"{layout.run}/web/.{spec.name}-{slot}.new"
    steps = [
        f"rm -f {new}",
        f"ln -P {layout.socket(spec.name, slot)} {new}",
        f'test "$$(LC_ALL=C stat -c %%F:%%U {new})" = socket:{spec.user}',
        f"mv -T {new} {web}",
    ]
    return [
        f"ExecStartPre=+/usr/bin/install -d -m 0711 {layout.run}/web",
        f"ExecStartPost=+/bin/sh -c '{' && '.join(steps)}'",
        f"ExecStopPost=+/bin/rm -f {web} {new}",
    ]


def drop_in(spec: SiteSpec, slot: str, layout: Layout) -> str:
    """Return what systemd needs to know of this slot beyond the template (systemd.exec(5), systemd.service(5))."""
    name, config = spec.name, layout.config_dir(spec.name, slot)
    ini = f" --php-ini {spec.php_ini}" if spec.php_ini else ""
    lines = [
        f"# {HEADER}",
        "[Service]",
        f"User={spec.user}",
        f"Group={spec.group}",
        f"UMask={spec.umask.zfill(4)}",
        f"Environment=PHP_INI_SCAN_DIR={ini_scan_path(spec, slot, layout)}",
        "# setgid: the socket gets the web server's group; other users can't pass the folder.",
        f"ExecStartPre=+/usr/bin/install -d -m 2710 -o {spec.user} -g {spec.web_group} {layout.run}/{name}-{slot}",
        f"ExecStart=/usr/sbin/php-fpm{spec.php_version} --nodaemonize --fpm-config {config}/fpm.conf{ini}",
        "# Web servers use a link to the socket that only root can replace.",
        *_publish(spec, slot, layout),
        f"TimeoutStopSec={spec.process_control_timeout_seconds + 10}",
        "# The live path is this slot's own for the whole life of its master.",
        f"BindReadOnlyPaths={layout.slot_dir(name, slot)}/ptr:{layout.site_dir(name)}/ptr",
    ]
    if spec.memory_high_bytes is not None:
        lines.append(f"MemoryHigh={spec.memory_high_bytes}")
    if spec.memory_max_bytes is not None:
        lines.append(f"MemoryMax={spec.memory_max_bytes}")
    if "ProtectSystem=strict" in spec.hardening:
        # The folder of the socket is no RuntimeDirectory=, and would be read-only as well. All sockets' folders in one:
        # between two mounts the socket can't be linked to its place for web servers.
        lines.append(f"ReadWritePaths=-{layout.run}")
    return "\n".join([*lines, *spec.hardening]) + "\n"


def needrestart_conf(layout: Layout) -> dict[str, File]:
    """Return the file that keeps needrestart from restarting masters, requests and all, after an update (by path).

    A hash of regex and 0 or 1, added to key by key, as needrestart.conf's own override_rc.
    """
    text = f"# {HEADER}\n# A slot flip gives a site a new master; a restart would cut its requests.\n"
    return {f"{layout.needrestart}/phpops.conf": File(text + "$nrconf{override_rc}{qr(^phpops-fpm\\@)} = 0;\n")}


def template_units(layout: Layout) -> dict[str, File]:
    """Return the two template units that all sites share, by path."""
    master = f"""# {HEADER}
[Unit]
Description=PHP-FPM of site and slot %i
After=network.target
StartLimitIntervalSec=60
StartLimitBurst=10

[Service]
Type=notify
ExecStartPre=+/usr/bin/install -d -m 0755 {layout.run}
# SIGQUIT lets requests in flight end; SIGTERM never does.
KillSignal=SIGQUIT
KillMode=mixed
# The site's own code can signal its master: it comes back.
Restart=always
RestartSec=1
OOMPolicy=continue
"""
    # The $$ are systemd's: its specifiers don't split site and slot, the pointer's target does.
    start = f"phpops-fpm@%i-$$(basename $$(readlink {layout.state}/%i/ptr/live)).service"
    boot = f"""# {HEADER}
[Unit]
Description=Live slot of PHP site %i
After=network.target
Before=apache2.service nginx.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'exec systemctl start {start}'

[Install]
WantedBy=multi-user.target
"""
    return {
        f"{layout.units}/phpops-fpm@.service": File(master),
        f"{layout.units}/phpops-site@.service": File(boot),
    }


def opcache_ini(spec: SiteSpec) -> dict[str, IniValue]:
    """Return OPcache's directives of a slot: the site's, and below a release those for code that never changes.

    SpecError where a directive can't be written for this PHP.
    """
    if spec.release is None:
        return dict(spec.opcache)
    try:
        return {**render_profile("release", spec.php_version), **spec.opcache}
    except SettingsError as error:
        raise SpecError(f"Site {spec.name}: {error}") from error


def render(spec: SiteSpec, slot: str, layout: Layout) -> Rendering:
    """Return everything that makes up one slot of a site; SpecError names what can't be carried."""
    name, config, state = spec.name, layout.config_dir(spec.name, slot), layout.slot_dir(spec.name, slot)
    sockets = (layout.socket(name, slot), layout.status_socket(name, slot), layout.web_socket(name, slot))
    for path in (*sockets, layout.live_socket(name)):
        if len(path.encode()) > MAX_SOCKET_PATH_BYTES:
            raise SpecError(f"Site {name}: the socket {path} is longer than 107 bytes; give a shorter name.")
    try:
        ini = ini_text(f"Site {name}.", spec.ini)
        opcache = ini_text(f"OPcache of site {name}: real only where the master starts with it.", opcache_ini(spec))
    except ValueError as error:
        raise SpecError(f"Site {name}: {error}.") from error
    stored = json.dumps(spec.as_dict(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    release = {f"{state}/release": spec.release.path} if spec.release else {}
    return Rendering(
        files={
            f"{config}/site.json": File(stored, 0o600),
            f"{config}/fpm.conf": File(fpm_conf(spec, slot, layout), 0o640, grouped=True),
            f"{config}/ini.d/20-site.ini": File(ini, 0o640, grouped=True),
            f"{config}/ini.d/30-opcache.ini": File(opcache, 0o640, grouped=True),
            layout.drop_in(name, slot): File(drop_in(spec, slot, layout)),
        },
        links={
            f"{state}/docroot": spec.document_root,
            **release,
            f"{state}/php.sock": layout.web_socket(name, slot),
            f"{state}/site.json": f"{config}/site.json",
            f"{state}/ptr/live": f"../slots/{slot}",
        },
    )


def redacted(text: str) -> str:
    """Return fpm.conf or site.json for a diff: values of environment variables and of request headers are not shown."""
    text = re.sub(r"(?m)^(env\[\w+\] = ).*$", r"\1(hidden)", text)
    return re.sub(r'(?ms)^( +)"(?:environment|headers)": \{\n.*?^\1\}', _hidden, text)


def _hidden(block: re.Match[str]) -> str:
    return re.sub(r'(?m)^( +"[\w-]+": )(?!\{$).*?(,?)$', r"\1(hidden)\2", block.group())
