# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollbacks to releases that are not warm: twice goes back two, and beyond the first there is none."""

from __future__ import annotations

from killing import left_over

# One host is enough: nothing of it is the release's, and both have much to do.
ONLY_ON = "debian13"


def test_two_rollbacks_go_back_two_releases_and_a_third_says_that_there_is_none(app):
    names = [app.next()]
    app.deploy(names[0])
    with app.load(clients=4) as load:
        load.wait_for(20)
        for _turn in range(2):
            names.append(app.next())
            # The live one and two old ones are left: there is no history beyond them.
            app.deploy(names[-1], deploy_releases_keep=2)
        assert app.names_there() == sorted(names)
        for wanted in (names[1], names[0]):
            run = app.rollback()
            assert run.rc == 0, run.output
            assert app.release() == wanted
            assert app.curl("work.php") == f"main={wanted} late={wanted}"
            load.wait_for(20)
        live, pid = app.live(), app.who()["master"]
        third = app.rollback()
        load.wait_for(20)
    assert load.bad() == {}, load.result
    assert third.rc != 0
    print(third.reasons)
    assert (app.live(), app.release(), app.who()["master"]) == (live, names[0], pid)
    assert left_over(app, app.clean) == {}
