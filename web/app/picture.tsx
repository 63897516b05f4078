// A picture of a message, fetched with the key of the server where it wants one.
import { useEffect, useState } from 'preact/hooks';
import { chatState } from '../state/chat.ts';
import { attempt, mochi } from '../state/server.ts';

interface PictureProps {
  readonly messageId: string;
  /** Position in its message. */
  readonly index: number;
}

export function Picture({ messageId, index }: PictureProps) {
  const sessionId = chatState.value?.session?.session_id ?? null;
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    if (sessionId === null) return;
    let made: string | null = null;
    let isGone = false;
    void attempt(async () => {
      const response = await mochi.messages.image(sessionId, messageId, index);
      const file = await response.blob();
      if (isGone) return;
      made = URL.createObjectURL(file);
      setAddress(made);
    });
    return () => {
      isGone = true;
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [sessionId, messageId, index]);
  return address === null ? <div class="picture blank" /> : <img class="picture" alt="" src={address} />;
}
