import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { atOnce } from '../../kit/stretches.ts';
import { parseOriginalSession } from './format.ts';
import { hashOf } from './import.ts';
import { jsonHash } from './json-hash.ts';

it.each([0, 1, 2500])(
  'knows a session of %s messages by the hash that earlier versions gave it',
  (length) => {
    const messages = Array.from({ length }, (_, index) => ({
      role: 'user',
      content: `"messages": ${index}`,
      odd: index,
    }));
    const metadata = {
      session_id: 'abcdef0123',
      model: 'llama3.2:latest',
      agent_name: 'a',
      more: [1, { two: 2 }],
    };
    const rests = [...parseOriginalSession(JSON.stringify({ metadata, messages }), '')].length;
    expect(rests).toBe(length > 1000 ? 3 : 0);
    const session = atOnce(parseOriginalSession(JSON.stringify({ metadata, messages }), ''));
    const { agent_name: _name, ...extra } = session.extra;
    const hash = (content: unknown) => createHash('sha256').update(JSON.stringify(content)).digest('hex');
    expect(atOnce(hashOf(session, null))).toBe(hash(session));
    expect(atOnce(hashOf(session, { name: 'a' }))).toBe(hash({ ...session, extra, agent: { name: 'a' } }));
  },
);

it('makes the id of a file without one of what JSON.stringify makes of it', () => {
  const messages = Array.from({ length: 2500 }, (_, index) => ({ content: `Number ${index}` }));
  for (const content of [{ metadata: { a: [1, null] }, messages, none: [], left: undefined }, {}]) {
    const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex');
    expect(atOnce(jsonHash(content))).toBe(hash);
  }
});
