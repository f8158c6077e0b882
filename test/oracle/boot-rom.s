# SPDX-License-Identifier: Apache-2.0
# What the first instructions of the boot ROM are, for GNU as: entry and bootParams are given with --defsym.
	.code16
	.org 0xff00
start:
	cli
	cld
	inb $0x92, %al
	orb $2, %al
	outb %al, $0x92
	lgdtl %cs:pointer
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	ljmpl $0x10, $(0xffff0000 + flat)
	.code32
flat:
	movl $0x18, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %ebp, %ebp
	xorl %edi, %edi
	xorl %ebx, %ebx
	movl $bootParams, %esi
	movl $entry, %eax
	jmp *%eax
	.org 0xff80
gdt:
	.quad 0, 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
pointer:
	.word pointer - gdt - 1
	.long 0xffff0000 + gdt
	.org 0xfff0
	.code16
	.byte 0xe9
	.word start - (. + 2)
	.org 0x10000
