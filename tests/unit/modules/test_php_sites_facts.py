# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module from its arguments to its answer."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.phpops.webhost.plugins.modules import php_sites_facts


def test_without_apache_the_facts_say_so(capsys, tmp_path):
    arguments = {
        "apache_control": "/bin/true",
        "mod_info_path": str(tmp_path / "mod_info.so"),
        "_ansible_check_mode": True,
    }
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        php_sites_facts.main()
    answer = json.loads(capsys.readouterr().out)
    assert (ended.value.code, answer["changed"]) == (0, False)
    facts = answer["ansible_facts"]["phpops_php_sites"]
    assert facts["available"] is False
    assert "install apache2-bin" in facts["reason"]
