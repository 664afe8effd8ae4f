/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stand-in for /dev/shyper, for tests on the host: VMs are files in the folder that the
 * environment's SHYPER_FAKE names, so that all processes of a test see the same ones. ID.vm is a
 * struct fake_vm, ID.ram the guest's memory; tests write state, reason and exit code of a struct
 * shyper_vm_info there to make a guest end. Trees are kept as ID.dtb, disks as ID.diskN, flags of
 * network cards as ID.cardN, what was set of its share as ID.sched, how many windows a partition
 * had, missed and had late, and by how many ticks, as ID.health; ID.console is its console, the
 * UNIX socket ID.agent the port of its guest agent, which another process has while ID.busy is
 * there. With 0.old the module knows no disks; with 0.refuse every definition is refused in the
 * words of that file; with 0.sick guests crash.
 */
#include <errno.h>
#include <fcntl.h>
#include <libfdt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/device.h"

#define HARTS 4
#define TIMEBASE 10000000
#define DESCRIPTORS 1024

static char words[256];
static int id_of[DESCRIPTORS];	/* of a VM's descriptor: its id */

static const char *path_of(uint32_t id, const char *suffix)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%u.%s", getenv("SHYPER_FAKE"), id, suffix);
	return path;
}

static int load(uint32_t id, struct shyper_vm_info *info)
{
	FILE *file = fopen(path_of(id, "vm"), "rb");
	size_t got;

	if (!file)
		return -ENOENT;
	got = fread(info, 1, sizeof(*info), file);
	fclose(file);
	return got == sizeof(*info) ? 0 : -ENOENT;
}

