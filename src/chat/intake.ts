// Whether anything new is taken: not by a server that stops, nor by one that is too old for its database by now.
import { MochiError } from '../contract/errors.ts';

/** Has a lifetime: that of the server. */
export class Intake {
  #refusal: MochiError | null = null;
  #isLeaving = false;
  #hasLease = true;

  /** Others are to be asked from now on; whoever asks here is served still. */
  leave(): void {
    this.#isLeaving = true;
  }

  /** Without it no turn can be stored: others on the database take this server for gone, for a moment. */
  noteLease(hasLease: boolean): void {
    this.#hasLease = hasLease;
  }

  /** Nothing new is taken from now on. @returns whether anything was until now */
  close(why: MochiError): boolean {
    const wasOpen = this.#refusal === null;
    this.#refusal ??= why;
    return wasOpen;
  }

  /** @throws MochiError not_accepting */
  refuse(): void {
    if (this.#refusal !== null) throw this.#refusal;
  }

  /** For who asks whether to send anything here. @throws MochiError not_accepting, database_busy */
  refuseProbe(): void {
    this.refuse();
    if (this.#isLeaving) throw stopping();
    if (!this.#hasLease) throw leaseLost();
  }
}

const ELSEWHERE = 'Nothing of this request was stored: ask again';

export function stopping(): MochiError {
  return new MochiError('not_accepting', `The server is stopping. ${ELSEWHERE} when it is back.`, {
    reason: 'stopping',
  });
}

function leaseLost(): MochiError {
  return new MochiError(
    'database_busy',
    'This server was away from the database for so long that others have taken its turns. It comes back in a moment.',
    { reason: 'lease_lost' },
  );
}

export function outdated(version: string, minVersion: string): MochiError {
  const fact = `This server is mochi-server ${version}, and its database is for ${minVersion} or newer by now`;
  return new MochiError('not_accepting', `${fact}: update it. ${ELSEWHERE}, and a newer one takes it.`, {
    reason: 'outdated',
    min_version: minVersion,
  });
}
