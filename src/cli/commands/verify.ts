// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../../bytes/printable.js';
import type { OpenImageOptions } from '../../image/open.js';
import { type GivenSpaces, givenSpacesFromJson } from '../../kho/given-spaces.js';
import { Handover, type HandoverOptions } from '../../kho/handover.js';
import { replayLog } from '../../kho/ioctl-log/replay.js';
import { spacesOfReplay } from '../../kho/ioctl-log/replayed-spaces.js';
import { RULES, ruleOf } from '../../kho/rules/table.js';
import { memoryOfSide } from '../../kho/side-memory.js';
import { summarize } from '../../kho/summary.js';
import { type VerifyOptions, verifyHandover } from '../../kho/verify.js';
import { count } from '../../render/size.js';
import { writeVerifyJson } from '../../render/verify-json.js';
import { writeVerifySarif } from '../../render/verify-sarif.js';
import { isWorthTelling, writeFindings, writeRule, writeVerifySummary } from '../../render/verify-text.js';
import { parseAddress, parseSpan } from '../address-argument.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inFile, UsageError } from '../failure.js';
import { openFolder } from '../folder-input.js';
import { openHandoverInput } from '../handover-input.js';
import { isFolder, readInput } from '../input.js';
import { parseJson } from '../json-input.js';
import { readLogInput } from '../log-input.js';
import { variantChoices, variantNames } from '../schema-argument.js';
import { closestWord } from '../suggest.js';
import { VERSION } from '../version.js';

const ruleIds = (): readonly string[] => RULES.map(({ id }) => id);

/** `kho verify`. */
export const verify: Command = defineCommand({
  details: [
    'Follows every pointer from the root on: the map of preserved memory, blobs of consumers, sessions, files, their folios, reserved memory, domains and their page tables. Every rule compares two places that must agree, and a finding names both. Rules that cannot be checked are listed with the reason: an image may be a part of memory, a debugfs folder has no memory at all.',
    'With --areas or --ioctl-log the page tables are held against what the objects of iommufds say: each mapping in an area, each area mapped, permissions and pages the same. docs/verify.md has all rules, with their sources and what kernels do when they are broken.',
  ],
  examples: [
    ['verify vmcore', 'will the next kernel find everything it needs?'],
    ['verify guest.raw --hole 2G:2G', 'raw RAM of a q35 guest above 2.75 GiB'],
    ['verify /sys/kernel/debug/kho/out', 'the blobs of a running kernel, without the memory they lead to'],
    ['verify vmcore --sarif > findings.sarif', 'for code scanning'],
    ['verify vmcore --areas areas.json', 'and do page tables map what these areas say?'],
    ['verify vmcore --ioctl-log vmm.jsonl --rtaddr 0x71e400', 'and do they map what recorded calls made?'],
    ['verify vmcore --rule preserved-reached', 'one rule alone'],
    ['verify --explain preserved-reached', 'why it matters, and what it is taken from'],
  ],
  exitCodes:
    '0 no errors and no warnings, 1 errors or warnings, 2 not readable, no handover in it, or wrong usage',
  positionals: {
    input: { type: 'string', describe: 'memory image, root FDT, or KHO debugfs folder' },
  },
  options: {
    explain: { type: 'string', describe: 'explain a rule, or all' },
    rule: { type: 'string', array: true, describe: 'check these rules only' },
    ignore: { type: 'string', array: true, describe: 'leave these rules out' },
    areas: {
      type: 'string',
      describe: 'address spaces and their devices, JSON, to hold against the page tables (docs/verify.md)',
    },
    'ioctl-log': {
      type: 'string',
      describe:
        'ioctl log whose replayed address spaces are held against the page tables (docs/ioctl-log.md)',
    },
    rtaddr: { type: 'string', describe: 'with --ioctl-log: value of RTADDR of the unit of its devices' },
    root: { type: 'string', describe: 'physical address of the root FDT' },
    scratch: { type: 'string', describe: 'scratch regions START:LENGTH, several with commas' },
    'scratch-array': { type: 'string', describe: 'where the array of scratch regions lies, ADDRESS:SIZE' },
    variant: { type: 'string', array: true, describe: 'of layouts with one version string take this one' },
    base: { type: 'string', describe: 'raw images: physical address of the first byte' },
    hole: { type: 'string', describe: 'raw images: addresses START:LENGTH that the file skips' },
    raw: { type: 'boolean', default: false, describe: 'raw memory, whatever the first bytes look like' },
    json: { type: 'boolean', default: false, describe: 'print JSON' },
    sarif: { type: 'boolean', default: false, describe: 'print SARIF 2.1.0' },
  },
  suggestions: {
    rule: { words: ruleIds },
    ignore: { words: ruleIds },
    explain: { words: () => ['all', ...ruleIds()] },
    variant: { words: variantNames },
  },
  run: async (args, io) => {
    const { input, explain, json, sarif } = args;
    if (explain !== undefined) {
      if (input !== undefined) throw new UsageError('--explain takes nothing else');
      return explainRules(explain, io);
    }
    if (input === undefined) throw new UsageError('expected kho verify INPUT, or --explain RULE');
    if (json && sarif) throw new UsageError('--json and --sarif are two forms, choose one');
    const handover: HandoverOptions = {
      root: args.root === undefined ? undefined : parseAddress(args.root, '--root'),
      scratch: args.scratch?.split(',').map((word) => {
        const { start, length } = parseSpan(word, '--scratch');
        return { address: start, size: length };
      }),
      scratchArray: args.scratchArray === undefined ? undefined : arrayOf(args.scratchArray),
      variants: variantChoices(args.variant),
      given: givenOf(args, io),
    };
    const image: OpenImageOptions = {
      format: args.raw ? 'raw' : 'auto',
      ...(args.base === undefined ? {} : { base: parseAddress(args.base, '--base') }),
      ...(args.hole === undefined ? {} : { hole: parseSpan(args.hole, '--hole') }),
    };
    const options: VerifyOptions = { rules: knownRules(args.rule), ignore: knownRules(args.ignore) };
    const report = (opened: Handover): number => print(opened, input, options, { json, sarif }, io);
    if (isFolder(input)) {
      const [side] = openFolder(input, { tolerant: true });
      if (side === undefined) throw new UsageError(`${input} holds no handover`);
      const { memory, root } = memoryOfSide(side);
      const scratch = handover.scratch ?? (side.scratch.length > 0 ? side.scratch : undefined);
      return inFile(input, () =>
        report(Handover.open(memory, { ...handover, scratch, root, partial: true })),
      );
    }
    return await openHandoverInput(input, image, handover, report);
  },
});

