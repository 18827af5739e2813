#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: php_cgi_idle
short_description: End idle php-cgi processes of mod_fcgid to free their shared memory
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Each C(php-cgi) holds an OPcache segment of its own. On a host that is nearly full, masters don't fit beside them.
  - The module sends SIGTERM to processes that serve no request, the oldest first, one after the other, and waits for
    the end of each. It ends no more than O(count), and none that serves a request.
  - C(mod_fcgid) starts a new process for the next request that needs one, so the room is free for a moment only.
  - A process is idle when it listens on a socket of C(mod_fcgid) and has no connection. Others are left alone.
  - When fewer end than were asked for, the module does not fail. RV(short) says how many are lacking.
  - The task needs C(become).
attributes:
  check_mode:
    description: Names the processes that would end now, and ends none.
    support: full
  diff_mode:
    description: The module has no files to show.
    support: none
options:
  count:
    description: How many processes to end at most.
    type: int
    required: true
  timeout_seconds:
    description: How long it may take, with waiting for processes that serve a request.
    type: float
    default: 30
  socket_folder:
    description: The folder of C(mod_fcgid)'s sockets, C(FcgidIPCDir).
    type: path
    default: /var/lib/apache2/fcgid/sock
seealso:
  - module: phpops.webhost.memory_budget_info
"""

EXAMPLES = r"""
- name: Make room for the masters
  phpops.webhost.php_cgi_idle:
    count: 4
  become: true
"""

RETURN = r"""
ended:
  description: The pids of the processes that ended, or would in check mode.
  returned: success
  type: list
  elements: int
  sample: [812, 815]
idle:
  description: How many were idle before.
  returned: success
  type: int
  sample: 11
busy:
  description: How many served a request before.
  returned: success
  type: int
  sample: 1
short:
  description: How many fewer ended than O(count).
  returned: success
  type: int
  sample: 0
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_cgi import SOCKET_FOLDER
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_cgi_idle import end_idle, look
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal


def main() -> None:
    """End idle processes."""
    module = AnsibleModule(
        argument_spec={
            "count": {"type": "int", "required": True},
            "timeout_seconds": {"type": "float", "default": 30},
            "socket_folder": {"type": "path", "default": SOCKET_FOLDER},
        },
        supports_check_mode=True,
    )
    refused = refusal()
    if refused:
        module.fail_json(msg=refused)
    options = module.params
    count = max(0, options["count"])

    def see():
        return look(folder=options["socket_folder"])

    before = see()
    ended = before.idle[:count] if module.check_mode else end_idle(count, options["timeout_seconds"], see)
    module.exit_json(
        changed=bool(ended),
        ended=[process.pid for process in ended],
        idle=len(before.idle),
        busy=len(before.busy),
        short=count - len(ended),
    )


if __name__ == "__main__":
    main()
