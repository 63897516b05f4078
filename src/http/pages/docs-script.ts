// What the page of the documentation does in the browser: it reads the document, and asks for a key where one is needed.

/** Its own address tells where the server is, whatever stands before it in the path. */
export const DOCS_SCRIPT = `'use strict';
const docs = new URL('..', document.currentScript.src);
const place = document.getElementById('docs');

async function open(key) {
  const headers = key === '' ? {} : { authorization: 'Bearer ' + key };
  const response = await fetch(new URL('json', docs), { headers });
  if (response.status === 401) return askForKey(key === '' ? '' : 'This key is not accepted.');
  if (!response.ok) throw new Error('The server answered ' + response.status + '.');
  const spec = await response.json();
  spec.servers = [{ url: new URL('..', docs).href.replace(/[/]$/, '') }];
  const ui = SwaggerUIBundle({
    spec,
    domNode: place,
    deepLinking: true,
    docExpansion: 'list',
    validatorUrl: null,
    onComplete: () => key !== '' && ui.preauthorizeApiKey('apiKey', key),
  });
}

function askForKey(fault) {
  place.innerHTML =
    '<form class="plain"><h1>mochi-server</h1><p>This server needs an API key.</p>' +
    '<label>API key <input type="password" autocomplete="off" required></label> <button>Open</button>' +
    '<p role="alert"></p></form>';
  const [form] = place.children;
  const [input] = form.getElementsByTagName('input');
  form.lastChild.textContent = fault;
  form.onsubmit = (event) => {
    event.preventDefault();
    run(input.value.trim());
  };
  input.focus();
}

function run(key) {
  open(key).catch((error) => {
    place.textContent = 'The documentation could not be read. ' + error.message;
  });
}

run('');
`;
