// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../../bytes/printable.js';
import { openImage, type PhysicalMemory } from '../../image/index.js';
import { writeDmar, writeDmarJson } from '../../render/vtd-dmar-text.js';
import { writeDomains, writeDomainsJson } from '../../render/vtd-domains-text.js';
import { writeInterrupts, writeInterruptsJson } from '../../render/vtd-interrupts-text.js';
import {
  deviceFaultText,
  writeDevicePath,
  writeTranslation,
  writeTranslationJson,
} from '../../render/vtd-path-text.js';
import { decodeDmar, readDomains, readInterrupts, translate } from '../../vtd/index.js';
import { parseAddress } from '../address-argument.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inFile, UsageError } from '../failure.js';
import { IMAGE_OPTIONS, type ImageArguments, imageOptions } from '../image-options.js';
import { readInput } from '../input.js';
import { isSameFile } from '../output-file.js';
import { type DiffSide, OTHER_OPTIONS, type OtherArguments, otherArguments, runDiff } from '../vtd-diff.js';
import {
  deviceRootOf,
  onlyOf,
  register,
  targetOf,
  VTD_OPTIONS,
  type VtdArguments,
  type VtdTarget,
} from '../vtd-options.js';
import { runWalk, WALK_FORMATS } from '../vtd-walk.js';

/** More would only wait for memory. */
const MOST_THREADS = 64;
const ACTIONS = ['domains', 'walk', 'translate', 'diff', 'irt', 'dmar'] as const;

/** `kho vtd`. */
export const vtd: Command = defineCommand({
  details: [
    'Reads the tables of Intel VT-d straight from a memory image: root and context tables of both modes, PASID tables, second-stage tables of 3 to 5 levels and first-stage ones of 4 and 5, interrupt remapping, and the ACPI table DMAR. --root is the value of the register RTADDR, as the kernel prints it in debugfs or as it can be read from a dump; --pgd is the address of one top table.',
    'walk gives all mappings, joined to extents, and what is wrong with the tables; translate one address with every entry on its way, as hardware reads them; diff what two images map differently. docs/vtd.md explains the output.',
  ],
  examples: [
    ['vtd domains vmcore --root 0x71e400', 'every domain, its devices and tables; RTADDR carries the mode'],
    ['vtd walk vmcore --root 0x71e400 --device 00:04.0', 'what the device sees of memory'],
    ['vtd walk vmcore --root 0x71e400 --device 00:04.0 --summary', 'the same as a picture'],
    ['vtd walk vmcore --pgd 0x6950000 --first-stage --format csv -o cpu.csv', 'a table of a processor (CR3)'],
    [
      'vtd translate vmcore --root 0x71e400 --device 00:04.0 0x12345678',
      'one address, every entry on its way',
    ],
    ['vtd diff before.elf after.elf --root 0x71e400 -d 00:04.0', 'what a device sees differently'],
    ['vtd irt vmcore --irta 0x40000f', 'interrupt remapping'],
    ['vtd dmar /sys/firmware/acpi/tables/DMAR', 'the units, their devices and reserved memory'],
  ],
  exitCodes:
    '0 done or same, 1 differences, findings, a fault, or nothing there to look at, 2 not readable or wrong usage',
  positionals: {
    action: { choices: ACTIONS, demandOption: true, describe: 'what to do' },
    file: {
      type: 'string',
      demandOption: true,
      describe: 'image: raw, ELF core, kdump, LiME or AVML; for dmar the ACPI table',
    },
    operand: { type: 'string', describe: 'translate: the IOVA; diff: the second image' },
  },
  options: {
    ...VTD_OPTIONS,
    ...OTHER_OPTIONS,
    irta: { type: 'string', describe: 'irt: value of IRTA, address and size of the table' },
    only: { type: 'string', describe: 'walk: only these IOVAs, START:LENGTH' },
    access: { choices: ['read', 'write'], describe: 'translate: what the device does' },
    format: { choices: WALK_FORMATS, default: 'table', describe: 'walk: what extents are written as' },
    json: { type: 'boolean', default: false, describe: 'print JSON' },
    summary: { type: 'boolean', default: false, describe: 'walk: a picture of what is mapped' },
    out: { alias: 'o', type: 'string', describe: 'walk: write to a file' },
    threads: {
      type: 'number',
      default: 1,
      describe: 'walk: threads that share a large table; one is fastest for most',
    },
    ...IMAGE_OPTIONS,
  },
  run: (args, io) => {
    const { action, file, operand, irta, only, access, format, json, summary, out, threads } = args;
    requireFor('walk', action, {
      only,
      out,
      summary: summary || undefined,
      format: format === 'table' ? undefined : format,
    });
    requireFor('walk', action, { threads: threads === 1 ? undefined : threads });
    if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
      throw new UsageError(`--threads takes a number from 1 to ${MOST_THREADS}`);
    }
    requireFor('irt', action, { irta });
    requireFor('translate', action, { access });
    requireFor('diff', action, {
      'other-root': args.otherRoot,
      'other-device': args.otherDevice,
      'other-pasid': args.otherPasid,
      'other-pgd': args.otherPgd,
      'accessed-dirty': args.accessedDirty || undefined,
    });
    if (operand !== undefined && action !== 'translate' && action !== 'diff') {
      throw new UsageError(`kho vtd ${action} takes one file, found "${operand}" as well`);
    }
    if (json && format !== 'table') throw new UsageError('--json and --format contradict each other');
    if (action === 'dmar') return inFile(file, () => showDmar(file, json, io));
    if (out !== undefined && isSameFile(out, file)) {
      throw new UsageError(`${out} is the image; it is not overwritten`);
    }
    return inFile(file, () => {
      const image = openImage(file, imageOptions(args));
      try {
        if (action === 'domains') return showDomains(image, file, args, json, io);
        if (action === 'irt') return showInterrupts(image, irta, json, io);
        const target = targetOf(image, args);
        if (action === 'diff') return showDiff({ file, target }, operand, args, io);
        if (action === 'translate') return showTranslation(target, file, operand, access, json, io);
        const chosen = WALK_FORMATS.find((each) => each === (json ? 'json' : format)) ?? 'table';
        const request = { file, format: chosen, summary, out, only: onlyOf(only), threads };
        return runWalk(target, { ...request, image: imageOptions(args) }, io);
      } finally {
        image.close();
      }
    });
  },
});

