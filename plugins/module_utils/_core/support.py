# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Which hosts the collection changes; facts modules run everywhere."""

from __future__ import annotations

import re

PHP_OF_DEBIAN = {"12": "8.2", "13": "8.4"}
# Either may be installed beside Debian's own, from another source of packages.
PHP_VERSIONS = ("8.2", "8.4")


def parse_os_release(text: str) -> dict[str, str]:
    """Return the variables of an os-release file, unquoted (os-release(5)); lines of another form are passed over."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"""^([A-Z0-9_]+)=(["']?)(.*)\2\s*$""", line)
        if match:
            found[match.group(1)] = match.group(3)
    return found


def check_support(
    os_release_text: str | None,
    selinux_enforce: str | None = None,
    apparmor_profiles: str | None = None,
    php_version: str | None = None,
    systemd: bool = True,
) -> str | None:
    """Return None where the collection may change the host, else one sentence that says why it won't.

    os_release_text: /etc/os-release. selinux_enforce: /sys/fs/selinux/enforce ("1" is enforcing), None without SELinux.
    apparmor_profiles: /sys/kernel/security/apparmor/profiles, one "name (mode)" a line, None where it can't be read.
    php_version: the version that is wanted, None when it doesn't matter. systemd: whether it is the host's init.
    """
    release = parse_os_release(os_release_text or "")
    version = release.get("VERSION_ID", "")
    if release.get("ID") != "debian" or version not in PHP_OF_DEBIAN:
        name = release.get("PRETTY_NAME") or "an unknown system (no readable /etc/os-release)"
        return f"This host runs {name}; phpops.webhost changes Debian 12 and 13 only."
    if php_version is not None and php_version not in PHP_VERSIONS:
        return (
            f"PHP {php_version} is none of {', '.join(PHP_VERSIONS)}, which phpops.webhost changes;"
            f" set php_version to {PHP_OF_DEBIAN[version]}, the PHP of Debian {version}."
        )
    if not systemd:
        return "systemd is not this host's init (there is no /run/systemd/system); phpops.webhost needs it."
    if (selinux_enforce or "").strip() == "1":
        return (
            "SELinux is enforcing (/sys/fs/selinux/enforce is 1), and phpops.webhost has no policy for it;"
            " set it to permissive first."
        )
    for line in (apparmor_profiles or "").splitlines():
        match = re.match(r"^(.*php-?(?:fpm|\d[\d.]*-fpm).*) \((\w+)\)$", line)
        if match and match.group(2) != "unconfined":
            return (
                f"AppArmor has the profile {match.group(1)} ({match.group(2)}) on PHP-FPM,"
                " and phpops.webhost doesn't change it; unload it with aa-disable first."
            )
    return None


def no_php(site: str, php_version: str) -> str:
    """Return that a host has no PHP-FPM of the version that a site needs; the role deploy may install it."""
    return f"Site {site}: there is no /usr/sbin/php-fpm{php_version}; install php{php_version}-fpm."
