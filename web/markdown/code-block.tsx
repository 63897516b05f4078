// Code with its language, a button to copy it, and colours once the highlighter is there.
import { type ComponentChildren, h } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { ColouredNode, Colouring } from '../../src/markdown/colours.ts';
import { t } from '../lang/text.ts';
import { CopyButton } from '../ui/copy-button.tsx';

let colouring: Colouring | null = null;

export function CodeBlock({ code, language }: { readonly code: string; readonly language: string }) {
  const [colours, setColours] = useState(() => colouring);
  const [isWrapped, setWrapped] = useState(false);
  useEffect(() => {
    if (colours !== null || language === '') return;
    void import('../../src/markdown/colours.ts').then((loaded) => {
      colouring = loaded.colouring;
      setColours(() => colouring);
    });
  }, [colours, language]);
  const whole = code.slice(0, code.lastIndexOf('\n') + 1);
  const nodes = useMemo(
    () => (colours?.knows(language) ? colours.colour(language, whole) : null),
    [colours, language, whole],
  );
  return (
    <figure class="code" dir="ltr">
      <figcaption>
        <span>{language}</span>
        <button type="button" class="quiet" aria-pressed={isWrapped} onClick={() => setWrapped(!isWrapped)}>
          {t.code.wrap}
        </button>
        <CopyButton text={code} />
      </figcaption>
      <pre class={isWrapped ? 'wrapped' : ''} tabIndex={0}>
        <code>{nodes === null ? code : [...nodes.map(toSpan), code.slice(whole.length)]}</code>
      </pre>
    </figure>
  );
}

function toSpan(node: ColouredNode): ComponentChildren {
  return typeof node === 'string' ? node : h('span', { class: node.kind }, node.children.map(toSpan));
}
