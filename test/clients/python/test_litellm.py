"""LiteLLM, by each of the vendors' ways that it has to a server like this."""

import json

import litellm
import openai
import pytest
from said import ANSWER, MODEL, NOBODY, PIXEL, QUESTION, SCHEMA, SEER, THINKER, THOUGHT, URL

V1 = {"api_base": f"{URL}/v1", "api_key": "any", "max_retries": 0}
ROUTES = {
    "openai": V1,
    "hosted_vllm": V1,
    "lm_studio": V1,
    "ollama_chat": {"api_base": URL},
    "anthropic": {"api_base": URL, "api_key": "any", "max_tokens": 1000},
}
asked = [{"role": "user", "content": QUESTION}]
tool = {"type": "function", "function": {"name": "get_weather", "description": "Weather.", "parameters": SCHEMA}}
routes = pytest.mark.parametrize("route", ROUTES)


def complete(route: str, model: str = MODEL, messages: list = asked, **rest):
    return litellm.completion(model=f"{route}/{model}", messages=messages, **ROUTES[route], **rest)


@routes
def test_answers_whole(route):
    answer = complete(route)
    assert answer.choices[0].message.content == ANSWER
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.completion_tokens == 2


@routes
def test_streams(route):
    chunks = list(complete(route, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == ANSWER
    assert chunks[-1].choices[0].finish_reason == "stop"


@pytest.mark.parametrize("route", ["hosted_vllm", "lm_studio", "ollama_chat"])
def test_thinks(route):
    message = complete(route, model=THINKER).choices[0].message
    assert (message.content, message.reasoning_content) == (ANSWER, THOUGHT)


@routes
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("streamed", [False, True])
def test_calls_tools(route, count, streamed):
    messages = [{"role": "user", "content": f"weather {count}"}]
    first = complete(route, messages=messages, tools=[tool], stream=streamed)
    if streamed:
        first = litellm.stream_chunk_builder(list(first), messages=messages)
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert [(call.function.name, json.loads(call.function.arguments)) for call in message.tool_calls] == [
        ("get_weather", {"city": "Paris"})
    ] * count
    results = [
        {"role": "tool", "tool_call_id": call.id, "name": "get_weather", "content": f"sun {at}"}
        for at, call in enumerate(message.tool_calls)
    ]
    second = complete(route, messages=[*messages, message.model_dump(), *results], tools=[tool])
    assert second.choices[0].message.content == "Told: " + ", ".join(f"sun {at}" for at in range(count))


@pytest.mark.parametrize("route", ["openai", "hosted_vllm", "lm_studio", "anthropic"])
def test_has_to_call_a_tool(route):
    (call,) = complete(route, tools=[tool], tool_choice="required").choices[0].message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Paris"}


@pytest.mark.parametrize("route", ["openai", "hosted_vllm", "lm_studio", "ollama_chat"])
def test_fits_a_schema(route):
    fits = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}
    message = complete(route, response_format=fits).choices[0].message
    assert json.loads(message.content) == {"city": "Paris"}


@routes
def test_sees_images(route):
    url = f"data:image/png;base64,{PIXEL}"
    parts = [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": url}}]
    message = complete(route, model=SEER, messages=[{"role": "user", "content": parts}]).choices[0].message
    assert message.content == "A dot."


@routes
def test_raises_what_is_wrong(route):
    with pytest.raises(openai.OpenAIError, match=NOBODY):
        complete(route, model=NOBODY)
    seen = []
    with pytest.raises(openai.OpenAIError, match="has terminated"):
        for chunk in complete(route, messages=[{"role": "user", "content": "break"}], stream=True):
            seen.append(chunk.choices[0].delta.content or "")
    assert "".join(seen) == "It is "
