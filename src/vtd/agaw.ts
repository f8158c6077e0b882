// SPDX-License-Identifier: Apache-2.0

/** An adjusted guest address width (AGAW): how many levels a second-stage table has, and how wide its IOVAs are. */
export interface AddressWidth {
  /** The code in context and PASID entries (AW), and in `dmar_domain.agaw`. */
  readonly agaw: number;
  /** Table levels from the top table down to the one whose entries map 4 KiB. */
  readonly levels: number;
  /** Width of an input address in bits. */
  readonly bits: number;
  /** The bit of CAP.SAGAW that says the hardware can do it. */
  readonly sagawBit: number;
}

/**
 * The widths VT-d defines; codes 0 and 4 to 7 are reserved.
 * Source: kernel 7.3.4 drivers/iommu/intel/iommu.c (`agaw_to_level`, `agaw_to_width`); vtd-tables.md section 8.
 */
export const ADDRESS_WIDTHS: readonly AddressWidth[] = [1, 2, 3].map((agaw) => ({
  agaw,
  levels: agaw + 2,
  bits: 30 + 9 * agaw,
  sagawBit: agaw,
}));

/** The width that code `agaw` stands for; `undefined` for a reserved code. */
export function addressWidth(agaw: number): AddressWidth | undefined {
  return ADDRESS_WIDTHS.find((width) => width.agaw === agaw);
}
