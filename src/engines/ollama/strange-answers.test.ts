import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromStatus, strangePage } from './strange-answers.ts';

const ADDRESS = 'http://engine.test:11434';
const status = (code: number, text: string) => fromStatus({ status: code, text }, ADDRESS);

describe('fromStatus', () => {
  it.each([
    [400, '{"error":"invalid model name"}', 'ollama_error', 'Ollama answered: invalid model name'],
    [404, '{"error":"model \'foo\' not found"}', 'model_not_found', "Ollama answered: model 'foo' not found"],
    [500, '', 'ollama_error', 'Ollama answered with status 500.'],
    [401, '{"error":"unauthorized"}', 'ollama_error', 'Ollama answered: unauthorized'],
    [
      502,
      '<html><style>a{}</style><h1>Bad\r\n Gateway</h1></html>',
      'ollama_error',
      'Ollama answered: Bad Gateway',
    ],
    [503, '{"error":"server busy"}', 'engine_busy', 'Ollama answered: server busy Try again in a moment.'],
    [429, '{"error":{"message":"slow down"}}', 'ollama_error', 'Ollama answered: slow down'],
    [500, '{"no":"error"}', 'ollama_error', 'Ollama answered: {"no":"error"}'],
  ])('%d %j', (code, body, kind, message) => {
    expect(status(code, body)).toMatchObject({ kind, message, details: { status: code } });
  });

  it.each([
    [301, '', /redirects to another address \(301\)/],
    [401, '', /answers 401: it wants credentials/],
    [407, '', /answers 407: it wants credentials/],
    [403, ' \r\n', /answers 403: it refuses this client/],
    [404, '404 page not found', /answers 404 \(404 page not found\): this is no Ollama/],
    [405, '405 method not allowed', /answers 405 .*this is no Ollama/],
  ])('names the cause and the address where something else answers: %d %j', (code, body, says) => {
    const error = status(code, body);
    expect(error).toMatchObject({ kind: 'ollama_error', details: { status: code } });
    expect(error.message).toMatch(says);
    expect(error.message).toContain(ADDRESS);
    expect(error.message).toContain('MOCHI_OLLAMA_HOST');
  });

  it.each([
    'request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it',
    'the prompt is longer than the context length currently available to the model; shorten it',
    'the input length exceeds the context length',
  ])('knows an over-long prompt in every form: %s', (text) => {
    const nested = JSON.stringify({ error: { code: 400, message: text } });
    for (const body of [{ error: text }, { error: { message: text } }, { error: nested }]) {
      expect(status(400, JSON.stringify(body))).toMatchObject({ kind: 'context_overflow', status: 400 });
    }
  });

  it('never throws, and stays short, whatever the body is', () => {
    const text = fc.string({ unit: 'binary', maxLength: 800 });
    fc.assert(
      fc.property(fc.integer({ min: 201, max: 599 }), text, text, (code, body, location) => {
        for (const sent of [body, `<${body}`]) {
          const error = fromStatus({ status: code, text: sent, location }, ADDRESS);
          expect(error.message.length).toBeLessThan(600);
          expect(strangePage(sent, ADDRESS).message.length).toBeLessThan(600);
        }
      }),
      { numRuns: 30 },
    );
  });

  it.each(['<', '<style '])('reads a broken page as quickly as any other: %s', (piece) => {
    const before = process.cpuUsage();
    status(502, piece.repeat(60_000 / piece.length));
    // Microseconds of work, other processes left out: hundreds of times what it needs.
    expect(process.cpuUsage(before).user).toBeLessThan(200_000);
  });
});
