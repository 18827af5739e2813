#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: directory_archive
short_description: Pack a folder of the controller into an archive
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Packs the content of a folder on the controller, for copying it to hosts in one file.
  - The same content gives the same bytes. Modes and symlinks are kept, owners and times are left out.
  - The archive is below the temporary folder of the running C(ansible-playbook), which removes it at its end.
  - No host is asked, and C(become) is not needed. With C(run_once), all hosts of the batch get the one result.
attributes:
  check_mode:
    description: Packs in check mode too, since it changes no host.
    support: full
  diff_mode:
    description: The module changes nothing that could be shown.
    support: none
options:
  path:
    description: The folder on the controller.
    type: path
    required: true
  exclude:
    description:
      - Patterns of what is left out.
      - One without a slash is for names at any depth, such as V(.git). One with a slash is for the path from the
        folder on, such as V(var/cache).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Pack the working tree
  phpops.webhost.directory_archive:
    path: /home/alice/wiki
    exclude: [.git, node_modules]
  register: packed
  run_once: true
"""

RETURN = r"""
path:
  description: The archive on the controller, a gzipped tar file.
  returned: success
  type: str
  sample: /home/alice/.ansible/tmp/ansible-local-4711/phpops-x1/source.tar.gz
sha256:
  description: Its SHA-256.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
files:
  description: How many files it holds.
  returned: success
  type: int
  sample: 1204
bytes:
  description: How large they are together.
  returned: success
  type: int
  sample: 24536064
seconds:
  description: How long packing took.
  returned: success
  type: float
  sample: 0.6
"""

from ansible.module_utils.basic import AnsibleModule


def main() -> None:
    """The work is done by the action plugin of this name, on the controller."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "exclude": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    module.fail_json(msg="directory_archive runs on the controller only; its action plugin was not found.")


if __name__ == "__main__":
    main()
