/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network cards and their switch under races. Each hart is a thread and runs a vCPU of a VM that
 * sends, receives, resets its card and changes its address; one of them ends by itself. Meanwhile
 * the main thread does what hypercalls do, one at a time: VMs go and come back on other switches,
 * with other features, as the monitor; one fails to come when its card has been on the switch
 * already; cables are taken out, ports are mirrored, time leaps. A card is freed for good, once
 * every hart has passed its loop.
 *
 * Each frame that arrives is right to the last byte, and of each card all frames are accounted for.
 * That nobody looks at what was freed is for ASan to tell, that nothing is read and written at once
 * for TSan: the test is built with each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hv/errno.h>
#include <hv/timer.h>
#include <hv/virtio_net.h>

#include "../fuzz/board.h"

#define ROUNDS 240
#define VMS 4U
#define HARTS (VMS + 1)		/* VM 0 has two */
#define HZ 10000000u

#define BRIDGE 0U		/* sends from addresses behind it, too */
#define LOCKED 1U
#define SLOW 2U			/* has a rate, a cable that goes, and changes its address */
#define RESTLESS 3U		/* ends by itself, and comes back elsewhere */
#define SPARE VMS		/* of a card that never has a driver */
#define MAC(n) (0x020000000000ull + (n))
#define ELSEWHERE(n) (0x020100000000ull + (n))

/* A VM's memory. */
#define RAM_BASE 0x80000000ull
#define RAM_SIZE 0x10000u
#define NUM 16u			/* entries of each queue */
#define RING(n) (0x400u * (n))	/* descriptors, 0x100 behind the driver's ring, then the device's */
#define BUFFER(i) (0x4000u + 0x800u * (i))
#define OUT(i) (0xc000u + 0x800u * (i))
#define ORDER 0xf000u

#define HEADER 12u
#define MALFORMED_SIZE 13u
#define MARK 14u		/* sender, is its checksum partial, number; then a pattern */
#define PATTERN 20u
#define SUM_AT 50u

#define F_CSUM BIT(0)
#define F_GUEST_CSUM BIT(1)
#define F_MRG_RXBUF BIT(15)
#define F_CTRL (BIT(17) | BIT(23))

struct card {
	struct virtio_net net;
	u64 delivered;		/* atomic: frames that senders brought */
};

static struct vm {
	/* By the main thread, while the VM does not run. */
	u32 n;
	struct gmap gmap;
	struct gmap_block ram;
	struct card *card;
	bool fresh;		/* its driver has not begun */

	u32 running;		/* atomic; of RESTLESS both write it */

	/* Its first vCPU, or the main thread while the VM does not run. */
	u32 seed;
	u32 number;		/* of the last frame */
	u32 buffer_size;
	u64 features;		/* agreed on with this card, or the one before */
	u16 offered[VIRTIO_NET_QUEUES];
	u16 taken[VIRTIO_NET_QUEUES];
	/* Of this card. */
	u64 sent, malformed, foreign, received, bytes;
} vms[VMS];

static struct hart {
	struct vm *vm;
	bool second;		/* vCPU of the VM */
	u64 passed;		/* atomic: rounds */
} harts[HARTS];

static u64 now = 1000000000;	/* atomic */
static u32 finished;		/* atomic */
static u64 received, drops[VSWITCH_DROPS];

u64 arch_time(void)
{
	return __atomic_load_n(&now, __ATOMIC_RELAXED);
}

u64 arch_timebase(void)
{
	return HZ;
}

static u32 random_of(struct vm *vm, u32 below)
{
	vm->seed = vm->seed * 1664525u + 1013904223u;
	return (vm->seed >> 8) % below;
}

/* ---- The driver ---- */

static u8 *at(const struct vm *vm, u32 offset)
{
	return &board_ram[vm->n * RAM_SIZE + offset];
}

static u16 *half(const struct vm *vm, u32 offset)
{
	return (u16 *)(void *)at(vm, offset);
}

static u16 used_index(const struct vm *vm, u32 n)
{
	return __atomic_load_n(half(vm, RING(n) + 0x202), __ATOMIC_ACQUIRE);
}

/* A register: the device may want the vCPU to come again. */
static void put(struct vm *vm, u64 offset, u32 value)
{
	while (!driver_access(&vm->card->net.dev, offset, 4, true, value, 1))
		sched_yield();
}