/** Findings of one rule that are shown. */
const FOR_PEOPLE = 10;
const FOR_PROGRAMS = 1000;

/** Address spaces that are described, or that a log makes. @throws UsageError */
function givenOf(
  { areas, ioctlLog, rtaddr }: Readonly<Record<'areas' | 'ioctlLog' | 'rtaddr', string | undefined>>,
  io: Io,
): GivenSpaces | undefined {
  if (areas !== undefined && ioctlLog !== undefined)
    throw new UsageError('--areas and --ioctl-log both describe address spaces, choose one');
  if (rtaddr !== undefined && ioctlLog === undefined) throw new UsageError('--rtaddr goes with --ioctl-log');
  if (ioctlLog === undefined) return areas === undefined ? undefined : readAreas(areas);
  const log = readLogInput(ioctlLog);
  const { contexts, differences, missed } = replayLog(log);
  const wrong = differences.filter(({ environment }) => !environment).length + missed.length;
  if (wrong > 0) {
    const what = `${count(wrong, 'call')} not as a kernel would have it: see kho log replay`;
    io.stderr.write(`kho: ${escapeText(`${ioctlLog}: ${what}`)}\n`);
  }
  return spacesOfReplay(
    contexts,
    log.memories,
    rtaddr === undefined ? undefined : parseAddress(rtaddr, '--rtaddr'),
  );
}

function readAreas(file: string): GivenSpaces {
  const json = parseJson(file, readInput(file));
  return inFile(file, () => givenSpacesFromJson(json));
}

function arrayOf(text: string): { readonly address: bigint; readonly size: bigint } {
  const { start, length } = parseSpan(text, '--scratch-array');
  return { address: start, size: length };
}

function print(
  handover: Handover,
  file: string,
  options: VerifyOptions,
  form: { readonly json: boolean; readonly sarif: boolean },
  { stdout: { write }, paint }: Io,
): number {
  const maxPerRule = form.json || form.sarif ? FOR_PROGRAMS : FOR_PEOPLE;
  const verification = verifyHandover(handover, { ...options, maxPerRule });
  if (form.sarif) writeVerifySarif(write, file, RULES, verification, VERSION);
  else if (form.json) writeVerifyJson(write, file, summarize(handover), verification);
  else {
    writeVerifySummary(write, file, summarize(handover), verification, paint);
    writeFindings(write, verification, paint);
  }
  return verification.findings.some(isWorthTelling) ? EXIT.findings : EXIT.ok;
}

/** The ids given, with commas or one by one. @throws UsageError for one that is none */
function knownRules(words: readonly string[] | undefined): readonly string[] | undefined {
  const ids = words?.flatMap((word) => word.split(',')).filter((id) => id !== '');
  for (const id of ids ?? []) requireRule(id);
  return ids;
}

function requireRule(id: string): void {
  if (ruleOf(id) !== undefined) return;
  const close = closestWord(
    id,
    RULES.map((rule) => rule.id),
  );
  const hint = close === undefined ? 'see kho verify --explain all' : `did you mean "${close}"?`;
  throw new UsageError(`there is no rule "${id}", ${hint}`);
}

function explainRules(id: string, { stdout: { write }, paint }: Io): number {
  if (id !== 'all') requireRule(id);
  RULES.filter((rule) => id === 'all' || rule.id === id).forEach((rule, index) => {
    if (index > 0) write('\n');
    writeRule(write, rule, paint);
  });
  return EXIT.ok;
}
