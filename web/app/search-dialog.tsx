// Words in titles and messages of every conversation.
import { useEffect, useState } from 'preact/hooks';
import type { SearchResult } from '../../src/client/index.ts';
import { t } from '../lang/text.ts';
import { showTime } from '../lib/times.ts';
import { nameOfHit, readNames } from '../state/names.ts';
import { addressOf } from '../state/route.ts';
import { attempt, mochi } from '../state/server.ts';
import { Dialog } from '../ui/dialog.tsx';
import type { DialogProps } from './dialogs.tsx';

/** After the last key. */
const WAIT_MS = 150;
const HITS = 30;

export function SearchDialog({ onClose }: DialogProps) {
  const [words, setWords] = useState('');
  const [hits, setHits] = useState<readonly SearchResult[] | null>(null);
  useEffect(() => {
    const asked = words.trim();
    if (asked === '') {
      setHits(null);
      return;
    }
    const late = new AbortController();
    const timer = setTimeout(async () => {
      const page = await attempt(async () => mochi.search(asked, { limit: HITS }));
      if (page === null || late.signal.aborted) return;
      setHits(page.results);
      void readNames(asked, page.results);
    }, WAIT_MS);
    return () => {
      late.abort();
      clearTimeout(timer);
    };
  }, [words]);
  return (
    <Dialog title={t.search} onClose={onClose}>
      <input
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- The dialog gives it the focus, in the place of Close.
        autofocus
        type="text"
        role="searchbox"
        aria-label={t.searchHint}
        placeholder={t.searchHint}
        value={words}
        onInput={(event) => setWords(event.currentTarget.value)}
      />
      <div role="status" class="hint">
        {hits?.length === 0 && t.nothingFound}
      </div>
      <ul class="hits">
        {hits?.map((hit) => (
          <li key={`${hit.session_id}/${hit.message_id}`}>
            <a href={addressOf(hit.session_id, hit.message_id)} onClick={onClose} dir="auto">
              <strong>{nameOfHit(hit) ?? t.untitled}</strong>
              <span>
                <Marked hit={hit} />
              </span>
              <time>{showTime(hit.timestamp)}</time>
            </a>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

/** Marked by its places: the snippet is text, and stays it. */
function Marked({ hit: { snippet, highlights } }: { readonly hit: SearchResult }) {
  const pieces = [];
  let at = 0;
  for (const [start = 0, end = 0] of highlights) {
    pieces.push(snippet.slice(at, start), <mark key={start}>{snippet.slice(start, end)}</mark>);
    at = end;
  }
  return <>{[...pieces, snippet.slice(at)]}</>;
}
