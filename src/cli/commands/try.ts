// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../../bytes/printable.js';
import { type OpenImageOptions, openImage } from '../../image/open.js';
import { Handover, type HandoverOptions } from '../../kho/handover.js';
import { locateHandovers } from '../../kho/locate.js';
import { writeJudgedCases } from '../../render/try-cases-text.js';
import { writeJudgedJson, writeTriedJson } from '../../render/try-json.js';
import { writeKernelMatrix, writeTried } from '../../render/try-text.js';
import type { Expected } from '../../try/expected.js';
import { expectedSessionsFromJson } from '../../try/expected-json.js';
import { expectedOf } from '../../try/expected-of.js';
import { type TryOptions, type TryResult, tryImage } from '../../try/try-image.js';
import { parseAddress, parseSpan } from '../address-argument.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { UsageError } from '../failure.js';
import { isImageFile } from '../image-file.js';
import { IMAGE_OPTIONS, imageOptions } from '../image-options.js';
import { readInput } from '../input.js';
import { exitCodeOfSignal, whileInterruptible } from '../interruption.js';
import { parseJson } from '../json-input.js';
import { type NamedKernel, openKernel, openKernels } from '../kernel-input.js';
import { startProgress } from '../progress.js';
import { inTrial } from '../trial-failure.js';

/** `kho try`. */
export const tryCommand: Command = defineCommand({
  details: [
    'Puts the image into the memory of a virtual machine, boots the kernel there as kexec would, and asks it, by an init of its own, for every session and file that the handover names: sizes, positions, seals, contents. The verdict says what came back, what did not, and what the kernel said about it. It needs qemu-system-x86_64 and a bzImage. The machine is emulated everywhere, so that a kernel does the same everywhere.',
    'With --cases each case of kho fuzz gen is booted, and what the kernel does is held against what the case predicts. docs/try.md says how it works, and what it cannot show.',
  ],
  examples: [
    ['try vmcore --kernel bzImage', 'what does that kernel make of it?'],
    ['try vmcore --kernels /boot', 'and each of these?'],
    ['try damaged.elf --expect vmcore', 'against what the undamaged one holds'],
    ['try --cases cases --jobs 2', 'each case of kho fuzz gen, against what is predicted of it'],
  ],
  exitCodes:
    '0 all came back as it was, or all cases went as predicted; 1 something was lost, or went otherwise; 2 it could not be tried; 130 interrupted',
  positionals: {
    image: { type: 'string', describe: 'memory image that holds a handover' },
  },
  options: {
    kernel: { type: 'string', describe: 'bzImage to boot; default the environment variable KHO_KERNEL' },
    kernels: { type: 'string', describe: 'folder of kernels to boot one after the other' },
    cases: { type: 'string', describe: 'folder of cases that kho fuzz gen --form image wrote' },
    jobs: { alias: 'j', type: 'number', default: 1, describe: 'with --cases: machines at a time' },
    expect: {
      type: 'string',
      describe: 'what should come back: JSON (docs/try.md), or an image; default what the image itself says',
    },
    mem: { type: 'string', describe: 'memory of the machine; default what the image speaks of' },
    append: { type: 'string', describe: 'more of the kernel command line' },
    init: { type: 'string', describe: 'another program to run as /init (docs/try.md)' },
    timeout: {
      type: 'number',
      default: 30,
      describe: 'seconds of processor time without a word after which a kernel hangs',
    },
    keep: { type: 'string', describe: 'empty folder to keep memory, ROM, console and report in' },
    root: { type: 'string', describe: 'physical address of the root FDT' },
    scratch: { type: 'string', describe: 'scratch regions START:LENGTH, several with commas' },
    ...IMAGE_OPTIONS,
    json: { type: 'boolean', default: false, describe: 'print JSON' },
  },
  run: async (args, io) => {
    const { image, kernel, kernels, cases, json } = args;
    if ((image === undefined) === (cases === undefined))
      throw new UsageError('expected kho try IMAGE, or kho try --cases FOLDER');
    if (kernel !== undefined && kernels !== undefined)
      throw new UsageError('--kernel and --kernels: choose one');
    const toBoot = kernels === undefined ? [openKernel(kernel)] : openKernels(kernels);
    if (args.keep !== undefined && toBoot.length > 1) throw new UsageError('--keep goes with one kernel');
    const options: Omit<TryOptions, 'kernel'> = {
      handover: {
        root: args.root === undefined ? undefined : parseAddress(args.root, '--root'),
        scratch: args.scratch?.split(',').map((word) => {
          const { start, length } = parseSpan(word, '--scratch');
          return { address: start, size: length };
        }),
      },
      expected: args.expect === undefined ? undefined : await expectation(args.expect),
      memory: args.mem === undefined ? undefined : Number(parseAddress(args.mem, '--mem')),
      append: args.append,
      init: args.init === undefined ? undefined : readInput(args.init),
      timeout: args.timeout,
      keep: args.keep,
    };
    if (cases !== undefined) return await judgeCases(cases, toBoot, options, args.jobs, json, io);
    if (image === undefined) return EXIT.trouble;
    const { tried, interrupted } = await bootAll(image, imageOptions(args), toBoot, options);
    if (interrupted !== undefined) return exitCodeOfSignal(interrupted);
    show(image, tried, json ? 'json' : kernels === undefined ? 'text' : 'matrix', io);
    return tried.every(({ result }) => result.outcome === 'complete') ? EXIT.ok : EXIT.findings;
  },
});

