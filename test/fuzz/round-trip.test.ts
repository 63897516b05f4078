// What was accepted comes back as it was: texts, titles, metadata, numbers; from the server, from the engine, and
// after a restart.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { FUZZ_TIMEOUT_MS, fuzzRuns } from './fuzz-runs.ts';

const STRANGE_TEXTS = [
  '😀 👩‍👩‍👧‍👦 🏳️‍🌈 🇮🇱',
  'שלום עולם ‮abc‬ العربية',
  'a\u0000b\u0000',
  '\u2028line\u2029paragraph\u0085next',
  '\ufeffwith mark\ufeff',
  '\r\n\r\nid: 9\r\nevent: done\r\ndata: {}\n\n',
  'e\u0301 \u0065\u0301 é ﬁ ﷺ \u200b\u200d\u2060 ',
  'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞',
  '\u0001\u0007\u001b[31m\u007f\u009f\ufffe\uffff\u{10ffff}',
  `{"a":"\\u0000","b":['"]} <|im_end|> {{.Prompt}} %s %00 \\ \\\\ \\n`,
  '  leading and trailing  \t\n',
  "Robert'); drop table messages;--",
];

const texts = fc
  .oneof(
    fc.constantFrom(...STRANGE_TEXTS),
    fc.string({ unit: 'binary', maxLength: 100 }),
    fc.string({ unit: 'grapheme', maxLength: 100 }),
  )
  .map((value) => value.toWellFormed())
  .map((value) => (/\S/.test(value) ? value : `x${value}`));

const jsonTexts = fc
  .oneof(
    fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' }).map((value) => JSON.stringify(value)),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
    fc.maxSafeInteger().map(String),
    fc.constantFrom('0.1e1', '-0', '1E5', '5e-324', '1.7976931348623157e308', '1e-999', '9007199254740993'),
    fc.constantFrom(
      '"\\u0000"',
      '"\\/"',
      '"\\ud83d\\ude00"',
      '{"":{" ":[[],{}]}}',
      '{"constructor":1,"toString":null}',
    ),
  )
  .filter((json) => json.length < 4000 && !json.includes('"__proto__"'));

describe('round trips', { timeout: FUZZ_TIMEOUT_MS }, () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  it('a question and an answer, plain and streamed', async () => {
    await fc.assert(
      fc.asyncProperty(texts, texts, fc.boolean(), async (question, answer, isStreamed) => {
        const sessionId = await server.createSession();
        server.ollama.reply(text(...Array.from(answer)));
        const body = { message: question };
        const told = isStreamed
          ? await streamed(server, sessionId, body)
          : await plain(server, sessionId, body);
        expect(told).toBe(answer);
        expect(server.ollama.requestsTo('/api/chat').at(-1)?.body?.messages?.at(-1)?.content).toBe(question);
        const messages = await server.messages(sessionId);
        expect(messages.map(({ content }) => content)).toEqual([question, answer]);
        const tree = await server.get(`/sessions/${sessionId}/tree`);
        expect(tree.body.messages.map(({ content }: { content: string }) => content)).toEqual([
          question,
          answer,
        ]);
      }),
      fuzzRuns(30),
    );
  });

  it('titles, metadata, prompts and labels', async () => {
    const short = texts
      .map((value) => Array.from(value).slice(0, 200).join(''))
      .filter((value) => /\S/.test(value));
    await fc.assert(
      fc.asyncProperty(short, short, texts, jsonTexts, async (title, label, prompt, json) => {
        const settings = { title: 'T', system_prompt: prompt, system_prompt_source_file: label };
        const sessionId = await server.createSession({ ...settings, tool_settings: toolSettings(title) });
        const patch = `{"title":${JSON.stringify(title)},"metadata":{"x":${json}}}`;
        const expected = { title, metadata: jsonValue(`{"x":${json}}`), tool_settings: toolSettings(title) };
        expect((await server.request('PATCH', `/sessions/${sessionId}`, patch)).body).toMatchObject(expected);
        const { body } = await server.get(`/sessions/${sessionId}`);
        // toMatchObject lets additional members pass.
        expect(body.metadata).toEqual(expected.metadata);
        expect(body).toMatchObject({ ...expected, messages: [{ content: prompt, source_file: label }] });
        const listed = (await server.get('/sessions?limit=1')).body.sessions[0];
        expect(listed).toMatchObject({ session_id: sessionId, title, metadata: expected.metadata });
      }),
      fuzzRuns(30),
    );
  });

  it('the longest of everything', async () => {
    const sessionId = await server.createSession();
    await server.chat(sessionId, { message: 'Hello' });
    const long = `${'Ünïcödé 😀 '.repeat(80_000)}end`;
    const edit = await server.request('PUT', `/sessions/${sessionId}/messages/0`, { content: long });
    expect(edit.status).toBe(200);
    const prompt = '😀'.repeat(20_000);
    const put = (content: string) =>
      server.request('PUT', `/sessions/${sessionId}/system-prompt`, { content });
    expect((await put(prompt)).status).toBe(200);
    expect((await put(`${prompt}!`)).status).toBe(422);
    const title = '漢'.repeat(500);
    const metadata = { x: 'é'.repeat((16 * 1024 - '{"x":""}'.length) / 2) };
    const patch = (changes: object) => server.request('PATCH', `/sessions/${sessionId}`, changes);
    expect((await patch({ title, metadata })).status).toBe(200);
    expect((await patch({ title: `${title}!` })).status).toBe(422);
    expect((await patch({ metadata: { x: `${metadata.x}!` } })).status).toBe(422);
    const { body } = await server.get(`/sessions/${sessionId}`);
    expect(body).toMatchObject({ title, metadata });
    expect(body.messages.map(({ content }: { content: string }) => content)).toEqual([prompt, long]);
  });

  it('after a restart', async () => {
    const sessionId = await server.createSession({ metadata: { texts: STRANGE_TEXTS } });
    for (const strange of STRANGE_TEXTS) {
      server.ollama.reply(text(strange));
      await server.chat(sessionId, { message: strange });
    }
    await server.restart();
    const { body } = await server.get(`/sessions/${sessionId}`);
    const contents = body.messages.map(({ content }: { content: string }) => content);
    expect(contents).toEqual(STRANGE_TEXTS.flatMap((strange) => [strange, strange]));
    expect(body.metadata).toEqual({ texts: STRANGE_TEXTS });
  });
});

/** JSON has no difference between the two zeros. */
function jsonValue(json: string): unknown {
  return JSON.parse(JSON.stringify(JSON.parse(json)));
}

async function plain(server: TestServer, sessionId: string, body: object): Promise<string> {
  return (await server.chat(sessionId, body)).body.message.content;
}

async function streamed(server: TestServer, sessionId: string, body: object): Promise<string> {
  const events = await (await server.stream(`/chat/${sessionId}/stream`, body)).all();
  const deltas = events.filter(({ event }) => event === 'content_delta').map(({ data }) => data.content);
  const complete = events.find(({ event }) => event === 'message_complete');
  expect(complete?.data.message.content).toBe(deltas.join(''));
  return deltas.join('');
}

function toolSettings(name: string) {
  return {
    tools: [name],
    execution_policy: 'never_confirm',
    // `__proto__` is refused as a key.
    tool_policies: { [`${name} tool`]: 'always_confirm' },
  };
}
