// Characters as people see them: what is never torn, such as a letter with its accents or an emoji of a family.

/** Made when it is first needed: it takes megabytes of the tables of Unicode into memory. */
let segmenter: Intl.Segmenter | undefined;

export function segmentGraphemes(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('und', { granularity: 'grapheme' });
  return segmenter.segment(text);
}
