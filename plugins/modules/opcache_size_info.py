#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: opcache_size_info
short_description: Sizes OPcache for PHP sites by compiling their code and by asking their running masters
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Compiles every PHP file of a site in a throw-away PHP process with an OPcache segment of its own, under the site's
    user. Nothing of the code is executed, and no live master is touched. The sum is an upper bound of what the site
    can take.
  - Where a master of the site runs, a small script asks it for its figures through its FastCGI socket. The script lies
    in a folder that the pool can read, under a name that can't be guessed, and is removed again. The sizes that are
    then recommended are what was measured times O(headroom).
  - Both are returned, each with the reason for C(memory_consumption), C(interned_strings_buffer) and
    C(max_accelerated_files), and C(sites[].opcache) holds the directives as M(phpops.webhost.site_slot) takes them.
  - A size that is in force stays where it leaves at least half of the headroom and is at most 25 % and 4 MiB larger
    than what would be set now, so that small changes cause no flip. A master that is younger than
    O(trust_after_seconds) has not seen all of its code, so an earlier, larger measurement still counts.
  - A cache that is full or had to restart for lack of room is no measure; the compiled size is taken instead.
  - Files that the application seems to write at run time are named, with lines for C(opcache.blacklist_filename).
  - Needs C(become) to compile as another user and to reach a pool's socket.
extends_documentation_fragment:
  - phpops.webhost.attributes.reads
options:
  sites:
    description:
      - The sites to size. Without any, all sites that have slots on this host.
      - What is left out comes from the module's own option of that name, then from the site's slot.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The site's name. A site without a slot needs O(sites[].paths) too.
        type: str
        required: true
      paths:
        description: Folders or files of the site's code. A site with a slot has its document root.
        type: list
        elements: path
      user:
        description: The user to compile as.
        type: str
      group:
        description: The group to compile as, the user's own one by default.
        type: str
      php_version:
        description: The site's PHP version, as in V(8.2).
        type: str
      php_binary:
        description: The PHP CLI binary that compiles, C(/usr/bin/php) with the version behind it by default.
        type: path
      socket:
        description: The FastCGI socket of the running master. A site with a slot has that of the live one.
        type: path
      probe_path:
        description: A folder that the running pool can read, tried before the site's paths.
        type: path
      profile:
        description: As O(profile).
        type: str
        choices: [in_place, release]
      size:
        description: As O(size).
        type: str
        choices: [measured, compiled, given]
      headroom:
        description: As O(headroom).
        type: float
      memory_consumption:
        description: As O(memory_consumption).
        type: int
      interned_strings_buffer:
        description: As O(interned_strings_buffer).
        type: int
      max_accelerated_files:
        description: As O(max_accelerated_files).
        type: int
      directives:
        description: As O(directives), which they are added to.
        type: dict
      blacklist:
        description: As O(blacklist), which they replace.
        type: list
        elements: str
  paths:
    description: Folders or files of code, for sites that name none themselves.
    type: list
    elements: path
  user:
    description: The user to compile as, for sites that name none themselves.
    type: str
  group:
    description: The group to compile as, for sites that name none themselves.
    type: str
  php_version:
    description: The PHP version, for sites that name none themselves.
    type: str
  php_binary:
    description: The PHP CLI binary, for sites that name none themselves.
    type: path
  profile:
    description:
      - V(in_place) is for code that is edited in place, so PHP looks for changed files.
      - V(release) is for code that never changes below a running master, so PHP never looks.
    type: str
    choices: [in_place, release]
    default: in_place
  size:
    description:
      - Where the sizes come from. V(measured) falls back to V(compiled) where no master runs or its cache was starved.
      - V(given) neither compiles nor computes; name O(memory_consumption) then.
    type: str
    choices: [measured, compiled, given]
    default: measured
  headroom:
    description: The factor on what was measured, 1.3 for 30 % of room. A compiled size is an upper bound already.
    type: float
    default: 1.3
  memory_consumption:
    description: C(opcache.memory_consumption) in MiB instead of the computed one.
    type: int
  interned_strings_buffer:
    description: C(opcache.interned_strings_buffer) in MiB instead of the computed one. It comes out of the memory.
    type: int
  max_accelerated_files:
    description: C(opcache.max_accelerated_files) instead of the computed one.
    type: int
  directives:
    description:
      - OPcache directives that win over the profile, with or without C(opcache.) in front, such as C(use_cwd=0).
      - One that the site's PHP version lacks, or a value that it would refuse, is an error of that site.
    type: dict
    default: {}
  blacklist:
    description: Lines for C(opcache.blacklist_filename), absolute paths or beginnings of paths.
    type: list
    elements: str
    default: []
  compile:
    description: Whether to compile at all. Without it, only running masters are asked.
    type: bool
    default: true
  exclude:
    description: Folders, or shell patterns of whole real paths, that don't belong to the site.
    type: list
    elements: str
    default: []
  extensions:
    description: Endings of PHP files. Other files than C(*.php) must hold an opening tag in their first 4 KiB.
    type: list
    elements: str
    default: [.php, .phtml, .inc, .module, .install, .theme]
  ini:
    description: php.ini directives for compiling that change what code takes, such as C(short_open_tag).
    type: dict
    default: {}
  max_memory_bytes:
    description:
      - Shared memory that a compiling process may take. It never takes more than half of what the host has free; code
        that doesn't fit is compiled in several processes, one after the other.
    type: int
    default: 1073741824
  max_seconds:
    description: Seconds that one site's files may take to find, and again to compile.
    type: int
    default: 120
  max_files:
    description: Files that are read for one site at most.
    type: int
    default: 100000
  list_files:
    description: How many files each list in the result may name.
    type: int
    default: 100
  trust_after_seconds:
    description: From this age on a master's own measurement counts alone, even where an earlier one was larger.
    type: int
    default: 86400
