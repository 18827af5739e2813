# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sites are like after the move, seen by a visitor, by their own PHP and by the kernel."""

from __future__ import annotations

import json
import re

import pytest

CHANGING = re.compile(
    r'"wgRequestId":"[^"]*"|"wgBackendResponseTime":\d+|<!--[\s\S]*?-->|taskrunner\.php[^"]*'
    r'|name="sectok" value="[^"]*"|(?:cgi|fpm)-fcgi'
)


@pytest.mark.parametrize("page", ["broken", "css", "docs", "double", "missing", "phtml", "wiki"])
def test_every_page_is_as_before(moved, page):
    status, body = moved.curl(moved.pages[page])
    old_status, old_body = moved.before(page)
    assert status == old_status
    assert CHANGING.sub("", body.rstrip()) == CHANGING.sub("", old_body.rstrip())


def test_the_application_runs_as_before(moved):
    query = "ini=memory_limit,session.name,sendmail_path,error_log&env=APP_ENV,APP_TITLE,APP_CACHE,APP_REGION,PATH"
    now = moved.app(query)
    old = json.loads(moved.before("app")[1])
    assert (old["sapi"], now["sapi"]) == ("cgi-fcgi", "fpm-fcgi")
    same = ("user", "uid", "gid", "umask", "ini", "env", "document_root", "script_filename", "script_name", "path_info",
            "request_uri", "temporary", "version")  # fmt: skip
    assert {key: now[key] for key in same} == {key: old[key] for key in same}
    assert now["ini"]["memory_limit"] == "96M"
    assert now["env"]["APP_TITLE"] == 'Words with "quotes", 100% $plain'


@pytest.mark.parametrize(("site", "user"), [("app", "www-data"), ("docs", "web1"), ("wiki", "wiki")])
def test_each_site_has_a_master_of_its_own_and_its_own_user(moved, site, user):
    unit = moved.run(f"basename $(readlink /var/lib/phpops/{site}-example-test/ptr/live)").strip()
    pid = moved.run(f"systemctl show --value -p MainPID phpops-fpm@{site}-example-test-{unit}.service")
    assert moved.run(f"ps -o user= -p {pid}").strip() == user
    workers = moved.run(f"ps -o user= --ppid {pid} || true").split()
    assert set(workers) <= {user}


@pytest.mark.parametrize("site", ["app", "docs", "wiki"])
def test_each_site_has_one_segment_of_the_size_asked(moved, site):
    slug = f"{site}-example-test"
    asked = moved.run(f"sed -n 's/^opcache.memory_consumption = //p' /etc/phpops/{slug}/*/ini.d/30-opcache.ini")
    unit = moved.run(f"basename $(readlink /var/lib/phpops/{slug}/ptr/live)")
    pid = moved.run(f"systemctl show --value -p MainPID phpops-fpm@{slug}-{unit}.service")
    maps = moved.run(f"cat /proc/{pid}/maps")
    sizes = [
        int(match.group(2), 16) - int(match.group(1), 16)
        for match in re.finditer(r"^(\w+)-(\w+) rw-s \S+ \S+ \d+ +/dev/zero", maps, re.MULTILINE)
    ]
    assert max(sizes) == int(asked) * 1024 * 1024
    assert len([size for size in sizes if size >= 8 * 1024 * 1024]) == 1


def test_no_php_cgi_is_left_but_that_of_the_site_that_stayed(moved):
    moved.curl(moved.pages["broken"])
    assert {line.split()[1] for line in moved.php_cgi()} <= {"/usr/bin/php-cgi8.2", "/usr/bin/php-cgi8.4"}
    users = set(moved.run("ps -C php-cgi8.2,php-cgi8.4,php-cgi -o user= || true").split())
    assert users == {"wiki"}
    assert all("memory_limit" not in line and "upload_tmp_dir" not in line for line in moved.php_cgi())


def test_the_site_that_fpm_cannot_start_is_served_by_php_cgi(moved):
    assert moved.curl(moved.pages["broken"]) == (200, "served by cgi-fcgi\n")
    assert moved.run("find /run/phpops -type d -name 'broken*'") == ""


def test_another_sites_user_cannot_open_the_socket(moved):
    socket = "/var/lib/phpops/wiki-example-test/ptr/live/php.sock"
    connect = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect('{socket}')"
    refused = moved.host.run(f'runuser -u web1 -- python3 -c "{connect}"')
    assert refused.rc == 1
    assert "PermissionError" in refused.stderr
    assert moved.host.run(f'runuser -u www-data -- python3 -c "{connect}"').rc == 0


