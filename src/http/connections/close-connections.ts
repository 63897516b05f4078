// The end of all connections: idle ones at once, the others when their last bytes have left, or have had their time.

/** How long the last bytes of an answer may take once its turn has ended. */
const LAST_BYTES_MS = 500;

/** @param closed resolves when the server has no connection any more */
export async function closeConnections(
  server: { closeIdleConnections(): void; closeAllConnections(): void },
  closed: Promise<unknown>,
): Promise<void> {
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), LAST_BYTES_MS);
  await closed;
  clearTimeout(timer);
}
