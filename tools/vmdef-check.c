/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmdef-check: reads trees of VMs and schedules as the hypervisor does, by the same code. Prints
 * what it would refuse, and the tables of schedules that it accepts. Exit status 0: all are
 * accepted, 1: one is refused, 2: usage or unreadable file.
 */
#include <stdio.h>
#include <stdlib.h>

#include <hv/schedule.h>
#include <hv/vmdef.h>

/* One byte more than a tree may have, so that vmdef_parse() sees that a file is too long. */
static size_t read_file(const char *path, void *buf, size_t size)
{
	FILE *file = fopen(path, "rb");
	size_t n;

	if (!file) {
		perror(path);
		exit(2);
	}
	n = fread(buf, 1, size, file);
	if (ferror(file)) {
		perror(path);
		exit(2);
	}
	fclose(file);
	return n;
}

static void show_list(const struct schedule *s, const struct schedule_list *list)
{
	for (u32 i = list->first; i < list->first + list->count; i++) {
		const struct schedule_window *w = &s->window[i];

		printf("  hart %-3lu %8lu + %-8lu %s\n", list->hart, w->begin, w->end - w->begin,
		       s->partition[w->partition].name);
	}
}

/* Times are microseconds; the sum of a partition's durations is what its hart is bound to give. */
static void show(const struct schedule *s)
{
	for (u32 i = 0; i < s->partitions; i++) {
		const struct schedule_partition *p = &s->partition[i];

		printf("partition %s: %lu of every %lu us on hart", p->name, p->duration,
		       p->period);
		for (u32 j = 0; j < p->harts; j++)
			printf(" %lu", p->hart[j]);
		putchar('\n');
	}
	for (u32 i = 0; i < s->tables; i++) {
		const struct schedule_table *table = &s->table[i];

		printf("table %s: frame of %lu us, %s, re-sync ", table->name, table->frame,
		       table->relaxed ? "relaxed" : "strict");
		printf(table->correction ? "by %lu us a window\n" : "at its end\n",
		       table->correction);
		for (u32 j = table->first; j < table->first + table->lists; j++)
			show_list(s, &s->list[j]);
	}
}

static int check(const char *path)
{
	static u64 buf[VMDEF_TREE_SIZE / sizeof(u64) + 1];
	static struct vmdef def;
	static struct schedule schedule;
	struct vmdef_error error;
	size_t size = read_file(path, buf, sizeof(buf));
	bool is_schedule = schedule_is(buf, size);

	if (is_schedule ? schedule_parse(&schedule, buf, size, &error) :
			  vmdef_parse(&def, buf, size, &error)) {
		printf("%s: %s%s%s: %s\n", path, error.node, error.property[0] ? ": " : "",
		       error.property, error.reason);
		return 1;
	}
	printf("%s: ok\n", path);
	if (is_schedule)
		show(&schedule);
	return 0;
}

int main(int argc, char **argv)
{
	int refused = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: vmdef-check TREE.dtb...\n");
		return 2;
	}
	for (int i = 1; i < argc; i++)
		refused |= check(argv[i]);
	return refused;
}
