// How this program is run here: hints must work where they are read.

/** What says which server is meant: a hint says it again where this command line did. */
const PLACES = ['--host', '--port', '--data-dir'];

/**
 * @param words what comes after the name of the program; empty: the server itself
 * @param script what Node was given to run
 * @param given what stood on its command line
 */
export function ownCommand(
  words: string,
  script: string = process.argv[1] ?? '',
  given: readonly string[] = process.argv.slice(2),
): string {
  const places = PLACES.filter((name) => !words.includes(name)).flatMap((name) => placeOf(name, given));
  // Any free port: no command finds the server there.
  const isNowhere = (place: string) => words !== '' && place === '--port 0';
  return named(
    [words, ...places.filter((place) => !isNowhere(place))].filter((part) => part !== '').join(' '),
    script,
  );
}

/** `--port 9000` and `--port=9000`. */
function placeOf(name: string, given: readonly string[]): string[] {
  const at = given.findLastIndex((word) => word === name || word.startsWith(`${name}=`));
  const word = given[at];
  if (word === undefined) return [];
  const value = word === name ? given[at + 1] : word.slice(name.length + 1);
  return value === undefined ? [] : [`${name} ${quoted(value)}`];
}

/** As a shell takes it for one word. */
export function quoted(text: string): string {
  return /^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function named(words: string, script: string): string {
  if (/[\\/]src[\\/]bin\.ts$/.test(script)) return words === '' ? 'npm start' : `npm start -- ${words}`;
  const isLocal = /[\\/]node_modules[\\/]/.test(script);
  return `${isLocal ? 'npx mochi-server' : 'mochi-server'} ${words}`.trimEnd();
}