seealso:
  - module: phpops.webhost.site_slot
  - module: phpops.webhost.memory_budget_info
"""

EXAMPLES = r"""
- name: Size OPcache for every site of this host
  phpops.webhost.opcache_size_info:
  become: true
  register: sizes

- name: Show what each site should have, and why
  ansible.builtin.debug:
    msg: "{{ sizes.summary }}"

- name: Find out how much OPcache the code of an application can take at most
  phpops.webhost.opcache_size_info:
    sites:
      - name: wiki
        paths: [/usr/share/mediawiki]
        user: www-data
        php_version: "8.2"
  become: true
"""

RETURN = r"""
sites:
  description:
    - One entry for each site.
    - C(name), C(php_version) and C(paths) say what was sized. C(files) is the number of PHP files found, each counted
      once by its real path, C(source_bytes) their size.
    - C(unreadable) lists folders that could not be read, path and error of each. C(truncated) says why the search for
      files ended early (C(files) or C(time)), else it is null.
    - C(warnings) are sentences about what makes the figures doubtful, such as a segment of another size than told.
    - C(source) says what the sizes come from, C(measured), C(compiled) or C(given). C(opcache) holds the directives for
      M(phpops.webhost.site_slot), null where C(reason) says why there are none. C(kept) tells whether these are the
      directives that the site has already, C(changes) lists what would change.
    - C(segment_bytes) is what the directives reserve, without C(jit_bytes), which come on top.
    - C(runtime_files) are files that the application seems to write at run time, with their reasons, C(strong) in clear
      cases. C(blacklist_proposal) holds lines for O(blacklist) that cover the clear ones.
    - C(budget), C(blacklist), C(decision) and C(decision_path) are this site's part of RV(budget), RV(blacklists) and
      RV(decisions).
  type: list
  elements: dict
  returned: always
  contains:
    compiled:
      description:
        - What compiling all files gave. Where C(available) is false, there is only the C(reason), with its cure.
        - C(scripts) and C(keys) in the cache; C(used_bytes), what the code takes, is the sum of C(scripts_bytes) and
          C(interned_used_bytes), with C(interned_strings) strings. Room that is kept for more does not count.
        - C(compiled_files) were tried. C(failed_files) names those that don't compile, path and error of each, at most
          O(list_files) of C(failed_files_count).
        - C(truncated) says why it ended early (C(time) or C(fork)), else it is null. C(whole) tells whether all files
          were found and tried, so that the figures are an upper bound.
        - C(passes) is how many processes it took, each with a segment of C(segment_mib) MiB; C(seconds) how long.
        - C(php_version) is the PHP that compiled. C(need) has bytes of scripts and of strings and the number of keys,
          with what PHP adds at run time. C(recommendation) has the three sizes, with value, unit and reason of each.
      type: dict
      returned: always
    measured:
      description:
        - What the running master said. Where C(available) is false, there is only the C(reason), with its cure.
        - C(master_pid) listens on the socket and runs C(php_version). C(segment_bytes) is its real segment with JIT
          buffer, from C(/proc/PID/maps), null where that can't be read. C(age_seconds) is the time since its cache was
          empty.
        - C(starved) says why its figures are no measure, else it is null. C(status) is C(opcache_get_status(false)) as
          a flat table, C(directives) are OPcache's as the running pool has them.
        - C(need) and C(recommendation) are as those of C(compiled).
      type: dict
      returned: always
slots:
  description: The sites that have directives, as O(phpops.webhost.site_slot#module:sites) takes them.
  type: list
  elements: dict
  returned: always
budget:
  description: The same sites as O(phpops.webhost.memory_budget_info#module:sites) takes them.
  type: list
  elements: dict
  returned: always
blacklists:
  description: The blacklist files that the directives name, path and text of each.
  type: list
  elements: dict
  returned: always
decisions:
  description: What to store for the next run once the directives are in force, path and text of each.
  type: list
  elements: dict
  returned: always
stale_files:
  description: Blacklist files of these sites that nothing names any more once the directives are in force.
  type: list
  elements: path
  returned: always
summary:
  description: One sentence for each site.
  type: list
  elements: str
  returned: always
free_bytes:
  description: What the host has free by its tightest limit, null where none could be read.
  type: int
  returned: always
msg:
  description: Why there are no directives for some sites, else empty.
  type: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.opcache_settings import MIB, SettingsError
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_free import free_bytes
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_options import ARGUMENT_SPEC
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_sites import build_sites
from ansible_collections.phpops.webhost.plugins.module_utils._host.opcache_size import Limits, hand_over, size_site


def main():
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    options = module.params

    def run(words, stdin):
        # The script that PHP runs is full of dollar signs: nothing may expand them.
        return module.run_command(words, data=stdin, binary_data=True, expand_user_and_vars=False)

    free = free_bytes()
    limits = Limits(
        memory_mib=max(options["max_memory_bytes"] // MIB, 16),
        seconds=options["max_seconds"],
        max_files=options["max_files"],
        exclude=options["exclude"],
        extensions=options["extensions"],
        ini={str(name): str(value) for name, value in options["ini"].items()},
        compile=options["compile"],
        free_bytes=free,
        trust_after_seconds=options["trust_after_seconds"],
        list_files=options["list_files"],
    )
    try:
        sites = build_sites(options["sites"], options, Layout())
    except (StepFailed, SettingsError) as error:
        module.fail_json(msg=str(error))
    results = [size_site(site, run, limits) for site in sites]
    reasons = [result["reason"] for result in results if result["reason"]]
    module.exit_json(changed=False, sites=results, free_bytes=free, msg=" ".join(reasons), **hand_over(results))


if __name__ == "__main__":
    main()
