# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import multiprocessing
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host import lease

FORK = multiprocessing.get_context("fork")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(state=f"{tmp_path}/state", config=f"{tmp_path}/etc", run=f"{tmp_path}/run", units=f"{tmp_path}/units")


def _take(layout: Layout, deploy_id: str = "d1", seconds: float = 60.0, **more: Any) -> lease.Taken:
    return lease.take("wiki", deploy_id, f"holder of {deploy_id}", "deploy", seconds, layout, **more)


def _file(layout: Layout) -> Path:
    return Path(lease.path("wiki", layout))


def _stored(layout: Layout) -> Any:
    return json.loads(_file(layout).read_text(encoding="utf-8"))


def test_a_free_site_is_taken_kept_and_released(layout: Layout) -> None:
    first = _take(layout)
    assert (first.over, first.renewed, first.lease.holder) == (None, False, "holder of d1")
    assert _file(layout).stat().st_mode & 0o777 == 0o600
    assert _take(layout).renewed
    assert lease.release("wiki", "d2", layout) is False
    assert lease.release("wiki", "d1", layout, check_mode=True) is True
    assert lease.release("wiki", "d1", layout) is True
    assert not _file(layout).exists()
    assert lease.release("wiki", "d1", layout) is False


def test_two_sites_do_not_wait_for_each_other(layout: Layout) -> None:
    _take(layout)
    assert lease.take("blog", "d2", "bob", "roll", 60, layout, wait=False).over is None


def test_a_live_lease_names_its_holder(layout: Layout) -> None:
    _take(layout)
    with pytest.raises(StepFailed, match=r"by holder of d1 \(step lease, deploy d1, 60 s left"):
        _take(layout, "d2", wait=False)
    with pytest.raises(StepFailed, match="by holder of d1"), lease.hold("wiki", None, layout):
        pytest.fail("it was held")


def test_a_run_that_goes_on_while_one_waits_is_named_at_once(layout: Layout) -> None:
    _take(layout, seconds=30)

    def work() -> None:
        for step in ("prime", "switch"):
            time.sleep(0.3)
            with lease.hold("wiki", "d1", layout, seconds=30) as held:
                held.step(step)

    thread = threading.Thread(target=work)
    thread.start()
    began = time.monotonic()
    with pytest.raises(StepFailed, match="by holder of d1"):
        _take(layout, "d2")
    assert time.monotonic() - began < 5
    thread.join()


def test_a_lease_that_nobody_renews_is_taken_over(layout: Layout) -> None:
    _take(layout, seconds=1)
    taken = _take(layout, "d2")
    assert 0.5 < taken.waited_seconds < 5
    assert lease.taken_over(taken) == {
        "deploy_id": "d1",
        "holder": "holder of d1",
        "action": "deploy",
        "step": "lease",
    }
    assert lease.taken_over(_take(layout, "d2")) is None
    with pytest.raises(StepFailed, match="holder of d2 took over"), lease.hold("wiki", "d1", layout):
        pytest.fail("it was held")


@pytest.mark.parametrize("set_by", [-3 * 3600.0, 3 * 3600.0])
def test_a_clock_that_was_set_neither_locks_a_site_nor_frees_it(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, set_by: float
) -> None:
    _take(layout, seconds=2)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + set_by)
    taken = _take(layout, "d2", slice_seconds=6)
    assert (taken.pending, 1 < taken.waited_seconds < 6) == (False, True)
    assert taken.over is not None


def test_a_wait_can_be_cut_into_slices(layout: Layout) -> None:
    _take(layout, seconds=1.5)
    slices = []
    taken = _take(layout, "d2", slice_seconds=0.4)
    while taken.pending:
        slices.append(taken.lease.holder)
        taken = _take(layout, "d2", slice_seconds=0.4, carry=lease.carry_of(taken))
    assert 2 <= len(slices) <= 4
    assert set(slices) == {"holder of d1"}
    assert taken.over is not None
    assert taken.waited_seconds > 1


def test_one_more_call_may_be_that_of_a_run_that_was_killed(layout: Layout) -> None:
    _take(layout, seconds=1)
    thread = threading.Timer(0.3, _take, (layout,), {"seconds": 1})
    thread.start()
    taken = _take(layout, "d2")
    thread.join()
    assert taken.over is not None
    assert taken.waited_seconds > 1


def test_calls_between_two_slices_name_the_holder(layout: Layout) -> None:
    _take(layout)
    taken = _take(layout, "d2", slice_seconds=0.1)
    _take(layout)
    _take(layout)
    with pytest.raises(StepFailed, match="by holder of d1"):
        _take(layout, "d2", slice_seconds=5, carry=lease.carry_of(taken))


def test_a_deploy_may_say_that_it_will_be_silent_for_longer(layout: Layout) -> None:
    _take(layout, seconds=5)
    silent = _take(layout, seconds=5, silent_seconds=600, step="hook before_switch").lease
    assert (round(silent.expires - silent.renewed), silent.seconds) == (600, 5)
    with pytest.raises(StepFailed, match=r"\(step hook before_switch, deploy d1, 600 s left"):
        _take(layout, "d2", wait=False)
    with lease.hold("wiki", "d1", layout):
        pass
    stored = _stored(layout)
    assert round(stored["expires"] - stored["renewed"]) == 5
    shorter = _take(layout, seconds=5, silent_seconds=1).lease
    assert round(shorter.expires - shorter.renewed) == 5


