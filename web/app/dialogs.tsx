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

const opened = signal<DialogName | null>(null);

export function open(name: DialogName): void {
  opened.value = name;
}

export function OpenDialog() {
  const name = opened.value;
  const [loaded, setLoaded] = useState<{
    readonly name: DialogName;
    readonly View: ComponentType<DialogProps>;
  } | null>(null);
  useEffect(() => {
    if (name === null) return;
    DIALOGS[name]().then(
      (View) => setLoaded({ name, View }),
      () => {
        if (opened.value === name) opened.value = null;
        void missPart();
      },
    );
  }, [name]);
  if (name === null || loaded?.name !== name) return null;
  return (
    <loaded.View
      onClose={() => {
        // One that gave way to another has nothing to close.
        if (opened.value === name) opened.value = null;
      }}
    />
  );
}
