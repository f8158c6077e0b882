// SPDX-License-Identifier: Apache-2.0
// `npm run judge -- encoders|pointers|migration|predictions`; see docs/kernel-judged.md.
import { runBundled } from './run-bundled.mjs';

await runBundled('judge');