static int save(uint32_t id, const struct shyper_vm_info *info)
{
	int fd = open(path_of(id, "vm"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ssize_t put = pwrite(fd, info, sizeof(*info), 0);

	close(fd);
	return put == sizeof(*info) ? 0 : -EIO;
}

static int refuse(int err, const char *text)
{
	snprintf(words, sizeof(words), "%s", text);
	return err;
}

/* Tests write there. */
_Static_assert(offsetof(struct shyper_vm_info, state) == 32 &&
	       offsetof(struct shyper_vm_info, cause) == 280 && SHYPER_CAUSE == 160, "layout");

static uint64_t ticks(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * TIMEBASE + (uint64_t)ts.tv_nsec / 100;
}

static int open_device(void)
{
	const char *folder = getenv("SHYPER_FAKE");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd < 0 ? -ENOENT : fd;
}

static int system_info(int fd, struct shyper_system_info *info)
{
	struct shyper_vm_info vm;

	(void)fd;
	*info = (struct shyper_system_info){
		.pages_total = 1 << 20, .pages_free = 1 << 20, .timebase = TIMEBASE,
		.uptime = ticks(), .harts = HARTS, .harts_free = HARTS, .abi = SHYPER_ABI_VERSION,
		.version = "test",
	};
	for (uint32_t id = 0; id < SHYPER_VMS; id++) {
		if (load(id, &vm))
			continue;
		info->vms |= 1u << id;
		info->harts_free -= vm.vcpus;
		info->pages_free -= vm.ram / 4096;
	}
	return 0;
}

static int log_read(int fd, struct shyper_log *log)
{
	static const char text[] = "first line\nsecond \033[31mline\n";

	(void)fd;
	log->size = log->sequence ? 0 : sizeof(text) - 1;
	memcpy(log->text, text, log->size);
	log->sequence = 1;
	return 0;
}

/* A card is what its node of the kept tree says; flags that were set are in ID.cardN. */
static int net_info(int fd, struct shyper_net_card *card)
{
	struct shyper_net_info *out = &card->info;
	char suffix[16], node[32], tree[65536] = "";
	FILE *file = fopen(path_of(card->vm, "dtb"), "rb");
	const void *value;
	int at = -1, size;

	(void)fd;
	if (file && fread(tree, 1, sizeof(tree), file)) {
		snprintf(node, sizeof(node), "/devices/net%u", card->card);
		at = fdt_path_offset(tree, node);
	}
	if (file)
		fclose(file);
	if (at < 0)
		return -ENOENT;
	*out = (struct shyper_net_info){ .sw = "lan", .mac = { 2, 0, 0, 0, (uint8_t)card->vm,
							       (uint8_t)card->card },
					 .mtu = 1500, .flags = SHYPER_NET_LINK, .tx_frames = 3,
					 .tx_bytes = 3000, .drops = { [3] = 7 } };
	value = fdt_getprop(tree, at, "mac", &size);
	if (value)
		memcpy(out->mac, value, sizeof(out->mac));
	value = fdt_getprop(tree, at, "rate", &size);
	if (value)
		out->rate = fdt32_to_cpu(*(const fdt32_t *)value);
	snprintf(suffix, sizeof(suffix), "card%u", card->card);
	file = fopen(path_of(card->vm, suffix), "rb");
	if (file && fread(&out->flags, sizeof(out->flags), 1, file) != 1)
		abort();
	if (file)
		fclose(file);
	return 0;
}

static int net_set(int fd, const struct shyper_net_set *set)
{
	uint32_t flag = set->what == SHYPER_NET_SET_LINK ? SHYPER_NET_LINK : SHYPER_NET_MIRRORED;
	struct shyper_net_card card = { .vm = set->vm, .card = set->card };
	int err = net_info(fd, &card);
	char suffix[16];
	FILE *file;

	if (err)
		return err;
	card.info.flags = (card.info.flags & ~flag) | (set->value ? flag : 0);
	snprintf(suffix, sizeof(suffix), "card%u", card.card);
	file = fopen(path_of(set->vm, suffix), "wb");
	fwrite(&card.info.flags, sizeof(card.info.flags), 1, file);
	fclose(file);
	return 0;
}

/* Policy and numbers of the kept tree's node sched, or what was set since. False: pinned. */
static bool load_sched(uint32_t id, struct shyper_sched_set *set)
{
	static const char *const names[] = { "priority", "budget-us", "period-us" };
	uint32_t priority = 0, *const to[] = { &priority, &set->budget, &set->period };
	char tree[65536] = "";
	FILE *file = fopen(path_of(id, "dtb"), "rb");
	int node = -1;

	*set = (struct shyper_sched_set){ .vm = id };
	if (file && fread(tree, 1, sizeof(tree), file))
		node = fdt_path_offset(tree, "/sched");
	if (file)
		fclose(file);
	for (size_t i = 0; node >= 0 && i < 3; i++) {
		const fdt32_t *value = fdt_getprop(tree, node, names[i], NULL);

		*to[i] = value ? fdt32_to_cpu(*value) : 0;
	}
	set->priority = (__u16)priority;
	set->flags = node >= 0 && fdt_getprop(tree, node, "strict", NULL) ?
		     SHYPER_SCHED_STRICT : 0;
	file = node >= 0 ? fopen(path_of(id, "sched"), "rb") : NULL;
	if (file && fread(set, sizeof(*set), 1, file) != 1)
		abort();
	if (file)
		fclose(file);
	return node >= 0;
}

static bool is_partition(uint32_t id)
{
	char tree[65536] = "";
	FILE *file = fopen(path_of(id, "dtb"), "rb");
	const char *policy = NULL;

	if (file && fread(tree, 1, sizeof(tree), file))
		policy = fdt_getprop(tree, fdt_path_offset(tree, "/sched"), "policy", NULL);
	if (file)
		fclose(file);
	return policy && !strcmp(policy, "partition");
}

static void load_health(uint32_t id, struct shyper_sched_vcpu *vcpu)
{
	FILE *file = fopen(path_of(id, "health"), "r");
	unsigned long n[4] = { 0 };

	if (file && fscanf(file, "%lu %lu %lu %lu", &n[0], &n[1], &n[2], &n[3]) != 4)
		abort();
	if (file)
		fclose(file);
	vcpu->windows = n[0];
	vcpu->missed = n[1];
	vcpu->late = n[2];
	vcpu->late_max = n[3];
}

/* A VM that shares runs for 3 of 4 ticks in which it is not paused. */
static void add_vcpu(struct shyper_sched_info *out, uint32_t id, const struct shyper_vm_info *vm,
		     uint32_t index)
{
	struct shyper_sched_vcpu *vcpu = &out->vcpu[out->vcpus++];
	struct shyper_sched_set set;
	bool runs = vm->state == SHYPER_VM_RUNNING && !vm->paused;

	out->policy = load_sched(id, &set) ? SHYPER_SCHED_PRIORITY : SHYPER_SCHED_PINNED;
	*vcpu = (struct shyper_sched_vcpu){
		.vm = id, .vcpu = index, .state = runs ? SHYPER_SCHED_RUNNING : SHYPER_SCHED_OFF,
		.priority = set.priority, .flags = set.flags, .budget = set.budget,
		.period = set.period,
	};
	if (is_partition(id)) {
		out->policy = SHYPER_SCHED_PARTITION;
		load_health(id, vcpu);
	}
	if (runs && out->policy == SHYPER_SCHED_PRIORITY) {
		vcpu->ran = out->now / 4 * 3;
		vcpu->waited = out->now / 4;
	}
}

static int sched_info(int fd, struct shyper_sched_hart *hart)
{
	struct shyper_sched_info *out = &hart->info;
	struct shyper_vm_info vm;

	(void)fd;
	if (hart->number >= HARTS)
		return -ENOENT;
	*out = (struct shyper_sched_info){ .hart = hart->number, .now = ticks() };
	for (uint32_t id = 0; id < SHYPER_VMS; id++) {
		for (uint32_t i = 0; !load(id, &vm) && i < vm.vcpus; i++) {
			if (vm.hart[i] == hart->number)
				add_vcpu(out, id, &vm, i);
		}
	}
	return 0;
}

/* As src/hypercall_sched.c says it. */
static int sched_set(int fd, const struct shyper_sched_set *set)
{
	struct shyper_sched_set before;
	FILE *file;

	(void)fd;
	if (!load_sched(set->vm, &before))
		return refuse(-EINVAL, "it has its harts to itself");
	if (set->budget > set->period)
		return refuse(-EINVAL, "a budget too large");
	file = fopen(path_of(set->vm, "sched"), "wb");
	fwrite(set, sizeof(*set), 1, file);
	fclose(file);
	return 0;
}

/*
 * A schedule is the file 0.schedule; frames have 20 ms. A change, which 0.frames keeps, is true
 * when the frame ends in which it was asked for. A shift is taken by 200 us in each frame behind
 * that, unless the file 0.held is there; of the frames only the length tells.
 */
#define FRAME (TIMEBASE / 50)
#define SHIFTED (TIMEBASE / 5000)

struct fake_frames {
	uint64_t from;		/* number of the frame */
	uint32_t before, table;
	uint32_t set;		/* 1: the change is another schedule */
	int64_t shift;
	uint64_t shifted;	/* number of the frame in which it was asked for */
};

static size_t load_schedule(void *tree, size_t size)
{
	FILE *file = fopen(path_of(0, "schedule"), "rb");
	size_t got = file ? fread(tree, 1, size, file) : 0;

	if (file)
		fclose(file);
	return got;
}

static struct fake_frames load_frames(void)
{
	struct fake_frames frames = { 0 };
	FILE *file = fopen(path_of(0, "frames"), "rb");

	if (file && fread(&frames, sizeof(frames), 1, file) != 1)
		abort();
	if (file)
		fclose(file);
	return frames;
}

static void save_frames(const struct fake_frames *frames)
{
	int fd = open(path_of(0, "frames"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (write(fd, frames, sizeof(*frames)) != sizeof(*frames))
		abort();
	close(fd);
}

/* What is left of the shift when so many frames have taken of it. */
static int64_t shift_left(const struct fake_frames *frames, uint64_t taken)
{
	int64_t all = access(path_of(0, "held"), F_OK) ? (int64_t)taken * SHIFTED : 0;

	return frames->shift > all ? frames->shift - all :
	       frames->shift < -all ? frames->shift + all : 0;
}

static int schedule_info(int fd, struct shyper_schedule_info *info)
{
	struct fake_frames frames = load_frames();
	char tree[SHYPER_TREE_MAX];
	int node;

	(void)fd;
	if (!load_schedule(tree, sizeof(tree)))
		return refuse(-ENOENT, "there is no schedule");
	*info = (struct shyper_schedule_info){ .frame = ticks() / FRAME, .next = frames.table };
	info->start = info->frame * FRAME;
	info->shift = shift_left(&frames, info->frame - frames.shifted);
	info->length = FRAME;
	if (info->frame > frames.shifted)
		info->length += (uint64_t)(shift_left(&frames, info->frame - frames.shifted - 1) -
					   info->shift);
	info->table = info->frame < frames.from ? frames.before : frames.table;
	info->pending = frames.set && info->frame < frames.from;
	fdt_for_each_subnode(node, tree, fdt_path_offset(tree, "/tables"))
		snprintf(info->name[info->tables++], SHYPER_NAME, "%s",
			 fdt_get_name(tree, node, NULL));
	return 0;
}

static void change_frames(uint32_t table, bool set)
{
	struct fake_frames frames = load_frames();

	frames.from = ticks() / FRAME + 1;
	frames.before = frames.table;
	frames.table = table;
	frames.set = set;
	save_frames(&frames);
}

static int schedule_set(int fd, const void *tree, size_t size)
{
	FILE *file;

	(void)fd;
	if (!access(path_of(0, "refuse"), F_OK))
		return refuse(-EINVAL, "node /partitions, property harts: a: the board has no "
			      "hart 9");
	file = fopen(path_of(0, "schedule"), "wb");
	fwrite(tree, 1, size, file);
	fclose(file);
	change_frames(0, true);
	return 0;
}

static int schedule_switch(int fd, uint32_t table)
{
	(void)fd;
	change_frames(table, false);
	return 0;
}

static int schedule_shift(int fd, int64_t us)
{
	struct fake_frames frames = load_frames();

	(void)fd;
	if (us > 10000)
		return refuse(-EINVAL, "at most half a frame");
	frames.shift = us * (TIMEBASE / 1000000);
	frames.shifted = ticks() / FRAME;
	save_frames(&frames);
	return 0;
}

static int schedule_read(int fd, void *tree, size_t size)
{
	(void)fd;
	return (int)load_schedule(tree, size);
}

/* Records of hart N are the file N.trace; somebody else records while there is 0.tracing. */
static int trace_open(int fd, const struct shyper_trace_open *open)
{
	(void)open;
	if (!access(path_of(0, "tracing"), F_OK))
		return refuse(-EBUSY, "a trace is being recorded; one at a time");
	return dup(fd);
}

static int trace_read(int trace, struct shyper_trace_read *out)
{
	FILE *file = out->hart < HARTS ? fopen(path_of(out->hart, "trace"), "rb") : NULL;

	(void)trace;
	if (out->hart >= HARTS)
		return -ENOENT;
	out->hartid = out->hart;
	out->count = 0;
	out->lost = 0;
	out->now = ticks();
	if (!file)
		return 0;
	fseek(file, (long)(out->sequence * sizeof(*out->record)), SEEK_SET);
	out->count = (uint32_t)fread(out->record, sizeof(*out->record), SHYPER_TRACE_CHUNK, file);
	fclose(file);
	out->sequence += out->count;
	for (uint32_t i = 0; i < out->count; i++)
		out->record[i].time = out->now;
	return 0;
}

static int open_vm(int fd, uint32_t id)
{
	struct shyper_vm_info info;
	int vm;

	(void)fd;
	if (load(id, &info))
		return -ENOENT;
	vm = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	inotify_add_watch(vm, path_of(id, "vm"), IN_MODIFY | IN_DELETE_SELF);
	id_of[vm] = (int)id;
	return vm;
}

/* As src/vm_make.c says it. */
static int refuse_hart(const struct shyper_vm_info *info, uint32_t vcpu, uint64_t hart)
{
	snprintf(words, sizeof(words), "%s refused: node /, property harts: hart %u for vCPU %u %s",
		 info->name, (uint32_t)hart, vcpu, hart < HARTS ? "serves another vCPU" :
		 "does not exist or did not start");
	return hart < HARTS ? -EBUSY : -EINVAL;
}

/* Harts that the others leave; the first of vCPUs that name none. */
static int take_harts(const void *tree, struct shyper_vm_info *info)
{
	bool shares = fdt_path_offset(tree, "/sched") >= 0;
	struct shyper_sched_set set;
	struct shyper_vm_info other;
	uint32_t taken = 0;
	int size;
	const fdt64_t *harts = fdt_getprop(tree, 0, "harts", &size);

	for (uint32_t id = 0; id < SHYPER_VMS; id++) {
		for (uint32_t i = 0; !load(id, &other) && i < other.vcpus; i++) {
			if (!shares || !load_sched(id, &set))
				taken |= 1u << other.hart[i];
		}
	}
	for (uint32_t i = 0; i < info->vcpus; i++) {
		uint64_t hart = harts ? fdt64_ld(&harts[i]) : 0;

		while (!harts && hart < HARTS && (taken >> hart & 1))
			hart++;
		if (hart >= HARTS || (taken >> hart & 1))
			return refuse_hart(info, i, hart);
		taken |= 1u << hart;
		info->hart[i] = hart;
	}
	return 0;
}

static void keep_tree(uint32_t id, const void *tree, size_t size)
{
	FILE *file = fopen(path_of(id, "dtb"), "wb");

	fwrite(tree, 1, size, file);
	fclose(file);
}

static void keep_ram(uint32_t id, uint64_t size)
{
	int fd = open(path_of(id, "ram"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)size))
		abort();
	close(fd);
}

static int refuse_all(void)
{
	FILE *file = fopen(path_of(0, "refuse"), "r");

	if (!file)
		return 0;
	if (!fgets(words, sizeof(words), file))
		words[0] = '\0';
	fclose(file);
	return -EINVAL;
}

static int create(int fd, const void *tree, size_t size, uint32_t *id)
{
	struct shyper_vm_info info = { .state = SHYPER_VM_MADE, .blocks = 1 }, other;
	const fdt64_t *reg;
	const fdt32_t *vcpus = fdt_getprop(tree, 0, "vcpus", NULL);
	int err;

	info.vcpus = fdt32_to_cpu(*vcpus);
	snprintf(info.name, sizeof(info.name), "%s",
		 (const char *)fdt_getprop(tree, 0, "vm-name", NULL));
	reg = fdt_getprop(tree, fdt_subnode_offset(tree, 0, "memory"), "reg", NULL);
	info.ram = fdt64_ld(&reg[1]);
	err = refuse_all();
	if (!err)
		err = take_harts(tree, &info);
	if (err)
		return err;
	for (*id = 1; *id < SHYPER_VMS && !load(*id, &other); ++*id)
		;
	if (*id == SHYPER_VMS)
		return refuse(-ENOMEM, "there are 16 VMs already");
	keep_tree(*id, tree, size);
	keep_ram(*id, info.ram);
	save(*id, &info);
	return open_vm(fd, *id);
}

static int reason(int fd, char *buf, size_t size)
{
	(void)fd;
	return snprintf(buf, size, "%s", words);
}

/* Looking takes the news away, as on the real one. */
static int info(int vm, struct shyper_vm_info *out)
{
	char events[4096];

	while (read(vm, events, sizeof(events)) > 0)
		;
	return load((uint32_t)id_of[vm], out);
}

/* The guest of `system test`, which is known by its first instruction, runs at once. */
static void run(uint32_t id, uint64_t entry, struct shyper_vm_info *info)
{
	int fd = open(path_of(id, "ram"), O_RDWR | O_CLOEXEC);
	const uint64_t mark = 0x600df00d;
	off_t offset = (off_t)(entry - 0x80000000);
	uint32_t first = 0;

	info->state = SHYPER_VM_RUNNING;
	if (pread(fd, &first, sizeof(first), offset) == sizeof(first) && first == 0x00000297 &&
	    pwrite(fd, &mark, sizeof(mark), offset + 0x100) == sizeof(mark)) {
		info->state = SHYPER_VM_ENDED;
		info->reason = access(path_of(0, "sick"), F_OK) ? SHYPER_END_POWEROFF :
								 SHYPER_END_CRASH;
	}
	close(fd);
}

static int boot(int vm, const struct shyper_boot *request)
{
	uint32_t id = (uint32_t)id_of[vm];
	struct shyper_vm_info i;
	FILE *file;

	if (load(id, &i) || i.state == SHYPER_VM_RUNNING)
		return refuse(-EBUSY, "it runs");
	file = fopen(path_of(id, "boot"), "wb");
	fwrite(request, 1, sizeof(*request), file);
	fclose(file);
	run(id, request->entry, &i);
	i.boots++;
	i.booted_at = ticks();
	return save(id, &i);
}

static const char *path_of_disk(uint32_t id, uint32_t number)
{
	char suffix[16];

	snprintf(suffix, sizeof(suffix), "disk%u", number);
	return path_of(id, suffix);
}

/* ID.diskN has a line: flags, serial number, file. */
static bool is_image_of(uint32_t id, uint32_t number, const char *image)
{
	FILE *file = fopen(path_of_disk(id, number), "r");
	char line[1024] = "";
	bool is;

	if (!file)
		return false;
	is = fgets(line, sizeof(line), file) && strstr(line, image);
	fclose(file);
	return is;
}

static int keep_disk(uint32_t id, const struct shyper_disk *disk)
{
	char link[64], image[512] = "";
	FILE *file;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", disk->fd);
	if (readlink(link, image, sizeof(image) - 1) < 0)
		return -EBADF;
	for (uint32_t i = 0; i < SHYPER_VMS * SHYPER_DEVICES; i++) {
		if (is_image_of(i / SHYPER_DEVICES, i % SHYPER_DEVICES, image))
			return refuse(-EBUSY, "the image is a disk already");
	}
	file = fopen(path_of_disk(id, disk->device), "w");
	fprintf(file, "%u %.20s %s\n", disk->flags, disk->serial, image);
	fclose(file);
	return 0;
}

static int set_disk(int vm, const struct shyper_disk *disk)
{
	uint32_t id = (uint32_t)id_of[vm];
	struct shyper_vm_info i;
	bool there = !access(path_of_disk(id, disk->device), F_OK);

	if (!access(path_of(0, "old"), F_OK))
		return -ENOTTY;
	if (disk->device >= SHYPER_DEVICES || disk->reserved || disk->reserved2)
		return -EINVAL;
	if (load(id, &i) || i.state == SHYPER_VM_RUNNING)
		return refuse(-EBUSY, "it runs");
	if (disk->fd < 0)
		return unlink(path_of_disk(id, disk->device)) ? -ENOENT : 0;
	return there ? refuse(-EBUSY, "it has that disk") : keep_disk(id, disk);
}

static int console(uint32_t id)
{
	int fd = open(path_of(id, "console"), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int agent(uint32_t id)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (!access(path_of(id, "busy"), F_OK))
		return -EBUSY;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path_of(id, "agent"));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -ENOENT;
}

static int destroy(uint32_t id, const struct shyper_vm_info *i)
{
	static const char *const suffixes[] = { "vm", "ram", "dtb", "boot", "card0", "card1",
						"sched" };

	if (i->state == SHYPER_VM_RUNNING)
		return refuse(-EBUSY, "it runs");
	for (size_t n = 0; n < sizeof(suffixes) / sizeof(suffixes[0]); n++)
		unlink(path_of(id, suffixes[n]));
	for (uint32_t n = 0; n < SHYPER_DEVICES; n++)
		unlink(path_of_disk(id, n));
	return 0;
}

static int command(int vm, enum device_command number)
{
	uint32_t id = (uint32_t)id_of[vm];
	struct shyper_vm_info i;

	if (load(id, &i))
		return -ENODEV;
	switch (number) {
	case DEVICE_STOP:
		if (i.state != SHYPER_VM_RUNNING && i.state != SHYPER_VM_STOPPING)
			return refuse(-EBUSY, "it does not run");
		i.state = SHYPER_VM_ENDED;
		i.reason = SHYPER_END_STOP;
		i.paused = 0;
		return save(id, &i);
	case DEVICE_PAUSE:
	case DEVICE_RESUME:
		i.state = SHYPER_VM_RUNNING;	/* again, if it was between two lives */
		i.paused = number == DEVICE_PAUSE;
		return save(id, &i);
	case DEVICE_DESTROY:
		return destroy(id, &i);
	}
	return -EINVAL;
}

static int pin(int vm, const struct shyper_vm_pin *values)
{
	struct shyper_vm_info i;

	if (load((uint32_t)id_of[vm], &i))
		return -ENODEV;
	if (values->vcpu >= i.vcpus)
		return refuse(-EINVAL, "it has no such vCPU");
	if (values->hart > 3)
		return refuse(-ENOENT, "hart does not exist or did not start");
	i.hart[values->vcpu] = values->hart;
	return save((uint32_t)id_of[vm], &i);
}

static int memory(int vm, struct shyper_vm_memory *block)
{
	struct shyper_vm_info i;

	if (load((uint32_t)id_of[vm], &i) || block->index)
		return -ENOENT;
	block->guest = 0x80000000;
	block->size = i.ram;
	return 0;
}

static void *map(int vm, uint64_t offset, size_t size)
{
	int fd = open(path_of((uint32_t)id_of[vm], "ram"), O_RDWR | O_CLOEXEC);
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);

	close(fd);
	return at == MAP_FAILED ? NULL : at;
}

const struct device device = {
	.poll_events = POLLIN,
	.open = open_device,
	.system_info = system_info,
	.log_read = log_read,
	.net_info = net_info,
	.net_set = net_set,
	.sched_info = sched_info,
	.sched_set = sched_set,
	.schedule_info = schedule_info,
	.schedule_set = schedule_set,
	.schedule_switch = schedule_switch,
	.schedule_shift = schedule_shift,
	.schedule_read = schedule_read,
	.trace_open = trace_open,
	.trace_read = trace_read,
	.create = create,
	.open_vm = open_vm,
	.reason = reason,
	.info = info,
	.boot = boot,
	.command = command,
	.pin = pin,
	.memory = memory,
	.set_disk = set_disk,
	.map = map,
	.console = console,
	.agent = agent,
};
