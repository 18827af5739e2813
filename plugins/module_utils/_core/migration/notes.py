# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""What a plan tells the admin: what was taken over, and what is different afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# What is true of every site that moves; the guide explains each.
ALWAYS = (
    "/tmp is no longer the private one of apache2.service (PrivateTmp): files that PHP left there stay behind.",
    "Debian's session cleaner reads php.ini, not the site's ini.d: a session.save_path set there needs a cron job.",
    "Cron jobs, queue workers and log rotation that call php-cgi or name its wrapper are not changed.",
    "PHP's error log of a site without error_log goes to Apache's error log with the prefix AH01071.",
    "REDIRECT_HANDLER and the ORIG_ variables of an Action, PWD, PHPRC and PHP_FCGI_* are no longer set;"
    " USER and HOME are those of the site's user.",
    "A SetHandler in a .htaccess that is written later no longer decides whether a file is run by PHP.",
    "A chunked request body has no length in advance: FcgidMaxRequestLen no longer holds for it.",
)


class Refused(ValueError):
    """The site can't be migrated; the message says why and what to do."""


@dataclass
class Notes:
    """Collects what the plan of one site says."""

    carried: list[dict[str, str]] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)

    def carry(self, what: str, source: str, to: str, value: Any = "") -> None:
        """Note that `what` was taken from `source` to `to`."""
        self.carried.append({"what": what, "from": source, "to": to, "value": str(value)})

    def report(self, sentence: str) -> None:
        """Note a difference; the same sentence once."""
        if sentence not in self.reported:
            self.reported.append(sentence)
