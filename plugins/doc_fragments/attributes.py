# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the documentation of several modules says alike."""

from __future__ import annotations


class ModuleDocFragment:
    """Named by extends_documentation_fragment, as phpops.webhost.attributes.<name>."""

    READS = r"""
options: {}
attributes:
  check_mode:
    description: The module only reads; it does the same in check mode.
    support: full
  diff_mode:
    description: The module changes nothing that could be shown.
    support: none
"""

    FACTS = r"""
options: {}
attributes:
  facts:
    description: The module returns facts.
    support: full
"""
