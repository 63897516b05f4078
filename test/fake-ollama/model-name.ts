// Names of models: `[host/][namespace/]model[:tag]`, with defaults and any letter case.

const validName = /^[A-Za-z0-9_][A-Za-z0-9_.:-]*(\/[A-Za-z0-9_][A-Za-z0-9_.:-]*){0,3}$/;

export function isValidName(name: string): boolean {
  return validName.test(name) && name.length < 350;
}

/** The name with its tag and without the default host and namespace: what Ollama displays. */
export function displayName(name: string): string {
  const short = name.replace(/^registry\.ollama\.ai\//i, '').replace(/^library\//i, '');
  const lastPart = short.slice(short.lastIndexOf('/') + 1);
  return lastPart.includes(':') ? short : `${short}:latest`;
}

/** Two spellings of one model have the same key. */
export function modelKey(name: string): string {
  return displayName(name).toLowerCase();
}

/** With host and namespace, as some of Ollama's errors spell it. */
export function fullName(name: string): string {
  const short = displayName(name);
  const slashes = short.split('/').length - 1;
  if (slashes === 0) return `registry.ollama.ai/library/${short}`;
  return slashes === 1 ? `registry.ollama.ai/${short}` : short;
}
