// Which dialog is open: one at a time, fetched when it is opened first.
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { missPart } from '../state/health.ts';

const DIALOGS = {
  search: async () => (await import('./search-dialog.tsx')).SearchDialog,
  import: async () => (await import('./import-dialog.tsx')).ImportDialog,
  keys: async () => (await import('./keys-dialog.tsx')).KeysDialog,
  models: async () => (await import('./models-dialog.tsx')).ModelsDialog,
  branches: async () => (await import('./branches-dialog.tsx')).BranchesDialog,
  options: async () => (await import('./options-dialog.tsx')).OptionsDialog,
  preview: async () => (await import('./preview-dialog.tsx')).PreviewDialog,
  prompts: async () => (await import('./prompts-dialog.tsx')).PromptsDialog,
  tools: async () => (await import('./tools-dialog.tsx')).ToolsDialog,
  settings: async () => (await import('./settings-dialog.tsx')).SettingsDialog,
} as const satisfies Record<string, () => Promise<ComponentType<DialogProps>>>;

export type DialogName = keyof typeof DIALOGS;

export interface DialogProps {
  readonly onClose: () => void;
}

/** One of its own for each time: the browser says late that a dialog has closed, maybe after it was opened again. */
interface Opening {
  readonly name: DialogName;
  readonly key: number;
}

const opened = signal<Opening | null>(null);
let openings = 0;

/** One that stands there stays, with what was written in it. */
export function open(name: DialogName): void {
  if (opened.value?.name === name && document.querySelector('dialog[open]') !== null) return;
  opened.value = { name, key: (openings += 1) };
}

export function OpenDialog() {
  const opening = opened.value;
  const name = opening?.name ?? null;
  const [loaded, setLoaded] = useState<{
    readonly name: DialogName;
    readonly View: ComponentType<DialogProps>;
  } | null>(null);
  useEffect(() => {
    if (name === null) return;
    DIALOGS[name]().then(
      (View) => setLoaded({ name, View }),
      () => {
        if (opened.value?.name === name) opened.value = null;
        void missPart();
      },
    );
  }, [name]);
  if (opening === null || loaded?.name !== opening.name) return null;
  return (
    <loaded.View
      key={opening.key}
      onClose={() => {
        // One that gave way to another has nothing to close.
        if (opened.value === opening) opened.value = null;
      }}
    />
  );
}
