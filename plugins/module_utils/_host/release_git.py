# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Exports one commit of a git repository."""

from __future__ import annotations

import os
import subprocess
import tarfile
import tempfile
from typing import IO, cast

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.release import Source
from ansible_collections.phpops.webhost.plugins.module_utils._host.release_build import Builder
from ansible_collections.phpops.webhost.plugins.module_utils._host.release_read import unpack_tar

_SUBMODULE = b"160000 "


def _argv(repository: str, words: list[str]) -> list[str]:
    """Return git's command line; a repository of another user is read as that user: its configuration runs programs."""
    found = os.stat(repository)
    git = ["git", f"--git-dir={repository}", "-c", f"safe.directory={repository}", *words]
    if os.geteuid() != 0 or found.st_uid == 0:
        return git
    return ["setpriv", f"--reuid={found.st_uid}", f"--regid={found.st_gid}", "--clear-groups", *git]


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C.UTF-8", "GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": os.devnull}


def _repository(source: Source) -> str:
    """Return the folder with git's own files: the repository itself (bare), or its .git."""
    inner = os.path.join(source.path, ".git")
    repository = inner if os.path.isdir(inner) else source.path
    if not os.path.isdir(os.path.join(repository, "objects")):
        raise StepFailed(f"{source.path} is not a git repository; name one (ansible.builtin.git makes it).")
    return os.path.realpath(repository)


def _ask(source: Source, words: list[str]) -> bytes:
    """Return what git says; StepFailed with git's own words."""
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            _argv(_repository(source), words),
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise StepFailed("There is no git on this host: install the package git.") from error
    if done.returncode != 0:
        said = " ".join(done.stderr.decode("utf-8", "replace").split()) or f"exit status {done.returncode}"
        raise StepFailed(
            f"git could not read {source.commit} from {source.path}: {said}; fetch it, or correct source.commit."
        )
    return done.stdout


def commit_of(source: Source) -> str:
    """Return the full hash of the commit that a source names."""
    return _ask(source, ["rev-parse", "--verify", f"{source.commit}^{{commit}}"]).decode().strip()


def submodules(source: Source, commit: str) -> list[str]:
    """Return the paths of the commit's submodules: git archive leaves them empty."""
    rows = _ask(source, ["ls-tree", "-r", "-z", "--full-tree", commit]).split(b"\0")
    return [row.partition(b"\t")[2].decode("utf-8", "surrogateescape") for row in rows if row.startswith(_SUBMODULE)]


def export(source: Source, commit: str, builder: Builder) -> None:
    """Give all files of a commit to the builder."""
    argv = _argv(_repository(source), ["archive", "--format=tar", commit])
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv, env=_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
        )
        broken: Exception | None = None
        try:
            unpack_tar(cast(IO[bytes], process.stdout), source, builder)
        except (tarfile.TarError, ValueError) as error:
            broken = error
        except BaseException:
            process.kill()
            raise
        finally:
            cast(IO[bytes], process.stdout).close()
            process.wait()
        if process.returncode != 0 or broken is not None:
            said.seek(0)
            words = " ".join(said.read(2000).decode("utf-8", "replace").split()) or str(broken)
            raise StepFailed(f"git could not export {commit} from {source.path}: {words}.") from broken
