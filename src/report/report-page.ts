// SPDX-License-Identifier: Apache-2.0

/** What a page is put together from. */
export interface PageParts {
  /** Text of the script; the page's own, not the input's. */
  readonly script: string;
  readonly style: string;
  /** SHA-256 of both in base64: nothing else may run or style. */
  readonly scriptHash: string;
  readonly styleHash: string;
  /** The JSON that `packJson` makes; `undefined` for a viewer. */
  readonly data: string | undefined;
  /** What stands in the title bar; made safe here. */
  readonly title: string;
}

/**
 * One HTML file that needs nothing else. Its policy lets only the page's own script and style work and keeps it from
 * reaching anything, whatever the input holds.
 */
export function reportPage({ script, style, scriptHash, styleHash, data, title }: PageParts): string {
  // 'wasm-unsafe-eval': the walk of page tables runs as WebAssembly. blob: the worker runs this same script.
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${scriptHash}' 'wasm-unsafe-eval'`,
    `style-src 'sha256-${styleHash}'`,
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const embedded =
    data === undefined ? '' : `<script type="application/json" id="kho-data">${data}</script>\n`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<div id="kho-report"><header class="top"><span class="brand">kho report</span><span class="file">${escapeHtml(title)}</span></header><main><p class="progress">Opening …</p></main></div>
<noscript><p class="failure">This report decodes what is in it by itself and needs JavaScript for that. Nothing is sent anywhere.</p></noscript>
${embedded}<script>${script}</script>
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (each) => ENTITIES[each] ?? each);
}
