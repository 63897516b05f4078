// How this program is run here: hints must work where they are read.

/**
 * @param words what comes after the name of the program; empty: the server itself
 * @param script what Node was given to run
 */
export function ownCommand(words: string, script: string = process.argv[1] ?? ''): string {
  if (/[\\/]src[\\/]bin\.ts$/.test(script)) return words === '' ? 'npm start' : `npm start -- ${words}`;
  const isLocal = /[\\/]node_modules[\\/]/.test(script);
  return `${isLocal ? 'npx mochi-server' : 'mochi-server'} ${words}`.trimEnd();
}