/** Refuses options that go with one action only. */
function requireFor(action: string, given: string, options: Readonly<Record<string, unknown>>): void {
  if (given === action) return;
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    throw new UsageError(`--${name} goes with kho vtd ${action}`);
  }
}

function showDomains(
  memory: PhysicalMemory,
  file: string,
  args: VtdArguments,
  json: boolean,
  io: Io,
): number {
  if (args.device !== undefined || args.pgd !== undefined) {
    throw new UsageError('--device and --pgd go with kho vtd walk and translate');
  }
  const root = deviceRootOf(args);
  const found = readDomains(memory, root);
  if (json) writeDomainsJson(io.stdout.write, found);
  else writeDomains(io.stdout.write, found, io.paint);
  if (found.findings.length === 0) return EXIT.ok;
  if (root.mode === 'rtaddr' && found.mode === 'legacy') {
    const other = readDomains(memory, { ...root, mode: 'scalable' });
    if (other.findings.length === 0 && other.domains.length > 0) {
      io.stderr.write(
        `kho: ${escapeText(file)}: in scalable mode there is no finding: try --mode scalable\n`,
      );
    }
  }
  return EXIT.findings;
}

function showInterrupts(memory: PhysicalMemory, irta: string | undefined, json: boolean, io: Io): number {
  if (irta === undefined) throw new UsageError('--irta is needed: the value of IRTA');
  const found = readInterrupts(memory, register(irta, '--irta'));
  if (json) writeInterruptsJson(io.stdout.write, found);
  else writeInterrupts(io.stdout.write, found, io.paint);
  return found.findings.length === 0 ? EXIT.ok : EXIT.findings;
}

function showDmar(file: string, json: boolean, io: Io): number {
  const table = decodeDmar(readInput(file));
  if (json) writeDmarJson(io.stdout.write, table);
  else writeDmar(io.stdout.write, table, io.paint);
  return table.findings.length === 0 ? EXIT.ok : EXIT.findings;
}

function showDiff(
  before: DiffSide,
  file: string | undefined,
  args: VtdArguments &
    OtherArguments &
    ImageArguments & { readonly accessedDirty: boolean; readonly json: boolean },
  io: Io,
): number {
  if (file === undefined) throw new UsageError('expected kho vtd diff IMAGE IMAGE OPTIONS');
  return inFile(file, () => {
    const image = openImage(file, imageOptions(args));
    try {
      const after = { file, target: targetOf(image, otherArguments(args)) };
      return runDiff(before, after, args.accessedDirty, args.json, io);
    } finally {
      image.close();
    }
  });
}

function showTranslation(
  target: VtdTarget,
  file: string,
  operand: string | undefined,
  access: string | undefined,
  json: boolean,
  io: Io,
): number {
  if (operand === undefined) throw new UsageError('expected kho vtd translate IMAGE OPTIONS IOVA');
  const iova = parseAddress(operand, 'IOVA');
  const { image, through, widthBits, hostBits, device, name } = target;
  const translation =
    through === undefined
      ? undefined
      : translate(image, through, iova, {
          widthBits,
          hostBits,
          access: access === 'read' || access === 'write' ? access : undefined,
        });
  const fault = device?.fault;
  if (json) {
    writeTranslationJson(io.stdout.write, iova, translation, device);
  } else {
    if (translation !== undefined) writeTranslation(io.stdout.write, translation, device, io.paint);
    else if (device !== undefined) writeDevicePath(io.stdout.write, device, io.paint);
    if (device?.tables?.type === 'pass-through') io.stdout.write('pass-through: addresses are physical\n');
  }
  if (fault !== undefined) {
    io.stderr.write(`kho: ${escapeText(`${file}: ${name}: ${deviceFaultText(fault)}`)}\n`);
  }
  return fault === undefined && translation?.fault === undefined ? EXIT.ok : EXIT.findings;
}
