// JSON as language models write it: with thoughts before it, in Markdown fences, between polite words.

const THOUGHTS = ['think', 'thinking', 'thought'].map((name) => ({
  opening: `<${name}>`,
  closing: `</${name}>`,
}));

/** What a model said after its thoughts, where it wrote both into one text; '' when it did not get any further. */
export function withoutThoughts(text: string): string {
  for (const { opening, closing } of THOUGHTS) {
    const end = text.lastIndexOf(closing);
    // Some templates begin the thoughts themselves: then only their end is in the text.
    if (end !== -1) return text.slice(end + closing.length);
    if (text.trimStart().startsWith(opening)) return '';
  }
  return text;
}

/**
 * The value that was meant: the whole text, else what is left without thoughts and fences, else the longest object or
 * list in it. Of one that was cut no part is taken for the whole.
 * @throws SyntaxError when there is none
 */
export function parseModelJson(text: string): unknown {
  const said = withoutThoughts(text).trim();
  for (const candidate of new Set([text.trim(), said, ...unfenced(said)])) {
    try {
      return JSON.parse(candidate);
    } catch {
      // Perhaps the next one is.
    }
  }
  return longestValue(said);
}

/** What stands in the fences that are around a text: with its first word, and without, which may name the language. */
function unfenced(text: string): string[] {
  if (text.length < 6 || !text.startsWith('```') || !text.endsWith('```')) return [];
  const inside = text.slice(3, -3);
  return [inside, inside.replace(/^\w+(?=\s)/, '')];
}

function longestValue(text: string): unknown {
  let longest: { readonly value: unknown; readonly length: number } | null = null;
  for (let place = nextOpening(text, 0); place !== -1; ) {
    const end = closingOf(text, place);
    if (end === -1) throw new SyntaxError('The JSON in the text has no end.');
    const length = end - place + 1;
    const value = parsed(text.slice(place, end + 1));
    if (value !== undefined && length > (longest?.length ?? 0)) longest = { value, length };
    place = nextOpening(text, end + 1);
  }
  if (longest === null) throw new SyntaxError('There is no JSON in the text.');
  return longest.value;
}

/** JSON has no value that is undefined. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where something begins that looks like an object or a list: prose has brackets too. */
function nextOpening(text: string, from: number): number {
  const opening = /\{\s*["}]|\[\s*[[\]{"\d\-tfn]/g;
  opening.lastIndex = from;
  return opening.exec(text)?.index ?? -1;
}

/** Where the bracket at a place is closed; -1: nowhere. Brackets inside of texts do not count. */
function closingOf(text: string, place: number): number {
  let depth = 0;
  let isInText = false;
  for (let at = place; at < text.length; at += 1) {
    const sign = text[at];
    if (sign === '"') isInText = !isInText;
    else if (isInText && sign === '\\') at += 1;
    else if (!isInText && (sign === '{' || sign === '[')) depth += 1;
    else if (!isInText && (sign === '}' || sign === ']')) depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}
