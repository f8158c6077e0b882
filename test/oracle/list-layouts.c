// SPDX-License-Identifier: Apache-2.0
/*
 * Layouts of live-update ABIs that were never merged, written down by hand from the project's reference
 * (iommu-liveupdate.md, luo.md section 5), not from the declarations under test. Where the reference gives a size or an
 * offset, the compiler is made to agree. Prints, a line each:
 *   size NAME BYTES          off NAME MEMBER OFFSET BYTES          cap NAME RECORDS          hex SAMPLE BYTES
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#define PACKED __attribute__((packed))
#define PAGE 4096

#define SIZE(t, n) _Static_assert(sizeof(struct t) == (n), #t)
#define AT(t, m, n) _Static_assert(offsetof(struct t, m) == (n), #t "." #m)
#define CAP(t, n) _Static_assert((PAGE - 16) / sizeof(struct t) == (n), #t)

/* F0 and V1 */
struct f0_hdr { u32 idx; u32 ref_count; u32 deleted : 1; u32 incoming : 1; } PACKED;
struct f0_domain { struct f0_hdr obj; u64 top_table; u64 top_level; u64 attach_count; u64 restored_domain; } PACKED;
struct v1_domain { struct f0_hdr obj; u64 top_table; u64 top_level; u64 restored_domain; } PACKED;
struct f0_map { u32 did; u64 domain_phys; u64 iommu_phys; };
struct v1_map { u32 did; u64 domain_phys; u64 iommu_phys; } PACKED;
struct f0_device {
	struct f0_hdr obj; u64 token; u32 devid; u32 pci_domain; struct f0_map domain_iommu_ser; u32 type;
} PACKED;
struct v1_device {
	struct f0_hdr obj; u64 token; u32 devid; u32 pci_domain; struct v1_map domain_iommu_ser; u32 type;
} PACKED;
struct v1_intel { u64 phys_addr; u64 root_table; } PACKED;
union v1_arch { struct v1_intel intel; };
struct f0_unit { struct f0_hdr obj; u64 token; u32 type; union v1_arch arch; };
struct v1_unit { struct f0_hdr obj; u64 token; u32 type; union v1_arch arch; } PACKED;
struct v1_top {
	u64 iommus_phys; u64 nr_iommus; u64 iommu_domains_phys; u64 nr_domains; u64 devices_phys; u64 nr_devices;
} PACKED;

SIZE(f0_hdr, 9);
SIZE(f0_domain, 41); AT(f0_domain, top_table, 9); AT(f0_domain, top_level, 17); AT(f0_domain, attach_count, 25);
AT(f0_domain, restored_domain, 33); CAP(f0_domain, 99);
SIZE(v1_domain, 33); AT(v1_domain, restored_domain, 25); CAP(v1_domain, 123);
SIZE(f0_device, 53); AT(f0_device, token, 9); AT(f0_device, devid, 17); AT(f0_device, pci_domain, 21);
AT(f0_device, domain_iommu_ser.did, 25); AT(f0_device, domain_iommu_ser.domain_phys, 33);
AT(f0_device, domain_iommu_ser.iommu_phys, 41); AT(f0_device, type, 49); CAP(f0_device, 76);
SIZE(v1_device, 49); AT(v1_device, domain_iommu_ser.did, 25); AT(v1_device, domain_iommu_ser.domain_phys, 29);
AT(v1_device, domain_iommu_ser.iommu_phys, 37); AT(v1_device, type, 45); CAP(v1_device, 83);
SIZE(f0_unit, 48); AT(f0_unit, token, 16); AT(f0_unit, type, 24); AT(f0_unit, arch.intel.phys_addr, 28);
AT(f0_unit, arch.intel.root_table, 36); CAP(f0_unit, 85);
SIZE(v1_unit, 37); AT(v1_unit, token, 9); AT(v1_unit, type, 17); AT(v1_unit, arch.intel.phys_addr, 21);
AT(v1_unit, arch.intel.root_table, 29); CAP(v1_unit, 110);
SIZE(v1_top, 48); AT(v1_top, nr_devices, 40);

/* A */
struct a_hdr { u32 ref_count; u32 deleted : 1; u32 incoming : 1; } PACKED;
struct a_domain {
	struct a_hdr hdr; u64 top_table_phys; u64 top_level; u32 vasz; u32 sign_extend : 1; u64 restored_domain;
} PACKED;
struct map { u64 attachment_id; u64 domain_phys; u64 iommu_phys; } PACKED;
struct a_device { struct a_hdr hdr; u32 devid; u32 pci_domain_nr; struct map domain_iommu_ser; } PACKED;
struct a_unit { struct a_hdr hdr; u64 token; u64 type; } PACKED;
struct a_top { u64 iommu_array_phys; u64 iommu_domain_array_phys; u64 device_array_phys; } PACKED;

