/** Whether a key belongs to an input method: Enter chooses a word there, and sends nothing. */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}
