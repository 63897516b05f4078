// System prompt files, wherever they are.

export interface PromptFiles {
  /** Names that can be those of prompts, sorted. @throws MochiError session_load_error */
  list(): Promise<string[]>;
  /** The text of an entry; null for what is no prompt. */
  read(entry: string): Promise<string | null>;
  /** Changes happen one after another. @throws what the action throws */
  change<T>(action: (files: PromptFiles) => Promise<T>): Promise<T>;
  /** @returns false when another program was quicker. @throws MochiError session_save_error */
  create(entry: string, content: string): Promise<boolean>;
  /** @throws MochiError session_save_error */
  replace(entry: string, content: string): Promise<void>;
  /** Of a link the link goes, not what it leads to. @throws MochiError session_save_error */
  remove(entry: string): Promise<void>;
}

/** The entry of that name: in these very characters, else in another Unicode form of them. */
export function findEntry(entries: readonly string[], name: string): string | null {
  if (entries.includes(name)) return name;
  const composed = name.normalize('NFC');
  return entries.find((entry) => entry.normalize('NFC') === composed) ?? null;
}
