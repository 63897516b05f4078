// Whatever front ends do with a conversation, in whatever API: it is one session, and each message is there once.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { text, toolCall } from '../fake-ollama/chat-script.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';
import { type Said, SPEAKERS, type SpeakerName } from './speakers.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** A message of the conversation as its front end keeps it, with all that ever followed it. */
interface Node {
  readonly said: Said;
  readonly parent: Node | null;
  readonly children: Node[];
}

const ways = {
  /** In which API, and what the front end does to texts and to the system prompt. */
  speaker: fc.constantFrom<SpeakerName>('openAi', 'ollama', 'anthropic'),
  worn: fc.constantFrom('as it is', 'trimmed', 'padded', 'with thoughts'),
  system: fc.option(fc.constantFrom('Be brief.', 'It is noon.', 'It is one.')),
};
const op = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      ...ways,
      type: fc.constant('say' as const),
      words: fc.constantFrom('x', 'y', ' z\n'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...ways,
      type: fc.constant('edit' as const),
      at: fc.nat(),
      words: fc.constantFrom('x', 'y', 'w'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ ...ways, type: fc.constant('anew' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      ...ways,
      type: fc.constant('switch' as const),
      at: fc.nat(),
      words: fc.constantFrom('x', 'v'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      ...ways,
      type: fc.constant('use a tool' as const),
      words: fc.constantFrom('x', 'look'),
    }),
  },
);
type Op = typeof op extends fc.Arbitrary<infer T> ? T : never;

let count = 0;
const next = () => `answer ${(count += 1)}\n`;

class FrontEnd {
  readonly roots: Node[] = [];
  readonly sessions = new Set<string | null>();
  readonly session: string;
  head: Node | null = null;

  constructor(session: string) {
    this.session = session;
  }

  async run(one: Op): Promise<void> {
    const first = this.head === null;
    switch (first ? 'say' : one.type) {
      case 'edit': {
        // The first message of all is the only one that nothing could be recognised by.
        const questions = this.path().filter(({ said, parent }) => said.role === 'user' && parent !== null);
        const old = questions[('at' in one ? one.at : 0) % Math.max(questions.length, 1)];
        if (old === undefined) return;
        this.head = this.add(old.parent, { role: 'user', text: 'words' in one ? one.words : '' });
        break;
      }
      case 'anew': {
        const question = this.path().findLast(({ said }) => said.role !== 'assistant');
        // Alone it is new: in `auto` another conversation, by a name another message.
        if (question?.parent == null) return;
        this.head = question;
        break;
      }
      case 'switch': {
        const answers = this.all().filter(({ said }) => said.role === 'assistant' && said.call === undefined);
        this.head = answers[('at' in one ? one.at : 0) % answers.length] ?? this.head;
        this.head = this.add(this.head, { role: 'user', text: 'words' in one ? one.words : 'x' });
        break;
      }
      default:
        this.head = this.add(this.head, { role: 'user', text: 'words' in one ? one.words : 'x' });
    }
    if (!first && one.type === 'use a tool') {
      server.ollama.reply(toolCall('look', { at: (count += 1) }));
      const asked = await this.ask(one);
      expect(asked.said.call).toBeDefined();
      this.head = this.add(asked, {
        role: 'tool',
        text: `seen ${count}`,
        ...(asked.said.call && { call: asked.said.call }),
      });
    }
    server.ollama.reply(text(next()));
    await this.ask(one);
  }

  async ask({ speaker, worn, system }: Pick<Op, 'speaker' | 'worn' | 'system'>): Promise<Node> {
    const history = this.path().map(({ said }) => wear(said, worn));
    const { sessionId, ...said } = await SPEAKERS[speaker](server.url, {
      system,
      history,
      session: this.session,
    });
    this.sessions.add(sessionId);
    const node: Node = { said, parent: this.head, children: [] };
    this.head?.children.push(node);
    this.head = node;
    return node;
  }

  /** The same words at the same place are the same message. */
  add(parent: Node | null, said: Said): Node {
    const beside = parent === null ? this.roots : parent.children;
    const known = beside.find(
      (node) => node.said.role === said.role && node.said.text.trim() === said.text.trim(),
    );
    if (known !== undefined) return known;
    const node: Node = { said, parent, children: [] };
    beside.push(node);
    return node;
  }

  path(): Node[] {
    const path: Node[] = [];
    for (let node = this.head; node !== null; node = node.parent) path.unshift(node);
    return path;
  }

  all(nodes: readonly Node[] = this.roots): Node[] {
    return nodes.flatMap((node) => [node, ...this.all(node.children)]);
  }

  /** Each message with all that is before it. */
  tree(): string[] {
    const of = (node: Node): string =>
      `${node.parent === null ? '' : of(node.parent)}/${node.said.role}:${node.said.text.trim()}`;
    return this.all().map(of).toSorted();
  }
}

function wear(said: Said, worn: Op['worn']): Said {
  if (worn === 'trimmed') return { ...said, text: said.text.trim() };
  if (said.text === '' || worn === 'as it is') return said;
  if (worn === 'padded') return { ...said, text: `${said.text}\r\n ` };
  return said.role === 'assistant' ? { ...said, text: `<think>Well.</think>\n${said.text}` } : said;
}

async function storedTree(sessionId: string): Promise<string[]> {
  const { body } = await server.get(`/sessions/${sessionId}/tree`);
  const messages = body.messages.filter(({ role }: any) => role !== 'system');
  const byId = new Map(messages.map((message: any) => [message.message_id, message]));
  const of = ({ role, content, parent_id: parent }: any): string =>
    `${byId.has(parent) ? of(byId.get(parent)) : ''}/${role}:${content.trim()}`;
  return messages.map(of).toSorted();
}

const script = fc.record({
  isNamed: fc.boolean(),
  /** Of two front ends at a time, so that one could be taken for the other. */
  steps: fc.array(fc.tuple(fc.nat({ max: 1 }), op), { minLength: 4, maxLength: 12 }),
});

it('edited, answered anew, branched and told in three APIs, a conversation is one session', async () => {
  await fc.assert(
    fc.asyncProperty(script, async ({ isNamed, steps }) => {
      const ends = ['auto', isNamed ? `end:${(count += 1)}` : 'auto'].map((session) => new FrontEnd(session));
      for (const [which, one] of steps) await ends[which]?.run(one);
      const used = ends.filter(({ head }) => head !== null);
      for (const end of used) {
        const [sessionId, ...others] = end.sessions;
        expect(others).toEqual([]);
        expect(await storedTree(sessionId ?? '')).toEqual(end.tree());
      }
      expect(new Set(used.flatMap(({ sessions }) => [...sessions])).size).toBe(used.length);
    }),
    { numRuns: 12 },
  );
}, 60_000);
