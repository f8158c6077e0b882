// SPDX-License-Identifier: Apache-2.0
// What other floors use of ioctl logs.

export { AddressSpace, type Mapped, type MapRequest } from './address-space.js';
export { type Approach, compareApproaches } from './approaches.js';
export type { Area as IoasArea, Pages, Piece } from './area.js';
export { AreaTree, type HoleRequest, type Interval } from './area-tree.js';
export { decodeLogBlob, encodeLogBlob } from './blob.js';
export {
  type AreaDifference,
  areasOf,
  compareReplayWithAreas,
  ioasesOf,
  type SerialisedArea,
  type SerialisedIoas,
} from './compare-areas.js';
export { compareReplayWithExtents } from './compare-extents.js';
export { type CompareStatesOptions, compareStates, type StateDifference } from './compare-states.js';
export { diffLogs, type LogDiff } from './diff.js';
export { ERRNO, errnoName, errnoNumber } from './errno.js';
export { formatLogLines, formatLogRecord } from './format-lines.js';
export { importBpftrace } from './import-bpftrace.js';
export { importStrace } from './import-strace.js';
export { checkIoasTable, type IoasTable, type IoasTableResult, ioasTables } from './ioas-tables.js';
export { parseLogLines } from './json-lines.js';
export {
  type AddressRange,
  type CloseRecord,
  DEFAULT_DEVICE,
  type DeviceFacts,
  type FrameRun,
  type IoctlExtras,
  type IoctlLog,
  type IoctlRecord,
  ioctlRecord,
  LOG_FORMAT,
  LogError,
  type LogErrorCode,
  type LogFile,
  type LogMemory,
  type LogRecord,
  type MemoryPlace,
  type OpenRecord,
  type RecordBase,
  type UnknownRecord,
} from './log.js';
export { type MappedExtent, mappedExtents } from './mapped-extents.js';
export { type Minimised, minimiseLog } from './minimise.js';
export {
  Context,
  type DeviceObject,
  type Fault,
  type Hwpt,
  type HwQueue,
  type Ioas,
  type IommufdObject,
  type ObjectOf,
  type Vdevice,
  type Veventq,
  type Viommu,
} from './objects.js';
export { type LogForm, logFormOf, readLog } from './read-log.js';
export {
  type CallDifference,
  type MissedCall,
  type Replayed,
  type ReplayOptions,
  replayLog,
} from './replay.js';
export { spacesOfReplay } from './replayed-spaces.js';
export type { Outputs } from './verdict.js';
