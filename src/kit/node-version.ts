// Which Node will do. Imported before anything that needs a newer one.

const NEEDED: readonly [number, number] = [22, 19];

/** What is wrong with the Node that runs, in one line; null when it will do. */
export function nodeFault(): string | null {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return null;
  return `mochi-server needs Node ${NEEDED.join('.')} or newer; this is ${process.versions.node}.`;
}
