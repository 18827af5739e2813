# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A roll from one PHP version to another, on the host that has both."""

from __future__ import annotations

import json

from killing import left_over

ONLY_ON = "debian13"


def test_a_roll_to_another_php_version(app):
    seen = []
    with app.load(clients=4) as load:
        load.wait_for(20)
        for version in ("8.2", "8.4"):
            run = app.roll(deploy_site=app.site(php_version=version))
            assert run.rc == 0, run.output
            load.wait_for(20)
            seen.append(app.who()["php"])
    print(json.dumps({"versions": seen, "load": load.result}))
    assert [version[:4] for version in seen] == ["8.2.", "8.4."]
    assert load.bad() == {}, load.result
    assert left_over(app, app.clean) == {}
