// Text whose words are as unequal as those of people: the n-th most frequent comes about once in n (Zipf).

export interface Prose {
  /** The most frequent first. */
  readonly words: readonly string[];
  write(length: number): string;
}

const SYLLABLES = 'ka to mi re lo sa ne ti po ru an er in ou st ch th al'.split(' ');
const WORDS = 40_000;

/** The same text each time. */
export function createProse(): Prose {
  let state = 1;
  // A linear congruential generator (Numerical Recipes): good enough for words.
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const pick = (count: number) => Math.floor(random() * count);
  const known = new Set<string>();
  while (known.size < WORDS) {
    const syllables = 1 + pick(5);
    known.add(Array.from({ length: syllables }, () => SYLLABLES[pick(SYLLABLES.length)]).join(''));
  }
  const words = [...known];
  return {
    words,
    write(length) {
      let text = '';
      while (text.length < length) text += `${words[Math.floor(WORDS ** random()) - 1] ?? ''} `;
      return text;
    },
  };
}
