// URLs as they may be logged and shown.

/** The URL without user name and password. A text that names no host is not shown: it may hold anything. */
export function redactUrl(url: string): string {
  const parsed = URL.parse(url);
  if (!parsed?.host) return '(not a URL)';
  parsed.username = '';
  parsed.password = '';
  return url.endsWith('/') ? parsed.href : parsed.href.replace(/\/$/, '');
}
