// SPDX-License-Identifier: Apache-2.0
// Arguments of the ioctls of /dev/iommu: include/uapi/linux/iommufd.h, Linux 7.3.4. Sizes are those of x86-64 and arm64;
// u64 fields are aligned to 8 bytes on 32-bit machines too. Which ioctl takes which is in iommufd-ioctls.ts.
import { reserved, s32, u8, u16, u32, u64 } from '../lang/scalar.js';
import { struct } from '../lang/struct.js';

const C = { packed: false } as const;

const size = u32({ doc: 'size of what user space passes', unit: 'bytes' });
const noFlags = u32({ doc: 'none are defined', mask: 0n });
const ioasId = u32({ doc: 'object id of the IOAS' });
const userPointer = (doc: string): ReturnType<typeof u64> => u64({ doc: `user address of ${doc}` });

/** Flags of IOAS_MAP, IOAS_MAP_FILE and IOAS_COPY (`enum iommufd_ioas_map_flags`). */
export const IOAS_MAP_FLAGS = { FIXED_IOVA: 1n, WRITEABLE: 2n, READABLE: 4n } as const;
/** Flags of HWPT_ALLOC (`enum iommufd_hwpt_alloc_flags`). */
export const HWPT_ALLOC_FLAGS = {
  NEST_PARENT: 1n,
  DIRTY_TRACKING: 2n,
  FAULT_ID_VALID: 4n,
  PASID: 8n,
} as const;
/** What page-table data user space passes to HWPT_ALLOC (`enum iommu_hwpt_data_type`). */
export const HWPT_DATA_TYPES = { NONE: 0n, VTD_S1: 1n, ARM_SMMUV3: 2n, AMD_GUEST: 3n } as const;
/** Virtual IOMMUs (`enum iommu_viommu_type`). */
export const VIOMMU_TYPES = { DEFAULT: 0n, ARM_SMMUV3: 1n, TEGRA241_CMDQV: 2n } as const;
/** Options (`enum iommufd_option`); PERSISTENT only in <20240916113102.710522-2-jgowans@amazon.com>. */
export const IOMMU_OPTIONS = { RLIMIT_MODE: 0n, HUGE_PAGES: 1n, PERSISTENT: 2n } as const;

const mapFlags = u32({ doc: 'what devices may do there', flags: IOAS_MAP_FLAGS, mask: 7n });
const chosenIova = u64({ doc: 'first IOVA: asked for with FIXED_IOVA, else chosen by the kernel' });

/** A range of IOVAs, both ends included. */
export const iommuIovaRange = struct(
  'iommu_iova_range',
  { start: u64({ doc: 'first IOVA' }), last: u64({ doc: 'last IOVA' }) },
  { doc: 'A range of IOVAs.', ...C },
);

/** First-stage page table of a guest behind VT-d. */
export const iommuHwptVtdS1 = struct(
  'iommu_hwpt_vtd_s1',
  {
    flags: u64({ doc: 'how the table is used', flags: { SRE: 1n, EAFE: 2n, WPE: 4n }, mask: 7n }),
    pgtbl_addr: u64({ doc: 'guest-physical address of the top table' }),
    addr_width: u32({ doc: 'bits of an input address', oneOf: [48n, 57n] }),
    __reserved: reserved(4),
  },
  { doc: 'A first-stage page table of a guest.', ...C },
);

/** What GET_HW_INFO tells of VT-d. */
export const iommuHwInfoVtd = struct(
  'iommu_hw_info_vtd',
  {
    flags: u32({ doc: 'quirks', flags: { ERRATA_772415_SPR17: 1n }, mask: 1n }),
    __reserved: reserved(4),
    cap_reg: u64({ doc: 'capability register' }),
    ecap_reg: u64({ doc: 'extended capability register' }),
  },
  { doc: 'Capabilities of a VT-d unit.', ...C },
);

/** IOMMU_DESTROY. */
export const iommuDestroy = struct(
  'iommu_destroy',
  { size, id: u32({ doc: 'object to destroy' }) },
  { doc: 'Destroys an object.', ...C },
);

