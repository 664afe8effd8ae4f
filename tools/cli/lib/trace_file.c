/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a recorded trace, of which nothing is believed, and writing one. */
#include "trace_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char magic[8] = "shyptrc";

enum { CHUNK_BEGIN = 1, CHUNK_RECORDS = 2, CHUNK_END = 3 };

struct head {
	char magic[8];
	uint32_t version;	/* SHYPER_TRACE_VERSION */
	uint32_t reserved;	/* 0 */
};

struct chunk {
	uint32_t kind;
	uint32_t size;		/* bytes behind this, a multiple of 8 */
};

/* Before the records of a chunk. */
struct records {
	uint32_t hart;
	uint32_t count;
	uint64_t hartid;
	uint64_t lost;		/* before them */
};

/* Where the reader is. */
struct reader {
	struct trace_file *t;
	const uint8_t *data;
	size_t size;
	size_t at;
	const char *name;
	struct error *error;
	bool begun;
	bool ended;
};

#define REFUSE(r, fmt, ...) error_set((r)->error, "%s: " fmt, (r)->name, ##__VA_ARGS__)

static int cut_off(const struct reader *r)
{
	return REFUSE(r, "cut off at byte %zu: the recording was not finished", r->size);
}

/* --- What is in chunks ----------------------------------------------------------------------- */

