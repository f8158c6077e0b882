// SPDX-License-Identifier: Apache-2.0
// `npm run fuzz -- --minutes N [--target T] [--seed S] [--runs N] [--jobs N] [--save] [--input FILE]`; see docs/fuzzing.md.
import { runBundled } from './run-bundled.mjs';

await runBundled('fuzz');
