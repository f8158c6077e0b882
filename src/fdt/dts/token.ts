// SPDX-License-Identifier: Apache-2.0

/**
 * The tokens of a devicetree source. A token of one character has that character's code as its kind; these are the
 * others (names and forms: `dtc-lexer.l` of dtc 1.6.1).
 */
export const TOKEN_END = 256;
export const TOKEN_STRING = 257;
export const TOKEN_CHARACTER = 258;
export const TOKEN_INTEGER = 259;
export const TOKEN_BYTE = 260;
/** `name:` */
export const TOKEN_LABEL = 261;
/** `&label` */
export const TOKEN_LABEL_REFERENCE = 262;
/** `&{/path}` */
export const TOKEN_PATH_REFERENCE = 263;
/** The name of a node or property. */
export const TOKEN_NAME = 264;

export const TOKEN_SHIFT_LEFT = 270;
export const TOKEN_SHIFT_RIGHT = 271;
export const TOKEN_LESS_EQUAL = 272;
export const TOKEN_GREATER_EQUAL = 273;
export const TOKEN_EQUAL = 274;
export const TOKEN_NOT_EQUAL = 275;
export const TOKEN_AND = 276;
export const TOKEN_OR = 277;

export const TOKEN_DTS_V1 = 280;
export const TOKEN_PLUGIN = 281;
export const TOKEN_MEMRESERVE = 282;
export const TOKEN_BITS = 283;
export const TOKEN_DELETE_PROPERTY = 284;
export const TOKEN_DELETE_NODE = 285;
export const TOKEN_OMIT_IF_NO_REF = 286;
export const TOKEN_INCLUDE = 287;
export const TOKEN_INCBIN = 288;

/** The words between slashes. */
export const KEYWORDS: ReadonlyMap<string, number> = new Map([
  ['/dts-v1/', TOKEN_DTS_V1],
  ['/plugin/', TOKEN_PLUGIN],
  ['/memreserve/', TOKEN_MEMRESERVE],
  ['/bits/', TOKEN_BITS],
  ['/delete-property/', TOKEN_DELETE_PROPERTY],
  ['/delete-node/', TOKEN_DELETE_NODE],
  ['/omit-if-no-ref/', TOKEN_OMIT_IF_NO_REF],
  ['/include/', TOKEN_INCLUDE],
  ['/incbin/', TOKEN_INCBIN],
]);

/** The operators of two characters. */
export const OPERATORS: ReadonlyMap<string, number> = new Map([
  ['<<', TOKEN_SHIFT_LEFT],
  ['>>', TOKEN_SHIFT_RIGHT],
  ['<=', TOKEN_LESS_EQUAL],
  ['>=', TOKEN_GREATER_EQUAL],
  ['==', TOKEN_EQUAL],
  ['!=', TOKEN_NOT_EQUAL],
  ['&&', TOKEN_AND],
  ['||', TOKEN_OR],
]);
