// What of lines is not a matter of a server: bounds that no test can fill.
import { expect, it } from 'vitest';
import { sessionLines } from '../../../test/support/session-lines.ts';
import { splitLines } from '../../kit/split-lines.ts';
import { readJsonl } from './read.ts';

it('a session that is too large is refused, and those around it are read', async () => {
  const lines = ['small', 'large', 'other'].map((id) =>
    sessionLines({ id, messages: 3, content: () => 'x'.repeat(id === 'large' ? 5000 : 10) }),
  );
  const read = await Array.fromAsync(readJsonl(splitLines([Buffer.from(lines.join(''))]), 8000));
  expect(read.map((found) => (found.type === 'session' ? found.rows.session.id : found))).toEqual([
    'small',
    { type: 'damaged', sourceId: 'large', reason: 'line 7: makes the session too large' },
    'other',
  ]);
});