SIZE(a_hdr, 5);
SIZE(a_domain, 34); AT(a_domain, top_table_phys, 5); AT(a_domain, top_level, 13); AT(a_domain, vasz, 21);
AT(a_domain, restored_domain, 26); CAP(a_domain, 120);
SIZE(a_device, 37); AT(a_device, devid, 5); AT(a_device, pci_domain_nr, 9);
AT(a_device, domain_iommu_ser.attachment_id, 13); AT(a_device, domain_iommu_ser.domain_phys, 21);
AT(a_device, domain_iommu_ser.iommu_phys, 29); CAP(a_device, 110);
SIZE(a_unit, 21); AT(a_unit, token, 5); AT(a_unit, type, 13); CAP(a_unit, 194);
SIZE(a_top, 24); AT(a_top, device_array_phys, 16);

/* B, B2, C, D */
struct b_hdr { u32 ref_count; u32 flags; } PACKED;
struct b_domain {
	struct b_hdr hdr; u64 top_table_phys; u64 top_level; u32 vasz; u32 sign_extend : 1; u64 restored_domain;
} PACKED;
struct d_domain {
	struct b_hdr hdr; u64 top_table_phys; u64 top_level; u32 vasz; u8 sign_extend; u8 padding[3];
	u64 restored_domain;
} PACKED;
struct b_dev_intel { u64 pasid_table; u64 max_pasid; } PACKED;
struct d_dev_intel { u8 restored; u8 padding[7]; u64 pasid_table; u64 max_pasid; } PACKED;
struct dev_smmu { u64 l1_cdtab_lu_state; u32 num_l2_cdtables; u32 padding; u64 l2_cdtab_lu_states_phys; } PACKED;
struct b_device {
	struct b_hdr hdr; u32 devid; u32 pci_domain_nr; struct map domain_iommu_ser; struct b_dev_intel intel;
} PACKED;
struct b2_device {
	struct b_hdr hdr; u32 devid; u32 pci_domain_nr; struct map domain_iommu_ser;
	union { struct b_dev_intel intel; struct dev_smmu smmuv3; };
} PACKED;
struct c_device { struct b_hdr hdr; u32 devid; u32 pci_domain_nr; struct map domain_iommu_ser; } PACKED;
struct d_device {
	struct b_hdr hdr; u32 devid; u32 pci_domain_nr; u64 dma_owner_token; struct map domain_iommu_ser;
	union { struct d_dev_intel intel; struct dev_smmu smmuv3; };
} PACKED;
struct b_intel { u8 restored; u8 padding[7]; u64 phys_addr; u64 root_table; u64 context_tables_bitmap[8]; };
struct b2_smmu {
	u64 phys_addr; u64 strtab_base; u64 strtab_base_cfg; u64 l1_strtab_lu_state; u32 num_l2_tables; u32 padding;
	u64 l2_strtab_lu_states_phys;
} PACKED;
struct d_smmu { u64 phys_addr; u64 strtab_base_cfg; u64 l1_strtab_lu_state; u64 l2_strtab_lu_states_phys; } PACKED;
struct b_unit { struct b_hdr hdr; u64 token; u64 type; union { struct b_intel intel; } arch; } PACKED;
struct b2_unit {
	struct b_hdr hdr; u64 token; u64 type; union { struct b_intel intel; struct b2_smmu smmuv3; } arch;
} PACKED;
struct c_unit { struct b_hdr hdr; u64 token; u64 type; } PACKED;
struct d_unit {
	struct b_hdr hdr; u64 token; u64 type; union { struct b_intel intel; struct d_smmu smmuv3; } arch;
} PACKED;
struct c_top { u64 version; u64 iommu_array_phys; u64 iommu_domain_array_phys; u64 device_array_phys; } PACKED;

