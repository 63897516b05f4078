// Search over titles and messages: which are found, in which order, and how they are shown.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { expectError, ID, TIMESTAMP } from './wire-formats.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  server.ollama.setDefault(() => text('Noted.'));
});
afterAll(() => server.close());

interface Result {
  readonly session_id: string;
  readonly title: string | null;
  readonly message_id: string | null;
  readonly role: string | null;
  readonly snippet: string;
  readonly highlights: [number, number][];
  readonly active: boolean;
  readonly rank: number;
  readonly timestamp: string;
}

async function find(q: string): Promise<Result[]> {
  const { status, body } = await server.get(`/search?q=${encodeURIComponent(q)}`);
  expect([q, status]).toEqual([q, 200]);
  return body.results;
}

/** A session in which somebody said this. @returns its id */
async function say(message: string, settings: Record<string, unknown> = {}): Promise<string> {
  const sessionId = await server.createSession(settings);
  await server.chat(sessionId, { message });
  return sessionId;
}

/** The parts of the snippet that are marked. */
function marked({ snippet, highlights }: Result): string[] {
  return highlights.map(([start, end]) => snippet.slice(start, end));
}

describe('words of many languages', () => {
  const said: Readonly<Record<string, string>> = {
    english: 'The database connection pool was exhausted; the Timeout is 30 seconds.',
    german: 'Die Müllabfuhr in der Straße kommt donnerstags, sagte Frau Größmann.',
    french: "L'élève a mangé une crème brûlée à l'hôtel.",
    decomposed: 'Ein Cafe\u0301 am Fluss',
    chinese: '我们今天讨论了数据库部署方案，下雨了。',
    japanese: '東京都に住んでいます。データベースの設計を学ぶ。猫',
    halfWidth: 'ﾊﾟｿｺﾝ ＡＰＩ',
    korean: '서울에서 데이터베이스를 공부합니다',
    thai: 'ภาษาไทยเป็นภาษาที่สวยงาม',
    arabic: 'قَرَأْتُ الكِتابَ في المكتبة',
    russian: 'Всё хорошо, ёлка стоит',
    greek: 'Ο ΣΊΣΥΦΟΣ κύλησε τον βράχο',
    code: 'Call `my_func.name(user_id)` or getUserName() in C++; then run npm --verbose v1.2.3',
    emoji: 'We did it 🎉 and 👩🏽‍💻 was there',
    mixed: '重跑gen-itgc后50条，调用API接口设计模式',
  };
  const ids = new Map<string, string>();
  beforeAll(async () => {
    for (const [name, message] of Object.entries(said)) ids.set(await say(message), name);
  });

  it.each([
    ['DATABASE pool', ['english']],
    ['pool database', ['english']],
    ['"connection pool"', ['english']],
    ['"pool connection"', []],
    ['timeo', ['english']],
    ['timeo ', []],
    ['"timeo"', []],
    ['timeo* exhausted', ['english']],
    ['mullabfuhr', ['german']],
    ['MÜLLABFUHR', ['german']],
    ['müll', ['german']],
    ['strasse', ['german']],
    ['straße donnerstags', ['german']],
    ['groessmann', []],
    ['grossmann', ['german']],
    ['eleve creme brulee', ['french']],
    ["l'hôtel", ['french']],
    ['café', ['decomposed']],
    ['cafe', ['decomposed']],
    ['数据', ['chinese']],
    ['部署方案', ['chinese']],
    ['数据 部署', ['chinese']],
    ['据数', []],
    ['雨', ['chinese']],
    ['東京', ['japanese']],
    ['京都', ['japanese']],
    ['データ', ['japanese']],
    ['テータ', []],
    ['設計', ['japanese']],
    ['猫', ['japanese']],
    ['パソコン', ['halfWidth']],
    ['api ﾊﾟｿ', ['halfWidth']],
    ['서울', ['korean']],
    ['데이터', ['korean']],
    ['ไทย', ['thai']],
    ['สวยงาม', ['thai']],
    ['الكتاب', ['arabic']],
    ['قرأت', ['arabic']],
    ['елка', ['russian']],
    ['ёлка', ['russian']],
    ['ХОРОШО', ['russian']],
    ['σισυφος', ['greek']],
    ['my_func.name', ['code']],
    ['func', ['code']],
    ['user_id', ['code']],
    ['getuser', ['code']],
    ['--verbose', ['code']],
    ['v1.2.3', ['code']],
    ['🎉', ['emoji']],
    ['👩🏽‍💻', ['emoji']],
    ['gen', ['mixed']],
    ['API接口', ['mixed']],
    ['接口设计 itgc', ['mixed']],
    ['database -pool', []],
    ['verbose -"my func"', []],
    ['verbose -pool', ['code']],
    ['-verbose', ['code']],
  ])('%j finds %j', async (q, expected) => {
    const found = (await find(q)).map(({ session_id: id }) => ids.get(id));
    expect(found).toEqual(expected);
  });

  it.each([
    ['database tim', ['database', 'Timeout']],
    ['strasse', ['Straße']],
    ['数据库', ['数据库']],
    ['雨', ['雨']],
    ['データ', ['データ']],
    ['ไทย', ['ไทย']],
    ['my_func', ['my_func']],
    ['cafe', ['Café']],
    ['mange l-hotel', ['mangé', "l'hôtel"]],
  ])('%j marks %j', async (q, expected) => {
    const [result] = await find(q);
    expect(result && marked(result)).toEqual(expected);
  });
});

