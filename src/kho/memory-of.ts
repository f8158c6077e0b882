// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../image/error.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import type { Memory } from '../schemas/lang/memory.js';

/** An image as the layouts' interpreters ask for memory: bytes, or `undefined` for what it does not hold. */
export function memoryOf(image: PhysicalMemory): Memory {
  return (address, length) => {
    try {
      return image.read(address, length);
    } catch (error) {
      if (error instanceof ImageError) return undefined;
      throw error;
    }
  };
}
