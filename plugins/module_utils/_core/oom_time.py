# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to phpops.webhost: not for use outside of the collection.
"""Turns the time stamps of logs into ISO 8601, in any locale that names its months in a way we know."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import NamedTuple


class Moment(NamedTuple):
    """A point in time: ``iso`` as it is shown, ``epoch`` in seconds (a stamp without a zone is the host's own time)."""

    iso: str
    epoch: float


class BadSince(ValueError):
    """A text that names no point in time; the message says which texts do."""


# Abbreviated months by their first letters in lower case (glibc's locales: cs, da, de, en, es, fi, fr, hu, it, nb, nl,
# pl, pt, ru, sv, tr): four letters where three would mix two months up.
_MONTHS = (
    ("juin jun jún", 6),
    ("juil jul júl lug čec lip июл tem hei", 7),
    ("jan janv ene gen янв sty led tam oca", 1),
    ("feb fév fev fevr févr фев lut úno hel şub", 2),
    ("maa mar már mär mrt мар bře", 3),
    ("apr avr abr ápr апр kwi dub huh nis", 4),
    ("mai maj may mei mag máj май мая kvě tou", 5),
    ("giu июн cze čen kes haz", 6),
    ("aug ago aoû авг sie srp elo ağu", 8),
    ("sep set szep сен wrz zář syy eyl", 9),
    ("oct okt out ott окт paź říj lok eki", 10),
    ("nov ноя lis marr kas", 11),
    ("dec déc dic dez des дек gru pro jou ara", 12),
)
_BY_WORD = {word: number for words, number in _MONTHS for word in words.split()}

_ISO = re.compile(
    r"^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"\s?(Z|UTC|[+-]\d\d:?\d\d)?(?:\s?[A-Z]{2,5})?$"
)
_WORDS = re.compile(
    r"^(?:\S{1,12}\s{1,3})?(\S{1,12})\s{1,3}(\d{1,2})(?:\s(\d{4}))?\s(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:\s(\d{4}))?$"
)
_MICROS = re.compile(r"^@[0-9]{1,17}$")
_AGO = re.compile(r"^-?((?:\s*\d{1,9}\s*[a-z]{1,8})+?)(?:\s+ago)?$")
_SPAN = re.compile(r"(\d{1,9})\s*([a-z]{1,8})")
_UNITS = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
    **dict.fromkeys(("w", "week", "weeks"), 7 * 86400),
}


def _month(word: str) -> int | None:
    """Return the number of an abbreviated month; ``8月`` and ``8월`` carry theirs."""
    lower = word.lower().rstrip(".")
    digits = lower.rstrip("月월")
    if digits != lower and digits.isascii() and digits.isdigit() and len(digits) <= 2:
        return int(digits)
    for length in (4, 3):
        if lower[:length] in _BY_WORD:
            return _BY_WORD[lower[:length]]
    return None


def _made(date: tuple[int, ...], fraction: str | None, zone: str | None) -> Moment | None:
    year, month, day, hour, minute, second = date
    try:
        moment = datetime(year, month, day, hour, minute, second, int((fraction or "0")[:6].ljust(6, "0")))
        if zone:
            moment = moment.replace(tzinfo=_zone(zone))
        return Moment(moment.isoformat(), moment.timestamp())
    except (ValueError, OverflowError, OSError):
        return None


def _zone(word: str) -> timezone:
    if word in ("Z", "UTC"):
        return timezone.utc
    minutes = int(word[1:3]) * 60 + int(word[-2:])
    return timezone(timedelta(minutes=-minutes if word[0] == "-" else minutes))


def read_stamp(text: str, latest: datetime | None) -> Moment | None:
    """Return the moment of a log line's stamp; None when it can't be told.

    ISO 8601 with T or a blank, ``Jun 20 12:47:21`` of syslog, ``Di Aug 12 03:54:03 2025`` of dmesg -T, and
    ``@`` with microseconds since 1970. A stamp without a year gets the one that puts it last before ``latest`` (the
    log's last change, the host's own time), a day's slack given; without ``latest`` it gives None.
    """
    if _MICROS.match(text):
        whole = int(text[1:])
        shown = datetime.fromtimestamp(whole // 1_000_000, timezone.utc).replace(microsecond=whole % 1_000_000)
        return Moment(shown.isoformat(), whole / 1e6)
    found = _ISO.match(text)
    if found:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        return _made((year, month, day, hour, minute, second), found.group(7), found.group(8))
    found = _WORDS.match(text)
    number = _month(found.group(1)) if found else None
    if found is None or number is None:
        return None
    year_word = found.group(3) or found.group(8)
    rest = (number, *(int(found.group(place)) for place in (2, 4, 5, 6)))
    if year_word:
        return _made((int(year_word), *rest), found.group(7), None)
    if latest is None:
        return None
    end = latest.timestamp() + 86400
    # Eight years back there was a 29th of February for sure.
    for year in range(latest.year + 1, latest.year - 9, -1):
        moment = _made((year, *rest), found.group(7), None)
        if moment is not None and moment.epoch <= end:
            return moment
    return None


def read_since(text: str, now: datetime) -> float:
    """Return the seconds since 1970 that a user's text names, seen from ``now``. Raises BadSince.

    ``2025-08-12``, ``2025-08-12 03:54[:03]`` (with a zone or in the host's own time), ``@1754970843``, ``today``,
    ``yesterday``, ``-2h``, ``3 days ago``: a subset of what systemd.time(7) knows, with the same meaning.
    """
    word = " ".join(text.lower().split())
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if word in ("now", "today", "yesterday"):
        return {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}[word].timestamp()
    if re.match(r"^@[0-9]{1,11}$", word):
        return float(word[1:])
    plain = text.strip()
    found = _ISO.match(f"{plain} 00:00" if re.match(r"^\d{4}-\d\d-\d\d$", plain) else plain)
    moment = read_stamp(found.group(0), None) if found else None
    if moment is not None:
        return moment.epoch
    ago = _AGO.match(word) if word.startswith("-") or word.endswith(" ago") else None
    spans = _SPAN.findall(ago.group(1)) if ago else []
    if spans and all(unit in _UNITS for _number, unit in spans):
        return now.timestamp() - sum(int(number) * _UNITS[unit] for number, unit in spans)
    raise BadSince(
        f"since is {text!r}: give a time such as 2025-08-12, 2025-08-12 03:54, today, yesterday, -2h or 3 days ago."
    )
