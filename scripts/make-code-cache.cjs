// SPDX-License-Identifier: Apache-2.0
// Runs the built program once and keeps the code that V8 compiled for it: `make-code-cache.cjs FOLDER COMMAND…`.
'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

const [node, , folder, ...command] = process.argv;
const filename = join(folder, 'kho-main.js');
const script = new Script(readFileSync(filename, 'latin1'), { filename });
process.argv = [node, filename, ...command];
process.on('exit', () => writeFileSync(join(folder, 'kho-main.cache'), script.createCachedData()));
script.runInThisContext()(exports, require, module, filename, folder);
