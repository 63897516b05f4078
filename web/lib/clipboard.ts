// Copies text also where the browser refuses its clipboard: on addresses of the local network without TLS.

/** @returns whether it was copied; if not, it stands selected for the keyboard */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.readOnly = true;
  area.className = 'off-screen';
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  if (isCopied) area.remove();
  else area.addEventListener('blur', () => area.remove(), { once: true });
  return isCopied;
}