SIZE(b_hdr, 8);
SIZE(b_domain, 37); AT(b_domain, top_table_phys, 8); AT(b_domain, top_level, 16); AT(b_domain, vasz, 24);
AT(b_domain, restored_domain, 29); CAP(b_domain, 110);
SIZE(d_domain, 40); AT(d_domain, sign_extend, 28); AT(d_domain, padding, 29); AT(d_domain, restored_domain, 32);
CAP(d_domain, 102);
SIZE(b_device, 56); AT(b_device, devid, 8); AT(b_device, pci_domain_nr, 12);
AT(b_device, domain_iommu_ser.attachment_id, 16); AT(b_device, domain_iommu_ser.domain_phys, 24);
AT(b_device, domain_iommu_ser.iommu_phys, 32); AT(b_device, intel.pasid_table, 40); AT(b_device, intel.max_pasid, 48);
CAP(b_device, 72);
SIZE(b2_device, 64); AT(b2_device, intel.max_pasid, 48); AT(b2_device, smmuv3.l1_cdtab_lu_state, 40); CAP(b2_device, 63);
SIZE(c_device, 40); AT(c_device, domain_iommu_ser.iommu_phys, 32); CAP(c_device, 102);
SIZE(d_device, 72); AT(d_device, dma_owner_token, 16); AT(d_device, domain_iommu_ser.attachment_id, 24);
AT(d_device, domain_iommu_ser.domain_phys, 32); AT(d_device, domain_iommu_ser.iommu_phys, 40);
AT(d_device, intel.restored, 48); AT(d_device, intel.pasid_table, 56); AT(d_device, intel.max_pasid, 64);
CAP(d_device, 56);
SIZE(b_intel, 88); SIZE(dev_smmu, 24);
SIZE(b_unit, 112); AT(b_unit, token, 8); AT(b_unit, type, 16); AT(b_unit, arch.intel.restored, 24);
AT(b_unit, arch.intel.phys_addr, 32); AT(b_unit, arch.intel.root_table, 40);
AT(b_unit, arch.intel.context_tables_bitmap, 48); CAP(b_unit, 36);
SIZE(b2_unit, 112); AT(b2_unit, arch.smmuv3.phys_addr, 24); AT(b2_unit, arch.smmuv3.strtab_base, 32);
AT(b2_unit, arch.smmuv3.strtab_base_cfg, 40); AT(b2_unit, arch.smmuv3.l1_strtab_lu_state, 48);
AT(b2_unit, arch.smmuv3.num_l2_tables, 56); AT(b2_unit, arch.smmuv3.l2_strtab_lu_states_phys, 64); CAP(b2_unit, 36);
SIZE(c_unit, 24); AT(c_unit, token, 8); AT(c_unit, type, 16); CAP(c_unit, 170);
SIZE(d_unit, 112); AT(d_unit, arch.smmuv3.phys_addr, 24); AT(d_unit, arch.smmuv3.strtab_base_cfg, 32);
AT(d_unit, arch.smmuv3.l1_strtab_lu_state, 40); AT(d_unit, arch.smmuv3.l2_strtab_lu_states_phys, 48); CAP(d_unit, 36);
SIZE(c_top, 32); AT(c_top, iommu_array_phys, 8); AT(c_top, iommu_domain_array_phys, 16); AT(c_top, device_array_phys, 24);

/* iommufd-v1 */
struct fd_pointer { void *folio_lu; };
struct fd_v1_hwpt { u32 token; u64 domain_data; _Bool reclaimed; } PACKED;
struct fd_v1 { u32 nr_hwpts; struct fd_v1_hwpt hwpts[2]; };
struct fd_b_hwpt { u64 domain_data; u64 token; u8 reclaimed; u8 padding[7]; } PACKED;
struct fd_b { u64 nr_hwpts; struct fd_b_hwpt hwpt_array[2]; } PACKED;
SIZE(fd_pointer, 8); SIZE(fd_v1_hwpt, 13); AT(fd_v1_hwpt, domain_data, 4); AT(fd_v1_hwpt, reclaimed, 12);
AT(fd_v1, hwpts, 4); SIZE(fd_b_hwpt, 24); AT(fd_b_hwpt, token, 8); AT(fd_b_hwpt, reclaimed, 16); AT(fd_b, hwpt_array, 8);

/* PCI */
struct pci_dev4 { u16 domain; u16 bdf; } PACKED;
struct pci_dev8 { u32 domain; u16 bdf; u16 padding; } PACKED;
struct pci_dev_ref { u32 domain; u16 bdf; u16 refcount; } PACKED;
struct pci1_a { u64 nr_devices; struct pci_dev4 devices[2]; } PACKED;
struct pci1_b { u64 max_nr_devices; u64 nr_devices; struct pci_dev4 devices[2]; } PACKED;
struct pci1_c { u32 max_nr_devices; u32 nr_devices; struct pci_dev8 devices[2]; } PACKED;
struct pci2_a { u64 max_nr_devices; u64 nr_devices; struct pci_dev_ref devices[2]; } PACKED;
struct pci2_b { u32 max_nr_devices; u32 nr_devices; struct pci_dev_ref devices[2]; } PACKED;
SIZE(pci_dev4, 4); SIZE(pci_dev8, 8); SIZE(pci_dev_ref, 8); AT(pci1_a, devices, 8); AT(pci1_c, devices, 8);
AT(pci2_a, devices, 16); AT(pci2_b, devices, 8); AT(pci_dev8, bdf, 4); AT(pci_dev_ref, refcount, 6);

