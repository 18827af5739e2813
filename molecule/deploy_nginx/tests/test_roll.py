# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A roll: a new master for the release that is live."""

from __future__ import annotations

from killing import left_over

LIGHT = {"clients": 4}


def test_a_roll_gives_the_live_release_a_new_master(app):
    release, ids, old = app.release_id(), app.ids(), app.who()
    with app.load(**LIGHT) as load:
        load.wait_for(20)
        run = app.roll()
        load.wait_for(20)
    assert run.rc == 0, run.output
    assert load.bad() == {}, load.result
    new = app.who()
    assert new["master"] != old["master"]
    assert (app.release_id(), new["release"]) == (release, old["release"])
    # A roll builds no release; it may remove one that a killed deploy left.
    assert set(app.ids()) <= set(ids)
    assert left_over(app, app.clean) == {}
