#!/bin/sh
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# A site under mod_fcgid whose php-cgi have segments of 64 MiB, on a kernel that may promise little memory.
# In one file: each task costs seconds on a machine without KVM.
set -eu
mkdir -p /srv/shop/public
echo "<?php usleep(300000); echo 'served by ', PHP_SAPI;" >/srv/shop/public/index.php
echo static >/srv/shop/public/static.txt
cat >/srv/shop/php-wrapper <<'END'
#!/bin/sh
exec /usr/bin/php-cgi -d opcache.memory_consumption=64 -d opcache.jit=disable
END
chmod 0755 /srv/shop/php-wrapper
cat >/etc/apache2/sites-enabled/shop.conf <<'END'
ServerName localhost
# As many processes from the start as there are at the most: none has to be forked once memory is short.
StartServers 32
MinSpareServers 32
MaxSpareServers 40
MaxRequestWorkers 40
FcgidMinProcessesPerClass 0
FcgidMaxProcessesPerClass 60
FcgidSpawnScoreUpLimit 1000
# Those that have a segment keep it, however long the diagnosis takes; and a slow machine is no reason to fail.
FcgidIdleTimeout 3600
FcgidProcessLifeTime 0
FcgidConnectTimeout 60
FcgidIOTimeout 600
FcgidBusyTimeout 600
<VirtualHost *:80>
    ServerName shop.example.test
    DocumentRoot /srv/shop/public
    <Directory /srv/shop/public>
        Options +ExecCGI
        Require all granted
        AddHandler fcgid-script .php
        FcgidWrapper /srv/shop/php-wrapper .php
    </Directory>
</VirtualHost>
END
sysctl --quiet vm.overcommit_memory=0
# What the site does not need would make each start of PHP slow.
phpdismod ALL
phpenmod opcache
a2dismod --quiet --force mpm_event
a2enmod --quiet mpm_prefork
systemctl stop php8.2-fpm
systemctl restart apache2
for _turn in $(seq 100); do
    [ "$(pgrep -c apache2)" -lt 34 ] || break
    sleep 0.2
done

# What is promised now, six php-cgi (a segment of 64 MiB and 9 MiB of their own each), and 50 MiB: less than one more
# segment. On a stock kernel this is what comes nearest to the limit of an OpenVZ container.
promised=$(awk '/^Committed_AS:/ {print $2}' /proc/meminfo)
sysctl --quiet vm.admin_reserve_kbytes=8192 vm.user_reserve_kbytes=0
sysctl --quiet vm.overcommit_kbytes=$((promised + (6 * 73 + 50) * 1024)) vm.overcommit_memory=2
