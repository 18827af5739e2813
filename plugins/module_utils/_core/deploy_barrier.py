# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Whether the hosts of a deploy go on together, and which of them stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence


@dataclass(frozen=True)
class State:
    """What one host said at the barrier. failure: why it can't go on, "" when it can. release: its release's id."""

    failure: str = ""
    release: str = ""
    arrived: bool = True


@dataclass(frozen=True)
class Verdict:
    """stopped: the hosts that stop here, with the sentence why. go: whether the others go on. msg: why they don't."""

    go: bool
    stopped: dict[str, str]
    msg: str


def decide(
    batch: Sequence[str],
    active: Sequence[str],
    states: Mapping[str, State],
    max_fail_percentage: float,
) -> Verdict:
    """Return who goes on.

    batch: the hosts that began. active: those that can still be reached. All of them stop when more than
    max_fail_percentage per cent of the batch failed (the comparison of Ansible's own max_fail_percentage, but a host
    that can't be reached any more counts too), and when their releases differ.
    """
    failed = {}
    for host in batch:
        state = states.get(host, State(arrived=False))
        if host not in active:
            failed[host] = "it can't be reached any more"
        elif state.failure:
            failed[host] = state.failure
        elif not state.arrived:
            failed[host] = "it isn't here yet: the hosts of a deploy need Ansible's linear strategy"
    all_stop = ""
    if len(failed) * 100 > max_fail_percentage * len(batch):
        others = _named(failed)
        allowed = f", and deploy_max_fail_percentage is {max_fail_percentage:g}" if max_fail_percentage else ""
        all_stop = f"{len(failed)} of {len(batch)} hosts failed{allowed}: {others}"
    if not all_stop:
        all_stop = _different([host for host in batch if host not in failed], states)
    stopped = {host: _sentence(why) for host, why in failed.items()}
    if all_stop:
        stopped.update({host: f"Stopped because {all_stop}" for host in batch if host not in failed})
    return Verdict(not all_stop, stopped, all_stop)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _named(failed: Mapping[str, str], most: int = 3) -> str:
    named = [f"{host}: {why}" for host, why in list(failed.items())[:most]]
    rest = f" And {len(failed) - most} more." if len(failed) > most else ""
    return " ".join(one if one.endswith((".", "!", "?")) else f"{one}." for one in named) + rest


def _different(hosts: Sequence[str], states: Mapping[str, State]) -> str:
    """Return that the hosts have different releases, "" when they have the same or none."""
    by_release: dict[str, list[str]] = {}
    for host in hosts:
        release = states[host].release
        if release:
            by_release.setdefault(release, []).append(host)
    if len(by_release) < 2:
        return ""
    named = ", ".join(f"{release} on {' and '.join(hosts[:3])}" for release, hosts in by_release.items())
    return (
        f"the hosts have different releases ({named}): a branch moved meanwhile, or their options differ; name a"
        " commit, and give all hosts the same options."
    )
