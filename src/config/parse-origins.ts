// The three ways to write the allowed web origins: `*`, a JSON array, a comma list.
import { splitList } from './split-list.ts';

export function parseOrigins(text: string): '*' | readonly string[] | undefined {
  const entries = text.startsWith('[') ? parseJsonArray(text) : splitList(text);
  if (entries === undefined) return undefined;
  if (entries.includes('*')) return '*';
  const origins = entries.map(parseOrigin);
  return origins.every((origin) => origin !== undefined) ? origins : undefined;
}

function parseJsonArray(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((entry) => typeof entry === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The origin as a browser sends it. Any scheme: desktop shells send theirs (tauri://localhost). */
function parseOrigin(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || url.host === '' || url.host.includes('*')) return undefined;
  const origin = `${url.protocol}//${url.host}`;
  // Whatever the URL holds beyond its origin (credentials, path, query) shows up as a difference.
  return url.href.replace(/\/$/, '') === origin ? origin : undefined;
}
