// Data of frames that differ in a text alone: what is around it is written once.
import { jsonLine } from '../kit/json-line.ts';

/** In the place of the text; no model is called so. */
const TEXT = '\u0000text\u0000';

/**
 * A frame for each token is most of what a stream of another API costs.
 * @param toData of one text; all else in it is always the same
 * @returns what `jsonLine` makes of it
 */
export function aroundText(toData: (text: string) => object): (text: string) => string {
  const around = jsonLine(toData(TEXT)).split(JSON.stringify(TEXT));
  return (text) => around.join(jsonLine(text));
}
