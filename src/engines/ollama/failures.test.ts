import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { broken, fromStream, unreachable } from './failures.ts';

describe('fromStream', () => {
  it('knows an over-long prompt, and stays short whatever the text is', () => {
    expect(fromStream('the input length exceeds the context length').kind).toBe('context_overflow');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 800 }), (text) => {
        expect(fromStream(text).message.length).toBeLessThan(600);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a model that could not be loaded', () => {
  it.each([
    'model requires more system memory (14.2 GiB) than is available (7.6 GiB)',
    'model failed to load, this may be due to resource limitations or an internal error, check ollama server logs for details',
    'model runner has unexpectedly stopped, this may be due to resource limitations or an internal error',
    'llama runner process has terminated: cudaMalloc failed: out of memory',
    'llama-server process has terminated: exit status 1',
    'memory layout cannot be allocated with num_gpu = 99',
    'unable to allocate CUDA0 buffer',
    'unable to load model: /models/blobs/sha256-1',
  ])('is told apart: %s', (text) => {
    expect(fromStream(text).details['load_failed']).toBe(true);
  });

  it.each([
    'an error was encountered while running the model: unexpected EOF',
    'this model only supports loading one image at a time',
    'invalid format: "xml"',
  ])('is not everything else: %s', (text) => {
    expect(fromStream(text).details['load_failed']).toBeUndefined();
  });
});

describe('a runner that died', () => {
  it.each([
    'model runner has unexpectedly stopped, this may be due to resource limitations or an internal error',
    'an error was encountered while running the model: unexpected EOF',
    'llama runner process has terminated: exit status 2',
    'llama runner process no longer running: -1',
  ])('is told apart: %s', (text) => {
    expect(fromStream(text).details['kind']).toBe('runner_died');
  });

  it('is not every failure', () => {
    expect(fromStream('invalid format: "xml"').details).toEqual({});
  });
});

const failure = (code: string) => Object.assign(new Error(`connect ${code} 10.0.0.7:11434`), { code });
const parser = (message: string, data: string) =>
  Object.assign(new Error(`Response does not match the HTTP/1.1 protocol (${message})`), {
    name: 'HTTPParserError',
    data,
  });

describe('unreachable', () => {
  it.each([
    [failure('ECONNREFUSED'), 'refused', 'refused'],
    [failure('ENOTFOUND'), 'unknown_host', 'unknown'],
    [failure('EAI_AGAIN'), 'unknown_host', 'looked up'],
    [failure('ENETUNREACH'), 'no_route', 'no network'],
    [failure('UND_ERR_CONNECT_TIMEOUT'), 'timeout', 'in time'],
    [failure('ECONNRESET'), 'cut', 'cut'],
    [failure('CERT_HAS_EXPIRED'), 'certificate', 'expired'],
    [failure('CERT_SIGNATURE_FAILURE'), 'certificate', 'not accepted'],
    [failure('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'certificate', 'NODE_EXTRA_CA_CERTS'],
    [new AggregateError([failure('ECONNREFUSED'), failure('ECONNREFUSED')]), 'refused', 'refused'],
    [new TypeError('fetch failed', { cause: failure('ENOTFOUND') }), 'unknown_host', 'unknown'],
    [new AggregateError([]), 'cut', 'cut'],
    ['text', 'cut', 'unknown error'],
  ])('says in plain words what happened: %s', (error, cause, says) => {
    const { kind, message, details } = unreachable(error, 'http://localhost:11434');
    expect([kind, details]).toEqual(['ollama_unreachable', { kind: 'unreachable', cause }]);
    expect(message).toContain(says);
    expect(message).toContain('http://localhost:11434');
    expect(message).not.toContain('10.0.0.7');
  });

  it('is an answer of something else where bytes came', () => {
    const strange = unreachable(parser('Expected HTTP/, RTSP/ or ICE/', 'SSH-2.0\r\n'), 'http://a.test');
    expect(strange).toMatchObject({ kind: 'ollama_error', details: { cause: 'not_http' } });
    expect(strange.message).toContain('"SSH-2.0"');
  });
});

describe('broken', () => {
  it('tells a cut from bytes that are no HTTP', () => {
    expect(broken(failure('UND_ERR_SOCKET')).kind).toBe('incomplete_response');
    expect(broken(parser('Invalid character in chunk size', 'zz'))).toMatchObject({
      kind: 'ollama_error',
      message: expect.stringContaining('Invalid character in chunk size'),
    });
  });
});
