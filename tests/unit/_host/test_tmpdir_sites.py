# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets a folder: slots, php-cgi and Apache of a played host."""

from __future__ import annotations

import grp
import os
import pwd
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import TmpdirError
from ansible_collections.phpops.webhost.plugins.module_utils._host import tmpdir_sites
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache import ApacheUnavailable
from ansible_collections.phpops.webhost.tests.unit._host.played_host import GROUP, USER, Fleet, fleet

__all__ = ["fleet"]

SELF = pwd.getpwuid(os.getuid()).pw_name


def facts(**more: Any) -> dict[str, Any]:
    site = {"site": "app", "name": "app.example.test", "user": SELF, "group": GROUP, "php": {"method": "fcgid_wrapper"}}
    others = [
        {**site, "site": name, "name": name, "php": {"method": method}}
        for name, method in (("m", "mod_php"), ("p", "proxy_fcgi"))
    ]
    return {"apache": {"user": SELF, "group": GROUP}, "sites": [{**site, **more}, *others]}


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tmpdir_sites.tmpdir, "sharers", lambda *_given: [])


def test_slots_php_cgi_and_apache(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tmpdir_sites, "APACHE", "/bin/sh")
    fleet.run(options={**fleet.new(), "memory_max_bytes": 1 << 28})
    found = tmpdir_sites.find("shm", [], 1 << 26, facts(suexec=True), True, fleet.layout)
    assert [(one.site, one.kind, one.user, one.suexec, one.memory_max_bytes) for one in found] == [
        ("app", "php_cgi", SELF, True, None),
        ("wiki", "fpm", USER, False, 1 << 28),
        (".apache2", "web_server", SELF, False, None),
    ]
    assert {one.gid for one in found} == {grp.getgrnam(GROUP).gr_gid}
    assert tmpdir_sites.there(facts(), fleet.layout) == ["app", "wiki"]


def test_named_sites_with_sizes_of_their_own(fleet: Fleet) -> None:
    fleet.first()
    named = [{"name": "app.example.test", "size_bytes": 1 << 20}]
    (one,) = tmpdir_sites.find("own", named, 1 << 26, facts(), False, fleet.layout)
    assert (one.site, one.path, one.size_bytes) == ("app", "/var/lib/phpops-tmp/app", 1 << 20)
    (one,) = tmpdir_sites.find("shm", named, 1 << 26, facts(), False, fleet.layout)
    assert one.size_bytes == 1 << 26
    with pytest.raises(TmpdirError, match="shop is neither a site with slots nor one on php-cgi"):
        tmpdir_sites.find("shm", [{"name": "shop"}], 1 << 26, facts(), False, fleet.layout)


def test_an_account_that_is_not_there_and_a_shared_group_are_refused(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TmpdirError, match=r"Site app: .*no-such-user.*create the account"):
        tmpdir_sites.find("shm", [], 1, facts(user="no-such-user"), False, fleet.layout)
    monkeypatch.setattr(tmpdir_sites.tmpdir, "sharers", lambda *_given: ["other"])
    with pytest.raises(TmpdirError, match="is also the group of other"):
        tmpdir_sites.find("shm", [], 1, facts(), False, fleet.layout)
    assert tmpdir_sites.find("own", [], 1, facts(), False, fleet.layout)[0].site == "app"


def test_a_host_without_apache_and_one_that_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tmpdir_sites, "APACHE", "/no/apache2")
    assert tmpdir_sites.php_sites(lambda _words: (0, "", ""))["available"] is False
    monkeypatch.setattr(tmpdir_sites, "APACHE", "/bin/sh")

    def fail(_run: object) -> None:
        raise ApacheUnavailable("Apache is broken.")

    monkeypatch.setattr(tmpdir_sites, "read_apache", fail)
    with pytest.raises(TmpdirError, match="Apache is broken"):
        tmpdir_sites.php_sites(lambda _words: (0, "", ""))
