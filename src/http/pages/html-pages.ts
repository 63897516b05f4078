// The pages for people: where they load nothing but files of this server, under whatever path a proxy has put it.
import { ownCommand } from '../../kit/own-command.ts';

/** The one that commands look at unless told otherwise. */
const USUAL_PORT = 8000;

export const PAGE_STYLE = `body { margin: 0; background: #fafafa; }
.plain { max-width: 40rem; margin: 0 auto; padding: 12vh 1.5rem 2rem; color: #222; font: 16px/1.5 system-ui, sans-serif; }
.plain h1 { margin: 0 0 1rem; font-size: 1.8rem; }
.plain pre { overflow-x: auto; padding: 1rem; border-radius: 6px; background: #eee; font-size: 0.85rem; }
.plain a { color: #0b5cad; }
.plain input, .plain button { padding: 0.4rem 0.7rem; font: inherit; }
.plain [role='alert'] { color: #b00020; }
`;

/** @param files relative address of the folder with the files of the pages */
export function docsPage(files: string): string {
  return toPage(
    files,
    `<link rel="stylesheet" href="${files}/swagger-ui.css">`,
    `<main id="docs"></main>
<script src="${files}/swagger-ui-bundle.js"></script>
<script src="${files}/docs.js"></script>`,
  );
}

/**
 * What a browser is shown that was given the address of the server and nothing else.
 * @param port where the server listens
 * @param isToBuild there should be a page to chat on, and it was not built
 */
export function helloPage(port: number | undefined, isToBuild: boolean): string {
  const isUsual = port === undefined || port === USUAL_PORT;
  return toPage(
    'docs/static',
    '',
    `<main class="plain">
<h1>mochi-server is running</h1>
<p>${isToBuild ? 'The page to chat on was not built. <code>npm ci &amp;&amp; npm start</code> builds it.' : 'This is a chat server for programs; its page to chat on is switched off (MOCHI_WEB_ENABLED).'}</p>
<ul>
<li><a href="docs">Documentation</a> of every call, to read and to try out</li>
<li><a href="openapi.json">openapi.json</a>, the same for machines</li>
<li><a href="api/v1/health">Health</a> of the server and its engine</li>
</ul>
<p>To chat in a terminal, on the machine of the server:</p>
<pre>${ownCommand(isUsual ? 'chat' : `chat --port ${port}`)}</pre>
</main>`,
  );
}

/** What programs look for that know Ollama. */
export const OLLAMA_TEXT = 'Ollama is running';
export const HELLO_TEXT =
  'mochi-server is running. The API begins at /api/v1, its documentation is at /docs.\n';

function toPage(files: string, head: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mochi-server</title>
<link rel="icon" type="image/png" sizes="32x32" href="${files}/favicon-32x32.png">
${head}
<link rel="stylesheet" href="${files}/page.css">
</head>
<body>
${body}
</body>
</html>
`;
}
