import { expect, test } from 'vitest';
import { redactUrl } from './redact-url.ts';

test.each([
  ['http://localhost:11434', 'http://localhost:11434'],
  ['http://localhost:11434/', 'http://localhost:11434/'],
  ['https://ann:secret@gpu.example.com/ollama', 'https://gpu.example.com/ollama'],
  ['https://secret@gpu.example.com', 'https://gpu.example.com'],
  ['https://ann:se%40cret@[::1]:8443/a@b', 'https://[::1]:8443/a@b'],
  ['http:\\\\ann:secret@host\\path', 'http://host/path'],
])('%s is shown as %s', (url, shown) => {
  expect(redactUrl(url)).toBe(shown);
});

test.each(['', 'ann:secret@', 'http://ann:se/cret@host'])('%j is not shown at all', (text) => {
  expect(redactUrl(text)).not.toContain('cret');
});
