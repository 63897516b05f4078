"""Server-sent events out of bytes that are cut anywhere."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .errors import MochiError


@dataclass(frozen=True)
class Frame:
    #: None: it is about this connection, and no event of the stream.
    id: int | None
    event: str
    data: Any


class SseDecoder:
    """Each byte is looked at once, however long a line gets."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace").decode
        self._begun: list[str] = []
        self._ends_in_cr = False
        self._fields: dict[str, str] = {}

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        text = self._decode(chunk)
        # The other half of an end of line that was cut.
        piece = text[1:] if self._ends_in_cr and text.startswith("\n") else text
        if text:
            self._ends_in_cr = text.endswith("\r")
        *lines, rest = re.split("\r\n|\r|\n", piece)
        for line in lines:
            self._begun.append(line)
            frame = self._take("".join(self._begun))
            self._begun.clear()
            if frame is not None:
                yield frame
        self._begun.append(rest)

    def _take(self, line: str) -> Frame | None:
        if line:
            name, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if name == "data" and "data" in self._fields:
                value = f"{self._fields['data']}\n{value}"
            if name in ("id", "event", "data"):
                self._fields[name] = value
            return None
        fields, self._fields = self._fields, {}
        if "data" not in fields:
            return None
        number = fields.get("id", "")
        known = int(number) if number.isascii() and number.isdigit() else None
        return Frame(known, fields.get("event") or "message", _parse(fields["data"]))


def _parse(data: str) -> Any:
    try:
        return json.loads(data)
    except ValueError as cause:
        raise MochiError("not_mochi", f"An event is no JSON: {data[:200]}") from cause
