/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmdef-check: reads VM definition trees as the hypervisor does, by the same code, and prints what
 * it would refuse. Exit status 0: all are accepted, 1: one is refused, 2: usage or unreadable file.
 */
#include <stdio.h>
#include <stdlib.h>

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

static int check(const char *path)
{
	static u64 buf[VMDEF_TREE_SIZE / sizeof(u64) + 1];
	static struct vmdef def;
	struct vmdef_error error;
	size_t size = read_file(path, buf, sizeof(buf));

	if (vmdef_parse(&def, buf, size, &error)) {
		printf("%s: %s%s%s: %s\n", path, error.node, error.property[0] ? ": " : "",
		       error.property, error.reason);
		return 1;
	}
	printf("%s: ok\n", path);
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
