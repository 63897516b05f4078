// Whether anything new is taken: not by a server that stops, nor by one that is too old for its database by now.
import { MochiError } from '../contract/errors.ts';

/** Has a lifetime: that of the server. */
export class Intake {
  #refusal: MochiError | null = null;
  #isLeaving = false;

  /** Others are to be asked from now on; whoever asks here is served still. */
  leave(): void {
    this.#isLeaving = true;
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

  /** For who asks whether to send anything here. @throws MochiError not_accepting */
  refuseProbe(): void {
    this.refuse();
    if (this.#isLeaving) throw stopping();
  }
}

const ELSEWHERE = 'Nothing of this request was stored: ask again';

export function stopping(): MochiError {
  return new MochiError('not_accepting', `The server is stopping. ${ELSEWHERE} when it is back.`, {
    reason: 'stopping',
  });
}

export function outdated(version: string, minVersion: string): MochiError {
  const fact = `This server is mochi-server ${version}, and its database is for ${minVersion} or newer by now`;
  return new MochiError('not_accepting', `${fact}: update it. ${ELSEWHERE}, and a newer one takes it.`, {
    reason: 'outdated',
    min_version: minVersion,
  });
}
