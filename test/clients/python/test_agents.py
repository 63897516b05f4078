"""OpenAI's Agents SDK, on Responses and on Chat Completions."""

import asyncio

import pytest
from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIConversationsSession,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from pydantic import BaseModel
from said import ANSWER, MODEL, QUESTION, URL, said

set_tracing_disabled(True)
MODELS = [OpenAIResponsesModel, OpenAIChatCompletionsModel]


@function_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"sun in {city}"


def agent_on(model, **settings) -> Agent:
    client = AsyncOpenAI(base_url=f"{URL}/v1", api_key="any", max_retries=0)
    return Agent(name="A", instructions="Be brief.", model=model(MODEL, client), **settings)


@pytest.mark.parametrize("model", MODELS)
def test_runs_tools(model):
    result = Runner.run_sync(agent_on(model, tools=[get_weather]), "weather 2")
    assert result.final_output == "Told: sun in Paris, sun in Paris"


@pytest.mark.parametrize("model", MODELS)
def test_has_to_run_a_tool(model):
    agent = agent_on(model, tools=[get_weather], model_settings=ModelSettings(tool_choice="required"))
    assert Runner.run_sync(agent, QUESTION).final_output == "Told: sun in Paris"


class Place(BaseModel):
    city: str


@pytest.mark.parametrize("model", MODELS)
def test_fits_a_schema(model):
    assert Runner.run_sync(agent_on(model, output_type=Place), QUESTION).final_output == Place(city="Paris")


@pytest.mark.parametrize("model", MODELS)
def test_streams(model):
    async def run() -> tuple[str, str]:
        result = Runner.run_streamed(agent_on(model), QUESTION)
        seen = []
        async for event in result.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                seen.append(event.data.delta)
        return "".join(seen), result.final_output

    assert asyncio.run(run()) == (ANSWER, ANSWER)


def test_keeps_its_conversation_here():
    async def run() -> str:
        client = AsyncOpenAI(base_url=f"{URL}/v1", api_key="any", max_retries=0)
        session = OpenAIConversationsSession(openai_client=client)
        for _ in range(2):
            result = await Runner.run(agent_on(OpenAIResponsesModel), QUESTION, session=session)
            assert result.final_output == ANSWER
        assert len(await session.get_items()) == 4
        return await session._get_session_id()

    conversation = asyncio.run(run())
    assert said(conversation.removeprefix("conv_")) == [("user", QUESTION), ("assistant", ANSWER)] * 2


def test_goes_on_from_a_response():
    agent = agent_on(OpenAIResponsesModel)
    first = Runner.run_sync(agent, QUESTION)
    second = Runner.run_sync(agent, QUESTION, previous_response_id=first.last_response_id)
    assert second.final_output == ANSWER
