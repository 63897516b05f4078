// System prompt files, in PostgreSQL only.
export interface PromptFileTable {
  filename: string;
  content: string;
}
