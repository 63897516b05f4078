// Where the model's memory of this conversation begins.
import { t } from '../lang/text.ts';

export function LeftOutLine({ count }: { readonly count: number }) {
  return (
    <p class="left-out" role="note">
      <span>{t.leftOut(count)}</span>
    </p>
  );
}
