# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A systemd that reads unit files and drop-ins below a folder when it is told to, as the real one does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible_collections.phpops.webhost.plugins.module_utils._core.oom_policy import parse_settings
from ansible_collections.phpops.webhost.plugins.module_utils._host.oom_policy import Paths

MISSING = {"LoadState": "not-found", "ActiveState": "inactive", "OOMPolicy": "stop", "Restart": "no"}


class PlayedSystemd:
    """Units by name with the text of their file; ``units`` is /etc/systemd/system, ``cgroup`` /sys/fs/cgroup."""

    def __init__(self, top: Path, **units: str) -> None:
        self.paths = Paths(str(top / "units"), str(top / "cgroup"))
        Path(self.paths.units).mkdir()
        Path(self.paths.cgroup).mkdir()
        (Path(self.paths.cgroup) / "cgroup.controllers").write_text("cpu io memory pids\n")
        self.files = {f"{name.replace('__', '@').replace('_', '-')}.service": text for name, text in units.items()}
        # Properties that differ from an ordinary unit's, by unit.
        self.more: dict[str, dict[str, str]] = {}
        self.version, self.oomd = "252.39-1~deb12u1", "inactive"
        self.lib = top / "lib"
        self.lib.mkdir()
        self.commands: list[str] = []
        # What systemd-analyze says, with and without the new drop-ins; and a unit that a reload breaks.
        self.verify: tuple[int, str] = (0, "")
        self.verify_before: tuple[int, str] = (0, "")
        self.staged: dict[str, str] = {}
        self.breaks = ""
        self.loaded: dict[str, dict[str, str]] = {}
        self.reload()

    def drop_ins(self, unit: str) -> list[Path]:
        folders = {unit, unit.partition("@")[0] + "@.service"} if "@" in unit else {unit}
        found = [path for folder in folders for path in Path(self.paths.units).glob(f"{folder}.d/*.conf")]
        return sorted(found, key=lambda path: path.name)

    def reload(self) -> None:
        """Read everything again."""
        self.loaded = {}
        for unit in [*self.files, *self.more]:
            text = self.files.get(unit, self.files.get(unit.partition("@")[0] + "@.service", ""))
            settings = {"OOMPolicy": "stop", "Restart": "no", **parse_settings(text)}
            for path in self.drop_ins(unit):
                settings.update(parse_settings(path.read_text()))
            self.loaded[unit] = {
                "Id": unit,
                "LoadState": "loaded",
                "ActiveState": "active",
                "MemoryAccounting": "yes",
                "ControlGroup": f"/system.slice/{unit}",
                "Slice": "system.slice",
                "DropInPaths": " ".join(map(str, self.drop_ins(unit))),
                **settings,
                **self.more.get(unit, {}),
            }
            if unit == self.breaks and self.loaded[unit]["OOMPolicy"] == "continue":
                self.loaded[unit]["LoadState"] = "bad-setting"

    def write(self, name: str, text: str) -> Path:
        """Write a file below the units' folder."""
        path = Path(self.paths.units) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def run(self, words: list[str], **more: Any) -> tuple[int, str, str]:
        words = [word for word in words if word != "--no-pager"]
        self.commands.append(" ".join(words[:2]))
        if words[0] == "systemd-analyze":
            folder = more["environ_update"].get("SYSTEMD_UNIT_PATH", "").rstrip(":")
            if not folder:
                return self.verify_before[0], "", self.verify_before[1]
            self.staged = {str(path.relative_to(folder)): path.read_text() for path in Path(folder).rglob("*.conf")}
            return self.verify[0], "", self.verify[1].replace("FOLDER", folder)
        if words[1:] == ["show", "--property=Version,UnitPath"]:
            for path in self.lib.iterdir():
                path.unlink()
            for unit in self.files:
                (self.lib / unit).touch()
            return 0, f"Version={self.version}\nUnitPath={self.paths.units} {self.lib}\n", ""
        if words[1] == "daemon-reload":
            self.reload()
            return 0, "", ""
        if words[1] == "list-units":
            lines = [f"{unit} loaded active running Its description\n" for unit in self.more if "@." not in unit]
            return 0, "".join(lines), ""
        names = [word for word in words[2:] if not word.startswith("--")]
        return 0, "\n".join(self._shown(name, words[2]) for name in names), ""

    def _shown(self, name: str, option: str) -> str:
        if name == "systemd-oomd.service":
            found: dict[str, str] = {"Id": name, "ActiveState": self.oomd}
        elif name.endswith(".slice"):
            found = {"Id": name, **self.more.get(name, {})}
        else:
            instance = self.loaded.get(name.partition("@")[0] + "@.service", MISSING)
            found = self.loaded.get(name, {**instance, "Id": name})
        asked = option.partition("=")[2].split(",")
        return "".join(f"{key}={found[key]}\n" for key in asked if key in found)
