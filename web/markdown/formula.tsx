// A formula as MathML, which browsers draw and screen readers read. The renderer is fetched with the first one.
import { useEffect, useRef } from 'preact/hooks';

interface FormulaProps {
  readonly source: string;
  readonly isBlock: boolean;
}

export function Formula({ source, isBlock }: FormulaProps) {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let isCurrent = true;
    void import('temml').then(({ default: temml }) => {
      if (!isCurrent || place.current === null) return;
      place.current.replaceChildren();
      temml.render(source, place.current, { displayMode: isBlock, throwOnError: false, trust: false });
    });
    return () => {
      isCurrent = false;
    };
  }, [source, isBlock]);
  return (
    <span key={source} ref={place} class={isBlock ? 'formula block' : 'formula'} dir="ltr">
      {source}
    </span>
  );
}
