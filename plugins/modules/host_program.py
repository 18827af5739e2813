#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_program
short_description: Installs a program of this collection on a host
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Packs a program with the parts of the collection that it needs into one file that the host's Python runs as it is.
  - The program needs Python 3.8 or later and nothing else. The same collection gives the same bytes.
  - The module needs C(become).
attributes:
  check_mode:
    description: The module says whether the file would change, and changes nothing.
    support: full
  diff_mode:
    description: The module shows the members of the file, each with its checksum and size.
    support: full
options:
  program:
    description:
      - The program.
      - V(worker_recycle) asks workers of PHP-FPM and php-cgi that grew too large to go, see the role of that name.
      - V(metrics) writes metrics for Prometheus, see the role of that name.
    type: str
    required: true
  state:
    description: Whether the program is there. The last one takes C(/usr/local/lib/phpops) with it.
    type: str
    choices: [present, absent]
    default: present
  path:
    description: The file. Without it, C(/usr/local/lib/phpops/) and the program's name, with dashes, and C(.pyz).
    type: path
  content:
    description: The packed program in base64. The module's own action fills it in.
    type: str
"""

EXAMPLES = r"""
- name: Install the program that recycles workers
  phpops.webhost.host_program:
    program: worker_recycle
  become: true

- name: Remove it
  phpops.webhost.host_program:
    program: worker_recycle
    state: absent
  become: true
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /usr/local/lib/phpops/worker-recycle.pyz
bytes:
  description: Its size, 0 where there is none.
  returned: success
  type: int
  sample: 78715
"""

import base64

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable
from ansible_collections.phpops.webhost.plugins.module_utils._host.host_program import default_path, place


def main():
    module = AnsibleModule(
        argument_spec={
            "program": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "path": {"type": "path"},
            # Not a secret: no log has a use for it.
            "content": {"type": "str", "no_log": True},
        },
        supports_check_mode=True,
    )
    path = module.params["path"] or default_path(module.params["program"])
    content = None
    if module.params["state"] == "present":
        if not module.params["content"]:
            module.fail_json(
                msg="content is empty: call phpops.webhost.host_program by that name, as its action packs."
            )
        content = base64.b64decode(module.params["content"])
    try:
        changed, diff = place(path, content, module.check_mode)
    except (Unreadable, OSError) as error:
        module.fail_json(msg=f"{path} can't be changed: {error}")
    module.exit_json(changed=changed, path=path, bytes=len(content or b""), diff=diff)


if __name__ == "__main__":
    main()