/* VFIO */
struct vfio_a {
	u16 bdf; u32 cfg_size; u8 pci_config_map[4096]; u8 vconfig[4096]; u32 rbar[7]; u8 reset_works;
} PACKED;
struct vfio_b { u16 bdf; u16 domain; } PACKED;
struct vfio_c { u16 bdf; u16 domain; u8 reset_works; } PACKED;
struct vfio_fd { u32 token; } PACKED;
struct vfio_d { u16 bdf; u16 domain; u8 reset_works; struct vfio_fd iommufd_ser; } PACKED;
struct vfio_e { u32 domain; u16 bdf; } PACKED;
SIZE(vfio_a, 8227); AT(vfio_a, cfg_size, 2); AT(vfio_a, pci_config_map, 6); AT(vfio_a, vconfig, 4102);
AT(vfio_a, rbar, 8198); AT(vfio_a, reset_works, 8226);
SIZE(vfio_b, 4); SIZE(vfio_c, 5); SIZE(vfio_d, 9); AT(vfio_d, reset_works, 4); AT(vfio_d, iommufd_ser, 5);
AT(vfio_e, bdf, 4);

/* hugetlb, KVM, netkit, feature flags */
struct vmalloc { u64 first; u32 total_pages; u16 flags; u16 order; };
struct hstate { u64 nr_pages; u8 order; } PACKED;
struct hugetlb { struct hstate hstates[4]; u8 nr_hstates; } PACKED;
struct huge_memfd { u64 size; u64 pos; u64 nr_folios; struct vmalloc folios; u8 order; } PACKED;
struct folio { u64 pfn : 52; u64 flags : 12; u64 index; } PACKED;
struct kvm_plain { u64 type; } PACKED;
struct kvm_attr { u64 gfn; u64 attributes; } PACKED;
struct kvm_attrs { u64 type; u64 nr_mem_attrs; struct vmalloc mem_attrs; } PACKED;
struct guest_memfd { u64 size; u64 flags; u64 nr_folios; u64 vm_token; struct vmalloc folios; } PACKED;
struct netkit { u64 cnt; char names[16][16]; char modes[16][16]; } PACKED;
struct feat_hdr { u64 supp; u64 req; u64 active; u64 reserved[13]; } PACKED;
struct feat_luo { struct feat_hdr header; u64 liveupdate_num; u64 sessions_pa; u64 flbs_pa; } PACKED;
struct feat_memfd {
	struct feat_hdr header; u64 pos; u64 size; u32 seals; u32 flags; u64 nr_folios; struct vmalloc folios;
} PACKED;
struct feat_entry { char name[48]; u32 feat_bytes; u32 reserved; u64 supp; u64 req; u64 active; } PACKED;
struct feat_section { u32 magic; u32 version; struct feat_entry entries[1]; } PACKED;
SIZE(hstate, 9); SIZE(hugetlb, 37); AT(hugetlb, nr_hstates, 36);
SIZE(huge_memfd, 41); AT(huge_memfd, pos, 8); AT(huge_memfd, nr_folios, 16); AT(huge_memfd, folios, 24);
AT(huge_memfd, order, 40); SIZE(folio, 16);
SIZE(kvm_plain, 8); SIZE(kvm_attrs, 32); AT(kvm_attrs, mem_attrs, 16); SIZE(kvm_attr, 16);
SIZE(guest_memfd, 48); AT(guest_memfd, flags, 8); AT(guest_memfd, nr_folios, 16); AT(guest_memfd, vm_token, 24);
AT(guest_memfd, folios, 32);
SIZE(netkit, 520); AT(netkit, names, 8); AT(netkit, modes, 264);
SIZE(feat_hdr, 128); AT(feat_hdr, reserved, 24);
SIZE(feat_luo, 152); AT(feat_luo, liveupdate_num, 128); AT(feat_luo, sessions_pa, 136); AT(feat_luo, flbs_pa, 144);
SIZE(feat_memfd, 176); AT(feat_memfd, seals, 144); AT(feat_memfd, flags, 148); AT(feat_memfd, nr_folios, 152);
AT(feat_memfd, folios, 160); SIZE(feat_entry, 80);

