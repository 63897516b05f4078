// What opens because somebody asked to write there has the focus (`autofocus` is heeded once in the life of a page).

/** The `ref` of a field. */
export function takeFocus(field: HTMLInputElement | HTMLTextAreaElement | null): void {
  field?.focus();
  // A text is gone on with at its end.
  field?.setSelectionRange(field.value.length, field.value.length);
}

/** The same where what stands in the field is mostly written anew. */
export function takeFocusWhole(field: HTMLInputElement | null): void {
  field?.focus();
  field?.select();
}
