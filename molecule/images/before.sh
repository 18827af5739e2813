#!/bin/sh
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs when the essential packages are in; $1 is the image's root, $2 the folder of this file.
set -eu

# No package may start a daemon while the image is built.
printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
chmod 0755 "$1/usr/sbin/policy-rc.d"
grep -v '^#' "$2/debconf.txt" | chroot "$1" debconf-set-selections
