"""A calendar file with the last day of an interview (RFC 5545)."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

LINE_BYTES = 75
LASTS = timedelta(minutes=30)


def deadline_file(*, uid: UUID, title: str, deadline: datetime, link: str, now: datetime) -> str:
    """Return an event of half an hour that ends at the deadline, with an alarm a day before."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//interview-platform//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(deadline - LASTS)}",
        f"DTEND:{_utc(deadline)}",
        f"SUMMARY:{_escaped(title)}",
        f"URL:{link}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        "TRIGGER:-P1D",
        f"DESCRIPTION:{_escaped(title)}",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    for sign in "\\;,":
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def _folded(line: str) -> str:
    """Break a line so that none is longer than `LINE_BYTES`, and no character is cut."""
    parts, part = [], ""
    for char in line:
        if len(f"{part}{char}".encode()) > LINE_BYTES - 1:
            parts.append(part)
            part = ""
        part += char
    return "\r\n ".join([*parts, part])
