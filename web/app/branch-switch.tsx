// Other versions of a message: `‹ 2 / 3 ›`, and a list of them behind the numbers.
import type { Message, Sibling } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { showTime } from '../lib/times.ts';
import { chat, chatState } from '../state/chat.ts';
import { attempt, mochi } from '../state/server.ts';
import { Icon } from '../ui/icon.tsx';
import { Menu } from '../ui/menu.tsx';

export function BranchSwitch({ message }: { readonly message: Message }) {
  const { sibling_count: count, sibling_index: index } = message;
  if (count < 2) return null;
  const read = async () => (await attempt(() => readSiblings(message.message_id))) ?? [];
  const go = async (step: number) => {
    const next = (await read())[index + step];
    if (next !== undefined) await chat.value?.showBranch(next.message_id);
  };
  return (
    <span class="branches">
      <button
        type="button"
        class="quiet"
        data-key="["
        aria-label={t.branchBefore}
        disabled={index === 0}
        onClick={() => void go(-1)}
      >
        <Icon name="left" />
      </button>
      <Menu
        label={t.branches.choose(index + 1, count)}
        items={async () =>
          (await read()).map((sibling, at) => ({
            label: labelOf(sibling),
            detail: [showTime(sibling.timestamp), sibling.model].filter(Boolean).join(' · '),
            isCurrent: at === index,
            onChoose: () => void chat.value?.showBranch(sibling.message_id),
          }))
        }
      >
        {t.branch(index + 1, count)}
      </Menu>
      <button
        type="button"
        class="quiet"
        data-key="]"
        aria-label={t.branchAfter}
        disabled={index === count - 1}
        onClick={() => void go(1)}
      >
        <Icon name="right" />
      </button>
    </span>
  );
}

async function readSiblings(messageId: string): Promise<readonly Sibling[]> {
  const sessionId = chatState.peek()?.session?.session_id;
  return sessionId === undefined ? [] : mochi.messages.siblings(sessionId, messageId);
}

function labelOf({ preview, status }: Sibling): string {
  if (preview.trim() !== '') return preview;
  return status === 'streaming' ? t.status.answering : t.branches.silent;
}
