#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: fcgid_limits
short_description: Set the limits of Apache's mod_fcgid, for the server and for single sites
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Writes limits of C(mod_fcgid) where Apache takes them, and reads back from Apache that they hold.
  - The server's limits go into C(conf-available/phpops-fcgid-limits.conf), those of a site into a marked block at the
    end of each of its virtual hosts.
  - A line elsewhere in the server's own configuration that would win, as it stands later, gets the same value. A line
    in a virtual host that wins there is named in RV(overridden) and stays.
  - Names of directives from before C(mod_fcgid) 2.3.6, such as C(MaxProcessCount), are replaced by the present ones.
  - All bytes of before are kept in C(/var/lib/phpops/backup/apache). With O(state=absent) they are given back, line by
    line where a file was changed by somebody else meanwhile.
  - Everything is checked on a copy of Apache's folder first. When Apache refuses the real files, or reads another value
    from them, all of them get their bytes back.
  - Apache takes new limits at a reload, which ends the C(php-cgi) of all sites. The module waits, within bounds, until
    none has served a request for a moment, and reloads once for all. When they stay busy it does not reload, says so,
    and the next run tries again.
  - A limit of requests above the one by which C(php-cgi) ends itself, C(PHP_FCGI_MAX_REQUESTS) in the site's wrapper,
    gives visitors a 500 now and then. It is refused.
  - A host without Apache or without C(mod_fcgid) is no failure. RV(available) is false then.
  - The task needs C(become).
options:
  server:
    description:
      - Limits for the whole server, by the names of their directives, such as C(FcgidMinProcessesPerClass).
      - What is left out here is no longer set by this module, so the value of before counts again.
    type: dict
    default: {}
  sites:
    description: Limits for single sites. They win over those of the server.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The server name of the site, an alias of it, or its short name.
        type: str
        required: true
      limits:
        description:
          - The limits, by the names of their directives.
          - Apache takes those about scans, scores, C(FcgidMaxProcesses) and C(FcgidFixPathinfo) for the whole server
            alone.
        type: dict
        required: true
  state:
    description: Whether the limits are there, or everything that the module changed is as before.
    type: str
    choices: [present, absent]
    default: present
  rename:
    description: Whether directives of C(mod_fcgid) with an old name get their present one.
    type: bool
    default: true
  reload:
    description:
      - V(idle) reloads Apache when no C(php-cgi) has served a request for O(quiet_seconds), and leaves it when that
        does not happen in O(idle_timeout_seconds).
      - V(always) reloads it after that time nevertheless. Requests may be cut then.
      - V(never) writes the files alone.
    type: str
    choices: [idle, always, never]
    default: idle
  idle_timeout_seconds:
    description: How long to wait for idle C(php-cgi) before the reload.
    type: float
    default: 30
  quiet_seconds:
    description:
      - How long no C(php-cgi) may have served a request before the reload. A request that comes while Apache reloads
        may hang until the client gives up.
    type: float
    default: 1
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
attributes:
  check_mode:
    description: Lets Apache read a copy with the changes, and shows the exact diff and what would hold.
    support: full
  diff_mode:
    description: Shows the files before and after, without the values of environment variables.
    support: full
seealso:
  - module: phpops.webhost.php_sites_facts
  - module: phpops.webhost.php_cgi_idle
"""

EXAMPLES = r"""
- name: Let idle php-cgi go
  phpops.webhost.fcgid_limits:
    server:
      FcgidMinProcessesPerClass: 0
      FcgidProcessLifeTime: 600
      FcgidIdleScanInterval: 120
  become: true

- name: Give one site fewer processes than the others, and reload at night
  phpops.webhost.fcgid_limits:
    server:
      FcgidMaxProcessesPerClass: 12
    sites:
      - name: shop.example.com
        limits:
          FcgidMaxProcessesPerClass: 4
          FcgidMaxRequestsPerProcess: 500
    reload: never
  become: true

- name: Give every file its bytes of before
  phpops.webhost.fcgid_limits:
    state: absent
  become: true
