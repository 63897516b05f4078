// A picture from elsewhere is not loaded by itself: its address alone could carry a conversation away.
import { safeLink } from './safe-link.ts';

export function RemoteImage({ address, text }: { readonly address: string; readonly text: string }) {
  const url = safeLink(address);
  const name = text === '' ? (url?.hostname ?? address) : text;
  if (url === null) return <span class="image-link">{name}</span>;
  return (
    <a class="image-link" href={url.href} target="_blank" rel="noopener noreferrer" title={url.href}>
      🖼 {name} <span class="host">({url.hostname})</span>
    </a>
  );
}
