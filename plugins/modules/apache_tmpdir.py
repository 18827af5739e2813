#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: apache_tmpdir
short_description: Tells Apache, its CGI programs and its php-cgi where temporary files go
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Sites on php-cgi get C(FcgidInitialEnv TMPDIR) in a marked block of their virtual hosts.
  - A site that is started by suexec, which drops the variable, is named with what to do. So is one whose php.ini shuts
    the folder out, or would let its sessions go there.
  - CGI programs in the folders that C(ScriptAlias) names get C(SetEnv TMPDIR). Apache gives them nothing of its own
    environment. Those that run by suexec don't get it.
  - A new configuration is checked before and after it is put in place, and taken back on failure. It needs one graceful
    reload, which ends all php-cgi. The module waits for a moment when none serves a request, and without one it changes
    nothing.
  - Apache itself and its modules get C(TMPDIR) by a drop-in of C(apache2.service). That counts from the next start on,
    and Apache is restarted only where O(restart) allows it.
  - Without O(directories) all of this is taken back.
  - The module needs C(become). It changes Debian 12 and 13, and refuses other hosts.
extends_documentation_fragment:
  - phpops.webhost.tmpdir.directories
attributes:
  check_mode:
    description: The module says what it would do, and changes nothing.
    support: full
  diff_mode:
    description: The module shows the files of Apache and the drop-in. Virtual hosts may hold passwords.
    support: full
  platform:
    description: The module runs on Debian 12 and 13 with systemd.
    support: full
    platforms: debian
options:
  cgi:
    description: Whether CGI programs get the variable.
    type: bool
    default: true
  restart:
    description:
      - Whether Apache is restarted when its own process has another C(TMPDIR).
      - A restart cuts requests in flight and refuses new ones meanwhile. A client alone can count them. The module
        tells how many connections were open just before, and how long it took.
    type: bool
    default: false
  idle_timeout_seconds:
    description: How long to wait for a moment without a request on php-cgi.
    type: float
    default: 30
  reload_timeout_seconds:
    description: How long the reload may take until new processes are there.
    type: float
    default: 60
  config_root:
    description: The folder of Apache's configuration.
    type: path
    default: /etc/apache2
  pid_file:
    description: The file with the pid of Apache's parent process.
    type: path
    default: /run/apache2/apache2.pid
seealso:
  - module: phpops.webhost.tmpdir_mount
  - module: phpops.webhost.php_sites_facts
"""

EXAMPLES = r"""
- name: Tell Apache of the folders, without a restart
  phpops.webhost.apache_tmpdir:
    directories: "{{ tmpdirs.directories }}"
  become: true

- name: Take all of it back
  phpops.webhost.apache_tmpdir:
  become: true
"""

RETURN = r"""
sites:
  description: The sites on php-cgi.
  returned: success
  type: list
  elements: dict
  contains:
    site:
      description: The site's short name.
      type: str
      returned: always
    path:
      description: Its folder.
      type: str
      returned: always
    reached:
      description: Whether its php-cgi gets the variable.
      type: bool
      returned: always
    reason:
      description: Why not, and what to do, null where it does.
      type: str
      returned: always
cgi_folders:
  description: The folders whose CGI programs get the variable.
  returned: success
  type: list
  elements: str
  sample: ["/usr/lib/cgi-bin"]
apache:
  description: Apache itself.
  returned: success
  type: dict
  contains:
    path:
      description: The folder that its unit names, null for none.
      type: str
      returned: always
    in_force:
      description: The C(TMPDIR) of the process that runs now.
      type: str
      returned: always
    pending:
      description: Whether that changes at the next restart.
      type: bool
      returned: always
reload:
  description: The reload, null when there was none.
  returned: success
  type: dict
  sample: {"seconds": 0.31, "waited_seconds": 0.0, "php_cgi": 2}
restart:
  description: The restart, null when there was none.
  returned: success
  type: dict
  sample: {"seconds": 1.2, "waited_seconds": 0.0, "busy_php_cgi": 0, "open_connections": 3}
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
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core import tmpdir
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.tmpdir_summary import of_apache
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache import ENVIRONMENT
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import Apache, ApacheError
from ansible_collections.phpops.webhost.plugins.module_utils._host.files import Unreadable
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import runner
from ansible_collections.phpops.webhost.plugins.module_utils._host.tmpdir_apache import Settings, apply
from ansible_collections.phpops.webhost.plugins.module_utils._host.tmpdir_sites import DIRECTORY_OPTIONS, php_sites


def main():
    module = AnsibleModule(
        argument_spec={
            "directories": {"type": "list", "elements": "dict", "default": [], "options": DIRECTORY_OPTIONS},
            "cgi": {"type": "bool", "default": True},
            "restart": {"type": "bool", "default": False},
            "idle_timeout_seconds": {"type": "float", "default": 30.0},
            "reload_timeout_seconds": {"type": "float", "default": 60.0},
            "config_root": {"type": "path", "default": "/etc/apache2"},
            "pid_file": {"type": "path", "default": "/run/apache2/apache2.pid"},
        },
        supports_check_mode=True,
    )
    refused = refusal()
    if refused:
        module.fail_json(msg=refused)
    options = module.params
    apache = Apache(
        lambda words, variables: module.run_command(words, environ_update=variables),
        options["config_root"],
        options["pid_file"],
    )
    settings = Settings(
        **{name: options[name] for name in ("cgi", "restart", "idle_timeout_seconds", "reload_timeout_seconds")},
        check_mode=module.check_mode,
    )
    directories = [tmpdir.directory_of(one) for one in options["directories"]]
    try:
        facts = php_sites(lambda words: module.run_command(words, environ_update=ENVIRONMENT)) if directories else {}
        result = apply(directories, facts, apache, runner(module.run_command), settings)
    except (tmpdir.TmpdirError, ApacheError, StepFailed, Unreadable, OSError) as error:
        module.fail_json(msg=str(error))
    for warning in result["warnings_found"]:
        module.warn(warning)
    module.exit_json(**result, summary=of_apache(result))


if __name__ == "__main__":
    main()
