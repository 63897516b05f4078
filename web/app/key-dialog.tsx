// Asks for the key of the server; what was to be done goes on afterwards.
import { useState } from 'preact/hooks';
import { t } from '../lang/text.ts';
import { giveKey, keyQuestion } from '../state/server.ts';
import { Dialog } from '../ui/dialog.tsx';

export function KeyDialog() {
  const question = keyQuestion.value;
  const [given, setGiven] = useState('');
  const [isKept, setKept] = useState(false);
  const [isTrying, setTrying] = useState(false);
  if (question === null) return null;
  const onSubmit = (event: Event) => {
    event.preventDefault();
    if (given.trim() === '' || isTrying) return;
    setTrying(true);
    void giveKey(given.trim(), isKept).then((isRight) => {
      setTrying(false);
      if (isRight) setGiven('');
    });
  };
  return (
    <Dialog title={t.key.title} onClose={null}>
      <form onSubmit={onSubmit}>
        {question.fault !== null && !isTrying && <p role="alert">{t.key[question.fault]}</p>}
        <label>
          {t.key.label}
          <input
            type="password"
            autocomplete="off"
            value={given}
            onInput={(event) => setGiven(event.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input
            type="checkbox"
            checked={isKept}
            onChange={(event) => setKept(event.currentTarget.checked)}
          />
          {t.key.remember}
        </label>
        <button type="submit" class="main" disabled={isTrying}>
          {t.key.open}
        </button>
      </form>
    </Dialog>
  );
}
