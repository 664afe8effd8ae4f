/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading one value of a definition tree: its size and form are checked, its meaning is not.
 * Every failure becomes a refusal that names node, property and reason.
 */
#include "vmdef_parse.h"

#include <libfdt.h>

#include <hv/errno.h>
#include <hv/fdt_read.h>
#include <hv/format.h>
#include <hv/string.h>

void vmdef_node_path(const struct vmdef_parse *p, int node, char *buf, size_t size)
{
	const char *name;

	if (fdt_get_path(p->fdt, node, buf, (int)size) < 0) {
		name = fdt_get_name(p->fdt, node, NULL);
		format(buf, size, ".../%s", name ? name : "?");
	}
	fdt_make_printable(buf);
}

static void refuse(struct vmdef_error *error, const char *property, const char *fmt, va_list ap)
{
	format(error->property, sizeof(error->property), "%s", property);
	fdt_make_printable(error->property);
	vformat(error->reason, sizeof(error->reason), fmt, ap);
}

int vmdef_refuse_in(struct vmdef_error *error, const char *path, const char *property,
		    const char *fmt, ...)
{
	va_list ap;

	format(error->node, sizeof(error->node), "%s", path);
	va_start(ap, fmt);
	refuse(error, property, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int vmdef_refuse_node(const struct vmdef_parse *p, int node, const char *property,
		      const char *fmt, ...)
{
	va_list ap;

	vmdef_node_path(p, node, p->error->node, sizeof(p->error->node));
	va_start(ap, fmt);
	refuse(p->error, property, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

u32 vmdef_cell(const u8 *data)
{
	return (u32)data[0] << 24 | (u32)data[1] << 16 | (u32)data[2] << 8 | data[3];
}

u64 vmdef_cells2(const u8 *data)
{
	return (u64)vmdef_cell(data) << 32 | vmdef_cell(data + 4);
}

int vmdef_read_u32(struct vmdef_parse *p, const struct vmdef_value *v, u32 *out)
{
	if (v->size != 4)
		return vmdef_refuse(p, v, "must be one cell (4 bytes), is %u bytes", v->size);
	*out = vmdef_cell(v->data);
	return 0;
}

/* An address is written as two cells, or as one when it fits. */
int vmdef_read_address(struct vmdef_parse *p, const struct vmdef_value *v, u64 *out)
{
	if (v->size != 4 && v->size != 8)
		return vmdef_refuse(p, v, "must be one or two cells, is %u bytes", v->size);
	*out = v->size == 4 ? vmdef_cell(v->data) : vmdef_cells2(v->data);
	return 0;
}

int vmdef_read_flag(struct vmdef_parse *p, const struct vmdef_value *v, bool *out)
{
	if (v->size != 0)
		return vmdef_refuse(p, v, "is a flag and takes no value");
	*out = true;
	return 0;
}

/* The value as a C string, or NULL with the refusal made. */
const char *vmdef_string_of(struct vmdef_parse *p, const struct vmdef_value *v)
{
	const u8 *nul = v->size ? memchr(v->data, 0, v->size) : NULL;

	if (!nul) {
		vmdef_refuse(p, v, "must be a string; the NUL at its end is missing");
		return NULL;
	}
	if (nul != v->data + v->size - 1) {
		vmdef_refuse(p, v, "must be one string; there is a NUL inside");
		return NULL;
	}
	return (const char *)v->data;
}

int vmdef_read_string(struct vmdef_parse *p, const struct vmdef_value *v, char *out, size_t size)
{
	const char *text = vmdef_string_of(p, v);

	if (!text)
		return -EINVAL;
	if (v->size > size) {
		return vmdef_refuse(p, v, "is %u characters long; at most %zu are possible",
			      v->size - 1, size - 1);
	}
	memcpy(out, text, v->size);
	return 0;
}

int vmdef_read_name(struct vmdef_parse *p, const struct vmdef_value *v, char *out, size_t size)
{
	int err = vmdef_read_string(p, v, out, size);

	if (err)
		return err;
	if (!out[0])
		return vmdef_refuse(p, v, "must not be empty");
	for (; *out; out++) {
		if (*out < ' ' || *out > '~')
			return vmdef_refuse(p, v, "must be printable ASCII");
	}
	return 0;
}

int vmdef_read_word(struct vmdef_parse *p, const struct vmdef_value *v, const char *const *words,
		    const char *choices, u32 *out)
{
	const char *text = vmdef_string_of(p, v);

	if (!text)
		return -EINVAL;
	for (u32 i = 0; words[i]; i++) {
		if (!strcmp(text, words[i])) {
			*out = i;
			return 0;
		}
	}
	return vmdef_refuse(p, v, "must be %s", choices);
}

/* One range of two times two cells, valid and below VMDEF_ADDRESS_END. */
int vmdef_read_range(struct vmdef_parse *p, const struct vmdef_value *v, const u8 *data, u64 *base,
		      u64 *size)
{
	*base = vmdef_cells2(data);
	*size = vmdef_cells2(data + 8);
	if (*size == 0)
		return vmdef_refuse(p, v, "has size 0");
	if (!range_valid(*base, *size))
		return vmdef_refuse(p, v, "0x%lx + 0x%lx wraps around", *base, *size);
	if (*base + (*size - 1) >= VMDEF_ADDRESS_END)
		return vmdef_refuse(p, v, "0x%lx + 0x%lx exceeds 56 address bits", *base, *size);
	return 0;
}

int vmdef_read_one_range(struct vmdef_parse *p, const struct vmdef_value *v, u64 *base, u64 *size)
{
	if (v->size != 16) {
		return vmdef_refuse(p, v, "must be one <address size>, two cells each, is %u bytes",
				    v->size);
	}
	return vmdef_read_range(p, v, v->data, base, size);
}

int vmdef_check_pages(struct vmdef_parse *p, const struct vmdef_value *v, u64 base, u64 size)
{
	if (!IS_ALIGNED(base | size, PAGE_SIZE))
		return vmdef_refuse(p, v, "0x%lx + 0x%lx is not a multiple of 4 KiB", base, size);
	return 0;
}

