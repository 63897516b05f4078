import { expect, it } from 'vitest';
import { isStreamToken, issueStreamToken, TOKEN_SECONDS } from './stream-token.ts';

it('a token is one for ten minutes, of its turn only', () => {
  const token = issueStreamToken('turn_a', 5000);
  const lastMoment = 5000 + TOKEN_SECONDS * 1000;
  expect(TOKEN_SECONDS).toBe(600);
  expect(isStreamToken(token, 'turn_a', 5000)).toBe(true);
  expect(isStreamToken(token, 'turn_a', lastMoment)).toBe(true);
  expect(isStreamToken(token, 'turn_a', lastMoment + 1)).toBe(false);
  expect(isStreamToken(token, 'turn_b', 5000)).toBe(false);
});

it('its time and its turn cannot be exchanged', () => {
  const [expiry = '', seal = ''] = issueStreamToken('turn_1', 0).split('.');
  for (const forged of [
    `${expiry}0.${seal}`,
    `${expiry}.`,
    `.${seal}`,
    `${expiry}.${seal}.${seal}`,
    seal,
    '',
  ]) {
    expect(isStreamToken(forged, 'turn_1', 0)).toBe(false);
  }
  expect(isStreamToken(`${expiry.slice(0, -1)}.${seal}`, `turn_1${expiry.slice(-1)}`, 0)).toBe(false);
});
