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

# Not missing: systemd would take the first boot for an installation and enable every unit anew.
: >"$1/etc/machine-id"
rm -f "$1/usr/sbin/policy-rc.d" "$1"/var/cache/apt/*.bin
rm -rf "$1"/var/lib/apt/lists/*
