# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.phpops.webhost.plugins.module_utils._core import slot_files
from ansible_collections.phpops.webhost.plugins.module_utils._core.site_spec import SpecError, build
from ansible_collections.phpops.webhost.plugins.module_utils._core.slot_files import Layout, render
from hypothesis import given
from hypothesis import strategies as st

GOLDEN = Path(__file__).resolve().parents[2] / "fixtures" / "slot"
LAYOUT = Layout()
LEAST = {"name": "wiki", "user": "wiki", "php_version": "8.2", "document_root": "/srv/wiki"}
FULL = {
    "name": "shop_1",
    "user": "shop",
    "group": "web",
    "web_group": "nginx",
    "php_version": "8.4",
    "document_root": "/srv/shop/releases/7/public",
    "php_ini": "/etc/shop/php.ini",
    "ini_scan_dirs": ["/etc/shop/ini.d"],
    "ini": {"error_reporting": "E_ALL & ~E_NOTICE", "extension": ["a.so", "b.so"], "sendmail_path": "/s -t -f 'a b'"},
    "opcache": {"opcache.memory_consumption": "64", "opcache.blacklist_filename": ""},
    "environment": {"EMPTY": "", "QUOTED": 'say "it\'s"', "HOME_OF": "a ${HOME} b"},
    "process_manager": {"mode": "dynamic", "max_children": 8, "min_spare_servers": 2, "max_spare_servers": 4},
    "request_terminate_timeout_seconds": 30,
    "process_control_timeout_seconds": 90,
    "limit_extensions": [],
    "umask": "027",
    "memory_high_bytes": 400000000,
    "memory_max_bytes": 500000000,
    "hardening": ["ProtectSystem=full"],
    "entry_points": [{"path": "/", "contains": "Basket"}],
}


RELEASE = {
    **LEAST,
    "document_root": "/srv/www/shop/releases/r2/public",
    "opcache": {"opcache.jit": "off"},
    "release": {"id": "r2", "path": "/srv/www/shop/releases/r2", "history": ["r1"]},
}


@pytest.mark.parametrize(
    ("name", "options", "slot"), [("least", LEAST, "blue"), ("full", FULL, "green"), ("release", RELEASE, "green")]
)
def test_every_file_is_the_golden_one(name: str, options: dict[str, object], slot: str) -> None:
    rendering = render(build(options), slot, LAYOUT)
    text = "".join(
        f"==> {path} {file.mode:o}{' grouped' if file.grouped else ''}\n{file.text}"
        for path, file in rendering.files.items()
    )
    text += "".join(f"==> {path} -> {target}\n" for path, target in rendering.links.items())
    assert text == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_the_template_units_are_the_golden_ones() -> None:
    text = "".join(f"==> {path}\n{file.text}" for path, file in slot_files.template_units(LAYOUT).items())
    assert text == (GOLDEN / "units.txt").read_text(encoding="utf-8")


def test_needrestart_is_told_what_not_to_restart() -> None:
    ((path, file),) = slot_files.needrestart_conf(LAYOUT).items()
    assert path == "/etc/needrestart/conf.d/phpops.conf"
    assert file.text.endswith("\n$nrconf{override_rc}{qr(^phpops-fpm\\@)} = 0;\n")


def test_a_release_outside_of_the_document_root_is_refused() -> None:
    with pytest.raises(SpecError, match="the release's folder /srv/www/shop/releases/r2 or one below it"):
        build({**RELEASE, "document_root": "/srv/www/shop/releases/r22"})


def test_a_socket_path_that_is_too_long_is_refused() -> None:
    with pytest.raises(SpecError, match="longer than 107 bytes"):
        render(build(LEAST), "blue", Layout(run="/run/" + "x" * 100))


