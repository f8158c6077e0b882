// SPDX-License-Identifier: Apache-2.0
/**
 * VT-d: what devices see of memory. So far the address widths that every table is read by.
 *
 * @module vtd
 */

export { ADDRESS_WIDTHS, type AddressWidth, addressWidth } from './agaw.js';
