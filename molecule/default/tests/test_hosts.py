# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test hosts are real ones: systemd boots, Apache serves, mod_fcgid runs PHP."""

from __future__ import annotations


def test_systemd_is_running_and_no_unit_failed(host):
    assert host.check_output("systemctl is-system-running") == "running"


def test_no_package_of_ansible_is_there(host):
    assert host.run("python3 -c 'import yaml'").rc != 0


def test_policy_rc_d_is_gone(host):
    assert not host.file("/usr/sbin/policy-rc.d").exists


def test_apache_runs_php_through_mod_fcgid(host):
    modules = host.check_output("apachectl -M 2>/dev/null")
    assert "fcgid_module" in modules
    assert "mpm_event_module" in modules
    assert "php_module" not in modules
    host.run_expect(
        [0],
        "install -d /srv/fcgid && printf '<?php echo PHP_SAPI, posix_getuid();' >/srv/fcgid/index.php && "
        "printf 'Alias /fcgid /srv/fcgid\n<Directory /srv/fcgid>\nOptions +ExecCGI\nRequire all granted\n"
        "SetHandler fcgid-script\nFcgidWrapper /usr/bin/php-cgi .php\n</Directory>\n' "
        ">/etc/apache2/conf-enabled/fcgid-test.conf && systemctl reload apache2",
    )
    body = host.check_output("curl --silent --retry 5 --retry-all-errors http://localhost/fcgid/index.php")
    host.run_expect([0], "rm /etc/apache2/conf-enabled/fcgid-test.conf && systemctl reload apache2")
    assert body == "cgi-fcgi" + host.check_output("id -u www-data")


def test_postdrop_is_setgid(host):
    postdrop = host.file("/usr/sbin/postdrop")
    assert postdrop.group == "postdrop"
    assert postdrop.mode & 0o2000


def test_nginx_is_installed_but_off(host):
    assert host.package("nginx-light").is_installed or host.package("nginx").is_installed
    assert not host.service("nginx").is_enabled
    assert not host.service("nginx").is_running