# What PHP 8.2 and 8.4 read back from the quoted text was tried on both; these are the texts.
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a b", "'a b'"),
        ("", '""'),
        ("a${HOME}b", "'a${HOME}b'"),
        ('say "x"', "'say \"x\"'"),
        ("it's", '"it\'s"'),
        ('it\'s "x"\\', '"it\'s \\"x\\"\\\\"'),
    ],
)
def test_quoting(value: str, expected: str) -> None:
    assert slot_files.quote(value) == expected


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b", "it's ${HOME}"])
def test_what_can_not_be_quoted_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="it holds"):
        slot_files.quote(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("On", "On"), ("E_ALL & ~E_NOTICE", "E_ALL & ~E_NOTICE"), ("128M", "128M"), ("a;b", "'a;b'"), ("", '""')],
)
def test_php_ini_takes_words_and_expressions_bare(value: str, expected: str) -> None:
    assert slot_files.ini_text("t", {"d": value}).splitlines()[-1] == f"d = {expected}"


@pytest.mark.parametrize(("value", "match"), [("$HOME", "begins with"), ("a$pool", r"\$pool"), ("'${A}", "both")])
def test_an_environment_that_fpm_would_replace_is_refused_by_name(value: str, match: str) -> None:
    with pytest.raises(SpecError, match=rf"Site wiki: environment\.TOKEN .*{match}"):
        render(build({**LEAST, "environment": {"TOKEN": value}}), "blue", LAYOUT)


def test_a_diff_shows_no_value_of_the_environment() -> None:
    spec = build({**LEAST, "environment": {"TOKEN": "sesame", "B": 'q"uote'}})
    for file in render(spec, "blue", LAYOUT).files.values():
        shown = slot_files.redacted(file.text)
        assert "sesame" not in shown and "uote" not in shown
    conf = slot_files.redacted(slot_files.fpm_conf(spec, "blue", LAYOUT))
    assert "env[TOKEN] = (hidden)" in conf and "clear_env = yes" in conf


def test_no_diff_shows_the_headers_that_entry_points_send() -> None:
    entry = {"path": "/", "headers": {"Authorization": "Basic c2VjcmV0", "X-Key": 'a"} sesame'}, "contains": "shown"}
    spec = build({**LEAST, "entry_points": [entry, {"path": "/b"}], "environment": {"A": "hush"}})
    rendering = render(spec, "blue", LAYOUT)
    shown = slot_files.redacted(rendering.files["/etc/phpops/wiki/blue/site.json"].text)
    assert not [word for word in ("c2VjcmV0", "sesame", "hush") if word in shown]
    assert '"Authorization": (hidden)' in shown and '"contains": "shown"' in shown and '"path": "/b"' in shown


def test_the_other_slot() -> None:
    assert [slot_files.other(slot) for slot in slot_files.SLOTS] == ["green", "blue"]


def unquote(text: str) -> str:
    """Read a quoted value as PHP's scanner does: raw in single quotes, \\\\ and \\" in double quotes."""
    if text.startswith("'"):
        return text[1:-1]
    out, rest = [], iter(text[1:-1])
    for character in rest:
        out.append(next(rest) if character == "\\" else character)
    return "".join(out)


@given(st.text(max_size=60))
def test_any_text_comes_back_from_its_quotes_or_is_refused(value: str) -> None:
    try:
        quoted = slot_files.quote(value)
    except ValueError:
        return
    assert unquote(quoted) == value
    assert "\n" not in quoted


def test_web_servers_never_pass_the_folder_of_the_sites_user() -> None:
    """A user who puts a symlink in the socket's place would have his scripts run by another site's master."""
    rendering = render(build(LEAST), "blue", LAYOUT)
    assert rendering.links["/var/lib/phpops/wiki/slots/blue/php.sock"] == "/run/phpops/web/wiki-blue.sock"
    unit = rendering.files[LAYOUT.drop_in("wiki", "blue")].text
    checked, renamed = unit.index("= socket:wiki"), unit.index("mv -T /run/phpops/web/.wiki-blue.new")
    assert unit.index("ln -P /run/phpops/wiki-blue/php.sock") < checked < renamed


@pytest.mark.parametrize("hardening", [[], ["ProtectSystem=full"], ["ProtectSystem=strict"]])
def test_a_file_system_that_is_read_only_keeps_the_folder_of_the_socket_writable(hardening: list[str]) -> None:
    unit = render(build({**LEAST, "hardening": hardening}), "blue", LAYOUT).files[LAYOUT.drop_in(LEAST["name"], "blue")]
    line = f"ReadWritePaths=-{LAYOUT.run}"
    assert (line in unit.text.splitlines()) is (hardening == ["ProtectSystem=strict"])
