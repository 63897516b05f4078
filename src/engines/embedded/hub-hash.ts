// What a file must hash to, as the model hub tells before it is fetched.
// Facts: HEAD on `/OWNER/REPO/resolve/REVISION/FILE` answers with a redirect to where the bytes are, whose
// `x-linked-etag` is the SHA-256 of the file (constants.py and file_download.py of huggingface_hub). A moved
// repository is a relative redirect before that.
import { MochiError } from '../../contract/errors.ts';
import { downloadReason } from './download-reason.ts';

const ANSWER_MS = 10_000;
const MAX_MOVES = 5;

/** What a server answers that knows GET alone. */
const NO_HEAD: readonly number[] = [405, 501];

/** @returns null: the hub does not say @throws MochiError model_pull_failed when the hub cannot be reached or has no such file; the signal's reason */
export async function askHash(url: string, signal: AbortSignal): Promise<string | null> {
  let address = url;
  for (let moves = 0; ; moves += 1) {
    const response = await head(address, signal);
    const moved = movedTo(response, address);
    if (response.status >= 400 && !NO_HEAD.includes(response.status)) {
      throw failure(address, `status ${response.status}`);
    }
    if (moved === null || moves === MAX_MOVES) return toHash(response);
    address = moved;
  }
}

async function head(address: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(address, {
      method: 'HEAD',
      redirect: 'manual',
      headers: { 'accept-encoding': 'identity' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
  } catch (error) {
    signal.throwIfAborted();
    throw failure(address, downloadReason(error));
  }
}

/** Within the hub alone: where the bytes are knows nothing of their repository. */
function movedTo({ status, headers }: Response, from: string): string | null {
  const location = headers.get('location');
  if (status < 300 || status > 399 || location === null || headers.has('x-linked-etag')) return null;
  const target = URL.parse(location, from);
  return target !== null && target.origin === new URL(from).origin ? target.href : null;
}

function failure(address: string, reason: string): MochiError {
  return new MochiError(
    'model_pull_failed',
    `The model could not be fetched. ${new URL(address).host}: ${reason}.`,
  );
}

function toHash({ headers }: Response): string | null {
  const etag = (headers.get('x-linked-etag') ?? headers.get('etag') ?? '').replace(/^(W\/)?"|"$/g, '');
  return /^[0-9a-f]{64}$/.test(etag) ? etag : null;
}