/** IOMMU_IOAS_ALLOC. */
export const iommuIoasAlloc = struct(
  'iommu_ioas_alloc',
  { size, flags: noFlags, out_ioas_id: u32({ doc: 'id of the new IOAS' }) },
  { doc: 'Makes an I/O address space.', ...C },
);

/** IOMMU_IOAS_ALLOW_IOVAS. */
export const iommuIoasAllowIovas = struct(
  'iommu_ioas_allow_iovas',
  {
    size,
    ioas_id: ioasId,
    num_iovas: u32({ doc: 'number of ranges' }),
    __reserved: reserved(4),
    allowed_iovas: userPointer('the ranges (struct iommu_iova_range)'),
  },
  { doc: 'Says which IOVAs the kernel may choose.', ...C },
);

/** IOMMU_IOAS_COPY. */
export const iommuIoasCopy = struct(
  'iommu_ioas_copy',
  {
    size,
    flags: mapFlags,
    dst_ioas_id: u32({ doc: 'IOAS to map into' }),
    src_ioas_id: u32({ doc: 'IOAS to copy from' }),
    length: u64({ doc: 'how much', unit: 'bytes' }),
    dst_iova: chosenIova,
    src_iova: u64({ doc: 'first IOVA of the source' }),
  },
  { doc: 'Maps what another IOAS has mapped.', ...C },
);

/** IOMMU_IOAS_IOVA_RANGES. */
export const iommuIoasIovaRanges = struct(
  'iommu_ioas_iova_ranges',
  {
    size,
    ioas_id: ioasId,
    num_iovas: u32({ doc: 'room for ranges; returns how many there are' }),
    __reserved: reserved(4),
    allowed_iovas: userPointer('room for ranges (struct iommu_iova_range)'),
    out_iova_alignment: u64({ doc: 'alignment that mappings need', unit: 'bytes' }),
  },
  { doc: 'Asks which IOVAs are not reserved.', ...C },
);

/** IOMMU_IOAS_MAP. */
export const iommuIoasMap = struct(
  'iommu_ioas_map',
  {
    size,
    flags: mapFlags,
    ioas_id: ioasId,
    __reserved: reserved(4),
    user_va: userPointer('the memory'),
    length: u64({ doc: 'how much', unit: 'bytes' }),
    iova: chosenIova,
  },
  { doc: 'Maps memory of the process.', ...C },
);

/** IOMMU_IOAS_MAP_FILE. */
export const iommuIoasMapFile = struct(
  'iommu_ioas_map_file',
  {
    size,
    flags: mapFlags,
    ioas_id: ioasId,
    fd: s32({ doc: 'the memfd or dma-buf' }),
    start: u64({ doc: 'offset in the file', unit: 'bytes' }),
    length: u64({ doc: 'how much', unit: 'bytes' }),
    iova: chosenIova,
  },
  { doc: 'Maps memory of a file.', ...C },
);

/** IOMMU_IOAS_UNMAP. */
export const iommuIoasUnmap = struct(
  'iommu_ioas_unmap',
  {
    size,
    ioas_id: ioasId,
    iova: u64({ doc: 'first IOVA; 0 with the largest length for everything' }),
    length: u64({ doc: 'how much; returns how much it was', unit: 'bytes' }),
  },
  { doc: 'Unmaps whole areas.', ...C },
);

/** IOMMU_IOAS_CHANGE_PROCESS. */
export const iommuIoasChangeProcess = struct(
  'iommu_ioas_change_process',
  { size, __reserved: reserved(4) },
  { doc: 'Charges pinned memory to the calling process from now on.', ...C },
);

/** IOMMU_OPTION. */
export const iommuOption = struct(
  'iommu_option',
  {
    size,
    option_id: u32({ doc: 'which option', names: IOMMU_OPTIONS }),
    op: u16({ doc: 'what to do', names: { SET: 0n, GET: 1n } }),
    __reserved: reserved(2),
    object_id: u32({ doc: 'object that the option is of; 0 for all' }),
    val64: u64({ doc: 'the value' }),
  },
  { doc: 'Sets or gets an option.', ...C },
);

