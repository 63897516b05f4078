// Turns that are this server's by their row, and that nothing here drives: those that it stopped when it could not reach
// the database and that nobody has taken, and those of which it was not told that they were stored.
import { listOwnTurns } from '../store/turn-owners.ts';
import type { TurnHouse } from './turn-house.ts';

/** Has a lifetime: that of the server. */
export class UndrivenTurns {
  readonly #house: Pick<TurnHouse, 'deps' | 'registry'>;
  #before: ReadonlySet<string> = new Set();

  constructor(house: Pick<TurnHouse, 'deps' | 'registry'>) {
    this.#house = house;
  }

  /** @returns those that were so at the last look, too: one may be about to begin or to end */
  async find(): Promise<string[]> {
    const { deps, registry } = this.#house;
    const own = await listOwnTurns(deps.db);
    const driven = new Set(registry.running.map(({ turnId }) => turnId));
    const undriven = own.filter((turnId) => !driven.has(turnId));
    const found = undriven.filter((turnId) => this.#before.has(turnId));
    this.#before = new Set(undriven);
    return found;
  }
}
