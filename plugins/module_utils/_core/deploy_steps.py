# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""The steps of a deploy, in their order, by the names that its lease tells; the crash tests go through all of them."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import STEPS

DEPLOY_STEPS = ("lease", "release", *STEPS, "prune", "unlock")
