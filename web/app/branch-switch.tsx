// Other versions of a message: `‹ 2 / 3 ›`.
import type { Message } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { chat, chatState } from '../state/chat.ts';
import { attempt, mochi } from '../state/server.ts';
import { Icon } from '../ui/icon.tsx';

export function BranchSwitch({ message }: { readonly message: Message }) {
  const { sibling_count: count, sibling_index: index } = message;
  if (count < 2) return null;
  const go = (step: number) => async () => {
    const sessionId = chatState.value?.session?.session_id;
    if (sessionId === undefined) return;
    const siblings = await mochi.messages.siblings(sessionId, message.message_id);
    const next = siblings[index + step];
    if (next !== undefined) await chat.value?.showBranch(next.message_id);
  };
  return (
    <span class="branches">
      <button
        type="button"
        class="quiet"
        aria-label={t.branchBefore}
        disabled={index === 0}
        onClick={() => void attempt(go(-1))}
      >
        <Icon name="left" />
      </button>
      <span>{t.branch(index + 1, count)}</span>
      <button
        type="button"
        class="quiet"
        aria-label={t.branchAfter}
        disabled={index === count - 1}
        onClick={() => void attempt(go(1))}
      >
        <Icon name="right" />
      </button>
    </span>
  );
}