"""

RETURN = r"""
available:
  description: Whether this host has Apache with C(mod_fcgid).
  returned: success
  type: bool
reason:
  description: Why not, else null.
  returned: success
  type: str
server:
  description: The limits of O(server) as Apache reads them, each with C(value) and C(source).
  returned: success
  type: dict
  sample:
    FcgidMinProcessesPerClass: {value: 0, source: "/etc/apache2/conf-enabled/phpops-fcgid-limits.conf:5"}
sites:
  description: The sites that C(mod_fcgid) runs. Empty with O(state=absent).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The server name.
      type: str
    site:
      description: The short name.
      type: str
    limits:
      description: All limits that O(server) or O(sites) name, as Apache reads them for this site.
      type: dict
    own:
      description: The names of those that O(sites) has for it.
      type: list
      elements: str
    php_max_requests:
      description: After how many requests its C(php-cgi) ends by itself. 0 means never, null unknown.
      type: int
lines:
  description: Lines of other files that differ from those of before.
  returned: success
  type: list
  elements: dict
  contains:
    file:
      description: The real path.
      type: str
    line:
      description: The line's number in the file of before.
      type: int
    before:
      description: The line as it was.
      type: str
    after:
      description: The line as it is.
      type: str
overridden:
  description: Lines of virtual hosts that win there over a limit of the server.
  returned: success
  type: list
  elements: dict
  contains:
    limit:
      description: The name of the limit.
      type: str
    value:
      description: The value that counts there.
      type: str
    asked:
      description: The server's.
      type: int
    vhost:
      description: The virtual host.
      type: str
    file:
      description: The real path of the file.
      type: str
    line:
      description: The number of the line.
      type: int
notes:
  description: What else is to know, one sentence each, such as a site whose C(php-cgi) ends before its limit.
  returned: success
  type: list
  elements: str
files:
  description: The files and symlinks that changed.
  returned: success
  type: list
  elements: str
restored:
  description: With O(state=absent), each changed file and whether it has the very bytes of before.
  returned: success
  type: dict
reload:
  description: What became of the reload.
  returned: success
  type: dict
  contains:
    state:
      description:
        - V(done), V(none) when nothing was to be done, V(busy), V(left) with O(reload=never), V(not_running), or V(due)
          in check mode.
      type: str
    waited_seconds:
      description: How long it waited for idle C(php-cgi).
      type: float
    seconds:
      description: How long the reload took, else null.
      type: float
    php_cgi_before:
      description: How many C(php-cgi) ran before it.
      type: int
    busy:
      description: How many of them served a request when it was last seen that any did, 0 when it was quiet.
      type: int
    warnings:
      description: What a reload that was made did not do well.
      type: list
      elements: str
summary:
  description: All of it in sentences.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.fcgid_limits import LimitError
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import Apache
from ansible_collections.phpops.webhost.plugins.module_utils._host.fcgid_limits import Settings, apply
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal

_SITE = {"name": {"type": "str", "required": True}, "limits": {"type": "dict", "required": True}}


def main() -> None:
    """Set the limits, or give all files their bytes of before."""
    module = AnsibleModule(
        argument_spec={
            "server": {"type": "dict", "default": {}},
            "sites": {"type": "list", "elements": "dict", "default": [], "options": _SITE},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "rename": {"type": "bool", "default": True},
            "reload": {"type": "str", "choices": ["idle", "always", "never"], "default": "idle"},
            "idle_timeout_seconds": {"type": "float", "default": 30},
            "quiet_seconds": {"type": "float", "default": 1},
            "reload_timeout_seconds": {"type": "float", "default": 60},
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
    names = ("rename", "reload", "idle_timeout_seconds", "quiet_seconds", "reload_timeout_seconds")
    settings = Settings(**{name: options[name] for name in names})
    try:
        answer = apply(options["state"], options["server"], options["sites"], apache, settings, module.check_mode)
    except LimitError as error:
        module.fail_json(msg=str(error))
    for warning in answer["reload"]["warnings"]:
        module.warn(warning)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
