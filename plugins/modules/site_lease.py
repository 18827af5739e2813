#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: site_lease
short_description: Keep other runs from changing a PHP site during a deploy
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - A deploy is several module calls. The lease keeps other runs away from the site between them.
  - Each call that gets the same O(deploy_id) renews the lease. A run that crashed renews nothing, and its lease runs
    out by itself, so there is nothing to unlock by hand.
  - When another run holds the lease, the module waits. It fails, and names the holder, as soon as that run goes on with
    more calls. It takes the lease over when that runs out.
  - The lease is a file below C(/run/phpops/lease).
  - The task needs C(become).
attributes:
  check_mode:
    description: Takes and releases nothing. A lease of another run is named.
    support: full
  diff_mode:
    description: The lease is no file that could be shown.
    support: none
options:
  site:
    description: The site's name.
    type: str
    required: true
  deploy_id:
    description: The deploy's own id, 1 to 64 letters, digits and V(._:@-), the same in all of its calls.
    type: str
    required: true
  holder:
    description: Who deploys, in words for the one who is kept out.
    type: str
    default: unknown
  action:
    description: What is done under the lease.
    type: str
    choices: [deploy, rollback, roll]
    default: deploy
  state:
    description:
      - V(taken) takes the lease, or renews it when it is this deploy's already.
      - V(released) gives it back. The lease of another deploy is left alone.
    type: str
    choices: [taken, released]
    default: taken
  seconds:
    description: How long the lease runs when nothing renews it.
    type: float
    default: 60
  silent_seconds:
    description:
      - For a deploy that has the lease, how long it may run until the deploy's next call, when that is longer than
        O(seconds). That call ends it.
      - The module fails when the deploy has the lease no longer, instead of taking it anew.
    type: float
    default: 0
  step:
    description: What a deploy that has the lease does until its next call, for the one who is kept out.
    type: str
  slice_seconds:
    description:
      - Return after this many seconds with RV(pending=true), to be called again with O(carry). V(0) waits till the end.
    type: float
    default: 0
  carry:
    description: What the call before returned as RV(carry).
    type: dict
    default: {}
seealso:
  - module: phpops.webhost.slot_prepare
  - module: phpops.webhost.slot_switch
"""

EXAMPLES = r"""
- name: Keep others out
  phpops.webhost.site_lease:
    site: wiki
    deploy_id: 2026-11-21-1
    holder: alice on control.example.org
  become: true

- name: Let others in again
  phpops.webhost.site_lease:
    site: wiki
    deploy_id: 2026-11-21-1
    state: released
  become: true
"""

RETURN = r"""
holder:
  description: Who has the lease now, empty when nobody has.
  returned: success
  type: str
  sample: alice on control.example.org
taken_over:
  description: The run that crashed and whose lease was taken over, null when there was none.
  returned: success
  type: dict
  contains:
    deploy_id:
      description: Its id.
      type: str
    holder:
      description: Who it was.
      type: str
    action:
      description: What it did.
      type: str
    step:
      description: The step that it had begun last.
      type: str
  sample:
    deploy_id: 2026-11-20-7
    holder: bob on control.example.org
    action: deploy
    step: prime
served_by:
  description: The places, C(file:line), where an enabled configuration of Apache or nginx names the site's socket.
  returned: success
  type: list
  elements: str
  sample: ["/etc/apache2/sites-enabled/wiki.conf:12"]
php_versions:
  description: The versions of PHP-FPM that the host has. This and RV(served_by) save a deploy tasks of their own.
  returned: success
  type: list
  elements: str
  sample: ["8.2"]
pending:
  description: Whether the lease of another run is still waited for, with O(slice_seconds).
  returned: success
  type: bool
progress:
  description: What is waited for, empty unless RV(pending=true).
  returned: success
  type: str
carry:
  description: What the next call needs, empty unless RV(pending=true).
  returned: success
  type: dict
waited_seconds:
  description: How long the module waited for the lease.
  returned: success
  type: float
  sample: 0.0
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.lease import ACTIONS, waiting
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import NAME
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host.lease import (
    carry_of,
    clock,
    fpm_versions,
    read,
    release,
    take,
    taken_over,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.web_files import serves

LAYOUT = Layout()


def change(options, check_mode):
    """Take or release the lease; returns the module's result."""
    site, deploy_id = options["site"], options["deploy_id"]
    told = {"taken_over": None, "waited_seconds": 0.0, "pending": False, "progress": "", "carry": {}}
    if options["state"] == "released":
        released = release(site, deploy_id, LAYOUT, check_mode)
        other = None if released else read(site, LAYOUT)
        return {**told, "changed": released, "holder": other.holder if other else ""}
    lease = options["holder"], options["action"], options["seconds"], LAYOUT
    told_more = {"silent_seconds": options["silent_seconds"], "step": options["step"]}
    sliced = {"slice_seconds": options["slice_seconds"], "carry": options["carry"]}
    taken = take(site, deploy_id, *lease, check_mode=check_mode, **sliced, **told_more)
    told.update(holder=taken.lease.holder, waited_seconds=round(taken.waited_seconds, 1))
    if taken.pending:
        progress = waiting(site, taken.lease, clock())
        return {**told, "changed": False, "pending": True, "progress": progress, "carry": carry_of(taken)}
    return {**told, "changed": not taken.renewed, "taken_over": taken_over(taken)}


def main() -> None:
    """Take or release the lease."""
    module = AnsibleModule(
        argument_spec={
            "site": {"type": "str", "required": True},
            "deploy_id": {"type": "str", "required": True},
            "holder": {"type": "str", "default": "unknown"},
            "action": {"type": "str", "choices": list(ACTIONS), "default": "deploy"},
            "state": {"type": "str", "choices": ["taken", "released"], "default": "taken"},
            "seconds": {"type": "float", "default": 60},
            "silent_seconds": {"type": "float", "default": 0},
            "step": {"type": "str"},
            "slice_seconds": {"type": "float", "default": 0},
            "carry": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    refused = refusal()
    if refused:
        module.fail_json(msg=refused)
    if not NAME.fullmatch(module.params["site"]):
        module.fail_json(
            msg=f"Site name {module.params['site']!r} can't be used: give 1 to 32 characters of a-z, 0-9, _ and -."
        )
    try:
        found = change(module.params, module.check_mode)
        served_by = serves(LAYOUT.pointer(module.params["site"]))
        module.exit_json(php_versions=fpm_versions(), served_by=served_by, **found)
    except OSError as error:
        cure = " Run the task with become." if isinstance(error, PermissionError) else ""
        module.fail_json(msg=f"The lease of site {module.params['site']} could not be changed: {error}.{cure}")
    except StepFailed as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