static void desc(struct vm *vm, u32 n, u32 i, u32 offset, u32 len, u32 flags)
{
	u64 *words = (u64 *)(void *)at(vm, RING(n) + 16 * i);

	__atomic_store_n(&words[0], RAM_BASE + offset, __ATOMIC_RELAXED);
	__atomic_store_n(&words[1], len | (u64)flags << 32 | (u64)(i + 1) << 48, __ATOMIC_RELAXED);
}

static void offer(struct vm *vm, u32 n, u32 head)
{
	u16 *ring = half(vm, RING(n) + 0x104);

	__atomic_store_n(&ring[vm->offered[n]++ % NUM], (u16)head, __ATOMIC_RELAXED);
	__atomic_store_n(half(vm, RING(n) + 0x102), vm->offered[n], __ATOMIC_RELEASE);
}

static u32 take_used(struct vm *vm, u32 n, u32 *len)
{
	u32 *entry = (u32 *)(void *)at(vm, RING(n) + 0x204 + 8 * (vm->taken[n]++ % NUM));

	*len = __atomic_load_n(&entry[1], __ATOMIC_RELAXED);
	return __atomic_load_n(&entry[0], __ATOMIC_RELAXED);
}

static void give(struct vm *vm, u32 i)
{
	desc(vm, VIRTIO_NET_RX, i, BUFFER(i), vm->buffer_size, 2);
	offer(vm, VIRTIO_NET_RX, i);
}

/* ---- Frames ---- */

static u32 size_of(u32 number)
{
	return 60 + number * 37 % 1455;
}

static void check_pattern(const u8 *frame, u32 size, bool summed)
{
	u32 number;

	memcpy(&number, frame + MARK + 2, sizeof(number));
	must(size == size_of(number));
	for (u32 i = PATTERN; i < size; i++)
		must(frame[i] == (u8)(number + i) || (summed && (i == SUM_AT || i == SUM_AT + 1)));
}

static void check_frame(const struct vm *vm, const u8 *got, u32 size)
{
	struct net_offload o;
	const u8 *frame = got + HEADER;

	memcpy(&o, got, HEADER);
	must(size > HEADER + MARK && frame[12] == 0x08 && frame[13] == 0x00);
	must(frame[MARK] < VMS && frame[MARK + 1] <= 1 && !o.gso_type);
	must(o.flags == 0 || (frame[MARK + 1] && (vm->features & F_GUEST_CSUM)));
	check_pattern(frame, size - HEADER, frame[MARK + 1] && !o.flags);
}

/* Of one frame, which may lie in several buffers; they are given back. */
static u32 receive(struct vm *vm, u8 *got)
{
	u32 size = 0, count = 1, len, head;

	for (u32 i = 0; i < count; i++) {
		must(used_index(vm, VIRTIO_NET_RX) != vm->taken[VIRTIO_NET_RX]);
		head = take_used(vm, VIRTIO_NET_RX, &len);
		must(head < NUM && len && len <= vm->buffer_size);
		memcpy(got + size, at(vm, BUFFER(head)), len);
		size += len;
		count = i ? count : got[10];
		give(vm, head);
	}
	return size;
}

static void receive_all(struct vm *vm)
{
	static __thread u8 got[0x1000];

	while (used_index(vm, VIRTIO_NET_RX) != vm->taken[VIRTIO_NET_RX]) {
		u32 size = receive(vm, got);

		check_frame(vm, got, size);
		vm->received++;
		vm->bytes += size - HEADER;
	}
	/* With EVENT_IDX: tell me of the next one. */
	__atomic_store_n(half(vm, RING(VIRTIO_NET_RX) + 0x104 + 2 * NUM),
			 vm->taken[VIRTIO_NET_RX], __ATOMIC_RELAXED);
}

static void compose(struct vm *vm, u32 slot, u64 to, u64 from, u32 size)
{
	u8 *frame = at(vm, OUT(slot)) + HEADER;
	bool summed = (vm->features & F_CSUM) && (vm->number & 1);
	struct net_offload o = { .flags = summed, .csum_start = 34, .csum_offset = SUM_AT - 34 };

	memcpy(at(vm, OUT(slot)), &o, HEADER);
	mac_store(frame, to);
	mac_store(frame + 6, from);
	memcpy(frame + 12, (u8[]){ 0x08, 0x00, (u8)vm->n, summed }, 4);
	memcpy(frame + MARK + 2, &vm->number, sizeof(vm->number));
	for (u32 i = PATTERN; i < size; i++)
		frame[i] = (u8)(vm->number + i);
}

