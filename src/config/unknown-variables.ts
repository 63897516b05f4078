// MOCHI_* variables that do nothing: most often a slip of the pen.
import { variableName } from './setting-names.ts';
import { settings } from './settings.ts';

const known = Object.keys(settings).map(variableName);

/** One sentence for each variable that is set, starts with MOCHI_ and has no effect. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith('MOCHI_') && env[name] && !known.includes(name))
    .map((name) => {
      const meant = known.find((candidate) => isOneEditApart(name, candidate));
      return `${name} is not a setting${meant === undefined ? '.' : `; did you mean ${meant}?`}`;
    });
}

/** Whether one character added, left out, changed or swapped with its neighbour turns one into the other. */
function isOneEditApart(one: string, other: string): boolean {
  let start = 0;
  while (start < one.length && one[start] === other[start]) start++;
  const a = one.slice(start);
  const b = other.slice(start);
  return (
    a.slice(1) === b ||
    a === b.slice(1) ||
    a.slice(1) === b.slice(1) ||
    (a[0] === b[1] && a[1] === b[0] && a.slice(2) === b.slice(2))
  );
}
