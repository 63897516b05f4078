"""The law of the fold, by the vectors that all clients share: any cutting of the stream gives the same view."""

from __future__ import annotations

import json
import re
import unittest
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from mochi_server_client import EMPTY_TURN, TurnView, fold_turn
from mochi_server_client.sse import SseDecoder

VECTORS = sorted((Path(__file__).parents[3] / "test" / "client-vectors").glob("*.jsonl"))


def steps_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def shown(value: Any) -> Any:
    """As the vectors write it."""
    if isinstance(value, tuple):
        return [shown(item) for item in value]
    if not is_dataclass(value):
        return value
    names = [one.name for one in fields(value)]
    if "kind" in names:
        names = ["kind", "call"] if getattr(value, "kind") == "call" else ["kind", "message_id", "content"]
    given = {name: getattr(value, name) for name in names}
    if given.get("agent", 1) is None:
        del given["agent"]
    return {re.sub("_(.)", lambda found: found[1].upper(), name): shown(part) for name, part in given.items()}


def views_of(events: list[Any], view: TurnView = EMPTY_TURN) -> list[Any]:
    views = []
    for event in events:
        view = fold_turn(view, event)
        views.append(shown(view))
    return views


class Vectors(unittest.TestCase):
    def test_there_are_some(self) -> None:
        self.assertGreater(len(VECTORS), 5)

    def test_are_folded_as_they_say(self) -> None:
        self.maxDiff = None
        for path in VECTORS:
            steps = steps_of(path)
            with self.subTest(path.name):
                self.assertEqual(views_of([step["event"] for step in steps]), [step["view"] for step in steps])

    def test_events_may_come_again_and_from_anywhere(self) -> None:
        for path in VECTORS:
            steps = steps_of(path)
            events = [step["event"] for step in steps]
            for at in range(len(events)):
                again = events[: at + 1] + events[at // 2 :]
                with self.subTest(path.name, at=at):
                    self.assertEqual(views_of(again)[-1], steps[-1]["view"])

    def test_what_is_not_known_changes_nothing(self) -> None:
        event = {"id": 3, "event": "novelty", "data": {}}
        self.assertEqual(views_of([event])[0], {**shown(EMPTY_TURN), "lastEventId": 3})

    def test_bytes_may_be_cut_anywhere(self) -> None:
        for path in VECTORS:
            events = [step["event"] for step in steps_of(path)]
            for end in ("\n", "\r\n", "\r"):
                frames = [
                    end.join([f"id: {one['id']}", f"event: {one['event']}", f"data: {json.dumps(one['data'], ensure_ascii=False)}"])
                    for one in events
                ]
                whole = f"\ufeff: ping{end}{end}{(end + end).join(frames)}{end}{end}".encode()
                for size in (1, 2, 7, 61, len(whole)):
                    decoder = SseDecoder()
                    chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
                    read = [vars(frame) for chunk in chunks for frame in decoder.feed(chunk)]
                    with self.subTest(path.name, end=end, size=size):
                        self.assertEqual(read, events)


if __name__ == "__main__":
    unittest.main()
