import { expect, it } from 'vitest';
import { toHeldModels, weightsIn } from './held-models.ts';

const TOLD_AT = Date.parse('2026-01-01T12:00:00Z');
const held = (model: object, toldAt: number | null = TOLD_AT) =>
  toHeldModels({ models: [{ name: 'm', ...model }] }, toldAt)[0];

it('how long a model stays is counted on the clock of the engine', () => {
  expect(held({ expires_at: '2026-01-01T13:05:00+01:00' })?.expiresInMs).toBe(300_000);
  expect(held({ expires_at: '2026-01-01T12:05:00Z' }, null)?.expiresInMs).toBeNull();
});

it('while it answers, the time is that of its last rest, and says nothing', () => {
  expect(held({ expires_at: '2026-01-01T11:30:00Z' })?.expiresInMs).toBeNull();
});

it.each([
  ['no list', {}, []],
  ['a list of anything', { models: [null, 3, {}, { name: 4 }] }, []],
  [
    'an old server',
    { models: [{ name: 'm', context_length: 0, expires_at: 'soon' }] },
    [{ model: 'm', digest: null, window: null, expiresInMs: null }],
  ],
])('takes %s', (_name, answer, expected) => {
  expect(toHeldModels(answer, TOLD_AT)).toEqual(expected);
});

const [base, other] = ['a'.repeat(64), 'b'.repeat(64)];
const at = (hash: string) => `/root/.ollama/models/blobs/sha256-${hash}`;

it.each([
  ['the files of a model', `# FROM llama\n\nFROM ${at(base)}\nTEMPLATE x`, base],
  ['a path of Windows', `FROM C:\\models\\blobs\\sha256-${base}\r\nSYSTEM hi`, base],
  [
    'a projector and an adapter',
    `FROM ${at(base)}\nFROM ${at(other)}\nADAPTER ${at(base)}`,
    `${base}+${other}+${base}`,
  ],
  ['no file', 'FROM llama3.2:latest\n', null],
  ['a text that only speaks of one', `FROM llama\nSYSTEM sha256-${base}`, null],
  ['none', undefined, null],
])('reads %s from a Modelfile', (_name, modelfile, expected) => {
  expect(weightsIn(modelfile)).toBe(expected);
});
