// SPDX-License-Identifier: Apache-2.0
// The page without data: what is dropped on it is decoded here, and goes nowhere else.
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ReportFile, ReportSide } from '../report-data.js';

/** Larger files would have to be held in the browser as a whole. */
const LARGEST = 1 << 30;

/** What was dropped, by what it is: a side each for images and blobs, one for the files of a folder. */
export async function sidesOf(files: readonly DroppedFile[]): Promise<ReportSide[]> {
  const large = files.find(({ file }) => file.size > LARGEST);
  if (large !== undefined)
    throw new Error(`${large.path} is larger than 1 GiB: make a small image of it with kho image trim`);
  const read: ReportFile[] = [];
  for (const { path, file } of files)
    read.push({ name: path, bytes: new Uint8Array(await file.arrayBuffer()) });
  const described = read.find(({ name }) => name.endsWith('.json'));
  const areas: unknown =
    described === undefined ? undefined : JSON.parse(new TextDecoder().decode(described.bytes));
  const others = read.filter((file) => file !== described);
  const isFolder = others.some(({ name }) => /(^|\/)fdt$/.test(name)) && others.length > 1;
  if (isFolder) {
    const root = others.find(({ name }) => /(^|\/)fdt$/.test(name))?.name.replace(/fdt$/, '') ?? '';
    const inside = others.filter(({ name }) => name.startsWith(root));
    const title = root.replace(/\/$/, '') || 'KHO debugfs folder';
    return [
      { title, areas, files: inside.map(({ name, bytes }) => ({ name: name.slice(root.length), bytes })) },
    ];
  }
  return others.slice(0, 2).map((file) => ({ title: file.name, files: [file], areas }));
}

/** A file and where it lay in what was dropped. */
export interface DroppedFile {
  readonly path: string;
  readonly file: File;
}

async function droppedFiles(transfer: DataTransfer): Promise<DroppedFile[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  const plain = [...transfer.files].map((file) => ({ path: file.name, file }));
  const found: DroppedFile[] = [];
  const visit = async (entry: FileSystemEntry): Promise<void> => {
    if (entry instanceof FileSystemDirectoryEntry) {
      const reader = entry.createReader();
      while (true) {
        const some = await new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
        if (some.length === 0) return;
        for (const each of some) await visit(each);
      }
    } else if (entry instanceof FileSystemFileEntry) {
      const file = await new Promise<File>((done, fail) => entry.file(done, fail));
      found.push({ path: entry.fullPath.replace(/^\//, ''), file });
    }
  };
  if (!entries.some((entry) => entry?.isDirectory)) return plain;
  for (const entry of entries) if (entry !== null) await visit(entry);
  return found;
}

/** Takes files wherever on the page they are dropped; shows how, while there is nothing else to show. */
export function DropZone(props: {
  readonly isEmpty: boolean;
  readonly onFiles: (files: readonly DroppedFile[]) => void;
}): JSX.Element | null {
  const { isEmpty, onFiles } = props;
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const over = (event: DragEvent): void => {
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      setOver(false);
      if (event.dataTransfer !== null) void droppedFiles(event.dataTransfer).then(onFiles);
    };
    document.addEventListener('dragover', over);
    document.addEventListener('dragleave', leave);
    document.addEventListener('drop', drop);
    return () => {
      document.removeEventListener('dragover', over);
      document.removeEventListener('dragleave', leave);
      document.removeEventListener('drop', drop);
    };
  }, [onFiles]);
  if (!isEmpty) return isOver ? <div class="drop-hint">Drop to look at it instead</div> : null;
  return (
    <section class={isOver ? 'drop-zone over' : 'drop-zone'} aria-label="Open files">
      <h1>Drop a handover here</h1>
      <p class="lead">
        A memory image, an FDT blob, or a KHO debugfs folder. Two images are compared. It is decoded in this
        page: nothing is sent anywhere.
      </p>
      <label class="choose">
        Choose files
        <input
          type="file"
          multiple
          onChange={({ currentTarget }) => {
            const files = [...(currentTarget.files ?? [])].map((file) => ({ path: file.name, file }));
            if (files.length > 0) onFiles(files);
          }}
        />
      </label>
      <dl class="facts">
        <dt>read here</dt>
        <dd>
          ELF64 cores, LiME images, raw memory from address 0 on, FDT blobs, packed structs of KHO consumers
        </dd>
        <dt>with an image</dt>
        <dd>a JSON file that describes address spaces (as kho verify --areas takes it)</dd>
        <dt>not read here</dt>
        <dd>
          kdump-compressed, AVML and flattened files, and more than 1 GiB: make a small image with{' '}
          <code>kho image trim vmcore -o small.elf</code>
        </dd>
      </dl>
    </section>
  );
}