async function judgeCases(
  folder: string,
  kernels: readonly NamedKernel[],
  options: Omit<TryOptions, 'kernel'>,
  jobs: number,
  json: boolean,
  { stdout: { write }, paint }: Io,
): Promise<number> {
  const [kernel, ...others] = kernels;
  if (kernel === undefined || others.length > 0 || options.keep !== undefined)
    throw new UsageError('--cases goes with one kernel, and without --keep');
  if (!Number.isInteger(jobs) || jobs < 1)
    throw new UsageError(`--jobs takes a number from 1 on, found ${jobs}`);
  const { tryCases } = await import('../try-cases.js');
  const { SoundHandovers } = await import('../sound-handovers.js');
  const sound = new SoundHandovers();
  const { cases, interrupted } = await inTrial(folder, () =>
    tryCases({
      folder,
      kernel,
      jobs,
      options,
      expectation: (given) => options.expected ?? sound.expected(given),
    }),
  );
  const release = kernel.kernel.release.split(' ')[0] ?? '';
  if (json) writeJudgedJson(write, folder, release, cases);
  else writeJudgedCases(write, folder, release, cases, paint);
  if (interrupted !== undefined) return exitCodeOfSignal(interrupted);
  return cases.every(({ agreement }) => agreement !== 'disagrees' && agreement !== null)
    ? EXIT.ok
    : EXIT.findings;
}

interface Tried {
  readonly file: string;
  readonly result: TryResult;
}

async function bootAll(
  image: string,
  opening: OpenImageOptions,
  kernels: readonly NamedKernel[],
  options: Omit<TryOptions, 'kernel'>,
): Promise<{ readonly tried: readonly Tried[]; readonly interrupted: NodeJS.Signals | undefined }> {
  return await inTrial(image, async () => {
    const opened = openImage(image, opening);
    try {
      const progress = startProgress(`looking through ${escapeText(image)}`);
      let located: HandoverOptions['located'];
      try {
        located = locateHandovers(opened, progress.update);
      } finally {
        progress.end();
      }
      const tried: Tried[] = [];
      const abort = new AbortController();
      // The machine's memory is a file, which must not stay behind.
      const interrupted = await whileInterruptible(
        () => abort.abort(),
        async (isInterrupted) => {
          for (const { file, kernel } of kernels) {
            const handover = { ...options.handover, located };
            try {
              const result = await tryImage(opened, { ...options, handover, kernel, signal: abort.signal });
              tried.push({ file, result });
            } catch (error) {
              if (isInterrupted()) return;
              throw error;
            }
          }
        },
      );
      return { tried, interrupted };
    } finally {
      opened.close();
    }
  });
}

/** More than any machine tried here has. */
const LARGEST = 1n << 36n;

/** What a file says should come back: all that an image holds, or the sessions that JSON names. */
async function expectation(file: string): Promise<Partial<Expected>> {
  if (isImageFile(file)) {
    return await inTrial(file, () => {
      const opened = openImage(file);
      try {
        return expectedOf(Handover.open(opened), { limit: LARGEST, absent: 'unknown' });
      } finally {
        opened.close();
      }
    });
  }
  const json = parseJson(file, readInput(file));
  return await inTrial(file, () => ({ sessions: expectedSessionsFromJson(json) }));
}

function show(
  image: string,
  tried: readonly Tried[],
  form: 'json' | 'text' | 'matrix',
  { stdout: { write }, paint }: Io,
): void {
  const boots = tried.map(({ file, result }) => ({
    boot: { image, kernel: file, scratch: result.scratch },
    verdict: result,
    commandLine: result.commandLine,
  }));
  if (form === 'json') writeTriedJson(write, image, boots);
  else if (form === 'matrix')
    writeKernelMatrix(
      write,
      image,
      tried.map(({ file, result }) => ({ kernel: file, verdict: result })),
      paint,
    );
  else for (const { boot, verdict } of boots) writeTried(write, boot, verdict, paint);
}
