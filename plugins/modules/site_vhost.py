#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: site_vhost
short_description: Give a site a virtual host that serves it through its pointer
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Writes a virtual host for Apache or nginx that serves a site's static files and its PHP through the site's pointer.
    A slot flip then switches code, static files and sockets at once, and no web server is reloaded for it.
  - A virtual host of one's own does as well. RV(lines) are what it needs.
  - The file is checked on a copy of the configuration before it is written, and once more afterwards. The web server
    is reloaded once, gracefully, and only when something changed. After a failure the old file is back.
  - Apache's C(proxy) and C(proxy_fcgi) modules are switched on where they are off. With O(state=absent) they are
    switched off again if this collection switched them on and nothing else needs them.
  - A server name that another virtual host of the port has is refused.
  - A reload of Apache ends the C(php-cgi) of all sites, so it waits up to 30 seconds until none serves a request.
  - The task needs C(become).
attributes:
  check_mode:
    description: Checks the copy and shows the exact diff.
    support: full
  diff_mode:
    description: Shows the files before and after.
    support: full
  platform:
    description: The module runs on Debian.
    support: full
    platforms: debian
options:
  site:
    description: The short name of the site, as M(phpops.webhost.site_slot) has it.
    type: str
    required: true
  server:
    description: The web server.
    type: str
    choices: [apache, nginx]
    required: true
  server_names:
    description:
      - The host names that the site is asked for by. The first is its main name.
      - An empty list means the site's short name.
    type: list
    elements: str
    default: []
  port:
    description: The port. Apache is told to listen on it if no other line does.
    type: int
    default: 80
  front_controller:
    description:
      - The script that gets each path that is no file, such as V(/index.php).
      - Without it such a path is not found.
    type: str
    default: ""
  allow_override:
    description: What a C(.htaccess) may say (Apache's C(AllowOverride)). nginx reads no such file.
    type: str
    default: None
  extra_lines:
    description:
      - Lines to add inside of the virtual host, each an element of its own.
      - For TLS give its directives here, and O(port).
      - Lines that would spoil a slot flip, as one that keeps connections to PHP-FPM, are refused.
    type: list
    elements: str
    default: []
  state:
    description: Whether the virtual host is there.
    type: str
    choices: [present, absent]
    default: present
  config_root:
    description: The folder of the web server's configuration, by default V(/etc/apache2) or V(/etc/nginx).
    type: path
  reload_timeout_seconds:
    description: How long the reload may take until new processes are there.
    type: float
    default: 60
seealso:
  - module: phpops.webhost.site_slot
  - module: phpops.webhost.site_handlers
"""

EXAMPLES = r"""
- name: Serve the wiki by Apache
  phpops.webhost.site_vhost:
    site: wiki
    server: apache
    server_names: [wiki.example.org, www.wiki.example.org]
    front_controller: /index.php
  become: true

- name: Serve the shop by nginx, with TLS
  phpops.webhost.site_vhost:
    site: shop
    server: nginx
    server_names: [shop.example.org]
    extra_lines:
      - listen 443 ssl;
      - ssl_certificate /etc/ssl/shop.pem;
      - ssl_certificate_key /etc/ssl/shop.key;
  become: true

- name: See what a virtual host of one's own needs
  phpops.webhost.site_vhost:
    site: wiki
    server: nginx
  check_mode: true
  register: vhost
  become: true
"""

RETURN = r"""
lines:
  description: The lines that serve the site, for a virtual host of one's own.
  returned: success
  type: list
  elements: str
  sample:
    - root /var/lib/phpops/wiki/ptr/live/docroot;
path:
  description: The file of the virtual host. A symlink enables it.
  returned: success
  type: str
  sample: /etc/apache2/sites-available/phpops-wiki.conf
reloaded:
  description: Whether the web server was reloaded.
  returned: success
  type: bool
msg:
  description: What else there is to know, such as that the web server is not running, or an empty string.
  returned: success
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._core.vhost import SERVERS, VhostError, build
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache_control import Apache, ApacheError
from ansible_collections.phpops.webhost.plugins.module_utils._host.nginx_control import Nginx, NginxError
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import runner
from ansible_collections.phpops.webhost.plugins.module_utils._host.vhost import Settings, VhostFailed, apply
from ansible_collections.phpops.webhost.plugins.module_utils._host.vhost_servers import ApacheSide, NginxSide


def main() -> None:
    """Give the site its virtual host, or take it away."""
    module = AnsibleModule(
        argument_spec={
            "site": {"type": "str", "required": True},
            "server": {"type": "str", "choices": list(SERVERS), "required": True},
            "server_names": {"type": "list", "elements": "str", "default": []},
            "port": {"type": "int", "default": 80},
            "front_controller": {"type": "str", "default": ""},
            "allow_override": {"type": "str", "default": "None"},
            "extra_lines": {"type": "list", "elements": "str", "default": []},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "config_root": {"type": "path"},
            "reload_timeout_seconds": {"type": "float", "default": 60},
        },
        supports_check_mode=True,
    )
    options = module.params
    refused = refusal()
    if refused:
        module.fail_json(msg=refused)

    start = runner(module.run_command)

    def run(words: list[str], variables: dict[str, str]) -> tuple[int, str, str]:
        return start(words, environ_update=variables)

    apache = options["server"] == "apache"
    root = options["config_root"] or ("/etc/apache2" if apache else "/etc/nginx")
    side = ApacheSide(Apache(run, root)) if apache else NginxSide(Nginx(run, root))
    settings = Settings(reload_timeout_seconds=options["reload_timeout_seconds"])
    try:
        vhost = build(options, options["server"], Layout())
        module.exit_json(**apply(side, vhost, options["state"], settings, module.check_mode))
    except (VhostError, VhostFailed, ApacheError, NginxError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
