import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromStatus, fromStream, unreachable } from './failures.ts';

describe('fromStatus', () => {
  it.each([
    [400, '{"error":"invalid model name"}', 'ollama_error', 'Ollama answered: invalid model name'],
    [404, '404 page not found', 'ollama_error', 'Ollama answered: 404 page not found'],
    [500, '', 'ollama_error', 'Ollama answered with status 500.'],
    [301, '', 'ollama_error', 'Ollama answered with status 301.'],
    [403, ' \r\n', 'ollama_error', 'Ollama answered with status 403.'],
    [
      502,
      '<html><style>a{}</style><h1>Bad\r\n Gateway</h1></html>',
      'ollama_error',
      'Ollama answered: Bad Gateway',
    ],
    [503, '{"error":"server busy"}', 'engine_busy', 'Ollama answered: server busy Try again in a moment.'],
    [429, '{"error":{"message":"slow down"}}', 'ollama_error', 'Ollama answered: slow down'],
    [500, '{"no":"error"}', 'ollama_error', 'Ollama answered: {"no":"error"}'],
  ])('%d %j', (status, body, kind, message) => {
    expect(fromStatus(status, body)).toMatchObject({ kind, message, details: { status } });
  });

  it.each([
    'request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it',
    'the prompt is longer than the context length currently available to the model; shorten it',
    'the input length exceeds the context length',
  ])('knows an over-long prompt in every form: %s', (text) => {
    const nested = JSON.stringify({ error: { code: 400, message: text } });
    for (const body of [{ error: text }, { error: { message: text } }, { error: nested }]) {
      expect(fromStatus(400, JSON.stringify(body))).toMatchObject({ kind: 'context_overflow', status: 400 });
    }
    expect(fromStream(text).kind).toBe('context_overflow');
  });

  it('never throws, and stays short, whatever the body is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 201, max: 599 }),
        fc.string({ unit: 'binary', maxLength: 800 }),
        (status, body) => {
          expect(fromStatus(status, body).message.length).toBeLessThan(600);
          expect(fromStatus(status, `<${body}`).message.length).toBeLessThan(600);
          expect(fromStream(body).message.length).toBeLessThan(600);
        },
      ),
      { numRuns: 30 },
    );
  });

  it.each(['<', '<style '])('reads a broken page as quickly as any other: %s', (piece) => {
    const before = process.cpuUsage();
    fromStatus(502, piece.repeat(60_000 / piece.length));
    // Microseconds of work, other processes left out: hundreds of times what it needs.
    expect(process.cpuUsage(before).user).toBeLessThan(200_000);
  });
});

describe('unreachable', () => {
  const failure = (code: string) => Object.assign(new Error(`connect ${code} 10.0.0.7:11434`), { code });

  it.each([
    [failure('ECONNREFUSED'), 'refused'],
    [failure('ENOTFOUND'), 'unknown'],
    [failure('UND_ERR_CONNECT_TIMEOUT'), 'in time'],
    [failure('ECONNRESET'), 'cut'],
    [new AggregateError([failure('ECONNREFUSED'), failure('ECONNREFUSED')]), 'refused'],
    [new AggregateError([]), 'cut'],
    ['text', 'unknown error'],
  ])('says in plain words what happened: %s', (error, says) => {
    const { kind, message, details } = unreachable(error, 'http://localhost:11434');
    expect([kind, details]).toEqual(['ollama_unreachable', { kind: 'unreachable' }]);
    expect(message).toContain(says);
    expect(message).toContain('http://localhost:11434');
    expect(message).not.toContain('10.0.0.7');
  });
});