/** IOMMU_VFIO_IOAS. */
export const iommuVfioIoas = struct(
  'iommu_vfio_ioas',
  {
    size,
    ioas_id: ioasId,
    op: u16({ doc: 'what to do', names: { GET: 0n, SET: 1n, CLEAR: 2n } }),
    __reserved: reserved(2),
  },
  { doc: 'The IOAS that the VFIO container interface uses.', ...C },
);

/** IOMMU_HWPT_ALLOC. */
export const iommuHwptAlloc = struct(
  'iommu_hwpt_alloc',
  {
    size,
    flags: u32({ doc: 'what the page table is for', flags: HWPT_ALLOC_FLAGS, mask: 15n }),
    dev_id: u32({ doc: 'a device that will use it' }),
    pt_id: u32({ doc: 'the IOAS, parent page table or vIOMMU that it is of' }),
    out_hwpt_id: u32({ doc: 'id of the new page table' }),
    __reserved: reserved(4),
    data_type: u32({ doc: 'what is passed', names: HWPT_DATA_TYPES }),
    data_len: u32({ doc: 'how much is passed', unit: 'bytes' }),
    data_uptr: userPointer('data for the driver'),
    fault_id: u32({ doc: 'fault queue, with FAULT_ID_VALID' }),
    __reserved2: reserved(4),
  },
  { doc: 'Makes a hardware page table.', ...C },
);

/** IOMMU_GET_HW_INFO. */
export const iommuHwInfo = struct(
  'iommu_hw_info',
  {
    size,
    flags: u32({ doc: 'how it is asked', flags: { INPUT_TYPE: 1n }, mask: 1n }),
    dev_id: u32({ doc: 'the device' }),
    data_len: u32({ doc: 'room for data; returns how much there is', unit: 'bytes' }),
    data_uptr: userPointer('room for data'),
    out_data_type: u32({
      doc: 'what the data is',
      names: { NONE: 0n, INTEL_VTD: 1n, ARM_SMMUV3: 2n, TEGRA241_CMDQV: 3n, AMD: 4n },
    }),
    out_max_pasid_log2: u8({ doc: 'bits of a PASID; 0 where there are none' }),
    __reserved: reserved(3),
    out_capabilities: u64({
      doc: 'what the IOMMU can do',
      flags: { DIRTY_TRACKING: 1n, PASID_EXEC: 2n, PASID_PRIV: 4n, ATS_NOT_SUPPORTED: 8n },
    }),
  },
  { doc: 'Asks what the IOMMU of a device can do.', ...C },
);

/** IOMMU_HWPT_SET_DIRTY_TRACKING. */
export const iommuHwptSetDirtyTracking = struct(
  'iommu_hwpt_set_dirty_tracking',
  {
    size,
    flags: u32({ doc: 'on or off', flags: { ENABLE: 1n }, mask: 1n }),
    hwpt_id: u32({ doc: 'the page table' }),
    __reserved: reserved(4),
  },
  { doc: 'Starts or stops dirty tracking.', ...C },
);

/** IOMMU_HWPT_GET_DIRTY_BITMAP. */
export const iommuHwptGetDirtyBitmap = struct(
  'iommu_hwpt_get_dirty_bitmap',
  {
    size,
    hwpt_id: u32({ doc: 'the page table' }),
    flags: u32({ doc: 'how', flags: { NO_CLEAR: 1n }, mask: 1n }),
    __reserved: reserved(4),
    iova: u64({ doc: 'first IOVA' }),
    length: u64({ doc: 'how much', unit: 'bytes' }),
    page_size: u64({ doc: 'what one bit stands for', unit: 'bytes' }),
    data: userPointer('the bitmap'),
  },
  { doc: 'Asks which pages devices wrote to.', ...C },
);

