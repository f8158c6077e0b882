// SPDX-License-Identifier: Apache-2.0

// C0 and C1 controls, DEL, and the Unicode characters that reorder or break lines on a terminal or page.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to be kept out
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * Text from a blob made safe to show: every control, line-breaking or direction-changing character becomes `\xNN` or
 * `\u{…}`, so that hostile names cannot move a cursor, forge a line or reorder what is read.
 */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}

/** The text of JSON made safe to show: DEL, C1 and what moves or breaks lines, which JSON lets through, as `\\uNNNN`. */
export function escapeJson(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Longer names are cut in paths and messages: one name may be as long as the blob, and is quoted again and again. */
const LONGEST_QUOTED = 128;

/** A name from a blob for a path or message: escaped, and cut to 128 characters with an ellipsis. */
export function quoteName(name: string): string {
  return escapeText(name.length > LONGEST_QUOTED ? `${name.slice(0, LONGEST_QUOTED)}…` : name);
}