@pytest.mark.parametrize("other", ["", "d2", "d2, which crashed"])
def test_a_deploy_that_goes_on_takes_no_lease_anew(layout: Layout, other: str) -> None:
    """It was another's meanwhile: the slot that waits may be the other's, too."""
    if other:
        _take(layout, "d2", seconds=1)
    if "crashed" in other:
        time.sleep(1.1)
    said = "d2 took over" if other else "d1 holds no lease of site wiki any more"
    with pytest.raises(StepFailed, match=said):
        _take(layout, silent_seconds=600, step="hook before_switch")
    assert not other or _stored(layout)["deploy_id"] == "d2"
    assert other or not _file(layout).exists()


def test_a_lease_that_is_released_while_one_waits_is_free(layout: Layout) -> None:
    _take(layout, seconds=30)
    thread = threading.Timer(0.3, lease.release, ("wiki", "d1", layout))
    thread.start()
    taken = _take(layout, "d2")
    assert (taken.over, taken.lease.deploy_id) == (None, "d2")
    thread.join()


def test_a_run_that_was_killed_while_it_unlocked_is_not_taken_for_a_live_one(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    _take(layout)
    monkeypatch.setattr(lease.Path, "unlink", lambda _path: pytest.fail("killed"))
    with pytest.raises(pytest.fail.Exception):
        lease.release("wiki", "d1", layout)
    monkeypatch.undo()
    assert _stored(layout)["step"] == "unlock"
    taken = _take(layout, "d2")
    assert taken.waited_seconds < 3


def test_a_deploy_goes_on_with_a_lease_that_ran_out_when_nobody_took_it(layout: Layout) -> None:
    _take(layout, seconds=1)
    time.sleep(1.1)
    with lease.hold("wiki", "d1", layout, seconds=60) as held:
        held.step("prime")
    assert _stored(layout)["steps"] == ["lease", "prime"]
    assert _stored(layout)["expires"] - time.time() > 50


def test_a_lease_is_renewed_for_as_long_as_it_was_taken_for(layout: Layout) -> None:
    _take(layout, seconds=300)
    with lease.hold("wiki", "d1", layout):
        assert 290 < _stored(layout)["expires"] - time.time() <= 300


def test_a_run_without_an_id_passes_a_lease_that_ran_out_and_writes_none(layout: Layout) -> None:
    _take(layout, seconds=1)
    before = _stored(layout)
    time.sleep(1.1)
    with lease.hold("wiki", None, layout) as held:
        held.step("stage")
    assert _stored(layout) == before


def test_a_deploy_without_a_lease_is_told_to_start_again(layout: Layout) -> None:
    with pytest.raises(StepFailed, match="start it again"), lease.hold("wiki", "d1", layout):
        pytest.fail("it was held")


def test_the_lease_is_renewed_while_a_call_runs(layout: Layout) -> None:
    _take(layout)
    with lease.hold("wiki", "d1", layout, seconds=1.0):
        time.sleep(1.6)
        assert _stored(layout)["expires"] > time.time()
    threads = [thread.name for thread in threading.enumerate() if "_keep" in thread.name]
    assert threads == []


def test_a_second_call_waits_for_the_first(layout: Layout) -> None:
    _take(layout)
    second = lease.hold("wiki", "d1", layout, wait_seconds=0.2)
    with lease.hold("wiki", "d1", layout), pytest.raises(StepFailed, match="is being changed by another run"), second:
        pytest.fail("it was held twice")


def test_check_mode_writes_nothing(layout: Layout) -> None:
    assert _take(layout, check_mode=True).lease.deploy_id == "d1"
    with lease.hold("wiki", "d1", layout, check_mode=True) as held:
        held.step("prime")
    assert not Path(layout.run).exists()
    _take(layout)
    with pytest.raises(StepFailed, match="by holder of d1"):
        _take(layout, "d2", check_mode=True)


def test_what_is_no_lease_in_the_file_is_no_lease(layout: Layout) -> None:
    _take(layout)
    _file(layout).write_text("{", encoding="utf-8")
    assert _take(layout, "d2").over is None


@pytest.mark.parametrize(("deploy_id", "said"), [("a b", "deploy_id 'a b'"), ("", "deploy_id ''")])
def test_an_id_of_no_use_is_refused(layout: Layout, deploy_id: str, said: str) -> None:
    with pytest.raises(StepFailed, match=said):
        _take(layout, deploy_id)


def test_a_lease_that_cannot_be_written_is_named(layout: Layout) -> None:
    Path(layout.run).mkdir(parents=True)
    Path(f"{layout.run}/lease").write_text("", encoding="utf-8")
    with pytest.raises(StepFailed, match=r"run/lease/wiki\.json could not be written"):
        _take(layout)


def _race(layout: Layout, deploy_id: str, start: Any, won: Any) -> None:
    start.wait(20)
    try:
        won.put(_take(layout, deploy_id, seconds=60, wait=False).lease.deploy_id)
    except StepFailed:
        won.put(None)


def test_of_many_that_take_a_dead_lease_at_once_one_wins(layout: Layout) -> None:
    _take(layout, "dead", seconds=1)
    time.sleep(1.1)
    start, won = FORK.Barrier(6), FORK.Queue()
    runners = [FORK.Process(target=_race, args=(layout, f"d{number}", start, won)) for number in range(6)]
    for runner in runners:
        runner.start()
    winners = [won.get(timeout=30) for _runner in runners]
    for runner in runners:
        runner.join(20)
    assert len([winner for winner in winners if winner]) == 1
    assert _stored(layout)["deploy_id"] in winners


def test_the_versions_of_php_fpm_are_found(tmp_path: Path) -> None:
    for name in ("php-fpm8.4", "php-fpm8.2", "php-fpm8.2.dpkg-new", "phpenmod"):
        (tmp_path / name).touch()
    assert lease.fpm_versions(str(tmp_path)) == ["8.2", "8.4"]
    assert lease.fpm_versions(f"{tmp_path}/none") == []
