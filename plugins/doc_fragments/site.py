# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of a site, for the modules that take one (``site``) or several (``sites``)."""

from __future__ import annotations


class ModuleDocFragment:
    """Named by extends_documentation_fragment, as phpops.webhost.site.one or phpops.webhost.site.several.

    The two hold the same suboptions, written out: ansible-test reads nothing but plain strings here.
    """

    ONE = r"""
options:
  site:
    description:
      - The site, by its O(site.name), and options that differ from what it has.
      - An option that is left out keeps what the site has; a new site takes the default that is named.
      - A release brings its own document root, so O(site.document_root) is not used.
    type: dict
    required: true
    suboptions:
      name:
        description: The site's name, 1 to 32 characters of a-z, 0-9, _ and -, with a letter or digit first.
        type: str
        required: true
      user:
        description: The user that runs the site's PHP, never root. A new site needs it.
        type: str
      group:
        description: The group of the site's PHP, for a new site the name in O(site.user).
        type: str
      web_group:
        description: The group of the web server, which may connect to the socket. A new site has V(www-data).
        type: str
      php_version:
        description: The PHP version, V(8.2) on Debian 12 and V(8.4) on Debian 13. A new site needs it.
        type: str
      document_root:
        description: The folder that V(ptr/live/docroot) leads to while this configuration is live. A new site needs it.
        type: path
      script_root:
        description:
          - The path by which live traffic names the scripts, used for priming.
          - V(document_root) is O(site.document_root), V(pointer) is V(ptr/live/docroot) of the site.
          - V(auto), for a new site, takes V(pointer) when the configuration of Apache or nginx names it.
        type: str
        choices: [auto, document_root, pointer]
      php_ini:
        description: A php.ini for this site instead of FPM's own.
        type: path
      ini_scan_dirs:
        description: More folders of ini files, read after PHP's own folder and before the site's directives.
        type: list
        elements: path
      ini:
        description:
          - Directives of php.ini for the master, name and value, as php.ini would hold them.
          - A list as value gives one line for each item.
        type: dict
      opcache:
        description: OPcache's directives, by full name, such as C(opcache.memory_consumption).
        type: dict
      environment:
        description: Environment variables of the site's PHP.
        type: dict
      process_manager:
        description: The pool's process manager.
        type: dict
        suboptions:
          mode:
            description: How workers are kept. A new site has V(ondemand).
            type: str
            choices: [ondemand, dynamic, static]
          max_children:
            description: The most workers at a time. A new site has V(5).
            type: int
          start_servers:
            description: Workers at the start, with V(dynamic) only.
            type: int
          min_spare_servers:
            description: The fewest idle workers, with V(dynamic) only. A new site has V(1).
            type: int
          max_spare_servers:
            description: The most idle workers, with V(dynamic) only. A new site has V(3).
            type: int
          process_idle_timeout_seconds:
            description: Seconds until an idle worker ends, with V(ondemand) only. A new site has V(10).
            type: int
          max_requests:
            description: Requests until a worker is replaced, V(0) for never. A new site has V(0).
            type: int
      request_terminate_timeout_seconds:
        description: Seconds until FPM kills a request, V(0) for never. A new site has V(0).
        type: int
      process_control_timeout_seconds:
        description: Seconds that a stop waits for requests in flight, at least the longest one. A new site has V(60).
        type: int
      limit_extensions:
        description: The extensions that PHP runs, with their dot; an empty list for all. A new site has V([".php"]).
        type: list
        elements: str
      umask:
        description: The umask of the site's PHP, quoted. A new site has V("022").
        type: str
      memory_high_bytes:
        description: Bytes above which the slot's memory is reclaimed, systemd's C(MemoryHigh). V(0) is no limit.
        type: int
      memory_max_bytes:
        description: The most bytes that the slot may use, systemd's C(MemoryMax). V(0) is no limit.
        type: int
      hardening:
        description:
          - Lines for the unit's C([Service]) section, such as C(ProtectSystem=full). A new site has none.
          - Many of them imply C(NoNewPrivileges), which breaks mail() through a setgid program, and Postfix hangs.
        type: list
        elements: str
      entry_points:
        description: Requests that prime and check the idle slot.
        type: list
        elements: dict
        suboptions:
          path:
            description: The path of the URL. A path that ends in / means its index.php.
            type: str
            default: /index.php
          host:
            description: The Host header. Empty means the site's name.
            type: str
            default: ""
          query:
            description: The query string, without its question mark.
            type: str
            default: ""
          method:
            description: The request's method. A V(POST) sends an empty form, once in each round.
            type: str
            choices: [GET, HEAD, POST]
            default: GET
          headers:
            description: More request headers.
            type: dict
            default: {}
          status:
            description: The status that the answer must have.
            type: int
            default: 200
          contains:
            description: A text that the answer's body must hold.
            type: str
            default: ""
          script:
            description:
              - The script that serves the path, such as V(/index.php) for a front controller.
              - Empty means the script that the path itself names.
            type: str
            default: ""
          https:
            description: Whether PHP is told that the request came by https, for a site that redirects all others.
            type: bool
            default: false
"""

    SEVERAL = r"""
options:
  sites:
    description:
      - The sites, one after the other.
      - An option that is left out keeps what the site has; a new site takes the default that is named.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The site's name, 1 to 32 characters of a-z, 0-9, _ and -, with a letter or digit first.
        type: str
        required: true
      user:
        description: The user that runs the site's PHP, never root. A new site needs it.
        type: str
      group:
        description: The group of the site's PHP, for a new site the name in O(sites[].user).
        type: str
      web_group:
        description: The group of the web server, which may connect to the socket. A new site has V(www-data).
        type: str
      php_version:
        description: The PHP version, V(8.2) on Debian 12 and V(8.4) on Debian 13. A new site needs it.
        type: str
      document_root:
        description: The folder that V(ptr/live/docroot) leads to while this configuration is live. A new site needs it.
        type: path
      script_root:
        description:
          - The path by which live traffic names the scripts, used for priming.
          - V(document_root) is O(sites[].document_root), V(pointer) is V(ptr/live/docroot) of the site.
          - V(auto), for a new site, takes V(pointer) when the configuration of Apache or nginx names it.
        type: str
        choices: [auto, document_root, pointer]
      php_ini:
        description: A php.ini for this site instead of FPM's own.
        type: path
      ini_scan_dirs:
        description: More folders of ini files, read after PHP's own folder and before the site's directives.
        type: list
        elements: path
      ini:
        description:
          - Directives of php.ini for the master, name and value, as php.ini would hold them.
          - A list as value gives one line for each item.
        type: dict
      opcache:
        description: OPcache's directives, by full name, such as C(opcache.memory_consumption).
        type: dict
      environment:
        description: Environment variables of the site's PHP.
        type: dict
      process_manager:
        description: The pool's process manager.
        type: dict
        suboptions:
          mode:
            description: How workers are kept. A new site has V(ondemand).
            type: str
            choices: [ondemand, dynamic, static]
          max_children:
            description: The most workers at a time. A new site has V(5).
            type: int
          start_servers:
            description: Workers at the start, with V(dynamic) only.
            type: int
          min_spare_servers:
            description: The fewest idle workers, with V(dynamic) only. A new site has V(1).
            type: int
          max_spare_servers:
            description: The most idle workers, with V(dynamic) only. A new site has V(3).
            type: int
          process_idle_timeout_seconds:
            description: Seconds until an idle worker ends, with V(ondemand) only. A new site has V(10).
            type: int
          max_requests:
            description: Requests until a worker is replaced, V(0) for never. A new site has V(0).
            type: int
      request_terminate_timeout_seconds:
        description: Seconds until FPM kills a request, V(0) for never. A new site has V(0).
        type: int
      process_control_timeout_seconds:
        description: Seconds that a stop waits for requests in flight, at least the longest one. A new site has V(60).
        type: int
      limit_extensions:
        description: The extensions that PHP runs, with their dot; an empty list for all. A new site has V([".php"]).
        type: list
        elements: str
      umask:
        description: The umask of the site's PHP, quoted. A new site has V("022").
        type: str
      memory_high_bytes:
        description: Bytes above which the slot's memory is reclaimed, systemd's C(MemoryHigh). V(0) is no limit.
        type: int
      memory_max_bytes:
        description: The most bytes that the slot may use, systemd's C(MemoryMax). V(0) is no limit.
        type: int
      hardening:
        description:
          - Lines for the unit's C([Service]) section, such as C(ProtectSystem=full). A new site has none.
          - Many of them imply C(NoNewPrivileges), which breaks mail() through a setgid program, and Postfix hangs.
        type: list
        elements: str
      entry_points:
        description: Requests that prime and check the idle slot.
        type: list
        elements: dict
        suboptions:
          path:
            description: The path of the URL. A path that ends in / means its index.php.
            type: str
            default: /index.php
          host:
            description: The Host header. Empty means the site's name.
            type: str
            default: ""
          query:
            description: The query string, without its question mark.
            type: str
            default: ""
          method:
            description: The request's method. A V(POST) sends an empty form, once in each round.
            type: str
            choices: [GET, HEAD, POST]
            default: GET
          headers:
            description: More request headers.
            type: dict
            default: {}
          status:
            description: The status that the answer must have.
            type: int
            default: 200
          contains:
            description: A text that the answer's body must hold.
            type: str
            default: ""
          script:
            description:
              - The script that serves the path, such as V(/index.php) for a front controller.
              - Empty means the script that the path itself names.
            type: str
            default: ""
          https:
            description: Whether PHP is told that the request came by https, for a site that redirects all others.
            type: bool
            default: false
"""
