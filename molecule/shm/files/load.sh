#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Asks 11 pages at a time of php-fpm, then of php-cgi; ends with 0 when 11 php-cgi run.
set -euo pipefail
for way in fpm cgi; do
    seq 22 | xargs -P 11 -I N curl --silent --fail --output /dev/null "http://localhost/$way/index.php?ms=1500&n=N"
done
[ "$(pgrep -c php-cgi)" -eq 11 ]
