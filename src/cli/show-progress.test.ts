// One line of progress, on terminals of any width.
import { describe, expect, it } from 'vitest';
import { inOneLine } from './show-progress.ts';

const halfway = {
  status: 'downloading qwen3-0.6b (Qwen3-0.6B, Q8_0, by Qwen, licence Apache-2.0)',
  completed: 319_723_344,
  total: 639_446_688,
};

describe('a line of progress', () => {
  it('has a bar, sizes and as much of the words as there is room for', () => {
    expect(inOneLine(halfway, 79)).toBe(
      ' 50 % [############            ] 319.7 of 639.4 MB  downloading qwen3-0.6b (Qw…',
    );
    expect(inOneLine(halfway, 39)).toBe(' 50 % downloading qwen3-0.6b (Qwen3-0.…');
  });

  it('is never longer than the terminal is wide', () => {
    for (let width = 5; width < 200; width += 1) {
      for (const completed of [0, 1, 639_446_688, null]) {
        expect(inOneLine({ ...halfway, completed }, width).length).toBeLessThanOrEqual(width);
      }
    }
  });

  it('has no percentage where nobody knows one', () => {
    expect(inOneLine({ status: 'verifying', completed: null, total: null }, 79)).toBe('verifying');
    expect(inOneLine({ status: 'verifying', completed: 0, total: 0 }, 79)).toBe('verifying');
  });
});
