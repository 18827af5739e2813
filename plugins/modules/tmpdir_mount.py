#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: tmpdir_mount
short_description: Folders for temporary files on a tmpfs, one for each site
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - A temporary file on disk leaves an entry in the kernel's dentry cache when it is removed, one on a tmpfs does not.
  - Gives V(/dev/shm) a size by an entry in V(/etc/fstab), with C(nosuid) and C(nodev), or each site a tmpfs of its own.
    systemd mounts them so at each boot.
  - Makes a folder for each site with slots, each site on php-cgi, and Apache, by a file in V(/etc/tmpfiles.d). It comes
    back at boot, and files that are older than O(age) go.
  - On V(/dev/shm) the folder belongs to root and the site's group, with mode 1770. logind, which removes there what
    belongs to a user who logs out, can take files from it, but not the folder. A group that others are in is refused.
  - A tmpfs is paid for with memory, so its size must fit the host's memory budget before anything is changed.
  - C(findmnt --verify) checks the new V(/etc/fstab) before it is used. An older entry stays in it as a comment.
  - Nobody uses the folders until M(phpops.webhost.site_tmpdir) and M(phpops.webhost.apache_tmpdir) tell of them.
  - The module needs C(become). It changes Debian 12 and 13, and refuses other hosts.
attributes:
  check_mode:
    description: The module says what it would do, and changes nothing.
    support: full
  diff_mode:
    description: The module shows V(/etc/fstab), without passwords, and the files of tmpfiles.d.
    support: full
  platform:
    description: The module runs on Debian 12 and 13 with systemd.
    support: full
    platforms: debian
options:
  state:
    description:
      - V(present) mounts and makes the folders.
      - V(absent) removes the folders with what is in them, and mounts V(/dev/shm) as it was before. It refuses while a
        site or Apache is told to use them. The folder that Apache still runs with stays until a run after its restart.
    type: str
    choices: [present, absent]
    default: present
  mount:
    description:
      - V(shm) uses V(/dev/shm), one size for all.
      - V(own) mounts a tmpfs for each site below V(/var/lib/phpops-tmp), for hosts where others fill V(/dev/shm).
      - To go from one to the other, take the first back by O(state=absent).
    type: str
    choices: [shm, own]
    default: shm
  size_bytes:
    description: The size of V(/dev/shm), or the one of each tmpfs of its own.
    type: int
    default: 268435456
  sites:
    description: The sites. An empty list means all that have slots or run on php-cgi.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of its slots, or its server name where it is on php-cgi.
        type: str
        required: true
      size_bytes:
        description: The size of its own tmpfs, if it is not O(size_bytes).
        type: int
  php_cgi:
    description: Whether sites on php-cgi get a folder.
    type: bool
    default: true
  web_server:
    description: Whether Apache gets a folder for itself and its CGI programs.
    type: bool
    default: true
  age:
    description: Files that were not read, written or changed for this time are removed, once a day.
    type: str
    default: 1d
  sessions:
    description: Whether the folders of sites with slots hold one for sessions.
    type: bool
    default: false
  budget_override:
    description: Whether to go on although the size does not fit the host's limits.
    type: bool
    default: false
seealso:
  - module: phpops.webhost.memory_budget_info
  - module: phpops.webhost.slab_facts
"""

EXAMPLES = r"""
- name: A private folder for each site in /dev/shm
  phpops.webhost.tmpdir_mount:
    size_bytes: 536870912
  register: tmpdirs
  become: true
"""

RETURN = r"""
mounts:
  description: What is mounted now for temporary files.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The mount point.
      type: str
      returned: always
      sample: /dev/shm
    size_bytes:
      description: Its size.
      type: int
      returned: always
      sample: 268435456
    used_bytes:
      description: What its files take.
      type: int
      returned: always
    options:
      description: The options that the kernel tells.
      type: str
      returned: always
      sample: rw,nosuid,nodev,rw,size=262144k
directories:
  description: The folders.
  returned: success
  type: list
  elements: dict
  contains:
    site:
      description: The site's name, V(.apache2) for Apache itself.
      type: str
      returned: always
      sample: wiki
    kind:
      description: One of fpm, php_cgi and web_server.
      type: str
      returned: always
      sample: fpm
    path:
      description: The folder.
      type: str
      returned: always
      sample: /dev/shm/phpops-wiki
    user:
      description: The user that makes files in it.
      type: str
      returned: always
    group:
      description: That user's group.
      type: str
      returned: always
    uid:
      description: The user's number.
      type: int
      returned: always
    gid:
      description: The group's number.
      type: int
      returned: always
    size_bytes:
      description: The size of the tmpfs that it is on.
      type: int
      returned: always
    suexec:
      description: Whether Apache starts the site's php-cgi by suexec.
      type: bool
      returned: always
    memory_max_bytes:
      description: The memory limit of the site's unit, null without one.
      type: int
      returned: always
summary:
  description: What was done, in sentences.
  returned: success
  type: list
  elements: str
warnings_found:
  description: Sentences that the user should read.
  returned: success
  type: list
  elements: str
budget:
  description: What the host's budget said, as M(phpops.webhost.memory_budget_info) returns it, null without a new size.
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir import TmpdirError
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir_summary import of_mounts
from ansible_collections.phpops.webhost.plugins.module_utils._host import tmpdir_mount, tmpdir_sites
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache import ENVIRONMENT
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import Apache
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable
from ansible_collections.phpops.webhost.plugins.module_utils._host.fstab import FstabError
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import runner
from ansible_collections.phpops.webhost.plugins.module_utils._host.tmpdir_restart import in_force

SITE = {"name": {"type": "str", "required": True}, "size_bytes": {"type": "int"}}


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "mount": {"type": "str", "choices": ["shm", "own"], "default": "shm"},
            "size_bytes": {"type": "int", "default": 268435456},
            "sites": {"type": "list", "elements": "dict", "default": [], "options": SITE},
            "php_cgi": {"type": "bool", "default": True},
            "web_server": {"type": "bool", "default": True},
            "age": {"type": "str", "default": "1d"},
            "sessions": {"type": "bool", "default": False},
            "budget_override": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C"}
    refused = refusal()
    if refused:
        module.fail_json(msg=refused)
    options = module.params
    settings = tmpdir_mount.Settings(
        **{name: options[name] for name in ("mount", "size_bytes", "age", "sessions", "budget_override")},
        check_mode=module.check_mode,
    )
    run, place = runner(module.run_command), tmpdir_mount.Place()
    try:
        if options["state"] == "absent":
            apache = Apache(lambda words, variables: module.run_command(words, environ_update=variables))
            result = tmpdir_mount.absent(run, settings, place, in_force(apache))
        else:
            facts = tmpdir_sites.php_sites(lambda words: module.run_command(words, environ_update=ENVIRONMENT))
            shown = facts if options["php_cgi"] else {"apache": facts.get("apache")}
            directories = tmpdir_sites.find(
                options["mount"], options["sites"], options["size_bytes"], shown, options["web_server"], Layout()
            )
            there = tmpdir_sites.there(facts, Layout())
            result = tmpdir_mount.present(run, directories, there, settings, place)
    except (TmpdirError, FstabError, StepFailed, Unreadable, ValueError, OSError) as error:
        module.fail_json(msg=str(error))
    for warning in result["warnings_found"]:
        module.warn(warning)
    module.exit_json(**result, summary=of_mounts(result["mounts"], result["directories"]))


if __name__ == "__main__":
    main()
