// SPDX-License-Identifier: Apache-2.0
/**
 * What KHO's consumers store, by version. So far which FDT properties are numbers in the kernel's own byte order.
 *
 * @module schemas
 */

export { type NativeUnit, nativeUnits, type PropertyPlace } from './native-properties.js';
