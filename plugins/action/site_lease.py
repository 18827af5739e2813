# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Waits for another run's lease in slices, and says so meanwhile."""

from __future__ import annotations

from ansible_collections.phpops.webhost.plugins.plugin_utils.progress import SlicedAction


class ActionModule(SlicedAction):
    """The action of the module site_lease."""