describe('a result', () => {
  it('names the message, and shows where it is', async () => {
    const sessionId = await say('Which port does <b>Redis</b> use?', { title: 'Ports' });
    const [question] = await server.messages(sessionId);
    const results = await find('redis');
    expect(results).toEqual([
      {
        session_id: sessionId,
        title: 'Ports',
        message_id: question.message_id,
        role: 'user',
        snippet: 'Which port does <b>Redis</b> use?',
        highlights: [[19, 24]],
        active: true,
        rank: expect.any(Number),
        timestamp: question.timestamp,
      },
    ]);
  });

  it('of a title has no message, and comes before a message that is no better', async () => {
    const sessionId = await say('All about zeppelins and how they fly over the sea and the land.', {
      title: 'Zeppelins',
    });
    const results = await find('zeppelins');
    expect(results.map(({ message_id: id, role }) => [id, role])).toEqual([
      [null, null],
      [expect.stringMatching(ID), 'user'],
    ]);
    expect(results[0]).toMatchObject({ session_id: sessionId, snippet: 'Zeppelins', highlights: [[0, 9]] });
    expect(results[0]?.timestamp).toMatch(TIMESTAMP);
  });

  it('of a title follows its changes', async () => {
    const sessionId = await server.createSession({ title: 'Aardvark' });
    const patch = (title: string | null) => server.request('PATCH', `/sessions/${sessionId}`, { title });
    expect(await find('aardvark')).toHaveLength(1);
    await patch('Pangolin');
    expect([(await find('aardvark')).length, (await find('pangolin')).length]).toEqual([0, 1]);
    await patch(null);
    expect(await find('pangolin')).toEqual([]);
    await patch('Pangolin again');
    expect(await find('pangolin')).toHaveLength(1);
  });

  it('prefers the whole word to one that begins like it, and the shown branch to others', async () => {
    const words = [await say('Portable radio quux'), await say('Port of radio quux')];
    expect((await find('quux port')).map(({ session_id: id }) => id)).toEqual(words.toReversed());

    const sessionId = await say('Walrus one');
    await server.request('PUT', `/sessions/${sessionId}/messages/0`, { content: 'Walrus two' });
    const found = await find('walrus');
    expect(found.map(({ snippet, active }) => [snippet, active])).toEqual([
      ['Walrus two', true],
      ['Walrus one', false],
    ]);
  });

  it('of a long message is cut at words around the best place, with the hits marked', async () => {
    const filler = 'lorem ipsum dolor sit amet '.repeat(40);
    await say(`xylo ${filler}the xylo and the phone met ${filler}`);
    const [result] = await find('xylo phone');
    expect(result?.snippet).toMatch(/^….*the xylo and the phone met .*…$/);
    expect(result?.snippet.length).toBeLessThan(300);
    expect(result && marked(result)).toEqual(['xylo', 'phone']);
    expect(result?.snippet).toMatch(/^…(lorem|ipsum|dolor|sit|amet) .* (lorem|ipsum|dolor|sit|amet)…$/);
  });

  it('never cuts a grapheme', async () => {
    const family = '👨‍👩‍👧';
    await say(`${family.repeat(99)}okapi${family.repeat(99)}`);
    const [result] = await find('okapi');
    expect(result?.snippet).toMatch(new RegExp(`^…(${family})+okapi(${family})+…$`, 'u'));
  });
});

describe('what is searched', () => {
  it('is what users, models and tools said, not system prompts and thinking', async () => {
    server.ollama.setDefault(() => text('The narwhal answers.'));
    const sessionId = await say('A question of gnus', { system_prompt: 'You know everything of tapirs.' });
    server.ollama.setDefault(() => text('Noted.'));
    expect((await find('narwhal')).map(({ role }) => role)).toEqual(['assistant']);
    expect(await find('tapirs')).toEqual([]);
    const { body } = await server.post(`/sessions/${sessionId}/fork`, {});
    const both = (await find('gnus')).map(({ session_id: id }) => id);
    expect(new Set(both)).toEqual(new Set([sessionId, body.session_id]));
    await server.request('DELETE', `/sessions/${sessionId}`);
    expect((await find('gnus')).map(({ session_id: id }) => id)).toEqual([body.session_id]);
  });
});

describe('a text without a word', () => {
  it.each(['', ' ', '"', '""', '???', '-', '*', '-*', '_', '\u0301', '\0', '\ud800'])(
    '%j is 422',
    async (q) => {
      const answer = await server.get(`/search?q=${encodeURIComponent(q.toWellFormed())}`);
      expect(expectError(answer, 422, 'validation_error')).toMatchObject({ errors: [{ path: '/q' }] });
    },
  );

  it('is 422 when there is none at all, and when it is too long', async () => {
    expectError(await server.get('/search'), 422, 'validation_error');
    expect((await server.get(`/search?q=${'a'.repeat(500)}`)).status).toBe(200);
    expectError(await server.get(`/search?q=${'a'.repeat(501)}`), 422, 'validation_error');
  });
});
