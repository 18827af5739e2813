#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts about the PHP sites of a host's Apache."""

from __future__ import annotations

DOCUMENTATION = r"""
module: php_sites_facts
short_description: Shows every PHP site of a host's Apache, how PHP runs in it, and whether it can move to PHP-FPM
description:
  - Asks Apache for the configuration that it really loads, with all includes, macros and taken branches, and tells for
    each site who runs its PHP - mod_php, mod_fcgid with a wrapper script, an Action to a php-cgi, or a FastCGI proxy.
  - Reads wrapper scripts without running them. What isn't a plain list of assignments, exports and one php-cgi is
    listed in RV(ansible_facts.phpops_php_sites.sites[].wrapper.unresolved), and such a site is not called migratable.
  - Looks for C(.htaccess) files where C(AllowOverride) lets them in, and for OPcache's shared memory failures in the
    ends of the error logs.
  - The configuration is the one on disk. An Apache that was not reloaded since runs another one.
  - Needs C(become) to read wrapper scripts, private keys that the configuration names, error logs and the folders of
    other users. What could not be read is said, and such a site is not called migratable.
  - The environment that a wrapper exports and C(FcgidInitialEnv) often hold passwords. They are in the facts, because a
    migration carries them over. Set C(no_log) on the task, or don't print and don't cache the whole facts, where that
    matters. Nothing of it is logged on the host.
version_added: 1.0.0
author:
  - The phpops.webhost authors (@phpops)
options:
  apache_control:
    description: Apache's control program. By default C(/usr/sbin/apache2ctl), else C(/usr/sbin/apachectl).
    type: path
  mod_info_path:
    description: Apache's module that shows the configuration. It is loaded for the one call only.
    type: path
    default: /usr/lib/apache2/modules/mod_info.so
  htaccess_max_directories:
    description: Stop the search for C(.htaccess) files after this many folders.
    type: int
    default: 20000
  htaccess_max_seconds:
    description: Stop the search for C(.htaccess) files after this many seconds.
    type: float
    default: 10
  error_log_max_bytes:
    description: Read at most this many bytes from the end of each error log, and of the one rotated before it.
    type: int
    default: 67108864
extends_documentation_fragment:
  - phpops.webhost.attributes.reads
  - phpops.webhost.attributes.facts
seealso:
  - module: phpops.webhost.migration_plan_info
"""

EXAMPLES = r"""
- name: Gather facts about the PHP sites
  phpops.webhost.php_sites_facts:
  become: true
  no_log: true

- name: Show what can't be moved, and why
  ansible.builtin.debug:
    msg: "{{ item.reasons }}"
  loop: "{{ ansible_facts.phpops_php_sites.sites | rejectattr('migratable') }}"
  loop_control:
    label: "{{ item.name }}"
  when: ansible_facts.phpops_php_sites.available
"""

