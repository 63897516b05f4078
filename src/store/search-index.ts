// How rows of the search index are numbered.

/** Rows of titles begin here: `search_titles.seq` is added. Messages have their own `seq`; no disk holds as many. */
export const FIRST_TITLE = 2 ** 40;
