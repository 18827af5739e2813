#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: site_release
short_description: Builds a release directory of a PHP site, and removes the ones that nobody uses
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - A release is a directory V(PATH/releases/ID) that never changes. It is built beside the others under another name,
    checked, written to disk, and gets its name by one rename. Nothing that is live is touched.
  - The id is a digest of the content and of the options that shape the release, so it is the same on every host. The
    same content with the same options is the same release, and is not built twice.
  - What a run that was killed left in V(PATH/releases) is removed by the next run.
  - Archives are unpacked by the module itself. A path that is absolute, leads upwards or goes through a symlink of the
    archive is refused, so are devices, and symlinks and hard links that lead out of the release. The kind of archive
    is told by its content.
  - Files get the time at which they are built, not the archive's. An archive with one time for all of its files would
    give a file that changed, but kept its size, the same ETag.
  - V(PATH/current) leads to the live release by a path that never changes, for cron and the command line.
  - V(PATH/releases) holds a record V(ID.json) beside each release. V(PATH/incoming), which only root may read, is
    for archives to unpack.
  - The module refuses a O(path) that others than root can change, by owner or mode of any folder on the way.
  - The module needs C(become).
attributes:
  check_mode:
    description:
      - The module reads and checks the whole source, and says which release would be built, what would be shared and
        removed.
      - A source that is not on the host yet can't be read, and the release's id is not known then.
    support: full
  diff_mode:
    description: The module shows the release, the shared paths and the removed releases as lines.
    support: full
  platform:
    description: The module runs on Linux.
    support: full
    platforms: linux
options:
  site:
    description: The site's name, 1 to 32 characters of a-z, 0-9, _ and -, with a letter or digit first.
    type: str
    required: true
  path:
    description:
      - The folder of all that is deployed of this site, such as V(/srv/www/wiki). It belongs to this site alone.
      - V(releases), V(shared) and V(incoming) in it are made.
    type: path
    required: true
  id:
    description:
      - A name for the release, up to 64 letters, digits and V(. _ -). Left out, the first 12 digits of its digest.
      - A release that has this id and was built from another content or with other options is refused.
      - Without O(source), the release of this id is taken as it is there; old assets are carried into it all the same.
    type: str
  source:
    description: Where the code is. It is needed for O(state=present), unless O(id) names a release that is there.
    type: dict
    suboptions:
      kind:
        description:
          - V(archive) is a tar (plain, gz, bz2 or xz) or zip file.
          - V(git) is a repository, of which one commit is exported by C(git archive). Submodules are not exported, and
            named in a warning. Git runs as the owner of the repository.
          - V(tree) is a directory of the host, which is copied.
        type: str
        choices: [archive, git, tree]
        required: true
      path:
        description: The archive, repository or directory on the managed host, see O(source.remote_src).
        type: path
        required: true
      remote_src:
        description:
          - With V(false), O(source.path) is an archive of the controller. It is sent to the host when no release was
            built from it yet.
        type: bool
        default: true
      commit:
        description: The commit to export, a hash, tag or branch, for V(git).
        type: str
      sha256:
        description: The sum of the archive. It is compared before anything is unpacked.
        type: str
      strip_components:
        description:
          - How many leading names are taken off each path, V(1) for an archive with one directory at its top.
          - What has no more names than that is left out. It is never guessed.
        type: int
        default: 0
      subdirectory:
        description: Only this directory of the source is taken; O(source.strip_components) is applied before.
        type: str
        default: ""
  public:
    description: The directory of the release that is served, V("") for the whole release. It must be in the release.
    type: str
    default: ""
  shared_dirs:
    description:
      - Directories that all releases share, by their path in the release, which becomes a symlink to V(PATH/shared).
      - Where V(PATH/shared) lacks one, the release's own content is moved there, else an empty one is made. It
        belongs to O(user). Where it is there, it is left as it is, and the release's own content is left out.
    type: list
    elements: str
    default: []
  shared_files:
    description:
      - Files that all releases share, in the same way.
      - A file that is neither in V(PATH/shared) nor in the release is refused, before anything gets its name. An empty
        file or a link to nothing could make an application show its installer. In check mode it is a warning.
      - For files that the application makes itself, share their directory.
    type: list
    elements: str
    default: []
  asset_paths:
    description:
      - Directories of the release with files that browsers of visitors still ask for after a deploy, such as hashed
        scripts and styles.
      - What one of the last O(keep) live releases shipped there, and the new one lacks, is copied into it.
    type: list
    elements: str
    default: []
  owner:
    description: The owner of all files of a release. With root, PHP can't write its own code.
    type: str
    default: root
  group:
    description: The group of all files of a release, left out the one of O(owner).
    type: str
  dir_mode:
    description: The mode of all directories, and of shared ones that are made. Only the owner may write.
    type: str
    default: "0755"
  file_mode:
    description: The mode of all files. Who may read may also execute those that are executable in the source.
    type: str
    default: "0644"
  user:
    description:
      - The site's user, who owns what releases share.
      - Left out, the user of the site's live slot; a new site with shared paths needs it.
    type: str
  deploy_id:
    description:
      - The deploy that holds the site's lease. Left out, the module refuses to run while a deploy does.
    type: str
  unlock:
    description: Whether V(pruned) gives the lease of O(deploy_id) back at its end, which saves a deploy a task.
    type: bool
    default: false
  keep:
    description: How many releases that were live before the live one are kept.
    type: int
    default: 5
  state:
    description:
      - V(present) builds the release.
      - V(pruned) removes releases. It keeps the live one, the O(keep) that were live before, those that a slot of any
        site or a symlink in O(path) names, those that any process of the host uses (by working directory, root,
        program, open file, mapping or command line, or because it was started by the path of the live release before
        the last switch), those with a mount point in them, and directories that this module didn't build.
      - Where not all processes can be looked into, V(pruned) removes nothing and warns.
    type: str
    choices: [present, pruned]
    default: present
