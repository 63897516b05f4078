// The message that is being written: its text is kept until the server has it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { begin, chatState, sentCount } from '../state/chat.ts';
import { draftOf, draftPicturesOf, flushDraft, saveDraft, saveDraftPictures } from '../state/drafts.ts';
import { findModel, firstMessage, holdFirst, isWithoutModel } from '../state/first-message.ts';
import { sendSettings } from '../state/send-options.ts';
import { attempt, problem } from '../state/server.ts';
import { readPicture } from './read-picture.ts';

/** Each conversation has its own. */
export function useMessage(sessionId: string | null) {
  const [text, setText] = useState(() => draftOf(sessionId));
  const [pictures, showPictures] = useState(() => draftPicturesOf(sessionId));
  const [arePicturesKept, setPicturesKept] = useState(true);
  useEffect(() => {
    flushDraft();
    setText(draftOf(sessionId));
    showPictures(draftPicturesOf(sessionId));
    setPicturesKept(true);
  }, [sessionId]);
  const latest = useRef(pictures);
  latest.current = pictures;
  const setPictures = (next: readonly string[]) => {
    latest.current = next;
    showPictures(next);
    setPicturesKept(saveDraftPictures(sessionId, next));
  };
  const canSend =
    text.trim() !== '' && // One that has not reached the server is sent or discarded first.
    (chatState.value?.outbox ?? null) === null &&
    (sessionId !== null || firstMessage.value === null);
  const clear = () => {
    saveDraft(sessionId, '');
    flushDraft();
    setText('');
    setPictures([]);
  };
  return {
    text,
    pictures,
    arePicturesKept,
    canSend,
    setPictures,
    write(next: string) {
      setText(next);
      saveDraft(sessionId, next);
    },
    async addPictures(files: Iterable<File>) {
      const read = await Promise.all(
        [...files].filter(({ type }) => type.startsWith('image/')).map(readPicture),
      );
      setPictures([...latest.current, ...read.filter((picture) => picture !== null)]);
    },
    async send() {
      if (!canSend) return;
      const images = pictures.length > 0 ? { images: [...pictures] } : {};
      const settings = { ...sendSettings(), ...images };
      const wait = () => {
        holdFirst({ text, settings });
        clear();
      };
      const isFirst = sessionId === null;
      if (isFirst && isWithoutModel.peek() && !(await findModel())) {
        wait();
        return;
      }
      const store = await begin();
      if (store === null) {
        // Not known before it was tried.
        if (!isFirst || problem.peek()?.code !== 'model_unusable' || (await findModel())) return;
        problem.value = null;
        wait();
        return;
      }
      // The message is in the outbox of the conversation from here on, and the draft has done its work.
      sentCount.value += 1;
      const sent = store.send(text, settings);
      clear();
      await attempt(async () => sent);
    },
  };
}
