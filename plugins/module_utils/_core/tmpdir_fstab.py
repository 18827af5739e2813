# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The entries of role tmpdir in the text of /etc/fstab: each in a marked block that keeps what was there before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ansible_collections.phpops.webhost.plugins.module_utils._core.fstab import (
    parse_fstab,
    with_lines,
    with_replaced,
    without_lines,
)

_BEGIN, _END = "# BEGIN phpops.webhost tmpdir ", "# END phpops.webhost tmpdir "
_NOTE = "# Ansible managed: phpops.webhost, role tmpdir"
_WAS, _MOUNTED = "# was: ", "# mounted before: "
# Of an older entry these have no say any more: the size, what is forced, and who else may mount it when.
_DROPPED = {
    *("size", "nr_blocks", "defaults", "ro", "suid", "nosuid", "dev", "nodev"),
    *("auto", "noauto", "user", "users", "nouser", "owner", "group"),
}


class FstabRefused(ValueError):
    """The text can't be edited; one sentence with the cure."""


@dataclass(frozen=True)
class Managed:
    """A block: its lines (counted from 0), the entry that was there, how it was mounted before."""

    first: int
    last: int
    was: str | None
    mounted: str


def managed(text: str) -> dict[str, Managed]:
    """Return our blocks by mount point; one that is not closed is no block."""
    found: dict[str, Managed] = {}
    lines = text.split("\n")
    for first, line in enumerate(lines):
        if not line.startswith(_BEGIN):
            continue
        target = line[len(_BEGIN) :].strip()
        ends = [number for number in range(first + 1, len(lines)) if lines[number].strip() == _END + target]
        if ends:
            inside = lines[first + 1 : ends[0]]
            was = [one[len(_WAS) :] for one in inside if one.startswith(_WAS)]
            mounted = [one[len(_MOUNTED) :] for one in inside if one.startswith(_MOUNTED)]
            found[target] = Managed(first, ends[0], was[0] if was else None, (mounted or [""])[0].strip())
    return found


def put(text: str, target: str, entry: str, mounted: str) -> str:
    """Return the text with this entry for a mount point; FstabRefused where two other entries name it.

    ``mounted`` says how it is mounted now, for the way back; a block that is there already keeps its own.
    """
    known = managed(text).get(target)
    if known is not None:
        block = _block(target, entry, known.was, known.mounted)
        text = without_lines(text, range(known.first + 1, known.last + 1))
        return with_replaced(text, {known.first: "\n".join(block)})
    others = [one for one in parse_fstab(text) if one.target.rstrip("/") == target]
    if len(others) > 1:
        numbers = " and ".join(str(one.number + 1) for one in others)
        raise FstabRefused(f"/etc/fstab names {target} in lines {numbers}: leave one of them.")
    if not others:
        return with_lines(text, _block(target, entry, None, mounted))
    number = others[0].number
    return with_replaced(text, {number: "\n".join(_block(target, entry, text.split("\n")[number], mounted))})


def take(text: str, target: str) -> str:
    """Return the text with what was there before the block; without a block the text itself."""
    known = managed(text).get(target)
    if known is None:
        return text
    if known.was is None:
        return without_lines(text, range(known.first, known.last + 1))
    text = without_lines(text, range(known.first + 1, known.last + 1))
    return with_replaced(text, {known.first: known.was})


def _block(target: str, entry: str, was: str | None, mounted: str) -> list[str]:
    kept = [] if was is None else [_WAS + was]
    kept += [_MOUNTED + mounted] if mounted else []
    return [_BEGIN + target, _NOTE, *kept, entry, _END + target]


def size_option(size_bytes: int) -> str:
    """Return a size as tmpfs(5) takes it, in MiB or KiB where it is a whole number of them."""
    for unit, letter in ((1024 * 1024, "m"), (1024, "k")):
        if size_bytes % unit == 0:
            return f"size={size_bytes // unit}{letter}"
    return f"size={size_bytes}"


def shared_entry(text: str, target: str, size_bytes: int, mounted: str = "") -> str:
    """Return the entry of /dev/shm; options of an older entry stay, and noexec where it is ``mounted`` so."""
    known = managed(text).get(target)
    older: Sequence[str] = ()
    for one in parse_fstab((known.was or "") if known else text):
        if one.target.rstrip("/") == target:
            older = one.options
    kept = [option for option in older if option.partition("=")[0] not in _DROPPED]
    if "noexec" in (known.mounted if known else mounted).split(",") and not {"exec", "noexec"} & set(kept):
        kept.append("noexec")
    return f"tmpfs {target} tmpfs {','.join([*kept, 'nosuid', 'nodev', size_option(size_bytes)])} 0 0"


def own_entry(target: str, size_bytes: int, uid: int, gid: int, mode: str) -> str:
    """Return the entry of a site's own tmpfs, mounted before its files are aged and its directories made.

    nofail: a tmpfs that can't be mounted must not keep a host from booting (systemd.mount(5)).
    """
    options = [size_option(size_bytes), f"mode={mode}", f"uid={uid}", f"gid={gid}", "nosuid", "nodev", "nofail"]
    options.append("x-systemd.before=systemd-tmpfiles-setup.service")
    return f"tmpfs {target} tmpfs {','.join(options)} 0 0"


def mounted_options(options: str, super_options: str) -> str:
    """Return what `mount -o remount` needs to bring a mount back to these options of mountinfo.

    A tmpfs without a size has the kernel's default, half of the memory (tmpfs(5)).
    """
    flags = options.split(",")
    words = [f"no{name}" if f"no{name}" in flags else name for name in ("suid", "dev", "exec")]
    size = next((one for one in super_options.split(",") if one.startswith("size=")), "size=50%")
    return ",".join([*words, size])
