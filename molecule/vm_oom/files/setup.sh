#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Sets the machine up in one go: a task each would take minutes on an emulated processor.
set -euo pipefail

useradd --system shop
install -d /srv/sites /srv/shop /etc/systemd/system/{apache2,php8.2-fpm}.service.d
# Each eater notes its process here, whoever it runs as.
install -d -m 1777 /run/vm-oom
install -m 0666 /dev/null /run/vm-oom/eaters

for folder in /srv/sites /srv/shop; do
    echo '<?php echo PHP_SAPI;' >"$folder/page.php"
    cat >"$folder/eat.php" <<'END'
<?php
// Takes memory until the kernel ends this process, and notes its id first. The time limit would end it before that.
set_time_limit(0);
ini_set('memory_limit', '-1');
file_put_contents('/run/vm-oom/eaters', getmypid() . "\n", FILE_APPEND);
for ($held = []; ; ) {
    $held[] = str_repeat('x', 1 << 20);
}
END
done

cat >/srv/ask.py <<'END'
"""Asks pages of this host in turn until a file appears; prints how often each answered and how often it did not.

python3 ask.py STOP-FILE HOST...
"""

import http.client
import json
import sys
import time
from pathlib import Path

stop, hosts = Path(sys.argv[1]), sys.argv[2:]
counts = {host: {"answered": 0, "failed": 0, "slowest_seconds": 0.0, "errors": []} for host in hosts}
while not stop.exists():
    for host in hosts:
        begun = time.monotonic()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", timeout=30)
            connection.request("GET", "/page.php", headers={"Host": host})
            answer = connection.getresponse()
            problem = "" if answer.status == 200 and b"fcgi" in answer.read() else f"status {answer.status}"
            connection.close()
        except (OSError, http.client.HTTPException) as error:
            problem = repr(error)
        count = counts[host]
        count["failed" if problem else "answered"] += 1
        count["errors"] += [problem] if problem else []
        count["slowest_seconds"] = max(count["slowest_seconds"], round(time.monotonic() - begun, 3))
    time.sleep(0.05)
print(json.dumps(counts))
END

# PHP's memory is huge pages otherwise, and the kernel gives those back a moment after it takes the process for gone: who asks
# for memory in between loses the next largest process. An emulated processor makes milliseconds of that moment.
echo never >/sys/kernel/mm/transparent_hugepage/enabled

# Two sites on php-cgi, two pools of the distribution's PHP-FPM master, and one site with a master of its own.
cat >/etc/apache2/sites-available/000-default.conf <<'END'
FcgidMinProcessesPerClass 0
FcgidMaxProcessesPerClass 2
# The default score would keep a site waiting after its process was killed.
FcgidSpawnScoreUpLimit 1000
# php-cgi ends after 500 requests, and a request that mod_fcgid sends it then is answered 500.
FcgidMaxRequestsPerProcess 200
<Directory /srv>
    Options +ExecCGI
    Require all granted
</Directory>
<VirtualHost *:80>
    ServerName cgi.test
    DocumentRoot /srv/sites
    <Directory /srv/sites>
        SetHandler fcgid-script
        FcgidWrapper /usr/bin/php-cgi .php
    </Directory>
</VirtualHost>
<VirtualHost *:80>
    ServerName other-cgi.test
    DocumentRoot /srv/sites
    <Directory /srv/sites>
        SetHandler fcgid-script
        FcgidWrapper /usr/bin/php-cgi .php
    </Directory>
</VirtualHost>
<VirtualHost *:80>
    ServerName fpm.test
    DocumentRoot /srv/sites
    <FilesMatch "\.php$">
        SetHandler "proxy:unix:/run/php/www.sock|fcgi://www"
    </FilesMatch>
</VirtualHost>
<VirtualHost *:80>
    ServerName other-fpm.test
    DocumentRoot /srv/sites
    <FilesMatch "\.php$">
        SetHandler "proxy:unix:/run/php/other.sock|fcgi://other"
    </FilesMatch>
</VirtualHost>
<VirtualHost *:80>
    ServerName shop.test
    DocumentRoot /srv/shop
    <FilesMatch "\.php$">
        SetHandler "proxy:unix:/var/lib/phpops/shop/ptr/live/php.sock|fcgi://shop"
    </FilesMatch>
</VirtualHost>
END
a2enmod --quiet proxy_fcgi

cat >/etc/php/8.2/fpm/pool.d/www.conf <<'END'
[www]
user = www-data
group = www-data
listen = /run/php/www.sock
listen.owner = www-data
pm = static
pm.max_children = 1

[other]
user = www-data
group = www-data
listen = /run/php/other.sock
listen.owner = www-data
pm = static
pm.max_children = 2
END
printf '%s\n' opcache.memory_consumption=8 opcache.interned_strings_buffer=2 opcache.jit=disable |
    tee /etc/php/8.2/cgi/conf.d/99-small.ini >/etc/php/8.2/fpm/conf.d/99-small.ini

# Memory runs out for one service at a time: the kernel kills within a second, where a host that thrashes takes a minute. Its
# OOM killer and systemd's answer are the same.
printf '%s\n' '[Service]' MemoryMax=96M >/etc/systemd/system/apache2.service.d/20-limit.conf
printf '%s\n' '[Service]' MemoryMax=64M >/etc/systemd/system/php8.2-fpm.service.d/20-limit.conf
# Debian's own unit has "continue": this is what systemd does by itself.
printf '%s\n' '[Service]' OOMPolicy=stop >/etc/systemd/system/apache2.service.d/10-stop.conf
systemctl daemon-reload
systemctl restart php8.2-fpm apache2