def test_a_php_file_with_a_second_extension_is_never_sent_as_source(moved):
    moved.run("cp /var/www/app/public/p.php.de /var/www/app/public/new.php.fr")
    status, body = moved.curl("http://app.example.test/new.php.fr")
    moved.run("rm /var/www/app/public/new.php.fr")
    assert (status, "<?php" in body) == (403, False)


def test_a_missing_page_starts_no_php_cgi(moved):
    before = moved.php_cgi()
    assert moved.curl("http://app.example.test/none.php/x") == (404, "the application's own page for what is missing")
    assert moved.curl("http://docs.example.test/none.php")[0] == 404
    assert moved.php_cgi() == before


def test_mail_goes_through_the_setgid_postdrop(moved):
    status, body = moved.curl("http://app.example.test/mail.php?id=moved-1")
    assert status == 200, body
    moved.run("for n in $(seq 50); do grep -q moved-1 /var/mail/root 2>/dev/null && break; sleep 0.2; done")
    assert "test moved-1" in moved.run("cat /var/mail/root")


def test_the_wiki_has_its_own_php_ini(moved):
    moved.run("echo '<?php echo ini_get(\"upload_max_filesize\"), php_ini_loaded_file();' > /var/lib/mediawiki/ini.php")
    answer = moved.curl("http://wiki.example.test/ini.php")
    moved.run("rm /var/lib/mediawiki/ini.php")
    assert answer[0] == 200
    assert re.fullmatch(r"24M/var/www/wiki/etc/php8\.\d/php\.ini", answer[1])


def test_authorization_is_hidden_as_before(moved):
    moved.run("echo '<?php echo json_encode(isset($_SERVER[\"HTTP_AUTHORIZATION\"]));' > /var/www/app/public/auth.php")
    answer = moved.curl("http://app.example.test/auth.php", "--user", "a:b")
    moved.run("rm /var/www/app/public/auth.php")
    assert answer == (200, "false")


def test_the_distributions_own_master_is_stopped(moved):
    before, now = moved.units()
    assert [states for _unit, *states in before] == [["active", "enabled"]]
    assert [states for _unit, *states in now] == [["inactive", "disabled"]]


def test_failures_are_told_although_their_tasks_are_hidden(moved, play):
    said = play(moved.name, status=2, fpm_migrate_sites=["none.example.test"])
    assert "Nothing was changed. There is no site 'none.example.test' in this host's Apache" in said
    wrong = {"name": "none", "environment": {"DB_PASSWORD": "open-sesame-4711"}}
    said = play(moved.name, "site", 2, fpm_site_sites=[wrong], fpm_site_install_packages=False)
    assert "none: Site none" in said


def test_no_secret_is_in_the_journal(moved):
    journal = moved.run("journalctl --quiet --no-pager")
    assert "phpops.webhost.memory_budget_info" in journal
    assert "phpops.webhost.migration_plan_info" not in journal
    assert [secret for secret in moved.secrets if secret in journal] == []


def test_a_certificate_that_would_end_apache_is_refused(moved):
    moved.run("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -keyout /root/x.key -out /root/x.crt 2>&1")
    moved.run(
        "printf '<VirtualHost *:443>\\nServerName x.example.test\\nSSLEngine on\\nSSLCertificateFile /root/x.crt\\n"
        "SSLCertificateKeyFile /etc/ssl/private/ssl-cert-snakeoil.key\\n</VirtualHost>\\n'"
        " > /etc/apache2/sites-enabled/zz.conf"
    )
    parent = moved.run("cat /run/apache2/apache2.pid")
    before = moved.run("sha256sum /etc/apache2/sites-available/*")
    assert moved.host.run("apache2ctl -t").rc == 0
    arguments = json.dumps({"state": "absent", "names": ["docs.example.test"]})
    said = moved.host.ansible("phpops.webhost.site_handlers", arguments, check=False)
    moved.run("rm /etc/apache2/sites-enabled/zz.conf")
    assert "A reload would end Apache; nothing was changed: The certificate /root/x.crt" in said["msg"]
    assert moved.run("sha256sum /etc/apache2/sites-available/*") == before
    assert moved.run("cat /run/apache2/apache2.pid") == parent
    assert moved.host.file(f"/proc/{parent}").exists
