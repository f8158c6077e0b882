// SPDX-License-Identifier: Apache-2.0
// The few elements that our drawings are made of. Text in them is escaped here and nowhere else.
import { escapeText } from '../bytes/printable.js';

/** Width in pixels that a character of the drawings' fixed-width text takes at most, by its size in pixels. */
const CHARACTER = 0.62;

/** Pixels that fixed-width text of `size` pixels takes at most. */
export function textWidth(text: string, size: number): number {
  return text.length * size * CHARACTER;
}

/** Text cut to `width` pixels, with an ellipsis where something is cut. */
export function fitText(text: string, size: number, width: number): string {
  const most = Math.max(1, Math.floor(width / (size * CHARACTER)));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** Text in lines of at most `width` pixels, broken between words. */
export function wrapText(text: string, size: number, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && textWidth(longer, size) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line].map((each) => fitText(each, size, width));
}

/** Text that is text in XML too, whatever is in it: no markup, no controls. */
export function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  // A half of a surrogate pair is no character, and no XML document may hold one; neither may it hold these two.
  const clean = escapeText(text).replace(/\p{Cs}|[\ufffe\uffff]/gu, '\ufffd');
  return clean.replace(/[&<>"]/g, (character) => entities[character] ?? '');
}

/** A line of text; `kind` is its class, `anchor` what of it stands at `x`. */
export function svgText(
  x: number,
  y: number,
  text: string,
  kind: string,
  anchor: 'start' | 'middle' | 'end' = 'start',
): string {
  const where = anchor === 'start' ? '' : ` text-anchor="${anchor}"`;
  return `<text x="${round(x)}" y="${round(y)}" class="${kind}"${where}>${escapeXml(text)}</text>`;
}

/** A path of class `kind`. */
export function svgPath(data: string, kind: string): string {
  return `<path d="${data}" class="${kind}"/>`;
}

/** A rectangle of class `kind`, corners rounded by `radius` pixels. */
export function svgRect(
  x: number,
  y: number,
  width: number,
  height: number,
  kind: string,
  radius = 0,
): string {
  const corners = radius === 0 ? '' : ` rx="${radius}"`;
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"${corners} class="${kind}"/>`;
}

/** Elements that belong together, with a text that shows when one points there and that screen readers read. */
export function svgGroup(tooltip: string, elements: readonly string[]): string {
  return `<g><title>${escapeXml(tooltip)}</title>${elements.join('')}</g>`;
}

/** A number without digits that nobody sees. */
export function round(value: number): string {
  return `${Math.round(value * 100) / 100}`;
}

// Colours are properties, so that a page that has the drawing in it can give others. The paper is drawn: text stays
// legible on a page of the other kind.
const STYLE = `.kho-drawing{--paper:#fff;--ink:#1b1f24;--soft:#59636e;--line:#8c959f;--number:#dbeafe;--pointer:#fde7c7;--text:#d9f2dd;--bytes:#ece5fb;--unused:#eef0f2;--mark:#b42318;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace}
@media (prefers-color-scheme:dark){.kho-drawing{--paper:#0f141a;--ink:#e6edf3;--soft:#9aa7b4;--line:#5b6773;--number:#1b3a63;--pointer:#5c3d12;--text:#1d4a2a;--bytes:#41316b;--unused:#22282f;--mark:#ff8f85}}
.kho-drawing .paper{fill:var(--paper)}.kho-drawing text{fill:var(--ink);font-size:12px}.kho-drawing .head{font-size:13px;font-weight:700}.kho-drawing .small{font-size:10px;fill:var(--soft)}.kho-drawing .soft{font-size:11px;fill:var(--soft)}.kho-drawing .mark{fill:var(--mark);font-size:11px;font-weight:700}.kho-drawing .box{stroke:var(--line)}.kho-drawing .number{fill:var(--number)}.kho-drawing .pointer{fill:var(--pointer)}.kho-drawing .text{fill:var(--text)}.kho-drawing .bytes{fill:var(--bytes)}.kho-drawing .unused{fill:var(--unused)}.kho-drawing .cut{fill:none;stroke:var(--line);stroke-dasharray:3 3}.kho-drawing .edge{fill:none;stroke:var(--line);stroke-width:1.3}.kho-drawing .tip{fill:var(--line)}.kho-drawing .number:hover,.kho-drawing .pointer:hover,.kho-drawing .text:hover,.kho-drawing .bytes:hover,.kho-drawing .unused:hover{stroke:var(--ink);stroke-width:2}`;

/**
 * A whole drawing, that stands by itself or in a page: light or dark as the reader's system is.
 *
 * @param title - what it shows, for screen readers
 */
export function svgDocument(
  width: number,
  height: number,
  title: string,
  elements: readonly string[],
): string {
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  return `<svg xmlns="http://www.w3.org/2000/svg" class="kho-drawing" role="img" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}">
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
<rect class="paper" width="${w}" height="${h}" rx="6"/>
${elements.join('\n')}
</svg>
`;
}