/** IOMMU_HWPT_INVALIDATE. */
export const iommuHwptInvalidate = struct(
  'iommu_hwpt_invalidate',
  {
    size,
    hwpt_id: u32({ doc: 'nested page table, or vIOMMU' }),
    data_uptr: userPointer('the entries'),
    data_type: u32({ doc: 'what entries are' }),
    entry_len: u32({ doc: 'size of an entry', unit: 'bytes' }),
    entry_num: u32({ doc: 'number of entries; returns how many were handled' }),
    __reserved: reserved(4),
  },
  { doc: 'Flushes caches of a nested page table.', ...C },
);

/** IOMMU_FAULT_QUEUE_ALLOC. */
export const iommuFaultAlloc = struct(
  'iommu_fault_alloc',
  {
    size,
    flags: noFlags,
    out_fault_id: u32({ doc: 'id of the new queue' }),
    out_fault_fd: u32({ doc: 'descriptor to read it' }),
  },
  { doc: 'Makes a queue of page faults.', ...C },
);

/** IOMMU_VIOMMU_ALLOC. */
export const iommuViommuAlloc = struct(
  'iommu_viommu_alloc',
  {
    size,
    flags: noFlags,
    type: u32({ doc: 'what it stands for', names: VIOMMU_TYPES }),
    dev_id: u32({ doc: 'a device behind the physical IOMMU' }),
    hwpt_id: u32({ doc: 'the nesting parent' }),
    out_viommu_id: u32({ doc: 'id of the new vIOMMU' }),
    data_len: u32({ doc: 'how much is passed', unit: 'bytes' }),
    __reserved: reserved(4),
    data_uptr: userPointer('data for the driver'),
  },
  { doc: 'Makes a virtual IOMMU.', ...C },
);

/** IOMMU_VDEVICE_ALLOC. */
export const iommuVdeviceAlloc = struct(
  'iommu_vdevice_alloc',
  {
    size,
    viommu_id: u32({ doc: 'the vIOMMU' }),
    dev_id: u32({ doc: 'the device' }),
    out_vdevice_id: u32({ doc: 'id of the new virtual device' }),
    virt_id: u64({ doc: 'what the guest calls it' }),
  },
  { doc: 'Makes a device known to a vIOMMU.', ...C },
);

/** IOMMU_VEVENTQ_ALLOC. */
export const iommuVeventqAlloc = struct(
  'iommu_veventq_alloc',
  {
    size,
    flags: noFlags,
    viommu_id: u32({ doc: 'the vIOMMU' }),
    type: u32({ doc: 'what events', names: { DEFAULT: 0n, ARM_SMMUV3: 1n, TEGRA241_CMDQV: 2n } }),
    veventq_depth: u32({ doc: 'how many events it holds' }),
    out_veventq_id: u32({ doc: 'id of the new queue' }),
    out_veventq_fd: u32({ doc: 'descriptor to read it' }),
    __reserved: reserved(4),
  },
  { doc: 'Makes a queue of events of a vIOMMU.', ...C },
);

/** IOMMU_HW_QUEUE_ALLOC. */
export const iommuHwQueueAlloc = struct(
  'iommu_hw_queue_alloc',
  {
    size,
    flags: noFlags,
    viommu_id: u32({ doc: 'the vIOMMU' }),
    type: u32({ doc: 'what queue', names: { DEFAULT: 0n, TEGRA241_CMDQV: 1n } }),
    index: u32({ doc: 'which one' }),
    out_hw_queue_id: u32({ doc: 'id of the new queue' }),
    nesting_parent_iova: u64({ doc: 'where the guest keeps it' }),
    length: u64({ doc: 'size of the queue', unit: 'bytes' }),
  },
  { doc: 'Gives a guest a hardware queue.', ...C },
);

/** IOMMU_IOAS_NOIOMMU_GET_PA. */
export const iommuIoasNoiommuGetPa = struct(
  'iommu_ioas_noiommu_get_pa',
  {
    size,
    flags: noFlags,
    ioas_id: ioasId,
    __reserved: reserved(4),
    iova: u64({ doc: 'first IOVA' }),
    length: u64({ doc: 'how much; returns how much is contiguous', unit: 'bytes' }),
    out_phys: u64({ doc: 'physical address' }),
  },
  { doc: 'Asks where an IOVA leads without an IOMMU.', ...C },
);
