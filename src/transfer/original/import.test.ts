import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { atOnce } from '../../kit/stretches.ts';
import { parseOriginalSession } from './format.ts';
import { hashOf } from './import.ts';

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
