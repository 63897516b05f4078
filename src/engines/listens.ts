// Whether anything listens at an address, whatever it is.
import { connect } from 'node:net';

/** A connection is made and closed again. Never throws. @param url with a host; the port may be the scheme's */
export function listens(url: string, timeoutMs: number): Promise<boolean> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host, port: Number(port || (protocol === 'https:' ? 443 : 80)) });
  const timer = setTimeout(() => end(false), timeoutMs);
  function end(isListening: boolean): void {
    clearTimeout(timer);
    socket.destroy();
    resolve(isListening);
  }
  socket.once('connect', () => end(true));
  socket.on('error', () => end(false));
  return promise;
}
