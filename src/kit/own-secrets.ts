// What opens the server itself: nothing that it starts is told it.

/** Names of variables. */
export const OWN_SECRETS: ReadonlySet<string> = new Set(['MOCHI_API_KEYS', 'MOCHI_DATABASE_URL']);
