// SPDX-License-Identifier: Apache-2.0

/** Takes text in order, piece by piece, so that the text of a large blob never stands in memory as a whole. */
export type TextSink = (text: string) => void;
