# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation fragments that say the same say it alike."""

from __future__ import annotations

import yaml
from ansible_collections.phpops.webhost.plugins.doc_fragments.site import ModuleDocFragment as Site


def test_one_site_and_several_have_the_same_options() -> None:
    one = yaml.safe_load(Site.ONE.replace("O(site.", "O(sites[]."))["options"]["site"]["suboptions"]
    several = yaml.safe_load(Site.SEVERAL)["options"]["sites"]["suboptions"]
    assert one == several
    assert len(one) > 10
