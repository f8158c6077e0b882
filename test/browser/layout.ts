// SPDX-License-Identifier: Apache-2.0

/**
 * Runs in the page: elements that reach beside it or whose text is cut without a way to read it, as short descriptions.
 * What scrolls, and what ends in an ellipsis with the whole as its title, is neither.
 */
export function overflowing(): string[] {
  const wide = document.documentElement.clientWidth;
  const found: string[] = [];
  const describe = (element: Element): string =>
    `${element.tagName.toLowerCase()}.${element.className.toString()} "${(element.textContent ?? '').slice(0, 40)}"`;
  const scrolls = (element: Element): boolean => {
    for (let at: Element | null = element; at !== null; at = at.parentElement) {
      const { overflowX, textOverflow } = getComputedStyle(at);
      if (overflowX === 'auto' || overflowX === 'scroll') return true;
      if (at !== element && textOverflow === 'ellipsis') return true;
    }
    return false;
  };
  if (document.documentElement.scrollWidth > wide)
    found.push(`the page: ${document.documentElement.scrollWidth} of ${wide}`);
  for (const element of document.querySelectorAll('body *')) {
    if (!(element instanceof HTMLElement) || element.offsetParent === null) continue;
    const { right, left, width } = element.getBoundingClientRect();
    const { overflowX, textOverflow } = getComputedStyle(element);
    if (width > 0 && (right > wide + 1 || left < -1) && !scrolls(element))
      found.push(`beside: ${describe(element)}`);
    const isCut =
      element.scrollWidth > element.clientWidth + 1 && overflowX === 'hidden' && element.clientWidth > 0;
    if (isCut && textOverflow !== 'ellipsis' && !scrolls(element)) found.push(`cut: ${describe(element)}`);
    const hasTitle = element.closest('[title]') !== null;
    if (isCut && textOverflow === 'ellipsis' && !hasTitle)
      found.push(`cut without title: ${describe(element)}`);
  }
  return found.slice(0, 10);
}