static void queue_frame(struct vm *vm, u32 slot, u32 size)
{
	u32 cut = vm->number % 4 ? 0 : 40;

	if (cut && cut < HEADER + size) {
		desc(vm, VIRTIO_NET_TX, 2 * slot, OUT(slot), cut, 1);
		desc(vm, VIRTIO_NET_TX, 2 * slot + 1, OUT(slot) + cut, HEADER + size - cut, 0);
	} else {
		desc(vm, VIRTIO_NET_TX, 2 * slot, OUT(slot), HEADER + size, 0);
	}
	offer(vm, VIRTIO_NET_TX, 2 * slot);
	vm->sent++;
}

/* Whatever comes of them, their memory is the driver's again. */
static void notify(struct vm *vm)
{
	u32 len;

	put(vm, NOTIFY, VIRTIO_NET_TX);
	while (vm->taken[VIRTIO_NET_TX] != vm->offered[VIRTIO_NET_TX]) {
		must(used_index(vm, VIRTIO_NET_TX) != vm->taken[VIRTIO_NET_TX]);
		take_used(vm, VIRTIO_NET_TX, &len);
	}
}

static u64 anybody(struct vm *vm)
{
	u32 n = random_of(vm, 12);

	return n <= SPARE ? MAC(n) : n < 8 ? ELSEWHERE(random_of(vm, 8)) :
	       n == 8 ? MAC_BROADCAST : MAC(vm->n ^ 1);
}

static void send(struct vm *vm)
{
	u32 count = 1 + random_of(vm, 4);

	for (u32 slot = 0; slot < count; slot++) {
		vm->number++;
		compose(vm, slot, anybody(vm), vswitch_mac(&vm->card->net.port),
			size_of(vm->number));
		queue_frame(vm, slot, size_of(vm->number));
	}
	notify(vm);
}

/* From behind it; or it only says so. */
static void send_foreign(struct vm *vm)
{
	vm->number++;
	compose(vm, 0, anybody(vm), ELSEWHERE(random_of(vm, 8)), size_of(vm->number));
	queue_frame(vm, 0, size_of(vm->number));
	vm->foreign++;
	notify(vm);
}

static void send_malformed(struct vm *vm)
{
	vm->number++;
	compose(vm, 0, anybody(vm), MAC(vm->n), MALFORMED_SIZE);
	queue_frame(vm, 0, MALFORMED_SIZE);
	vm->malformed++;
	notify(vm);
}

static void change_address(struct vm *vm)
{
	u8 order[9] = { 1, 1 };

	mac_store(order + 2, MAC(random_of(vm, 12)));
	memcpy(at(vm, ORDER), order, sizeof(order));
	desc(vm, VIRTIO_NET_CONTROL, 0, ORDER, 8, 1);
	desc(vm, VIRTIO_NET_CONTROL, 1, ORDER + 8, 1, 2);
	offer(vm, VIRTIO_NET_CONTROL, 0);
	put(vm, NOTIFY, VIRTIO_NET_CONTROL);
	must(*at(vm, ORDER + 8) <= 1);
}

/* What the last driver was given is looked at, then the card is begun anew. */
static void start(struct vm *vm)
{
	u64 features = F_CTRL | VIRTIO_F_VERSION_1;

	put(vm, STATUS, 0);
	receive_all(vm);
	features |= random_of(vm, 2) ? F_CSUM : 0;
	features |= random_of(vm, 2) ? F_GUEST_CSUM : 0;
	features |= random_of(vm, 2) ? F_MRG_RXBUF : 0;
	features |= random_of(vm, 2) ? VIRTIO_F_EVENT_IDX : 0;
	vm->buffer_size = features & F_MRG_RXBUF ? 512 : 2048;
	vm->features = features;
	put(vm, STATUS, 3);
	for (u32 i = 0; i < 2; i++) {
		put(vm, 0x24, i);
		put(vm, 0x20, (u32)(features >> 32 * i));
	}
	put(vm, STATUS, 0xb);
	memset(at(vm, 0), 0, RING(VIRTIO_NET_QUEUES));
	for (u32 n = 0; n < VIRTIO_NET_QUEUES; n++) {
		vm->offered[n] = vm->taken[n] = 0;
		put(vm, 0x30, n);
		put(vm, 0x38, NUM);
		for (u32 i = 0; i < 3; i++)
			put(vm, 0x80 + 0x10 * i, (u32)RAM_BASE + RING(n) + 0x100 * i);
		put(vm, 0x44, 1);
	}
	put(vm, STATUS, 0xf);
	for (u32 i = 0; i < NUM; i++)
		give(vm, i);
}

/* ---- Harts ---- */

