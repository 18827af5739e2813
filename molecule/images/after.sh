#!/bin/sh
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs when all packages are in; $1 is the image's root.
set -eu

chroot "$1" a2enmod --quiet actions fcgid rewrite ssl suexec
# The scenarios place the applications where they want them (dokuwiki: by its debconf answer).
chroot "$1" a2disconf --quiet mediawiki
chroot "$1" systemctl --quiet disable nginx.service
# A container has no console, no disks to trim and no network of its own to set up.
chroot "$1" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer console-getty.service \
    e2scrub_all.timer e2scrub_reap.service fstrim.timer getty@tty1.service getty.target systemd-udevd.service \
    systemd-logind-varlink.socket systemd-networkd-wait-online.service

# What the deploy scenarios install later, without a network: needrestart, OPcache's package once more (as an update
# of it would), and beside PHP 8.4 the PHP of the Debian before.
root=$1
packages=/var/cache/phpops
mkdir -p "$root$packages/partial"
apt() {
    chroot "$root" apt-get --quiet=2 --yes -o APT::Sandbox::User=root -o "Dir::Cache::archives=$packages" "$@"
}
apt install --download-only --no-install-recommends needrestart
for opcache in "$root"/var/lib/dpkg/info/php8.*-opcache.list; do
    apt install --download-only --reinstall "$(basename "$opcache" .list)"
done
if [ -d "$root/etc/php/8.4" ]; then
    sources=/etc/apt/sources.list.d/bookworm.list
    sed -n 's/ trixie main/ bookworm main/p' "$root/etc/apt/sources.list" >"$root$sources"
    apt update
    # Not installed by apt: php-common of Debian 13 refuses to be beside them.
    chroot "$root" sh -c "cd $packages && apt-get --quiet=2 -o APT::Sandbox::User=root download \
        php8.2-common php8.2-fpm php8.2-opcache"
    rm "$root$sources"
fi
rm -rf "$root$packages/partial" "$root$packages/lock"

# Not missing: systemd would take the first boot for an installation and enable every unit anew.
: >"$1/etc/machine-id"
rm -f "$1/usr/sbin/policy-rc.d" "$1"/var/cache/apt/*.bin
rm -rf "$1"/var/lib/apt/lists/*
