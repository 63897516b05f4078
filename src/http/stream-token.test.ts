import { expect, it } from 'vitest';
import { createStreamTokens, TOKEN_SECONDS } from './stream-token.ts';

it('a token is one for ten minutes, of its turn only', async () => {
  let now = 5000;
  const tokens = createStreamTokens(null, () => now);
  const token = await tokens.issue('turn_a');
  expect(TOKEN_SECONDS).toBe(600);
  expect(await tokens.accepts(token, 'turn_a')).toBe(true);
  expect(await tokens.accepts(token, 'turn_b')).toBe(false);
  now += TOKEN_SECONDS * 1000;
  expect(await tokens.accepts(token, 'turn_a')).toBe(true);
  now += 1;
  expect(await tokens.accepts(token, 'turn_a')).toBe(false);
});

it('its time and its turn cannot be exchanged', async () => {
  const tokens = createStreamTokens(null, () => 0);
  const [expiry = '', seal = ''] = (await tokens.issue('turn_1')).split('.');
  for (const forged of [
    `${expiry}0.${seal}`,
    `${expiry}.`,
    `.${seal}`,
    `${expiry}.${seal}.${seal}`,
    seal,
    '',
  ]) {
    expect(await tokens.accepts(forged, 'turn_1')).toBe(false);
  }
  expect(await tokens.accepts(`${expiry.slice(0, -1)}.${seal}`, `turn_1${expiry.slice(-1)}`)).toBe(false);
});

it('servers that share a secret accept those of each other, and of nobody else', async () => {
  const [one, other, stranger] = ['s', 's', 't'].map((secret) => createStreamTokens(async () => secret));
  const token = (await one?.issue('turn_a')) ?? '';
  expect(await other?.accepts(token, 'turn_a')).toBe(true);
  expect(await stranger?.accepts(token, 'turn_a')).toBe(false);
});
