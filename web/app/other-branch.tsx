// The message that was looked for lies on a branch that is not shown.
import { t } from '../lang/text.ts';
import { chat } from '../state/chat.ts';

interface OtherBranchProps {
  readonly messageId: string;
  readonly onShown: () => void;
}

export function OtherBranch({ messageId, onShown }: OtherBranchProps) {
  const show = () => void chat.value?.showBranch(messageId).then(onShown);
  return (
    <div class="other-branch" role="status">
      <span>{t.branches.other}</span>
      <button type="button" onClick={show}>
        {t.branches.show}
      </button>
    </div>
  );
}
