// SPDX-License-Identifier: Apache-2.0
// Makes libfdt calls as told by scripts on stdin and answers on stdout: a result for each call, then the buffer.
// Numbers are u32 in host order. A script: buffer size, number of calls, the calls. A call: an op (below), a, b and c,
// then a name and a value, each a length and bytes. The answer: a result (int32) for each call, then the whole buffer,
// which was zero before the first call. Where a call acts on a node, c = 0: the name begins with the node's path and a
// NUL, c = 1: a is its offset; a path that is not found is the result. After failing to make or open a tree the buffer
// is zero again.
#define _GNU_SOURCE
#include <libfdt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum op {
	CREATE = 1, ADD_RESERVATION, FINISH_RESERVATIONS, BEGIN_NODE, PROPERTY, END_NODE, FINISH,
	EMPTY_TREE = 16, OPEN_INTO, REOPEN, ADD_SUBNODE, SETPROP, APPENDPROP, SETPROP_INPLACE, DELPROP, NOP_PROPERTY,
	DEL_NODE, NOP_NODE, SET_NAME, ADD_MEM_RSV, DEL_MEM_RSV, PACK, PATH_OFFSET,
	OPEN_IN_PLACE,
};

static uint32_t number(void)
{
	uint32_t value;

	if (fread(&value, sizeof value, 1, stdin) != 1)
		exit(2);
	return value;
}

// The text read is followed by a NUL.
static uint32_t text(char **room)
{
	uint32_t length = number();

	*room = realloc(*room, (size_t)length + 1);
	if (*room == NULL || fread(*room, 1, length, stdin) != length)
		exit(2);
	(*room)[length] = '\0';
	return length;
}

// libfdt 1.6.1 writes below its buffer when a new name is longer than the buffer has bytes left in all (its unsigned
// subtraction wraps round). What it means to answer then, and newer releases do, is NOSPACE.
static int is_name_too_long(const char *buffer, const char *name)
{
	size_t size = fdt_totalsize(buffer), strings = fdt_size_dt_strings(buffer), length = strlen(name) + 1;

	if (fdt_magic(buffer) != (uint32_t)~FDT_MAGIC || fdt_off_dt_strings(buffer) != size || strings + length <= size)
		return 0;
	if (fdt_last_comp_version(buffer) & FDT_CREATE_FLAG_NO_NAME_DEDUP)
		return 1;
	return memmem(buffer + size - strings, strings, name, length) == NULL;
}

int main(void)
{
	char *name = NULL, *value = NULL;
	uint32_t size;

	while (fread(&size, sizeof size, 1, stdin) == 1) {
		char *buffer = calloc(1, size < sizeof(struct fdt_header) ? sizeof(struct fdt_header) : size);

		if (buffer == NULL)
			return 2;
		for (uint32_t left = number(); left > 0; left--) {
			uint32_t op = number(), a = number(), b = number(), c = number();
			uint32_t name_length = text(&name), length = text(&value);
			char *rest = name;
			int node = a, result;

			// libfdt would take a blob that is still being written for a finished one, and some calls do not
			// look whether there is a blob at all: neither is a case to compare.
			if (op >= REOPEN && op <= PATH_OFFSET && fdt_magic(buffer) != FDT_MAGIC) {
				node = fdt_magic(buffer) == (uint32_t)~FDT_MAGIC ? -FDT_ERR_BADSTATE : -FDT_ERR_BADMAGIC;
				op = 0;
			}
			if (op >= ADD_SUBNODE && op <= SET_NAME && c == 0) {
				node = fdt_path_offset(buffer, name);
				rest = name + strlen(name) + (strlen(name) < name_length);
				if (node < 0)
					op = 0;
			}
			switch (op) {
			case 0: result = node; break;
			case CREATE: result = fdt_create_with_flags(buffer, size, a); break;
			case ADD_RESERVATION: result = fdt_add_reservemap_entry(buffer, a, b); break;
			case FINISH_RESERVATIONS: result = fdt_finish_reservemap(buffer); break;
			case BEGIN_NODE: result = fdt_begin_node(buffer, name); break;
			case PROPERTY:
				result = is_name_too_long(buffer, name) ? -FDT_ERR_NOSPACE
					: fdt_property(buffer, name, value, length);
				break;
			case END_NODE: result = fdt_end_node(buffer); break;
			case FINISH: result = fdt_finish(buffer); break;
			case EMPTY_TREE:
				result = fdt_create_empty_tree(buffer, size);
				if (result < 0)
					memset(buffer, 0, size);
				break;
			case OPEN_IN_PLACE:
				result = -FDT_ERR_NOSPACE;
				if (length <= size) {
					memcpy(buffer, value, length);
					result = fdt_open_into(buffer, buffer, size);
				}
				if (result < 0)
					memset(buffer, 0, size);
				break;
			case OPEN_INTO: result = fdt_open_into(value, buffer, size); break;
			case REOPEN: result = fdt_open_into(buffer, buffer, size); break;
			case ADD_SUBNODE: result = fdt_add_subnode(buffer, node, rest); break;
			case SETPROP: result = fdt_setprop(buffer, node, rest, value, length); break;
			case APPENDPROP: result = fdt_appendprop(buffer, node, rest, value, length); break;
			case SETPROP_INPLACE: result = fdt_setprop_inplace(buffer, node, rest, value, length); break;
			case DELPROP: result = fdt_delprop(buffer, node, rest); break;
			case NOP_PROPERTY: result = fdt_nop_property(buffer, node, rest); break;
			case DEL_NODE: result = fdt_del_node(buffer, node); break;
			case NOP_NODE: result = fdt_nop_node(buffer, node); break;
			case SET_NAME: result = fdt_set_name(buffer, node, rest); break;
			case ADD_MEM_RSV: result = fdt_add_mem_rsv(buffer, a, b); break;
			case DEL_MEM_RSV: result = fdt_del_mem_rsv(buffer, a); break;
			case PACK: result = fdt_pack(buffer); break;
			case PATH_OFFSET: result = fdt_path_offset(buffer, name); break;
			default: return 2;
			}
			fwrite(&result, sizeof result, 1, stdout);
		}
		fwrite(buffer, 1, size, stdout);
		free(buffer);
	}
	free(name);
	free(value);
	return 0;
}
