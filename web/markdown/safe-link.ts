// Where a link of a model may lead.

const SCHEMES = new Set(['http:', 'https:', 'mailto:']);

/** Null: not a link that anybody should follow. */
export function safeLink(address: string): URL | null {
  try {
    const url = new URL(address);
    return SCHEMES.has(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

/** The host, where the text of the link is the address of another one. */
export function misleadingHost(url: URL, text: string): string | null {
  const shown = /^(?:https?:\/\/)?(?:www\.)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)/i.exec(text.trim());
  if (shown === null || url.protocol === 'mailto:') return null;
  const host = url.hostname.replace(/^www\./, '');
  return shown[1]?.toLowerCase() === host ? null : host;
}
