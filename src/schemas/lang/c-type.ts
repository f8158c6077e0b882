// SPDX-License-Identifier: Apache-2.0
import type { MemoryType } from './type.js';

/** How C would name a type: `u64`, `char[8]`, `struct luo_file_ser[count]`. */
export function cTypeName(type: MemoryType): string {
  switch (type.kind) {
    case 'integer':
      return type.bigEndian ? `be${type.bits}` : `${type.signed ? 's' : 'u'}${type.bits}`;
    case 'pointer':
      return type.bigEndian ? 'be64' : 'u64';
    case 'bits':
      return `u${type.bits}`;
    case 'chars':
      return `char[${type.length}]`;
    case 'text':
      return 'char[]';
    case 'bytes':
    case 'reserved':
      return `u8[${type.length === 'rest' ? '' : type.length}]`;
    case 'array': {
      const count =
        typeof type.count === 'object' ? type.count.field : type.count === 'rest' ? '' : `${type.count}`;
      return `${cTypeName(type.of)}[${count}]`;
    }
    case 'struct':
      return `struct ${type.name}`;
    case 'union':
      return 'union';
    case 'gather':
      return `struct ${type.descriptor.name}`;
  }
}