static int get_ticks(struct reader *r, const json_t *json, const char *key, uint64_t *out)
{
	const json_t *value = json_object_get(json, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return REFUSE(r, "byte %zu: \"%s\" is not a number of ticks", r->at, key);
	*out = (uint64_t)json_integer_value(value);
	return 0;
}

static int get_names(struct reader *r, const json_t *vms)
{
	const json_t *vm;
	size_t i;

	json_array_foreach(vms, i, vm) {
		const json_t *id = json_object_get(vm, "id");
		const char *name = json_string_value(json_object_get(vm, "name"));

		if (!json_is_integer(id) || json_integer_value(id) < 0 ||
		    json_integer_value(id) >= SHYPER_VMS || !name || strlen(name) >= SHYPER_NAME)
			return REFUSE(r, "byte %zu: entry %zu of \"vms\" is not a VM", r->at, i);
		strcpy(r->t->name[json_integer_value(id)], name);
	}
	return 0;
}

static int take_begin(struct reader *r, const json_t *json)
{
	if (get_ticks(r, json, "timebase", &r->t->timebase) ||
	    get_ticks(r, json, "start", &r->t->start))
		return -1;
	if (r->t->timebase < 1000 || r->t->timebase > 1000000000000)
		return REFUSE(r, "byte %zu: a timebase of %llu Hz is not possible", r->at,
			      (unsigned long long)r->t->timebase);
	r->begun = true;
	return 0;
}

static int take_end(struct reader *r, const json_t *json)
{
	if (get_ticks(r, json, "end", &r->t->end) ||
	    get_names(r, json_object_get(json, "vms")))
		return -1;
	if (r->t->end < r->t->start)
		return REFUSE(r, "byte %zu: it ends before it starts", r->at);
	r->ended = true;
	return 0;
}

static int take_json(struct reader *r, size_t size, int (*take)(struct reader *, const json_t *))
{
	json_t *json = json_loadb((const char *)r->data + r->at, size, JSON_DISABLE_EOF_CHECK,
				  NULL);
	int err = json_is_object(json) ? take(r, json) :
					 REFUSE(r, "byte %zu: not a JSON object", r->at);

	json_decref(json);
	return err;
}

/* In words what is wrong with a record that follows one of the time `before`; NULL: nothing. */
static const char *wrong_with(const struct reader *r, const struct shyper_trace_record *record,
			      uint64_t before)
{
	if (record->event >= SHYPER_TRACE_EVENTS)
		return "there is no such event";
	if (record->vm != SHYPER_TRACE_NOBODY &&
	    (record->vm >= SHYPER_VMS || record->vcpu >= SHYPER_VCPUS))
		return "there is no such vCPU";
	if (record->event == SHYPER_TRACE_SWITCH && record->value >> 16)
		return "there is no such vCPU";
	if (record->event == SHYPER_TRACE_EXIT && record->detail >= SHYPER_EXIT_CAUSES)
		return "there is no such cause of an exit";
	return record->time < before || record->time < r->t->start ? "time runs backwards" : NULL;
}

static int check_records(const struct reader *r, const struct trace_hart *hart, size_t from)
{
	uint64_t before = from ? hart->record[from - 1].time : 0;

	for (size_t i = from; i < hart->count; i++) {
		const char *wrong = wrong_with(r, &hart->record[i], before);

		if (wrong)
			return REFUSE(r, "byte %zu, record %zu: %s", r->at, i - from, wrong);
		before = hart->record[i].time;
	}
	return 0;
}

static void *grown(void *array, size_t count, size_t size)
{
	void *more = realloc(array, count * size);

	if (!more)
		abort();
	return more;
}

static int take_records(struct reader *r, size_t size)
{
	struct records head;
	struct trace_hart *hart;
	size_t before;

	if (size < sizeof(head))
		return REFUSE(r, "byte %zu: %zu bytes are too few for records", r->at, size);
	memcpy(&head, r->data + r->at, sizeof(head));
	if (head.hart >= TRACE_HARTS)
		return REFUSE(r, "byte %zu: there is no hart %u", r->at, head.hart);
	if ((size - sizeof(head)) / sizeof(*hart->record) != head.count ||
	    (size - sizeof(head)) % sizeof(*hart->record))
		return REFUSE(r, "byte %zu: %u records do not take %zu bytes", r->at, head.count,
			      size - sizeof(head));
	if (head.hart >= r->t->harts)
		r->t->harts = head.hart + 1;
	hart = &r->t->hart[head.hart];
	hart->there = true;
	hart->hartid = head.hartid;
	hart->lost += head.lost;
	if (head.lost) {
		hart->gap = grown(hart->gap, hart->gaps + 1, sizeof(*hart->gap));
		hart->gap[hart->gaps++] = hart->count;
	}
	before = hart->count;
	if (!head.count)
		return 0;
	hart->record = grown(hart->record, before + head.count, sizeof(*hart->record));
	hart->count += head.count;
	memcpy(hart->record + before, r->data + r->at + sizeof(head),
	       head.count * sizeof(*hart->record));
	return check_records(r, hart, before);
}

/* --- The whole ------------------------------------------------------------------------------- */

static int take_chunk(struct reader *r, const struct chunk *chunk)
{
	bool first = !r->begun;

	if (first != (chunk->kind == CHUNK_BEGIN))
		return REFUSE(r, "byte %zu: a part of kind %u has no place here", r->at,
			      chunk->kind);
	switch (chunk->kind) {
	case CHUNK_BEGIN:
		return take_json(r, chunk->size, take_begin);
	case CHUNK_RECORDS:
		return take_records(r, chunk->size);
	case CHUNK_END:
		return take_json(r, chunk->size, take_end);
	default:
		return REFUSE(r, "byte %zu: there is no part of kind %u", r->at, chunk->kind);
	}
}

static int take_head(struct reader *r)
{
	struct head head;

	if (r->size < sizeof(head) || memcmp(r->data, magic, sizeof(magic)))
		return REFUSE(r, "not a trace of `shyper trace record`");
	memcpy(&head, r->data, sizeof(head));
	if (head.version != SHYPER_TRACE_VERSION || head.reserved)
		return REFUSE(r, "a trace of version %u; this command reads version %u",
			      head.version, SHYPER_TRACE_VERSION);
	r->at = sizeof(head);
	return 0;
}

static int take_all(struct reader *r)
{
	struct chunk chunk;

	if (take_head(r))
		return -1;
	while (!r->ended) {
		if (r->size - r->at < sizeof(chunk))
			return cut_off(r);
		memcpy(&chunk, r->data + r->at, sizeof(chunk));
		r->at += sizeof(chunk);
		if (chunk.size > r->size - r->at)
			return cut_off(r);
		if (take_chunk(r, &chunk))
			return -1;
		r->at += chunk.size;
	}
	if (r->at != r->size)
		return REFUSE(r, "byte %zu: something follows its end", r->at);
	for (uint32_t i = 0; i < r->t->harts; i++) {
		const struct trace_hart *hart = &r->t->hart[i];

		if (hart->count && hart->record[hart->count - 1].time > r->t->end)
			return REFUSE(r, "hart %llu has a record from after its end",
				      (unsigned long long)hart->hartid);
	}
	return 0;
}

int trace_file_parse(struct trace_file *t, const void *data, size_t size, const char *name,
		     struct error *error)
{
	struct reader r = { .t = t, .data = data, .size = size, .name = name, .error = error };

	memset(t, 0, sizeof(*t));
	if (!take_all(&r))
		return 0;
	trace_file_free(t);
	return -1;
}

static void *read_all(const char *name, size_t *size, struct error *error)
{
	FILE *file = fopen(name, "rbe");
	uint8_t *data = NULL;
	size_t room = 0;

	*size = 0;
	while (file && !feof(file) && !ferror(file)) {
		if (*size == room) {
			room = room ? 2 * room : 1 << 16;
			data = grown(data, room, 1);
		}
		*size += fread(data + *size, 1, room - *size, file);
	}
	if (!file || ferror(file)) {
		error_set(error, "%s: %s", name, strerror(errno));
		free(data);
		data = NULL;
	}
	if (file)
		fclose(file);
	return data;
}

int trace_file_load(struct trace_file *t, const char *name, struct error *error)
{
	size_t size;
	void *data = read_all(name, &size, error);
	int err = data ? trace_file_parse(t, data, size, name, error) : -1;

	free(data);
	return err;
}

void trace_file_free(struct trace_file *t)
{
	for (uint32_t i = 0; i < TRACE_HARTS; i++) {
		free(t->hart[i].record);
		free(t->hart[i].gap);
	}
	memset(t->hart, 0, sizeof(t->hart));
}

/* --- Writing --------------------------------------------------------------------------------- */

static void write_chunk(FILE *file, uint32_t kind, const void *head, size_t head_size,
			const void *data, size_t size)
{
	struct chunk chunk = { .kind = kind, .size = (uint32_t)(head_size + size) };

	fwrite(&chunk, sizeof(chunk), 1, file);
	if (head_size)
		fwrite(head, head_size, 1, file);
	if (size)
		fwrite(data, size, 1, file);
}

static void write_json(FILE *file, uint32_t kind, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	static const char blanks[8] = "        ";
	size_t size = strlen(text);
	struct chunk chunk = { .kind = kind, .size = (uint32_t)((size + 7) & ~(size_t)7) };

	fwrite(&chunk, sizeof(chunk), 1, file);
	fwrite(text, size, 1, file);
	fwrite(blanks, chunk.size - size, 1, file);
	free(text);
	json_decref(json);
}

void trace_file_begin(FILE *file, uint64_t timebase, uint64_t start)
{
	struct head head = { .version = SHYPER_TRACE_VERSION };

	memcpy(head.magic, magic, sizeof(magic));
	fwrite(&head, sizeof(head), 1, file);
	write_json(file, CHUNK_BEGIN, json_pack("{sI sI}", "timebase", (json_int_t)timebase,
						"start", (json_int_t)start));
}

void trace_file_add(FILE *file, const struct shyper_trace_read *out)
{
	struct records head = { .hart = out->hart, .count = out->count, .hartid = out->hartid,
				.lost = out->lost };

	write_chunk(file, CHUNK_RECORDS, &head, sizeof(head), out->record,
		    out->count * sizeof(*out->record));
}

void trace_file_end(FILE *file, uint64_t end, const json_t *vms)
{
	write_json(file, CHUNK_END, json_pack("{sI sO*}", "end", (json_int_t)end, "vms", vms));
}

/* --- What both views need -------------------------------------------------------------------- */

double trace_seconds(const struct trace_file *t, uint64_t ticks)
{
	return (double)ticks / (double)t->timebase;
}

const char *trace_vm(const struct trace_file *t, uint32_t vm, char *buf, size_t size)
{
	if (vm < SHYPER_VMS && t->name[vm][0])
		return t->name[vm];
	snprintf(buf, size, "VM %u", vm);
	return buf;
}