static void hex(const char *name, const void *data, size_t size)
{
	const u8 *bytes = data;

	printf("hex %s ", name);
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

#define OFF(t, m) printf("off %s %s %zu %zu\n", #t, #m, offsetof(struct t, m), sizeof(((struct t *)0)->m))
#define LEN(t) printf("size %s %zu\n", #t, sizeof(struct t))
#define ROOM(t) printf("cap %s %zu\n", #t, (PAGE - 16) / sizeof(struct t))
/* Static objects have zeros between their members. */
#define HEX(t, ...) do { static const struct t x = __VA_ARGS__; LEN(t); hex(#t, &x, sizeof(x)); } while (0)
#define HEX2(sample, t, ...) do { static const struct t x = __VA_ARGS__; hex(#sample, &x, sizeof(x)); } while (0)

#define F0_HDR { .idx = 2, .ref_count = 3, .incoming = 1 }
#define A_HDR { .ref_count = 3, .incoming = 1 }
#define B_HDR { .ref_count = 3, .flags = 2 }
#define REGS 0xfed90000
#define ROOT 0x200000
#define TABLE 0x201000
#define PASID 0x202000
#define UNIT 0x101010
#define DOMAIN 0x102010
#define MAP { .did = 7, .domain_phys = DOMAIN, .iommu_phys = UNIT }
#define MAP2 { .attachment_id = 7, .domain_phys = DOMAIN, .iommu_phys = UNIT }
#define VM { .first = 0x300000, .total_pages = 2, .flags = 1, .order = 1 }

int main(void)
{
	OFF(f0_domain, obj); OFF(f0_domain, obj.idx); OFF(f0_domain, obj.ref_count); OFF(f0_domain, top_table);
	OFF(f0_domain, top_level); OFF(f0_domain, attach_count); OFF(f0_domain, restored_domain);
	OFF(v1_domain, top_table); OFF(v1_domain, top_level); OFF(v1_domain, restored_domain);
	OFF(f0_unit, token); OFF(f0_unit, type); OFF(f0_unit, arch); OFF(f0_unit, arch.intel.phys_addr);
	OFF(f0_unit, arch.intel.root_table);
	OFF(v1_unit, token); OFF(v1_unit, type); OFF(v1_unit, arch); OFF(v1_unit, arch.intel.phys_addr);
	OFF(v1_unit, arch.intel.root_table);
	OFF(f0_device, token); OFF(f0_device, devid); OFF(f0_device, pci_domain); OFF(f0_device, domain_iommu_ser);
	OFF(f0_device, domain_iommu_ser.did); OFF(f0_device, domain_iommu_ser.domain_phys);
	OFF(f0_device, domain_iommu_ser.iommu_phys); OFF(f0_device, type);
	OFF(v1_device, token); OFF(v1_device, devid); OFF(v1_device, pci_domain); OFF(v1_device, domain_iommu_ser);
	OFF(v1_device, domain_iommu_ser.did); OFF(v1_device, domain_iommu_ser.domain_phys);
	OFF(v1_device, domain_iommu_ser.iommu_phys); OFF(v1_device, type);
	OFF(v1_top, iommus_phys); OFF(v1_top, nr_iommus); OFF(v1_top, iommu_domains_phys); OFF(v1_top, nr_domains);
	OFF(v1_top, devices_phys); OFF(v1_top, nr_devices);
	OFF(a_domain, hdr); OFF(a_domain, hdr.ref_count); OFF(a_domain, top_table_phys); OFF(a_domain, top_level);
	OFF(a_domain, vasz); OFF(a_domain, restored_domain);
	OFF(a_unit, token); OFF(a_unit, type);
	OFF(a_device, devid); OFF(a_device, pci_domain_nr); OFF(a_device, domain_iommu_ser);
	OFF(a_device, domain_iommu_ser.attachment_id); OFF(a_device, domain_iommu_ser.domain_phys);
	OFF(a_device, domain_iommu_ser.iommu_phys);
	OFF(a_top, iommu_array_phys); OFF(a_top, iommu_domain_array_phys); OFF(a_top, device_array_phys);
	OFF(b_domain, hdr); OFF(b_domain, hdr.ref_count); OFF(b_domain, hdr.flags); OFF(b_domain, top_table_phys);
	OFF(b_domain, top_level); OFF(b_domain, vasz); OFF(b_domain, restored_domain);
	OFF(d_domain, top_table_phys); OFF(d_domain, top_level); OFF(d_domain, vasz); OFF(d_domain, sign_extend);
	OFF(d_domain, padding); OFF(d_domain, restored_domain);
	OFF(b_device, devid); OFF(b_device, pci_domain_nr); OFF(b_device, domain_iommu_ser.attachment_id);
	OFF(b_device, domain_iommu_ser.domain_phys); OFF(b_device, domain_iommu_ser.iommu_phys);
	OFF(b_device, intel.pasid_table); OFF(b_device, intel.max_pasid);
	OFF(b2_device, devid); OFF(b2_device, pci_domain_nr); OFF(b2_device, domain_iommu_ser.attachment_id);
	OFF(b2_device, domain_iommu_ser.domain_phys); OFF(b2_device, domain_iommu_ser.iommu_phys);
	OFF(b2_device, intel.pasid_table); OFF(b2_device, intel.max_pasid); OFF(b2_device, smmuv3.l1_cdtab_lu_state);
	OFF(b2_device, smmuv3.num_l2_cdtables); OFF(b2_device, smmuv3.padding); OFF(b2_device, smmuv3.l2_cdtab_lu_states_phys);
	OFF(c_device, devid); OFF(c_device, pci_domain_nr); OFF(c_device, domain_iommu_ser.attachment_id);
	OFF(c_device, domain_iommu_ser.domain_phys); OFF(c_device, domain_iommu_ser.iommu_phys);
	OFF(d_device, devid); OFF(d_device, pci_domain_nr); OFF(d_device, dma_owner_token);
	OFF(d_device, domain_iommu_ser.attachment_id); OFF(d_device, domain_iommu_ser.domain_phys);
	OFF(d_device, domain_iommu_ser.iommu_phys); OFF(d_device, intel.restored); OFF(d_device, intel.padding);
	OFF(d_device, intel.pasid_table); OFF(d_device, intel.max_pasid); OFF(d_device, smmuv3.l1_cdtab_lu_state);
	OFF(d_device, smmuv3.num_l2_cdtables); OFF(d_device, smmuv3.padding); OFF(d_device, smmuv3.l2_cdtab_lu_states_phys);
	OFF(b_unit, token); OFF(b_unit, type); OFF(b_unit, arch.intel.restored); OFF(b_unit, arch.intel.padding);
	OFF(b_unit, arch.intel.phys_addr); OFF(b_unit, arch.intel.root_table); OFF(b_unit, arch.intel.context_tables_bitmap);
	OFF(b2_unit, token); OFF(b2_unit, type); OFF(b2_unit, arch); OFF(b2_unit, arch.smmuv3.phys_addr);
	OFF(b2_unit, arch.smmuv3.strtab_base); OFF(b2_unit, arch.smmuv3.strtab_base_cfg);
	OFF(b2_unit, arch.smmuv3.l1_strtab_lu_state); OFF(b2_unit, arch.smmuv3.num_l2_tables);
	OFF(b2_unit, arch.smmuv3.padding); OFF(b2_unit, arch.smmuv3.l2_strtab_lu_states_phys);
	OFF(c_unit, token); OFF(c_unit, type);
	OFF(d_unit, token); OFF(d_unit, type); OFF(d_unit, arch); OFF(d_unit, arch.smmuv3.phys_addr);
	OFF(d_unit, arch.smmuv3.strtab_base_cfg); OFF(d_unit, arch.smmuv3.l1_strtab_lu_state);
	OFF(d_unit, arch.smmuv3.l2_strtab_lu_states_phys);
	OFF(c_top, version); OFF(c_top, iommu_array_phys); OFF(c_top, iommu_domain_array_phys); OFF(c_top, device_array_phys);
	OFF(fd_v1_hwpt, token); OFF(fd_v1_hwpt, domain_data); OFF(fd_v1_hwpt, reclaimed);
	OFF(fd_b_hwpt, domain_data); OFF(fd_b_hwpt, token); OFF(fd_b_hwpt, reclaimed); OFF(fd_b_hwpt, padding);
	OFF(pci_dev4, domain); OFF(pci_dev4, bdf); OFF(pci_dev8, domain); OFF(pci_dev8, bdf); OFF(pci_dev8, padding);
	OFF(pci_dev_ref, domain); OFF(pci_dev_ref, bdf); OFF(pci_dev_ref, refcount);
	OFF(vfio_a, bdf); OFF(vfio_a, cfg_size); OFF(vfio_a, pci_config_map); OFF(vfio_a, vconfig); OFF(vfio_a, rbar);
	OFF(vfio_a, reset_works);
	OFF(vfio_b, bdf); OFF(vfio_b, domain); OFF(vfio_c, bdf); OFF(vfio_c, domain); OFF(vfio_c, reset_works);
	OFF(vfio_d, bdf); OFF(vfio_d, domain); OFF(vfio_d, reset_works); OFF(vfio_d, iommufd_ser.token);
	OFF(vfio_e, domain); OFF(vfio_e, bdf);
	OFF(hugetlb, hstates); OFF(hugetlb, nr_hstates); OFF(huge_memfd, size); OFF(huge_memfd, pos);
	OFF(huge_memfd, nr_folios); OFF(huge_memfd, folios); OFF(huge_memfd, order);
	OFF(kvm_plain, type); OFF(kvm_attrs, type); OFF(kvm_attrs, nr_mem_attrs); OFF(kvm_attrs, mem_attrs);
	OFF(kvm_attr, gfn); OFF(kvm_attr, attributes);
	OFF(guest_memfd, size); OFF(guest_memfd, flags); OFF(guest_memfd, nr_folios); OFF(guest_memfd, vm_token);
	OFF(guest_memfd, folios);
	OFF(netkit, cnt); OFF(netkit, names); OFF(netkit, modes);
	OFF(feat_luo, header); OFF(feat_luo, header.supp); OFF(feat_luo, header.req); OFF(feat_luo, header.active);
	OFF(feat_luo, header.reserved); OFF(feat_luo, liveupdate_num); OFF(feat_luo, sessions_pa); OFF(feat_luo, flbs_pa);
	OFF(feat_memfd, header); OFF(feat_memfd, pos); OFF(feat_memfd, size); OFF(feat_memfd, seals); OFF(feat_memfd, flags);
	OFF(feat_memfd, nr_folios); OFF(feat_memfd, folios);

	ROOM(f0_unit); ROOM(f0_domain); ROOM(f0_device); ROOM(v1_unit); ROOM(v1_domain); ROOM(v1_device);
	ROOM(a_unit); ROOM(a_domain); ROOM(a_device); ROOM(b_unit); ROOM(b_domain); ROOM(b_device);
	ROOM(b2_unit); ROOM(b2_device); ROOM(c_unit); ROOM(c_device); ROOM(d_unit); ROOM(d_domain); ROOM(d_device);

	HEX(f0_domain, { .obj = F0_HDR, .top_table = TABLE, .top_level = 3, .attach_count = 1 });
	HEX(f0_unit, { .obj = F0_HDR, .token = REGS, .type = 1, .arch = { { .phys_addr = REGS, .root_table = ROOT } } });
	HEX(f0_device, { .obj = F0_HDR, .token = 9, .devid = 0x310, .pci_domain = 1, .domain_iommu_ser = MAP, .type = 1 });
	HEX(v1_domain, { .obj = F0_HDR, .top_table = TABLE, .top_level = 3 });
	HEX(v1_unit, { .obj = F0_HDR, .token = REGS, .type = 1, .arch = { { .phys_addr = REGS, .root_table = ROOT } } });
	HEX(v1_device, { .obj = F0_HDR, .token = 9, .devid = 0x310, .pci_domain = 1, .domain_iommu_ser = MAP, .type = 1 });
	HEX2(v1_deleted, v1_domain, { .obj = { .idx = 1, .deleted = 1 }, .top_level = 2 });
	HEX(v1_top, { 0x101000, 1, 0x102000, 1, 0x103000, 2 });
	HEX(a_domain, { .hdr = A_HDR, .top_table_phys = TABLE, .top_level = 3, .vasz = 48, .sign_extend = 1 });
	HEX(a_unit, { .hdr = A_HDR, .token = REGS, .type = 1 });
	HEX(a_device, { .hdr = A_HDR, .devid = 0x310, .pci_domain_nr = 1, .domain_iommu_ser = MAP2 });
	HEX(a_top, { 0x101000, 0x102000, 0x103000 });
	HEX(b_domain, { .hdr = B_HDR, .top_table_phys = TABLE, .top_level = 3, .vasz = 48, .sign_extend = 1 });
	HEX(b_unit, { .hdr = B_HDR, .token = REGS, .type = 1, .arch = { .intel = { .phys_addr = REGS, .root_table = ROOT,
		.context_tables_bitmap = { 0, 5 } } } });
	HEX(b_device, { .hdr = B_HDR, .devid = 0x310, .pci_domain_nr = 1, .domain_iommu_ser = MAP2,
		.intel = { .pasid_table = PASID, .max_pasid = 0x100000 } });
	HEX(b2_device, { .hdr = B_HDR, .devid = 0x310, .pci_domain_nr = 1, .domain_iommu_ser = MAP2,
		.intel = { .pasid_table = PASID, .max_pasid = 0x100000 } });
	HEX2(b2_device_smmu, b2_device, { .hdr = B_HDR, .devid = 0x310, .pci_domain_nr = 1, .domain_iommu_ser = MAP2,
		.smmuv3 = { .l1_cdtab_lu_state = 0x11, .num_l2_cdtables = 2, .l2_cdtab_lu_states_phys = 0x203000 } });
	HEX(b2_unit, { .hdr = B_HDR, .token = REGS, .type = 2, .arch = { .smmuv3 = { .phys_addr = REGS, .strtab_base = ROOT,
		.strtab_base_cfg = 0x10010, .l1_strtab_lu_state = 0x21, .num_l2_tables = 3,
		.l2_strtab_lu_states_phys = 0x204000 } } });
	HEX(c_unit, { .hdr = B_HDR, .token = REGS, .type = 1 });
	HEX(c_device, { .hdr = B_HDR, .devid = 0x310, .pci_domain_nr = 1, .domain_iommu_ser = MAP2 });
	HEX(c_top, { 1, 0x101000, 0x102000, 0x103000 });
	HEX(d_domain, { .hdr = B_HDR, .top_table_phys = TABLE, .top_level = 3, .vasz = 48, .sign_extend = 1 });
	HEX(d_device, { .hdr = B_HDR, .devid = 0x310, .pci_domain_nr = 1, .dma_owner_token = 0x1122334455667788,
		.domain_iommu_ser = MAP2, .intel = { .pasid_table = PASID, .max_pasid = 0x100000 } });
	HEX2(d_device_smmu, d_device, { .hdr = B_HDR, .devid = 0x310, .pci_domain_nr = 1,
		.dma_owner_token = 0x1122334455667788, .domain_iommu_ser = MAP2,
		.smmuv3 = { .l1_cdtab_lu_state = 0x11, .num_l2_cdtables = 2, .l2_cdtab_lu_states_phys = 0x203000 } });
	HEX(d_unit, { .hdr = B_HDR, .token = REGS, .type = 2, .arch = { .smmuv3 = { .phys_addr = REGS,
		.strtab_base_cfg = 0x10010, .l1_strtab_lu_state = 0x21, .l2_strtab_lu_states_phys = 0x204000 } } });
	HEX(fd_pointer, { 0 });
	LEN(fd_v1_hwpt); LEN(fd_b_hwpt);
	/* The struct around is not packed: its own tail padding is no part of what its count says. */
	{
		static const struct fd_v1 x = { 2, { { 5, DOMAIN, 0 }, { 6, DOMAIN + 33, 0 } } };
		hex("fd_v1", &x, offsetof(struct fd_v1, hwpts) + 2 * sizeof(struct fd_v1_hwpt));
	}
	HEX2(fd_b, fd_b, { 2, { { DOMAIN, 5 }, { DOMAIN + 37, 0x600000001 } } });
	LEN(pci_dev4); LEN(pci_dev8); LEN(pci_dev_ref);
	HEX2(pci1_a, pci1_a, { 2, { { 0, 0x310 }, { 1, 0x8 } } });
	HEX2(pci1_b, pci1_b, { 4, 2, { { 0, 0x310 }, { 1, 0x8 } } });
	HEX2(pci1_c, pci1_c, { 2, 1, { { 0x10000, 0x310 } } });
	HEX2(pci2_a, pci2_a, { 4, 2, { { 0, 0x310, 1 }, { 0x10000, 0x8, 2 } } });
	HEX2(pci2_b, pci2_b, { 2, 1, { { 0 }, { 0x10000, 0x310, 1 } } });
	HEX(vfio_a, { .bdf = 0x310, .cfg_size = 256, .pci_config_map = { 1, 1 }, .vconfig = { 0x86, 0x80 },
		.rbar = { 0xfe000000, 0, 7 }, .reset_works = 1 });
	HEX(vfio_b, { 0x310, 2 });
	HEX(vfio_c, { 0x310, 2, 1 });
	HEX(vfio_d, { 0x310, 2, 1, { 0x01020304 } });
	HEX(vfio_e, { 0x10000, 0x310 });
	HEX(hugetlb, { { { 16, 9 }, { 2, 18 } }, 2 });
	HEX(huge_memfd, { 0x400000, 0x1000, 2, VM, 9 });
	HEX(kvm_plain, { 3 });
	HEX(kvm_attrs, { 3, 5, VM });
	HEX(guest_memfd, { 0x4000, 3, 2, 77, VM });
	HEX2(guest_folio, folio, { .pfn = 0x123456789, .flags = 1, .index = 4 });
	HEX(netkit, { 2, { "nk0", "nk1" }, { "l2", "l3" } });
	HEX(feat_luo, { { 7, 3, 7 }, 4, 0x400000, 0x401000 });
	HEX(feat_memfd, { { 3, 1, 3 }, 5, 0x4000, 0xb, 0, 2, VM });
	HEX2(feat_section, feat_section, { 0x4c565550, 1, { { "memfd", 8, 0, 3, 1, 3 } } });
	return 0;
}