seealso:
  - module: phpops.webhost.site_slot
"""

EXAMPLES = r"""
- name: Build a release from an archive that is on the host
  phpops.webhost.site_release:
    site: wiki
    path: /srv/www/wiki
    source:
      kind: archive
      path: /srv/www/wiki/incoming/wiki-1.4.tar.gz
      sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
      strip_components: 1
    public: public
    shared_dirs: [public/uploads]
    shared_files: [config/local.php]
    asset_paths: [public/build]
    user: wiki
  become: true

- name: Build a release from an archive of the controller
  phpops.webhost.site_release:
    site: wiki
    path: /srv/www/wiki
    source:
      kind: archive
      path: /home/alice/wiki-1.4.tar.gz
      remote_src: false
    user: wiki
  become: true

- name: Build a release from a commit
  phpops.webhost.site_release:
    site: shop
    path: /srv/www/shop
    source:
      kind: git
      path: /srv/www/shop/repository
      commit: v2.0.1
    user: shop
  become: true

- name: Remove old releases, but never one that is in use
  phpops.webhost.site_release:
    site: wiki
    path: /srv/www/wiki
    keep: 3
    state: pruned
  become: true
"""

RETURN = r"""
release:
  description: The release, null with O(state=pruned), after a failure, and in check mode without a source to read.
  returned: always
  type: dict
  contains:
    id:
      description: Its id.
      type: str
      returned: always
      sample: 3f786850e387
    path:
      description: Its directory.
      type: str
      returned: always
      sample: /srv/www/wiki/releases/3f786850e387
    public:
      description: The directory in it that is served.
      type: str
      returned: always
      sample: public
    document_root:
      description: That directory's path.
      type: str
      returned: always
      sample: /srv/www/wiki/releases/3f786850e387/public
    digest:
      description: The sha256 of its content and of the options that shape it.
      type: str
      returned: always
    files:
      description: How many files it ships, without carried assets.
      type: int
      returned: always
    bytes:
      description: Their size.
      type: int
      returned: always
    seconds:
      description: How long it took to build.
      type: float
      returned: always
needs_archive:
  description: Whether an archive of the controller must be sent for this release. Its action plugin does that.
  returned: always
  type: bool
reused:
  description: Whether the release was there already.
  returned: always
  type: bool
shared:
  description: The shared paths.
  returned: always
  type: list
  elements: dict
  contains:
    path:
      description: Its path in the release and below V(PATH/shared).
      type: str
      returned: always
    kind:
      description: Whether it is a V(directory) or a V(file).
      type: str
      returned: always
    action:
      description:
        - Whether it was there (V(kept)), was moved there from the release (V(seeded)) or made empty (V(made)).
        - In check mode also V(missing), for a file that is nowhere.
      type: str
      returned: always
  sample:
    - path: public/uploads
      kind: directory
      action: kept
assets_carried:
  description: How many old assets were copied into the release.
  returned: always
  type: int
pruned:
  description: The ids of the releases that were removed, or would be in check mode.
  returned: always
  type: list
  elements: str
  sample: [0beec7b5ea3f]
unlocked:
  description: Whether the deploy's lease was given back.
  returned: always
  type: bool
kept:
  description: The releases that stay, with O(state=pruned).
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
      returned: always
    why:
      description: Why it stays.
      type: str
      returned: always
  sample:
    - id: 3f786850e387
      why: live
    - id: 62cdb7020ff9
      why: "process 4711 (php) uses it: cwd"
msg:
  description: What was done, or why it failed, in a sentence.
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._host.release import run


def main():
    source = {
        "kind": {"type": "str", "choices": ["archive", "git", "tree"], "required": True},
        "path": {"type": "path", "required": True},
        "remote_src": {"type": "bool", "default": True},
        "commit": {"type": "str"},
        "sha256": {"type": "str"},
        "strip_components": {"type": "int", "default": 0},
        "subdirectory": {"type": "str", "default": ""},
    }
    module = AnsibleModule(
        argument_spec={
            "site": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
            "id": {"type": "str"},
            "source": {"type": "dict", "options": source},
            "public": {"type": "str", "default": ""},
            "shared_dirs": {"type": "list", "elements": "str", "default": []},
            "shared_files": {"type": "list", "elements": "str", "default": []},
            "asset_paths": {"type": "list", "elements": "str", "default": []},
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str"},
            "dir_mode": {"type": "str", "default": "0755"},
            "file_mode": {"type": "str", "default": "0644"},
            "user": {"type": "str"},
            "deploy_id": {"type": "str"},
            "unlock": {"type": "bool", "default": False},
            "keep": {"type": "int", "default": 5},
            "state": {"type": "str", "choices": ["present", "pruned"], "default": "present"},
        },
        supports_check_mode=True,
    )
    result = run(module.params, module.check_mode)
    for sentence in result.pop("warnings"):
        module.warn(sentence)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