RETURN = r"""
ansible_facts:
  description: The facts.
  returned: always
  type: dict
  contains:
    phpops_php_sites:
      description: The PHP sites of the host's Apache.
      returned: always
      type: dict
      contains:
        available:
          description: Whether Apache's configuration could be had. The keys below exist only if so.
          returned: always
          type: bool
        reason:
          description: Why not, and the cure. Apache's own error where its configuration doesn't pass C(-t).
          returned: always
          type: str
        apache:
          description: Apache itself.
          returned: when available
          type: dict
          contains:
            version:
              description: Its version.
              returned: always
              type: str
            mpm:
              description: One of event, worker, prefork and itk.
              returned: always
              type: str
            modules:
              description: The loaded modules, without C(_module).
              returned: always
              type: list
              elements: str
            config_root:
              description: C(ServerRoot).
              returned: always
              type: str
            user:
              description: The user of its processes.
              returned: always
              type: str
            group:
              description: The group of its processes.
              returned: always
              type: str
            error_log:
              description: The main server's error log.
              returned: always
              type: str
            pid_file:
              description: Its PID file.
              returned: always
              type: str
            running:
              description: Whether it runs.
              returned: always
              type: bool
            shm_errors:
              description: OPcache's shared memory failures in the main error log, in the form of the sites'
                C(shm_errors). php-cgi's own messages at start go there, whatever the site.
              returned: always
              type: dict
        htaccess_scan:
          description: How far the search for C(.htaccess) files went.
          returned: when available
          type: dict
          contains:
            directories:
              description: Folders looked into.
              returned: always
              type: int
            seconds:
              description: How long it took.
              returned: always
              type: float
            complete:
              description: Whether nothing was left out.
              returned: always
              type: bool
            reasons:
              description: What was left out, and why.
              returned: always
              type: list
              elements: str
        sites:
          description: The sites. Virtual hosts with the same name and document root are one site.
          returned: when available
          type: list
          elements: dict
          contains:
            name:
              description: C(ServerName).
              returned: always
              type: str
            site:
              description: A short name, unique on the host, for files and units.
              returned: always
              type: str
              sample: wiki-example-org
            names:
              description: C(ServerName) and every C(ServerAlias).
              returned: always
              type: list
              elements: str
            addresses:
              description: The addresses of its virtual hosts.
              returned: always
              type: list
              elements: str
              sample: ["*:80", "*:443"]
            vhosts:
              description: Its virtual hosts, each with C(file) (real path), C(enabled_path), C(line), C(server_name),
                C(address) and C(macro) (the macro that wrote it, or null).
              returned: always
              type: list
              elements: dict
            document_root:
              description: C(DocumentRoot).
              returned: always
              type: str
            user:
              description: The user that PHP runs as. Null where C(SuexecUserGroup) names one that doesn't exist.
              returned: always
              type: str
            group:
              description: The group that PHP runs as.
              returned: always
              type: str
            suexec:
              description: Whether suexec changes the user.
              returned: always
              type: bool
            php:
              description: Who runs PHP.
              returned: always
              type: dict
              contains:
                method:
                  description: One of mod_php, fcgid_wrapper, action_cgi and proxy_fcgi.
                  returned: always
                  type: str
                handler:
                  description: The handler as configured.
                  returned: always
                  type: str
                semantics:
                  description: How names are matched. C(addhandler) takes an extension anywhere in a name (p.php.de),
                    C(filesmatch) a pattern, C(sethandler) every file.
                  returned: always
                  type: str
                extensions:
                  description: The extensions that PHP takes, of those that the configuration names and the usual ones.
                  returned: always
                  type: list
                  elements: str
                patterns:
                  description: The patterns of the C(Files) and C(FilesMatch) sections that give names to PHP.
                  returned: always
                  type: list
                  elements: str
                binary:
                  description: The real path of the program, or null.
                  returned: always
                  type: str
                version:
                  description: PHP's version where the program is Debian's own php-cgi 8.2 or 8.4, else null.
                  returned: always
                  type: str
                findings:
                  description: The lines that decide, each with C(directive), C(arguments), C(file), C(line) and
                    C(section), the list of the sections around it.
                  returned: always
                  type: list
                  elements: dict
                server_wide:
                  description: Whether the handler comes from outside of the virtual host.
                  returned: always
                  type: bool
                action:
                  description: The C(Action), with C(handler), C(url), C(script) and C(runs_as) (the script's own
                    handler), or null.
                  returned: always
                  type: dict
                virtual:
                  description: Whether the file needn't exist.
                  returned: always
                  type: bool
            wrapper:
              description: The wrapper script, or null.
              returned: always
              type: dict
              contains:
                path:
                  description: Its path.
                  returned: always
                  type: str
                readable:
                  description: Whether it could be read.
                  returned: always
                  type: bool
                interpreter:
                  description: Its interpreter. Null where php-cgi itself is the wrapper.
                  returned: always
                  type: str
                execs:
                  description: Whether it replaces itself by php-cgi.
                  returned: always
                  type: bool
                binary:
                  description: The program as the script names it.
                  returned: always
                  type: str
                arguments:
                  description: The program's arguments.
                  returned: always
                  type: list
                  elements: str
                php_fcgi_children:
                  description: C(PHP_FCGI_CHILDREN) in force, null when unset.
                  returned: always
                  type: int
                php_fcgi_max_requests:
                  description: C(PHP_FCGI_MAX_REQUESTS) in force, null when unset (php-cgi then takes 500).
                  returned: always
                  type: int
                phprc:
                  description: C(PHPRC), a folder or a file.
                  returned: always
                  type: str
                ini_path:
                  description: The argument of C(-c), a folder or a file.
                  returned: always
                  type: str
                no_ini:
                  description: Whether C(-n) is given.
                  returned: always
                  type: bool
                ini:
                  description: The C(-d) options.
                  returned: always
                  type: dict
                environment:
                  description: What else the script exports. It may hold secrets.
                  returned: always
                  type: dict
                umask:
                  description: The umask that it sets.
                  returned: always
                  type: str
                ulimits:
                  description: The arguments of its C(ulimit) calls.
                  returned: always
                  type: list
                  elements: str
                unresolved:
                  description: What could not be read for certain.
                  returned: always
                  type: list
                  elements: str
                warnings:
                  description: What has another effect than it seems, such as misspelt variables.
                  returned: always
                  type: list
                  elements: str
            fcgid:
              description: C(directives) has each of mod_fcgid's limits with C(value) and C(source) (default, or file
                and line). C(initial_env) is the C(FcgidInitialEnv) that reaches php-cgi, and may hold secrets.
                C(initial_env_dropped) names what suexec throws away.
              returned: always
              type: dict
            php_values:
              description: The php_value, php_flag, php_admin_value and php_admin_flag lines, each with C(kind),
                C(name), C(value), C(file) and C(line).
              returned: always
              type: list
              elements: dict
            htaccess:
              description: The lines about handlers and PHP in C(.htaccess) files, in the form of C(php.findings).
              returned: always
              type: list
              elements: dict
            allow_override:
              description: What C(AllowOverride) lets a C(.htaccess) in the document root do.
              returned: always
              type: list
              elements: str
              sample: [FileInfo, AuthConfig]
            error_log:
              description: Its error log.
              returned: always
              type: str
            shm_errors:
              description: OPcache's shared memory failures in that log.
              returned: always
              type: dict
              contains:
                count:
                  description: How many. Null when the log can't be read.
                  returned: always
                  type: int
                first:
                  description: Time stamp of the first, as the log writes it.
                  returned: always
                  type: str
                last:
                  description: Time stamp of the last.
                  returned: always
                  type: str
                segment_bytes:
                  description: The sizes that could not be had.
                  returned: always
                  type: list
                  elements: int
                reason:
                  description: Why the log could not be read.
                  returned: always
                  type: str
            underneath:
              description: For a site that phpops moved to PHP-FPM, C(php) and C(wrapper) as they stand below its
                handler, else null.
              returned: always
              type: dict
            warnings:
              description: What is odd, and does no harm to a migration.
              returned: always
              type: list
              elements: str
            migratable:
              description: Whether the site can be moved to PHP-FPM.
              returned: always
              type: bool
            reasons:
              description: Why not, each a sentence with the cure.
              returned: always
              type: list
              elements: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._host.apache import (
    ENVIRONMENT,
    ApacheUnavailable,
    read_apache,
)
from ansible_collections.phpops.webhost.plugins.module_utils._host.php_sites import Limits, Sites, clean


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "apache_control": {"type": "path"},
            "mod_info_path": {"type": "path", "default": "/usr/lib/apache2/modules/mod_info.so"},
            "htaccess_max_directories": {"type": "int", "default": 20000},
            "htaccess_max_seconds": {"type": "float", "default": 10},
            "error_log_max_bytes": {"type": "int", "default": 67108864},
        },
        supports_check_mode=True,
    )
    options = module.params
    limits = Limits(
        options["htaccess_max_directories"], options["htaccess_max_seconds"], options["error_log_max_bytes"]
    )
    try:
        apache = read_apache(
            lambda command: module.run_command(command, environ_update=ENVIRONMENT),
            options["apache_control"],
            options["mod_info_path"],
        )
        facts = clean(Sites(apache, limits).facts())
    except ApacheUnavailable as error:
        facts = {"available": False, "reason": str(error)}
    module.exit_json(changed=False, ansible_facts={"phpops_php_sites": facts})


if __name__ == "__main__":
    main()
