// SPDX-License-Identifier: Apache-2.0
// How words are cut, for the index (in Node) and for what is searched (in the browser; a classic script): a name counts
// whole and by its parts, so that "iova-start", "iova" and "editor" of FdtEditor are all found.
globalThis.KHO_TOKENIZE = (text) => {
  const tokens = [];
  for (const word of text.split(/[^\p{L}\p{N}_.-]+/u)) {
    const whole = word.replace(/^[.-]+|[.-]+$/g, '');
    if (whole === '') continue;
    tokens.push(whole);
    const parts = whole.split(/[-_.]|(?<=[a-z0-9])(?=[A-Z])/).filter((part) => part.length > 1);
    if (parts.length > 1) tokens.push(...parts);
  }
  return tokens;
};
