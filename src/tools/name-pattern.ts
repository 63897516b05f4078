// Names of tools as people write them for several: `read_*`, `mcp__github`.

/** `*` stands for any text, `?` for one character; case counts, and the whole text must fit. */
export function fitsGlob(glob: string, text: string): boolean {
  const signs = Array.from(glob);
  const letters = Array.from(text);
  let at = 0;
  let sign = 0;
  let lastStar = -1;
  let afterStar = 0;
  while (at < letters.length) {
    if (signs[sign] === '*') {
      lastStar = sign;
      afterStar = at;
      sign += 1;
    } else if (signs[sign] === '?' || (sign < signs.length && signs[sign] === letters[at])) {
      sign += 1;
      at += 1;
    } else if (lastStar !== -1) {
      // The last star takes one more.
      afterStar += 1;
      at = afterStar;
      sign = lastStar + 1;
    } else {
      return false;
    }
  }
  return signs.slice(sign).every((rest) => rest === '*');
}

/** A glob over names; `mcp__server` stands for all tools of that server. */
export function fitsName(pattern: string, name: string): boolean {
  if (fitsGlob(pattern, name)) return true;
  return isServer(pattern) && fitsGlob(`${pattern}__*`, name);
}

/** It may stand for more than the tool of this name. */
export function isNamePattern(entry: string): boolean {
  return /[*?]/.test(entry) || isServer(entry);
}

/** `mcp__server`, and nothing after it. */
function isServer(pattern: string): boolean {
  return /^mcp__(?:(?!__).)+$/s.test(pattern);
}
