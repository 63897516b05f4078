// Text of others on a terminal. A model, a title or an engine can hold sequences that move the cursor, set the title of
// the window or answer for the user: they are shown as signs and never sent.

/** Line feed and tab stay: they are text. What turns the direction of writing round makes a line say something else. */
const CONTROLS = /[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu;

/** Each control character as its picture (␛), or as its number where it has none (<9B>). */
export function showControls(text: string): string {
  return text.replaceAll(CONTROLS, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? '␡' : `<${code.toString(16).toUpperCase()}>`;
  });
}

/** The same in a text that stands in one line: what would break it is shown, too. */
export function showLine(text: string): string {
  return showControls(text).replaceAll('\n', '␊').replaceAll('\t', '␉');
}
