// Which form of an answer somebody asks for, where there are several.

/** `text`: neither is named, as by `curl`, which takes anything. A browser names HTML first. */
export function formAskedFor(accept = ''): 'html' | 'json' | 'text' {
  const html = weightOf(accept, 'text/html');
  const json = weightOf(accept, 'application/json');
  if (html === 0 && json === 0) return 'text';
  return json > html ? 'json' : 'html';
}

/** From 0 (not wanted, or not named) to 1 (RFC 9110 §12.4.2). */
function weightOf(accept: string, type: string): number {
  const ranges = accept.split(',').map((range) => range.split(';').map((part) => part.trim().toLowerCase()));
  const [, ...parameters] = ranges.find(([name]) => name === type) ?? ['', 'q=0'];
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = given === undefined ? 1 : Number(given.slice(2));
  return weight >= 0 && weight <= 1 ? weight : 0;
}