/* A VM of the boot image ends without a hypercall. */
static void end_by_itself(struct vm *vm)
{
	vswitch_leave(&vm->card->net.port);
	virtio_net_reset(&vm->card->net);
	__atomic_store_n(&vm->running, 0, __ATOMIC_SEQ_CST);
}

static void work(struct vm *vm)
{
	if (vm->fresh)
		start(vm);
	vm->fresh = false;
	receive_all(vm);
	switch (random_of(vm, 32)) {
	case 0:
		start(vm);
		break;
	case 1:
		if (vm->n == SLOW)
			change_address(vm);
		break;
	case 2:
		send_malformed(vm);
		break;
	case 3:
	case 4:
		send_foreign(vm);
		break;
	case 5:
		put(vm, 0x64, 3);
		break;
	case 6:
		if (vm->n == RESTLESS && !random_of(vm, 32))
			end_by_itself(vm);
		break;
	default:
		send(vm);
	}
}

/* It notifies for the first one, whatever that does, and takes its interrupts. */
static void help(struct vm *vm)
{
	put(vm, NOTIFY, VIRTIO_NET_TX);
	put(vm, 0x64, 1);
}

static void *run(void *arg)
{
	struct hart *hart = arg;

	while (!__atomic_load_n(&finished, __ATOMIC_SEQ_CST)) {
		__atomic_fetch_add(&hart->passed, 1, __ATOMIC_SEQ_CST);
		if (!__atomic_load_n(&hart->vm->running, __ATOMIC_SEQ_CST))
			sched_yield();
		else if (hart->second)
			help(hart->vm);
		else
			work(hart->vm);
	}
	return NULL;
}

/* Every hart has passed its loop. */
static void sync_harts(void)
{
	u64 before[HARTS];

	for (u32 i = 0; i < HARTS; i++)
		before[i] = __atomic_load_n(&harts[i].passed, __ATOMIC_SEQ_CST);
	for (u32 i = 0; i < HARTS; i++)
		while (__atomic_load_n(&harts[i].passed, __ATOMIC_SEQ_CST) == before[i])
			sched_yield();
}

/* ---- Cards ---- */

static void deliver(struct vswitch_port *port, const struct net_frame *frame);
static void flush(struct vswitch_port *port);
static const struct vswitch_ops counting = { .deliver = deliver, .flush = flush };
static const struct vswitch_ops *real;	/* the device's */

/* Who has found the port may be slow to use it. */
static void deliver(struct vswitch_port *port, const struct net_frame *frame)
{
	struct card *card = container_of(port, struct card, net.port);

	if (__atomic_fetch_add(&card->delivered, 1, __ATOMIC_RELAXED) % 4 == 0)
		sched_yield();
	real->deliver(port, frame);
}

static void flush(struct vswitch_port *port)
{
	real->flush(port);
}

static void set_line(void *chip, u32 source, bool level)
{
	(void)chip;
	(void)source;
	(void)level;
}

static const struct irqchip_ops chip = { .name = "nobody", .set_line = set_line };

static struct card *make_card(struct vm *vm, u64 mac, bool monitor)
{
	const struct virtio_net_params params = {
		.owner = "vm", .gmap = &vm->gmap, .irq = { .ops = &chip, .source = 1 },
		.mac = mac, .mtu = 1500, .rate = vm->n == SLOW ? 50000 : 0,
		.locked = vm->n == LOCKED, .monitor = monitor,
	};
	struct card *card = aligned_alloc(4096, ALIGN_UP(sizeof(*card), 4096ul));

	must(card);
	virtio_net_init(&card->net, &params);
	card->delivered = 0;
	if (!real)
		real = card->net.port.ops;
	card->net.port.ops = &counting;
	return card;
}

/* machine_net_stop(), and the rest of machine_net_exit(). */
static void retire_card(struct card *card)
{
	vswitch_leave(&card->net.port);
	virtio_net_reset(&card->net);
	sync_harts();
}

/* What was brought to the card was delivered or is counted as lost; but for `own` at most. */
static void check_card(const struct card *card, u64 own)
{
	const struct vswitch_counters *c = &card->net.port.counters;
	u64 told = c->rx_frames + c->drops[VSWITCH_NO_BUFFER] + c->drops[VSWITCH_UNFIT] +
		   c->drops[VSWITCH_DOWN];

	must(told >= card->delivered && told <= card->delivered + own);
	must(c->copied >= c->rx_bytes + HEADER * c->rx_frames);
	for (u32 i = 0; i < VSWITCH_DROPS; i++)
		drops[i] += c->drops[i];
}

