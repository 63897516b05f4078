// Whether a prompt goes on from the one before, so that the engine reads only what is new.
import type { CacheBreak } from '../../contract/context-window.ts';
import { findActiveAncestorDepth } from '../../store/active-path.ts';
import type { Db } from '../../store/database.ts';
import type { PromptMessage } from '../../store/messages.ts';
import type { PromptMark } from '../../store/prompt-mark.ts';

export interface PromptComparison {
  /** Messages at the start of the prompt that the engine has read already. */
  readonly prefixReused: number;
  readonly cacheBreak: CacheBreak | null;
}

/** What a prompt is compared by. */
export type ComparedPrompt = Pick<
  PromptMark,
  'model' | 'weights' | 'digest' | 'window' | 'options' | 'systemId' | 'tools' | 'summary' | 'startId'
>;

/**
 * @param messages the history that is sent
 * @param countThrough messages of the prompt that stand for the history down to a depth
 */
export async function comparePrompts(
  db: Db,
  sessionId: string,
  prompt: {
    readonly before: PromptMark | null;
    readonly now: ComparedPrompt;
    readonly messages: readonly PromptMessage[];
    readonly countThrough: (depth: number) => number;
  },
): Promise<PromptComparison> {
  const { before, now, messages } = prompt;
  if (before === null) return { prefixReused: 0, cacheBreak: null };
  if (!isSameModel(before, now)) return { prefixReused: 0, cacheBreak: 'model' };
  if (before.window !== now.window || before.options !== now.options)
    return { prefixReused: 0, cacheBreak: 'options' };
  if (before.systemId !== now.systemId) return { prefixReused: 0, cacheBreak: 'system_prompt' };
  if (!isSameOffer(before, now)) return { prefixReused: 0, cacheBreak: 'tools' };
  if (messages.some(({ message_id: id }) => id === before.tip.id) && before.startId === now.startId) {
    if (before.summary !== now.summary) return { prefixReused: 0, cacheBreak: 'left_out' };
    return { prefixReused: before.sent, cacheBreak: null };
  }
  // The summary stands in the system message.
  const hasPrelude = now.systemId !== null || now.summary !== null;
  const prelude = hasPrelude && before.summary === now.summary ? 1 : 0;
  const shared = await findActiveAncestorDepth(db, sessionId, before.tip.id);
  if (before.startId !== now.startId) {
    return { prefixReused: prelude, cacheBreak: shared === before.tip.depth ? 'left_out' : 'edit' };
  }
  if (before.summary !== now.summary) return { prefixReused: 0, cacheBreak: 'left_out' };
  // Another branch, or the same one from an earlier message.
  return { prefixReused: prompt.countThrough(shared), cacheBreak: 'edit' };
}

/** Templates write the tools before everything that was said. */
export function isSameOffer(
  { tools: before = null }: Pick<PromptMark, 'tools'>,
  { tools: now = null }: Pick<PromptMark, 'tools'>,
): boolean {
  return before === now;
}

/** A name may stand for another model by now. */
function isSameModel(before: ComparedPrompt, now: ComparedPrompt): boolean {
  const { weights = now.weights } = before;
  return before.model === now.model && weights === now.weights && digestChange(before, now) === null;
}

/** Null as well where one of the digests is not known. */
export function digestChange(
  before: Pick<PromptMark, 'model' | 'digest'>,
  now: Pick<PromptMark, 'model' | 'digest'>,
): { readonly from: string; readonly to: string } | null {
  const [from, to] = [before.digest ?? null, now.digest ?? null];
  if (before.model !== now.model || from === null || to === null || from === to) return null;
  return { from, to };
}
