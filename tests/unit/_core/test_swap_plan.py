# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done for a wanted size of swap, and what is refused with which numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core.swap_plan import (
    File,
    Plan,
    Seen,
    SwapRefused,
    plan_absent,
    plan_present,
)
from ansible_collections.phpops.webhost.plugins.module_utils._core.swaps import Swap

MIB, GIB, PAGE = 1 << 20, 1 << 30, 4096
FOLDER = "/var/lib/phpops-swap"
ONE, TWO, THREE = (f"{FOLDER}/phpops-{number}.swap" for number in (1, 2, 3))
ROOT = "UUID=0a / ext4 errors=remount-ro 0 1\n"
SEEN = Seen([], [], [], ROOT, FOLDER, "ext4", 10 * GIB, 2 * GIB, GIB, PAGE)


def area(path, size, used=0, priority=-2):
    return Swap(path, "partition" if path.startswith("/dev") else "file", size, used, priority)


def line(path, options="sw,nofail"):
    return f"{path} none swap {options} 0 0\n"


def present(seen, size, priority=None, reserve=GIB):
    return plan_present(seen, size, priority, reserve)


def test_a_host_without_swap_gets_one_file():
    plan = present(SEEN, GIB)
    assert plan == Plan(build=(ONE, GIB + PAGE), on=[(ONE, None)], fstab=ROOT + line(ONE))


def test_growing_adds_a_file_beside_the_one_in_use():
    seen = replace(SEEN, active=[area(ONE, 256 * MIB, 200 * MIB)], fstab=ROOT + line(ONE))
    seen = replace(seen, files=[File(ONE, 256 * MIB + PAGE, True)])
    plan = present(seen, GIB)
    assert plan.build == (TWO, 768 * MIB + PAGE)
    assert (plan.off, plan.again, plan.remove) == ([], [], [])
    assert plan.fstab == ROOT + line(ONE) + line(TWO)


@pytest.mark.parametrize("active", [area("/dev/vda2", GIB - PAGE), area("/swapfile", 2 * GIB), area("/dev/sda1", GIB)])
def test_what_the_host_has_counts(active):
    assert present(replace(SEEN, active=[active]), GIB) == Plan(fstab=ROOT)


def test_only_what_is_missing_is_added():
    plan = present(replace(SEEN, active=[area("/dev/vda2", 512 * MIB - PAGE)]), GIB)
    assert plan.build == (ONE, 512 * MIB + 2 * PAGE)


def test_compressed_memory_does_not_count():
    plan = present(replace(SEEN, active=[area("/dev/zram0", 4 * GIB, priority=100)]), GIB)
    assert plan.build == (ONE, GIB + PAGE)
    assert plan.notes == ["/dev/zram0 is compressed memory and was not counted as swap."]


def test_a_left_over_is_finished_when_it_is_needed():
    seen = replace(SEEN, files=[File(ONE, GIB + PAGE, True)])
    assert present(seen, GIB) == Plan(on=[(ONE, None)], fstab=ROOT + line(ONE))


def test_a_left_over_is_removed_when_it_is_not_needed():
    seen = replace(SEEN, active=[area("/dev/vda2", GIB)], files=[File(ONE, GIB + PAGE, True)])
    assert present(seen, GIB) == Plan(remove=[ONE], fstab=ROOT)


def test_a_file_of_fstab_that_is_off_comes_on_even_when_it_is_not_needed():
    seen = replace(SEEN, active=[area("/dev/vda2", GIB)], files=[File(ONE, GIB, True)], fstab=ROOT + line(ONE))
    assert present(seen, GIB) == Plan(on=[(ONE, None)], fstab=ROOT + line(ONE))


def test_what_is_no_swap_area_is_built_anew():
    seen = replace(SEEN, files=[File(ONE, GIB, False)], unfinished=[File(f"{TWO}.new", GIB, False)])
    plan = present(seen, GIB)
    assert plan.remove == [f"{TWO}.new", ONE]
    assert plan.build == (ONE, GIB + PAGE)


def test_a_line_without_a_file_goes():
    assert present(replace(SEEN, active=[area("/dev/vda2", GIB)], fstab=line(TWO) + ROOT), GIB).fstab == ROOT


