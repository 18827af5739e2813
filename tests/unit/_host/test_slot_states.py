# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot_facts import slot_states


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """Two sites: blog, whose live slot is blue, and wiki, whose pointer is broken. No site has a green slot yet."""
    for site, target in (("blog", "../slots/blue"), ("wiki", "../slots/red")):
        (tmp_path / site / "ptr").mkdir(parents=True)
        (tmp_path / site / "slots" / Path(target).name).mkdir(parents=True)
        (tmp_path / site / "ptr" / "live").symlink_to(target)
    layout = Layout(state=str(tmp_path), units=str(tmp_path / "units"))
    for site in ("blog", "wiki"):
        drop_in = Path(layout.drop_in(site, "blue"))
        drop_in.parent.mkdir(parents=True)
        drop_in.touch()
    return layout


def test_all_slots_that_there_are_cost_one_question(layout: Layout) -> None:
    asked = []

    def run(words: list[str]) -> tuple[int, str, str]:
        asked.append(words)
        units = words[words.index("--") + 1 :]
        states = ["active" if unit == "phpops-fpm@blog-blue.service" else "inactive" for unit in units]
        return 0, "\n".join(f"ActiveState={state}\n" for state in states), ""

    blog, wiki = slot_states(run, layout)
    assert len(asked) == 1
    # systemd would complain of units that nobody has made.
    assert not any("green" in word for word in asked[0])
    assert (blog["name"], blog["live_slot"], blog["reason"]) == ("blog", "blue", None)
    assert blog["slots"] == {"blue": {"active": True}, "green": {"active": False}}
    assert blog["lease"] is None
    assert wiki["live_slot"] is None
    assert "which is no slot" in wiki["reason"]


def test_a_systemd_that_does_not_tell_leaves_the_pointers(layout: Layout) -> None:
    blog, _wiki = slot_states(lambda _words: (1, "", "Failed to connect to bus"), layout)
    assert (blog["live_slot"], blog["slots"]["blue"]["active"]) == ("blue", None)
    assert "Failed to connect to bus" in blog["reason"]


def test_a_host_without_sites_asks_nobody(tmp_path: Path) -> None:
    def run(_words: list[str]) -> tuple[int, str, str]:
        raise AssertionError

    assert slot_states(run, Layout(state=str(tmp_path))) == []
