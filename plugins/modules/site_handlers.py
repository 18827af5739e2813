#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: site_handlers
short_description: Hand the PHP files of Apache's virtual hosts to PHP-FPM
version_added: 0.1.0
description:
  - Puts one marked block into each virtual host of the given sites, for all of them at once, with one graceful reload.
  - It checks a staged copy, swaps the files and checks again. What Apache refuses is taken back before a reload.
  - A certificate that doesn't match its key would end Apache at the reload. It is found and refused before.
  - A reload ends the C(php-cgi) of all sites, so it waits, within bounds, until none serves a request.
  - The given URLs are compared before and after. They are asked for twice before, 1.5 seconds apart. Of a body that
    changes by itself nothing but the status counts, and a warning says so.
  - A site that answers otherwise gets its old handler back, with one more reload, and is reported as failed. The other
    sites go on.
  - With O(state=absent) the blocks go, and the files have the very bytes they had before.
  - The bytes of before are kept in C(/var/lib/phpops/backup/apache).
  - The task needs C(become).
author:
  - the phpops.webhost authors (@phpops)
options:
  sites:
    description:
      - The sites, as RV(phpops.webhost.migration_plan_info#module:handlers) has them.
      - With O(state=absent) they are named by O(names) instead.
    type: list
    elements: dict
    default: []
    suboptions:
      site:
        description: The short name of the site.
        type: str
        required: true
      name:
        description: The server name.
        type: str
      names:
        description: The server name and its aliases.
        type: list
        elements: str
        default: []
      block:
        description: The lines of the block.
        type: str
        default: ""
      vhosts:
        description: The virtual hosts that get it.
        type: list
        elements: dict
        default: []
        suboptions:
          file:
            description: The real path of the file.
            type: path
            required: true
          line:
            description: The line on which the virtual host begins.
            type: int
            required: true
          address:
            description: The address of the virtual host, such as V(*:80).
            type: str
  names:
    description: With O(state=absent), the short or server names of the sites. An empty list means all that were moved.
    type: list
    elements: str
    default: []
  state:
    description: Whether PHP-FPM gets the files, or what had them before.
    type: str
    choices: [present, absent]
    default: present
  urls:
    description:
      - The URLs that must give the same status and body before and after. This host itself is asked for them.
      - A site without one is asked for V(/), and its status alone is compared.
    type: list
    elements: dict
    default: []
    suboptions:
      url:
        description: The URL, with its scheme and host.
        type: str
        required: true
      host:
        description: The host name to ask for, if it is not the URL's own.
        type: str
      ignore:
        description: Regular expressions for the parts of the body that don't count.
        type: list
        elements: str
        default: []
  config_root:
    description: The folder of Apache's configuration.
    type: path
    default: /etc/apache2
  pid_file:
    description: The file with the pid of Apache's parent process.
    type: path
    default: /run/apache2/apache2.pid
  idle_timeout_seconds:
    description: How long to wait for idle C(php-cgi) before the reload. After it the reload is made nevertheless.
    type: float
    default: 30
  reload_timeout_seconds:
    description: How long the reload may take until new processes are there.
    type: float
    default: 60
  request_timeout_seconds:
    description: How long a compared URL may take.
    type: float
    default: 30
  gone_timeout_seconds:
    description: How long to wait for the end of the old C(php-cgi).
    type: float
    default: 60
attributes:
  check_mode:
    description: Checks the staged copy and shows the exact diff.
    support: full
  diff_mode:
    description: Shows the files before and after.
    support: full
seealso:
  - module: phpops.webhost.migration_plan_info
  - module: phpops.webhost.site_slot
"""

EXAMPLES = r"""
- name: Hand the sites over to PHP-FPM
  phpops.webhost.site_handlers:
    sites: "{{ plan.handlers }}"
    urls:
      - url: http://shop.example.com/index.php
        ignore: ['token="[0-9a-f]+"']
  become: true

- name: Give all sites back to php-cgi
  phpops.webhost.site_handlers:
    state: absent
  become: true
"""

RETURN = r"""
sites:
  description: What became of each site.
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
    changed:
      description: Whether its files were changed.
      type: bool
    failed:
      description: Whether it stays as it was because something failed.
      type: bool
    step:
      description: The step that failed, V(place), V(check) or V(compare), else null.
      type: str
    msg:
      description: Why it failed.
      type: str
    restored:
      description: With O(state=absent), whether its files have the very bytes of before. Null otherwise.
      type: bool
leaving:
  description: With O(state=absent), the sites that php-cgi serves again, as M(phpops.webhost.site_slot) takes them.
  returned: success
  type: list
  elements: dict
reload:
  description:
    - What the reload was like, as C(reloads), C(seconds) of each, C(idle_wait_seconds), C(php_cgi_before),
      C(busy_at_reload), C(orphans_ended), C(php_cgi_left) and C(warnings).
    - Without a reload only C(reloads), C(seconds) and C(warnings) are there.
  returned: success
  type: dict
modules_enabled:
  description: The links that switched Apache's proxy modules on.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.migration.pages import UrlError
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import Apache, ApacheError
from ansible_collections.phpops.webhost.plugins.module_utils._host.site_handlers import HandlersError, Settings, apply
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal

_VHOST = {
    "file": {"type": "path", "required": True},
    "line": {"type": "int", "required": True},
    "address": {"type": "str"},
}
_SITE = {
    "site": {"type": "str", "required": True},
    "name": {"type": "str"},
    "names": {"type": "list", "elements": "str", "default": []},
    "block": {"type": "str", "default": ""},
    "vhosts": {"type": "list", "elements": "dict", "default": [], "options": _VHOST},
}
_URL = {
    "url": {"type": "str", "required": True},
    "host": {"type": "str"},
    "ignore": {"type": "list", "elements": "str", "default": []},
}


def main() -> None:
    """Hand the sites over, or take them back."""
    module = AnsibleModule(
        argument_spec={
            "sites": {"type": "list", "elements": "dict", "default": [], "options": _SITE},
            "names": {"type": "list", "elements": "str", "default": []},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "urls": {"type": "list", "elements": "dict", "default": [], "options": _URL},
            "config_root": {"type": "path", "default": "/etc/apache2"},
            "pid_file": {"type": "path", "default": "/run/apache2/apache2.pid"},
            "idle_timeout_seconds": {"type": "float", "default": 30},
            "reload_timeout_seconds": {"type": "float", "default": 60},
            "request_timeout_seconds": {"type": "float", "default": 30},
            "gone_timeout_seconds": {"type": "float", "default": 60},
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
        idle_timeout_seconds=options["idle_timeout_seconds"],
        reload_timeout_seconds=options["reload_timeout_seconds"],
        request_timeout_seconds=options["request_timeout_seconds"],
        gone_timeout_seconds=options["gone_timeout_seconds"],
    )
    try:
        sites = options["sites"] if options["state"] == "present" else [{"site": name} for name in options["names"]]
        answer = apply(options["state"], sites, options["urls"], apache, settings, module.check_mode)
    except (HandlersError, ApacheError, UrlError) as error:
        module.fail_json(msg=str(error))
    for warning in answer["reload"]["warnings"]:
        module.warn(warning)
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
