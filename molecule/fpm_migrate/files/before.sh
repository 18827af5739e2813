#!/bin/sh
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Keeps the pages and Apache's files as they are before the migration.
set -eu
mkdir /root/before
page() { curl --silent --show-error --output "/root/before/$1" --write-out '%{http_code}\n' "$2" > "/root/before/$1.status"; }
page wiki 'http://wiki.example.test/index.php?title=Main_Page'
page docs http://docs.example.test/doku.php
page app 'http://app.example.test/index.php?ini=memory_limit,session.name,sendmail_path,error_log&env=APP_ENV,APP_TITLE,APP_CACHE,APP_REGION,PATH'
page phtml http://app.example.test/page.phtml
page double http://app.example.test/p.php.de
page missing http://app.example.test/missing.php
page css http://app.example.test/style.css
page broken http://broken.example.test/index.php
cp -a /etc/apache2 /root/before/apache2
for unit in /lib/systemd/system/php*-fpm.service; do
    unit=$(basename "$unit")
    echo "$unit $(systemctl is-active "$unit" || true) $(systemctl is-enabled "$unit" || true)"
done > /root/before/units
