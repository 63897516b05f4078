// What this browser is told: how it looks, how it sends, what it keeps.
import { t } from '../lang/text.ts';
import { forgetAll } from '../lib/kept.ts';
import { prefer, preferences, type Theme } from '../state/preferences.ts';
import { forgetKey, hasKey } from '../state/server.ts';
import { Dialog } from '../ui/dialog.tsx';
import { type DialogProps, open } from './dialogs.tsx';

const THEMES = ['auto', 'light', 'dark'] as const satisfies Theme[];

export function SettingsDialog({ onClose }: DialogProps) {
  const { theme, enterSends } = preferences.value;
  return (
    <Dialog title={t.settings} onClose={onClose}>
      <fieldset class="choice">
        <legend>{t.theme.title}</legend>
        {THEMES.map((name) => (
          <label key={name}>
            <input
              type="radio"
              name="theme"
              checked={theme === name}
              onChange={() => prefer({ theme: name })}
            />
            {t.theme[name]}
          </label>
        ))}
      </fieldset>
      <label class="check">
        <input
          type="checkbox"
          checked={enterSends}
          onChange={(event) => prefer({ enterSends: event.currentTarget.checked })}
        />
        {t.enterSends}
      </label>
      <div class="actions">
        <button type="button" onClick={() => open('keys')}>
          {t.keys}
        </button>
        {hasKey() && (
          <button
            type="button"
            onClick={() => {
              forgetKey();
              location.reload();
            }}
          >
            {t.key.forget}
          </button>
        )}
        <button
          type="button"
          class="danger"
          onClick={() => {
            forgetAll();
            location.reload();
          }}
        >
          {t.clear}
        </button>
      </div>
    </Dialog>
  );
}
