// How large a model is, as engines say it: "3.2B", "134.52M", "8x7B".

const SIZE = /^(?:(\d+)x)?(\d+(?:\.\d+)?)\s*([KMBT])$/i;
const BILLIONS: Readonly<Record<string, number>> = { K: 1e-6, M: 1e-3, B: 1, T: 1000 };

/** Whether a model can be expected to write about a conversation. One that does not say how large it is can. */
export function isLargeEnough(
  { parameter_size: size }: { readonly parameter_size: string },
  least: number,
): boolean {
  const [, experts = '1', number = '', unit = ''] = SIZE.exec(size.trim()) ?? [];
  const billions =
    Number(experts) * Number(number) * (BILLIONS[unit.toUpperCase()] ?? Number.POSITIVE_INFINITY);
  // What is sold as 1B may have 999.89M. Without a number this is not a number, and no less than anything.
  return !(Math.round(billions * 10) / 10 < least);
}
