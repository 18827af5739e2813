# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: deploy_barrier
short_description: Decide whether the hosts of a deploy go on together
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - All hosts of a batch stop when more of them failed than may, and when their releases differ.
  - A host that became unreachable has failed.
options:
  _input:
    description: Ansible's C(hostvars), with C(__deploy_run), C(__deploy_failure) and C(__deploy_release) of each host.
    type: dict
    required: true
  batch:
    description: The hosts that began.
    type: list
    elements: str
    required: true
  active:
    description: The hosts that can still be reached, C(ansible_play_batch).
    type: list
    elements: str
    required: true
  max_fail_percentage:
    description: All stop when more per cent of the batch than this failed.
    type: float
    default: 0
  run:
    description: The id of this deploy. What a host said in another one does not count.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Decide
  ansible.builtin.set_fact:
    verdict: "{{ hostvars | phpops.webhost.deploy_barrier(batch, ansible_play_batch, 0, 'd1') }}"
  run_once: true
"""

RETURN = r"""
_value:
  description:
    - C(go) says whether the hosts that are not in C(stopped) go on.
    - C(stopped) holds the hosts that stop, each with the sentence why. C(msg) says why all of them do.
  type: dict
"""

from dataclasses import asdict
from typing import Any, Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.module_utils._core.deploy_barrier import State, decide


def _state(hostvars: Mapping[str, Any], host: str, run: str) -> State:
    """Return what a host said in this run."""
    variables = hostvars.get(host) or {}
    said = variables.get("__deploy_run") or {}
    built = (variables.get("__deploy_release") or {}).get("release") or {}
    return State(
        failure=str(variables.get("__deploy_failure") or ""),
        release=str(built.get("id") or ""),
        arrived=str(said.get("id") or "") == run,
    )


def deploy_barrier(
    hostvars: Any, batch: Sequence[str], active: Sequence[str], max_fail_percentage: float = 0, run: str = ""
) -> dict[str, Any]:
    """Return which hosts go on."""
    if not isinstance(hostvars, Mapping):
        raise AnsibleFilterError("deploy_barrier takes hostvars.")
    states = {host: _state(hostvars, host, run) for host in batch}
    return asdict(decide(list(batch), list(active), states, float(max_fail_percentage)))


class FilterModule:
    """Ansible looks the filter up here."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"deploy_barrier": deploy_barrier}
