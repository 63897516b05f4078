// Names become addresses once, and the connection is made to those that were looked at: a name that answers otherwise
// the next time gains nothing.
import { type LookupAddress, lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { BuiltinFault } from '../builtin-tool.ts';
import { type FetchAllowance, isPublicAddress } from './check-address.ts';

/** All addresses of a name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

export async function resolveBySystem(host: string): Promise<readonly LookupAddress[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly LookupAddress[]>();
  lookup(host, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  return promise;
}

/** For sockets. A name with one address that must not be reached is not reached at all. */
export function createLookup(allowance: FetchAllowance, resolve: Resolve): LookupFunction {
  return (host, options, callback) => void answer({ allowance, resolve }, host, options, callback);
}

interface Names {
  readonly allowance: FetchAllowance;
  readonly resolve: Resolve;
}

async function answer(names: Names, ...[host, options, callback]: Parameters<LookupFunction>): Promise<void> {
  let found: readonly LookupAddress[];
  try {
    found = await find(names, host, options.family);
  } catch (error) {
    callback(error as Error, []);
    return;
  }
  const [first] = found;
  if (options.all === true) callback(null, [...found]);
  else callback(null, first?.address ?? '', first?.family);
}

async function find(
  { allowance, resolve }: Names,
  host: string,
  family: number | string | undefined,
): Promise<readonly LookupAddress[]> {
  const all = await resolve(host);
  if (!allowance.allowsHost(host)) for (const { address } of all) checkAddress(host, address, allowance);
  const wanted = all.filter((found) => found.family === family);
  const found = wanted.length > 0 ? wanted : all;
  if (found.length === 0) throw new BuiltinFault(`There is no host ${host}.`);
  return found;
}

/** @throws BuiltinFault */
export function checkAddress(host: string, address: string, allowance: FetchAllowance): void {
  if (isPublicAddress(address) || allowance.allowsAddress(address)) return;
  throw new BuiltinFault(
    `${host} is not on the public Internet and may not be fetched, unless the operator allows it (MOCHI_FETCH_ALLOW).`,
  );
}