def test_one_line_per_file_with_its_own_priority():
    active = [area(ONE, GIB, 0, 10), area(TWO, GIB, 0, 9)]
    fstab = line(ONE, "sw") + ROOT + line(ONE) + line(TWO, "sw,nofail,pri=9")
    plan = present(replace(SEEN, active=active, fstab=fstab), 3 * GIB, priority=10)
    assert plan.on == [(THREE, 8)]
    assert plan.fstab == (
        line(ONE, "sw,nofail,pri=10") + ROOT + line(TWO, "sw,nofail,pri=9") + line(THREE, "sw,nofail,pri=8")
    )


def test_a_priority_is_changed_where_what_is_in_it_fits_into_memory():
    active = [area(ONE, GIB, 100 * MIB), area(TWO, GIB, 900 * MIB)]
    plan = present(replace(SEEN, active=active, fstab=line(ONE) + line(TWO)), GIB, priority=5)
    assert plan.again == [(ONE, 5)]
    assert len(plan.notes) == 1
    assert "phpops-2.swap keeps the priority -2 until the next boot: 900 MiB are in it, and only 821.6" in plan.notes[0]
    assert "pri=4" in plan.fstab
    assert present(replace(SEEN, active=[area(ONE, GIB, 0, 5)], fstab=line(ONE)), GIB).again == [(ONE, None)]


@pytest.mark.parametrize(
    ("seen", "sentence"),
    [
        (replace(SEEN, file_system="btrfs"), "is on btrfs, and a swap file there must be neither compressed nor"),
        (replace(SEEN, file_system="overlay"), "is on overlay, and the kernel takes no swap file there: give a dir"),
        (replace(SEEN, file_system="tmpfs"), "is on tmpfs, and its files are in the memory"),
        (replace(SEEN, file_system="zfs"), "is on zfs, and swapping to it can lock the host up"),
        (replace(SEEN, file_system="nfs4"), "is on nfs4, and it needs memory to be written to"),
        (replace(SEEN, file_system="f2fs"), "is on f2fs, and nobody has tried a swap file there"),
        (replace(SEEN, free_bytes=3 * GIB // 2), "has 1.5 GiB free, and 1 GiB for a swap file would leave less than"),
        (
            replace(SEEN, active=[area(f"{FOLDER}/phpops-{n}.swap", MIB) for n in range(1, 17)]),
            "This host has 16 swap files of this role",
        ),
    ],
)
def test_refusals_to_build(seen, sentence):
    with pytest.raises(SwapRefused) as refused:
        present(seen, GIB)
    assert sentence in str(refused.value)


def test_nothing_is_refused_where_nothing_is_to_be_built():
    seen = replace(SEEN, active=[area("/dev/vda2", GIB)], file_system="btrfs", free_bytes=0)
    assert present(seen, GIB) == Plan(fstab=ROOT)


def test_what_a_killed_run_left_is_free_space():
    seen = replace(SEEN, free_bytes=GIB + PAGE, unfinished=[File(f"{ONE}.new", GIB, False)])
    assert present(seen, GIB).build == (ONE, GIB + PAGE)


def test_absent_takes_ours_only():
    active = [area(ONE, GIB, 100 * MIB), area("/swapfile", GIB, 800 * MIB)]
    seen = replace(SEEN, active=active, files=[File(ONE, GIB, True)], fstab=ROOT + line(ONE) + line("/swapfile"))
    assert plan_absent(seen) == Plan(off=[ONE], remove=[ONE], fstab=ROOT + line("/swapfile"))


def test_absent_is_refused_where_memory_would_not_do():
    seen = replace(SEEN, active=[area(ONE, GIB, 300 * MIB), area(TWO, GIB, 700 * MIB)])
    with pytest.raises(SwapRefused) as refused:
        plan_absent(seen)
    assert str(refused.value) == (
        "1000 MiB are in 2 swap files of this role, and of the 1 GiB of memory that are available 102.4 MiB must stay:"
        " stop what uses memory, and run the task again."
    )


def test_absent_of_empty_swap_needs_no_memory():
    assert plan_absent(replace(SEEN, active=[area(ONE, GIB)], available_bytes=0)).off == [ONE]
