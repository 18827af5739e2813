# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.support import check_support
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal

DEBIAN12 = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n'
DEBIAN13 = "ID=debian\nVERSION_ID='13'\n"
UBUNTU = 'PRETTY_NAME="Ubuntu 24.04"\nVERSION_ID="24.04"\nID=ubuntu\n'


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((DEBIAN12,), None),
        ((DEBIAN12, "0\n", "sbin/dhclient (enforce)\n", "8.2"), None),
        ((DEBIAN13, None, "php-fpm (unconfined)\n", "8.4"), None),
        ((UBUNTU,), "Ubuntu 24.04; phpops"),
        (("ID=debian\nVERSION_ID=11\n",), "changes Debian 12 and 13 only"),
        ((None,), "no readable /etc/os-release"),
        ((DEBIAN12, None, None, "8.4"), None),
        ((DEBIAN13, None, None, "8.2"), None),
        ((DEBIAN12, None, None, "8.3"), "set php_version to 8.2"),
        ((DEBIAN12, None, None, None, False), "systemd is not"),
        ((DEBIAN12, "1"), "SELinux is enforcing"),
        ((DEBIAN12, None, "ntpd (enforce)\nphp-fpm (enforce)\n"), "profile php-fpm (enforce)"),
        ((DEBIAN12, None, "/usr/sbin/php-fpm8.2 (complain)"), "aa-disable"),
    ],
)
def test_support(arguments: tuple[object, ...], expected: str | None) -> None:
    said = check_support(*arguments)  # type: ignore[arg-type]
    if expected is None:
        assert said is None
    else:
        assert said is not None and expected in said


def test_the_host_is_read(tmp_path: Path) -> None:
    assert "no readable" in (refusal(root=str(tmp_path)) or "")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(DEBIAN13)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert refusal("8.4", str(tmp_path)) is None
    (tmp_path / "sys/fs/selinux").mkdir(parents=True)
    (tmp_path / "sys/fs/selinux/enforce").write_text("1")
    assert "SELinux" in (refusal("8.4", str(tmp_path)) or "")
