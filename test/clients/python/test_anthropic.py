"""The official client of Anthropic."""

import anthropic
import httpx2 as httpx
import pytest
from lost_answers import LosingFirst
from said import ANSWER, MODEL, NOBODY, PIXEL, QUESTION, SCHEMA, SEER, THINKER, THOUGHT, URL, said, state_of

client = anthropic.Anthropic(base_url=URL, api_key="any", max_retries=0)
asked = [{"role": "user", "content": QUESTION}]
ask = {"model": MODEL, "max_tokens": 1000, "messages": asked}
tool = {"name": "get_weather", "description": "The weather.", "input_schema": SCHEMA}


def session(name: str) -> dict:
    return {"x-mochi-session": name}


def test_lists_models():
    assert f"{MODEL}:latest" in [model.id for model in client.models.list()]


def test_answers_whole_with_thoughts():
    thinking = {"type": "enabled", "budget_tokens": 1024}
    answer = client.messages.create(**{**ask, "model": THINKER, "max_tokens": 2000}, thinking=thinking)
    thought, text = answer.content
    assert (thought.thinking, text.text, answer.stop_reason) == (THOUGHT, ANSWER, "end_turn")
    assert answer.usage.output_tokens == 3


def test_streams():
    with client.messages.stream(**ask) as stream:
        assert "".join(stream.text_stream) == ANSWER
        assert stream.get_final_message().stop_reason == "end_turn"


@pytest.mark.parametrize("count", [1, 2])
def test_calls_tools(count):
    messages = [{"role": "user", "content": f"weather {count}"}]
    with client.messages.stream(**{**ask, "messages": messages}, tools=[tool]) as stream:
        first = stream.get_final_message()
    calls = [block for block in first.content if block.type == "tool_use"]
    assert first.stop_reason == "tool_use"
    assert [(call.name, call.input) for call in calls] == [("get_weather", {"city": "Paris"})] * count
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": f"sun {at}"} for at, call in enumerate(calls)
    ]
    messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": results}]
    second = client.messages.create(**{**ask, "messages": messages}, tools=[tool])
    assert second.content[0].text == "Told: " + ", ".join(f"sun {at}" for at in range(count))


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "get_weather"}])
def test_has_to_call_a_tool(choice):
    (call,) = client.messages.create(**ask, tools=[tool], tool_choice=choice).content
    assert (call.type, call.name, call.input) == ("tool_use", "get_weather", {"city": "Paris"})


def test_fits_a_schema():
    fits = {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert client.messages.create(**ask, output_config=fits).content[0].text == '{"city":"Paris"}'


def test_sees_images():
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    content = [{"type": "image", "source": source}, {"type": "text", "text": "What?"}]
    messages = [{"role": "user", "content": content}]
    answer = client.messages.create(**{**ask, "model": SEER, "messages": messages})
    assert answer.content[0].text == "A dot."


def test_raises_what_is_wrong_before_a_word():
    with pytest.raises(anthropic.NotFoundError) as unknown:
        client.messages.create(**{**ask, "model": NOBODY})
    assert unknown.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(anthropic.BadRequestError, match=r"prompt is too long: \d+ tokens > \d+ maximum"):
        client.messages.create(**{**ask, "messages": [{"role": "user", "content": "long " * 400_000}]})


def test_raises_what_breaks_in_the_stream():
    seen = []
    with pytest.raises(anthropic.APIError):
        with client.messages.stream(**{**ask, "messages": [{"role": "user", "content": "break"}]}) as stream:
            seen.extend(stream.text_stream)
    assert "".join(seen) == "It is "


def test_leaving_a_stream_cancels():
    hang = {**ask, "messages": [{"role": "user", "content": "hang"}]}
    with client.messages.stream(**hang, extra_headers=session("py-anthropic-left")) as stream:
        turn = stream.response.headers["x-turn-id"]
        assert next(stream.text_stream) == "It "
    assert state_of(turn, "cancelled") == "cancelled"


def test_a_retry_joins():
    retrying = anthropic.Anthropic(base_url=URL, api_key="any", max_retries=1)
    retrying._client = losing = LosingFirst(retrying._client, httpx.ReadError)
    answer = retrying.messages.with_raw_response.create(**ask, extra_headers=session("py-anthropic-retried"))
    assert answer.parse().content[0].text == ANSWER
    assert losing.sent == ["0", "1"]
    assert said(answer.headers["x-mochi-session"]) == [("user", QUESTION), ("assistant", ANSWER)]


def test_counts_tokens():
    assert client.messages.count_tokens(model=MODEL, messages=asked).input_tokens > 0
