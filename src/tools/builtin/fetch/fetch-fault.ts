// Why something could not be fetched, in words that a model can use.
import { BuiltinFault } from '../builtin-tool.ts';

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'is not known',
  EAI_AGAIN: 'could not be looked up now',
  ECONNREFUSED: 'does not listen there',
  ECONNRESET: 'broke the connection off',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  ETIMEDOUT: 'did not answer',
  UND_ERR_CONNECT_TIMEOUT: 'did not answer',
  UND_ERR_SOCKET: 'broke the connection off',
  UND_ERR_HEADERS_OVERFLOW: 'sent too many headers',
};

/** @param host as it was asked for first */
export function fetchFault(error: unknown, host: string): Error {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof BuiltinFault) return cause;
    const code = 'code' in cause ? String(cause.code) : '';
    if (Object.hasOwn(WORDS, code)) return new BuiltinFault(`${host} ${WORDS[code]}.`);
    if (/CERT|TLS|SSL/.test(code)) return new BuiltinFault(`${host} could not prove who it is (${code}).`);
    if (cause.cause === undefined || cause.cause === null) {
      return new BuiltinFault(`${host} could not be fetched (${cause.message}).`);
    }
  }
  return new BuiltinFault(`${host} could not be fetched.`);
}
