/** The entries of a comma list, trimmed; undefined when there is none, since that is never what was meant. */
export function splitList(text: string): readonly string[] | undefined {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
  return entries.length > 0 ? entries : undefined;
}
