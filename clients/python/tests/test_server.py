"""Against a real server, and the same one behind connections that are cut and refused. ``npm run test:python`` starts both
and says where they are; without them there is nothing to run."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import unittest
from typing import Any

import httpx

from mochi_server_client import AsyncMochi, Mochi, MochiError, Retry

DIRECT = os.environ.get("MOCHI_DIRECT", "")
FLAKY = os.environ.get("MOCHI_FLAKY", "")
QUICK = Retry(first_delay=0.02)
SPOKEN = "".join(f"t{count} " for count in range(60))


def state_of(direct: Mochi, turn_id: str) -> str:
    for _ in range(500):
        state: str = direct.turns.get(turn_id)["state"]
        if state != "running":
            return state
        time.sleep(0.02)
    return "running"


@unittest.skipUnless(DIRECT, "there is no server: npm run test:python")
class Blocking(unittest.TestCase):
    def setUp(self) -> None:
        self.direct = Mochi(DIRECT)
        self.links: list[str] = []
        self.mochi = Mochi(FLAKY, retry=QUICK, on_link=self.links.append)
        self.session = self.direct.sessions.create(model="llama3.2:latest")["session_id"]
        self.addCleanup(self.direct.close)
        self.addCleanup(self.mochi.close)

    def test_a_stream_through_a_network_that_fails_is_read_once_and_in_order(self) -> None:
        text, ids = "", []
        for event in self.mochi.chat.stream(self.session, message="pace 60"):
            ids.append(event["id"])
            if event["event"] == "content_delta":
                text += event["data"]["content"]
        self.assertEqual(text, SPOKEN)
        self.assertEqual(ids, list(range(1, len(ids) + 1)))
        self.assertGreater(self.links.count("reconnecting"), 1)
        self.assertEqual([one["role"] for one in self.direct.messages.list(self.session)], ["user", "assistant"])

    def test_text_views_and_the_answer_are_the_same(self) -> None:
        with self.mochi.chat.stream(self.session, message="pace 60") as turn:
            self.assertEqual("".join(turn.text()), SPOKEN)
            turn_id = turn.id()
        self.assertEqual(self.direct.turns.watch(turn_id).answer()["message"]["content"], SPOKEN)
        *_, last = self.mochi.turns.watch(turn_id).views()
        self.assertEqual((last.content, last.state), (SPOKEN, "completed"))
        polled = Mochi(DIRECT, transport="poll").turns.watch(turn_id).answer()
        self.assertEqual(polled["message"]["content"], SPOKEN)
        again = self.direct.chat.stream(self.session, message="Hello").answer()
        self.assertEqual(again["message"]["content"], "Fine.")

    def test_breaking_off_cancels_and_keeps_the_part(self) -> None:
        turn = self.mochi.chat.stream(self.session, message="hang 2")
        with turn:
            for text in turn.text():
                break
        self.assertEqual(state_of(self.direct, turn.id()), "cancelled")
        self.assertEqual(self.direct.messages.list(self.session, from_=-1, limit=1).page()["messages"][0]["status"], "partial")
        # Without a block, too.
        turn = self.direct.chat.stream(self.session, message="hang 2")
        for event in turn:
            if event["event"] == "content_delta":
                break
        self.assertEqual(state_of(self.direct, turn.id()), "cancelled")

    def test_leaving_lets_it_go_on(self) -> None:
        with self.direct.chat.stream(self.session, message="hang 2", leave="continue") as turn:
            for _ in turn.text():
                break
        with self.direct.turns.watch(turn.id()) as watching:
            for _ in watching:
                watching.leave()
        with self.direct.chat.stream(self.session, message="never", on_busy="reject") as refused:
            with self.assertRaises(MochiError) as caught:
                refused.answer()
        self.assertEqual((caught.exception.code, caught.exception.turn_id), ("session_busy", turn.id()))
        self.assertEqual(self.direct.turns.get(turn.id())["state"], "running")
        self.assertEqual(turn.cancel(wait=True)["state"], "cancelled")

    def test_what_fails_says_how(self) -> None:
        with self.assertRaises(MochiError) as caught:
            self.mochi.sessions.get("nothing")
        self.assertEqual((caught.exception.code, caught.exception.status), ("session_not_found", 404))
        self.assertIsNotNone(caught.exception.request_id)
        with self.assertRaises(MochiError) as caught:
            self.direct.chat.stream(self.session, message="fail 2").answer()
        self.assertIn("the model broke", caught.exception.message)
        with self.assertRaises(MochiError) as caught:
            Mochi("http://127.0.0.1:9", retry=Retry(tries=2, first_delay=0.01)).health()
        self.assertEqual((caught.exception.code, caught.exception.status), ("unreachable", None))

    def test_an_answer_in_one_piece_and_lists(self) -> None:
        self.assertEqual(self.mochi.chat.send(self.session, message="Hello")["message"]["content"], "Fine.")
        others = [self.direct.sessions.create(title=f"t {count}")["session_id"] for count in range(3)]
        found = [one["session_id"] for one in self.direct.sessions.list(limit=2)]
        self.assertEqual(found[:3], others[::-1])
        self.assertEqual(len(self.direct.sessions.list(limit=2).page()["sessions"]), 2)
        jsonl = self.direct.sessions.export(self.session, "jsonl")
        self.assertEqual(len(self.direct.sessions.import_(jsonl.decode())["skipped"]), 1)

    def test_what_happens_on_the_server_is_told(self) -> None:
        for event in self.direct.events():
            if event["event"] == "hello":
                threading.Thread(target=lambda: self.direct.sessions.update(self.session, title="Told")).start()
            if event["event"] == "session" and event["data"]["title"] == "Told":
                break


@unittest.skipUnless(DIRECT, "there is no server: npm run test:python")
class Awaiting(unittest.IsolatedAsyncioTestCase):
    async def test_the_same_with_await(self) -> None:
        async with AsyncMochi(FLAKY, retry=QUICK) as mochi, AsyncMochi(DIRECT) as direct:
            id = (await direct.sessions.create(model="llama3.2:latest"))["session_id"]
            async with mochi.chat.stream(id, message="pace 60") as turn:
                self.assertEqual("".join([text async for text in turn.text()]), SPOKEN)
            async with mochi.chat.stream(id, message="hang 2") as turn:
                async for _ in turn.text():
                    break
            self.assertEqual((await direct.turns.cancel(await turn.id(), wait=True))["state"], "cancelled")
            answers = await asyncio.gather(*(direct.chat.send(id, message=f"echo {count}") for count in range(3)))
            self.assertEqual([one["message"]["content"] for one in answers], ["Fine."] * 3)
            self.assertGreater(len([one async for one in direct.messages.list(id, limit=2)]), 4)

    async def test_a_task_that_is_cancelled_stops_the_model(self) -> None:
        async with AsyncMochi(DIRECT) as direct:
            id = (await direct.sessions.create(model="llama3.2:latest"))["session_id"]
            turn = direct.chat.stream(id, message="hang 2")
            seen = asyncio.Event()

            async def read() -> None:
                async with turn:
                    async for _ in turn.text():
                        seen.set()

            task = asyncio.create_task(read())
            await seen.wait()
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertEqual((await direct.turns.cancel(await turn.id(), wait=True))["state"], "cancelled")


class Methods(unittest.TestCase):
    """Each against ``openapi.json``: none is missing, none invented."""

    def test_every_operation_has_one(self) -> None:
        import json
        import re
        from pathlib import Path

        document = json.loads((Path(__file__).parents[3] / "openapi.json").read_text("utf-8"))
        operations = {
            (method.upper(), re.sub(r"\{[^}]*\}", "a", path))
            for path, methods in document["paths"].items()
            if path.startswith("/api/v1/")
            for method in methods
        }
        asked: set[tuple[str, str]] = set()

        def answer(request: httpx.Request) -> httpx.Response:
            asked.add((request.method, request.url.path))
            if request.url.path.endswith(("stream", "pull", "events")):
                event = "approval" if request.url.path.endswith("approvals/stream") else "done"
                text = f'id: 9\nevent: {event}\ndata: {{"turn_id": "a"}}\n\nid: 9\nevent: hello\ndata: {{}}\n\n'
                headers = {"content-type": "text/event-stream", "x-turn-id": "a"}
                return httpx.Response(200, headers=headers, text=text)
            return httpx.Response(200, json={"next_cursor": None, **{key: [] for key in LISTS}})

        mochi = Mochi("http://server", http=httpx.Client(transport=httpx.MockTransport(answer)))
        for call in CALLS:
            result = call(mochi)
            if hasattr(result, "page"):
                result.page()
            elif hasattr(result, "leave"):
                result.leave()
                result.id()
                result.close()
            elif hasattr(result, "__next__"):
                next(result)
        self.assertEqual(asked, operations)


LISTS = ["sessions", "messages", "turns", "results", "executions", "approvals"]
CALLS: list[Any] = [
    lambda m: m.health(),
    lambda m: m.search("a"),
    lambda m: m.events(),
    lambda m: m.models.list(),
    lambda m: m.models.loaded(),
    lambda m: m.models.get("a"),
    lambda m: m.models.delete("a"),
    lambda m: m.models.pull("a"),
    lambda m: m.sessions.create(),
    lambda m: m.sessions.list(),
    lambda m: m.sessions.get("a"),
    lambda m: m.sessions.update("a", title="b"),
    lambda m: m.sessions.delete("a"),
    lambda m: m.sessions.status("a"),
    lambda m: m.sessions.fork("a"),
    lambda m: m.sessions.set_head("a", message_id="b"),
    lambda m: m.sessions.export("a"),
    lambda m: m.sessions.import_({}),
    lambda m: m.sessions.summary("a"),
    lambda m: m.sessions.summarize("a"),
    lambda m: m.sessions.set_prompt("a", content="b"),
    lambda m: m.sessions.clear_prompt("a"),
    lambda m: m.messages.list("a"),
    lambda m: m.messages.tree("a"),
    lambda m: m.messages.siblings("a", "a"),
    lambda m: m.messages.image("a", "a", "a"),
    lambda m: m.messages.edit("a", "a", "b"),
    lambda m: m.chat.send("a", message="b"),
    lambda m: m.chat.stream("a", message="b"),
    lambda m: m.chat.preview("a", message="b"),
    lambda m: m.chat.cancel("a"),
    lambda m: m.turns.get("a"),
    lambda m: m.turns.list("a"),
    lambda m: iter(m.turns.watch("a")),
    lambda m: m.turns.cancel("a"),
    lambda m: m.turns.stream_token("a"),
    lambda m: m.prompts.list(),
    lambda m: m.prompts.get("a"),
    lambda m: m.prompts.create(filename="a", content="b"),
    lambda m: m.prompts.update("a", "b"),
    lambda m: m.prompts.save("a", "b"),
    lambda m: m.prompts.delete("a"),
    lambda m: m.tools.list(),
    lambda m: m.tools.get("a"),
    lambda m: m.tools.reload(),
    lambda m: m.tools.run("a", arguments={}),
    lambda m: m.tools.executions(),
    lambda m: m.tools.execution("a"),
    lambda m: m.tools.output("a"),
    lambda m: m.tools.stats(),
    lambda m: m.tools.servers(),
    lambda m: m.tools.restart_server("a"),
    lambda m: m.approvals.list(),
    lambda m: m.approvals.get("a"),
    lambda m: m.approvals.decide("a", decision="deny"),
    lambda m: m.approvals.decide_many([]),
    lambda m: m.approvals.confirm_tool("a"),
    lambda m: m.approvals.watch(),
    lambda m: m.approvals.grants(),
    lambda m: m.approvals.revoke("a"),
    lambda m: m.agents.run("a", instruction="b"),
    lambda m: m.agents.stream("a", instruction="b"),
    lambda m: m.agents.list(),
    lambda m: m.agents.get("a"),
    lambda m: m.agents.chats(),
    lambda m: m.agents.chat("a"),
    lambda m: m.agents.delete_chat("a"),
    lambda m: m.agents.reload(),
]


if __name__ == "__main__":
    unittest.main()
