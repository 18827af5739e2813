#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: site_tmpdir
short_description: Tells the PHP of sites with slots where its temporary files go
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Sets C(TMPDIR), C(sys_temp_dir) and C(upload_tmp_dir) of each site by a slot flip, as M(phpops.webhost.site_slot)
    does it. No live master is restarted and no request lost.
  - Where C(open_basedir) shuts the folder out, it is extended, or the site is refused.
  - Sessions stay where they are. Where C(session.save_path) is empty, PHP would put them into the folder, so it is set
    to where they went before.
  - What a site had before is kept in C(/var/lib/phpops/tmpdir-sites.json), which root alone can read. O(state=absent)
    brings it back, except for what somebody else has changed since.
  - What PHP says by the live slot's ini files is read back, and whether the site's user can write to the folder.
  - Sites of O(directories) that are not of kind fpm are passed over.
  - The module needs C(become). It changes Debian 12 and 13, and refuses other hosts.
extends_documentation_fragment:
  - phpops.webhost.tmpdir.directories
attributes:
  check_mode:
    description: The module says what it would do, and why, and changes nothing.
    support: full
  diff_mode:
    description: The module shows each file of the live slot against the file that replaces it, without the environment.
    support: full
  platform:
    description: The module runs on Debian 12 and 13 with systemd.
    support: full
    platforms: debian
options:
  state:
    description: Whether the sites get the folders, or what they had before.
    type: str
    choices: [present, absent]
    default: present
  names:
    description: With O(state=absent), the sites. An empty list means all that were told.
    type: list
    elements: str
    default: []
  sessions:
    description: Whether sessions in files go to the folder too. They end with a reboot then, and by age.
    type: bool
    default: false
  open_basedir:
    description: What to do where C(open_basedir) shuts the folder out.
    type: str
    choices: [extend, refuse]
    default: extend
  drain_timeout_seconds:
    description: Seconds to wait until the old slot has nothing left to do.
    type: float
    default: 120
  on_error:
    description: Whether a site that fails ends the run, or the others are done all the same. The task fails with both.
    type: str
    choices: [stop, continue]
    default: stop
  budget_override:
    description: Whether a master may start although its shared memory does not fit the host's limits.
    type: bool
    default: false
seealso:
  - module: phpops.webhost.tmpdir_mount
  - module: phpops.webhost.site_slot
"""

EXAMPLES = r"""
- name: Let PHP use the folders
  phpops.webhost.site_tmpdir:
    directories: "{{ tmpdirs.directories }}"
  become: true
"""

RETURN = r"""
summary:
  description: What was done, in sentences.
  returned: always
  type: list
  elements: str
sites:
  description: What was done for each site. Besides these keys it has those that M(phpops.webhost.site_slot) returns.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The site's name.
      type: str
      returned: always
    path:
      description: Its folder, null when it was taken back.
      type: str
      returned: always
      sample: /dev/shm/phpops-wiki
    notes:
      description: Sentences on open_basedir, sessions and the size of uploads.
      type: list
      elements: str
      returned: always
    php:
      description: >-
        What PHP says by the live slot's ini files, with C(TMPDIR) and C(writable). Null in check mode and for a site
        that failed.
      type: dict
      returned: always
      sample: {"sys_temp_dir": "/dev/shm/phpops-wiki", "TMPDIR": "/dev/shm/phpops-wiki", "writable": true}
    reasons:
      description: Why a flip was needed.
      type: list
      elements: str
      returned: always
      sample: ["environment.TMPDIR set", "ini.sys_temp_dir unset → /dev/shm/phpops-wiki"]
    flipped:
      description: Whether the traffic goes to a new master.
      type: bool
      returned: always
    msg:
      description: One sentence that says why it failed, empty when all is well.
      type: str
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core import tmpdir
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir_summary import of_sites
from ansible_collections.phpops.webhost.plugins.module_utils._host import tmpdir_site
from ansible_collections.phpops.webhost.plugins.module_utils._host.slot import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import runner
from ansible_collections.phpops.webhost.plugins.module_utils._host.tmpdir_sites import DIRECTORY_OPTIONS


def main():
    module = AnsibleModule(
        argument_spec={
            "directories": {"type": "list", "elements": "dict", "default": [], "options": DIRECTORY_OPTIONS},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "names": {"type": "list", "elements": "str", "default": []},
            "sessions": {"type": "bool", "default": False},
            "open_basedir": {"type": "str", "choices": ["extend", "refuse"], "default": "extend"},
            "drain_timeout_seconds": {"type": "float", "default": 120.0},
            "on_error": {"type": "str", "choices": ["stop", "continue"], "default": "stop"},
            "budget_override": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    refused = refusal()
    if refused:
        module.fail_json(msg=refused, sites=[], summary=[])
    options = module.params
    settings = Settings(
        drain_timeout_seconds=options["drain_timeout_seconds"],
        budget_override=options["budget_override"],
        check_mode=module.check_mode,
    )
    found = [tmpdir.directory_of(one) for one in options["directories"]]
    mine = [one for one in found if one.kind == tmpdir.FPM]
    run, stop = runner(module.run_command), options["on_error"] == "stop"
    try:
        if options["state"] == "present":
            extend = options["open_basedir"] == "extend"
            result = tmpdir_site.apply(mine, run, settings, options["sessions"], extend, stop, Layout())
        else:
            result = tmpdir_site.take_back(options["names"], run, settings, stop, Layout())
    except (tmpdir.TmpdirError, OSError) as error:
        module.fail_json(msg=str(error), sites=[], summary=[])
    module.exit_json(**result, summary=of_sites(result["sites"]))


if __name__ == "__main__":
    main()