/* Only cables of SLOW and RESTLESS go: what those send then is down, too. */
static void check_vm(const struct vm *vm)
{
	const struct vswitch_counters *c = &vm->card->net.port.counters;

	must(c->tx_frames == vm->sent && c->drops[VSWITCH_MALFORMED] == vm->malformed);
	must(c->rx_frames == vm->received && c->rx_bytes == vm->bytes);
	must(vm->n != LOCKED || c->drops[VSWITCH_SPOOFED] == vm->foreign);
	must(vm->n != BRIDGE || !c->drops[VSWITCH_SPOOFED]);
	check_card(vm->card, vm->n == SLOW || vm->n == RESTLESS ? vm->sent : 0);
	received += vm->received;
}

/* ---- What the main thread does ---- */

static void begin(struct vm *vm, u32 where)
{
	bool monitor = vm->n == RESTLESS && where % 3 == 1;

	vm->card = make_card(vm, MAC(vm->n), monitor);
	must(!vswitch_join(&vm->card->net.port, where % 7 == 6 ? "dmz" : "lan",
			   vm->n == RESTLESS && where % 3 == 2 ? 7 : 0));
	vswitch_set_mirrored(&vm->card->net.port, where % 2);
	vm->sent = vm->malformed = vm->foreign = vm->received = vm->bytes = 0;
	memset(vm->offered, 0, sizeof(vm->offered));
	memset(vm->taken, 0, sizeof(vm->taken));
	memset(at(vm, 0), 0, RING(VIRTIO_NET_QUEUES));
	vm->fresh = true;
	__atomic_store_n(&vm->running, 1, __ATOMIC_SEQ_CST);
}

static void end(struct vm *vm)
{
	__atomic_store_n(&vm->running, 0, __ATOMIC_SEQ_CST);
	sync_harts();
	retire_card(vm->card);
	receive_all(vm);
	check_vm(vm);
	free(vm->card);
	vm->card = NULL;
}

/* Its first card is on the switch when the VM is given up for something else. */
static void fail_to_come(void)
{
	struct card *card = make_card(&vms[BRIDGE], MAC(SPARE), false);

	must(!vswitch_join(&card->net.port, "lan", 0));
	sync_harts();
	retire_card(card);
	check_card(card, 0);
	free(card);
}

static void be_refused(void)
{
	struct card *card = make_card(&vms[LOCKED], vms[LOCKED].card->net.mac, false);

	(void)!vswitch_join(&card->net.port, "lan", 0);
	retire_card(card);
	check_card(card, 0);
	free(card);
}

static void cable(struct vm *vm, u32 round)
{
	virtio_net_set_link(&vm->card->net, false);
	vswitch_set_mirrored(&vms[round % VMS].card->net.port, round & 4);
	sync_harts();
	virtio_net_set_link(&vm->card->net, true);
}

static void manage(u32 round)
{
	u64 leap = round % 64 ? HZ / 50 : 301ull * HZ;

	__atomic_fetch_add(&now, leap, __ATOMIC_RELAXED);
	switch (round % 8) {
	case 0:
		fail_to_come();
		break;
	case 1:
		be_refused();
		break;
	case 2:
	case 3:
		cable(&vms[round % 8], round);
		break;
	default:
		end(&vms[round % VMS]);
		begin(&vms[round % VMS], round / VMS);
	}
}

static void make_vm(u32 n)
{
	struct vm *vm = &vms[n];

	*vm = (struct vm){ .n = n, .seed = n + 1 };
	vm->ram = (struct gmap_block){ RAM_BASE, BOARD_BASE + (u64)n * RAM_SIZE, RAM_SIZE,
				       GMAP_RAM };
	vm->gmap = (struct gmap){ .count = 1, .block = &vm->ram };
	harts[n].vm = vm;
	begin(vm, 0);
}

static void test_threads(void **state)
{
	pthread_t threads[HARTS];

	(void)state;
	alarm(280);
	for (u32 n = 0; n < VMS; n++)
		make_vm(n);
	harts[VMS] = (struct hart){ .vm = &vms[BRIDGE], .second = true };
	for (u32 i = 0; i < HARTS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, &harts[i]), 0);
	for (u32 round = 0; round < ROUNDS; round++)
		manage(round);
	for (u32 n = 0; n < VMS; n++)
		end(&vms[n]);
	__atomic_store_n(&finished, 1, __ATOMIC_SEQ_CST);
	for (u32 i = 0; i < HARTS; i++)
		pthread_join(threads[i], NULL);
	alarm(0);
	/* All of it has happened. */
	assert_true(received > ROUNDS);
	for (u32 i = 0; i < VSWITCH_UNFIT; i++)
		assert_true(drops[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
