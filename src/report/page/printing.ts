// SPDX-License-Identifier: Apache-2.0
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

/** Whether the page is being printed: lists are then what fits on paper, and colours are the light ones. */
export const Printing: ReturnType<typeof createContext<boolean>> = createContext(false);

/** See {@link Printing}. */
export function usePrinting(): boolean {
  return useContext(Printing);
}
