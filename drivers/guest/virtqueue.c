/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Split virtqueues. The driver runs on other harts meanwhile and may change anything at any time,
 * so every word of its is loaded once, by an access that the compiler cannot repeat: an atomic
 * load, or a copy made by gmap.c.
 */
#include <hv/gmap.h>
#include <hv/pa.h>
#include <hv/string.h>
#include <hv/virtio.h>
#include <hv/virtqueue.h>

/* Descriptors: section 2.7.5. */
#define DESC_SIZE 16U
#define DESC_NEXT 0x1U
#define DESC_WRITE 0x2U
#define DESC_INDIRECT 0x4U

struct desc {
	u64 gpa;
	u32 len;
	u16 flags;
	u16 next;
};

/* The driver's ("available") ring: flags, index, heads, used_event. Section 2.7.6. */
#define AVAIL_NO_INTERRUPT 0x1U
#define AVAIL_FLAGS 0U
#define AVAIL_INDEX 2U
#define AVAIL_RING 4U

/* The device's ("used") ring: flags, index, {head, length}, avail_event. Section 2.7.8. */
#define USED_NO_NOTIFY 0x1U
#define USED_FLAGS 0U
#define USED_INDEX 2U
#define USED_RING 4U

/* ---- The rings in the guest's memory ---- */

/*
 * One aligned word of a ring; it lies in one page, hence in one piece. The transport has found the
 * rings in RAM, and a map does not change while its VM lives.
 */
static void *word(const struct virtqueue *queue, u8 *ram, u64 gpa, u32 offset, u32 size)
{
	return likely(ram) ? ram + offset : gmap_ram_ptr(queue->gmap, GPA(gpa + offset), size);
}

static u16 *driver_word(const struct virtqueue *queue, u32 offset)
{
	return word(queue, queue->driver_ram, queue->driver, offset, 2);
}

static u16 *device_word(const struct virtqueue *queue, u32 offset)
{
	return word(queue, queue->device_ram, queue->device, offset, 2);
}

static u32 *device_word32(const struct virtqueue *queue, u32 offset)
{
	return word(queue, queue->device_ram, queue->device, offset, 4);
}

/* Acquire: what the driver wrote before it advanced the index is loaded after the index. */
static u16 avail_index(const struct virtqueue *queue)
{
	return __atomic_load_n(driver_word(queue, AVAIL_INDEX), __ATOMIC_ACQUIRE);
}

static struct desc unpack(u64 gpa, u64 rest)
{
	return (struct desc){ .gpa = gpa, .len = (u32)rest, .flags = (u16)(rest >> 32),
			      .next = (u16)(rest >> 48) };
}

/* An entry of the queue's own table, which is aligned. */
static struct desc load_desc(const struct virtqueue *queue, u32 index)
{
	u64 *at = word(queue, queue->desc_ram, queue->desc, index * DESC_SIZE, DESC_SIZE);

	return unpack(__atomic_load_n(&at[0], __ATOMIC_RELAXED),
		      __atomic_load_n(&at[1], __ATOMIC_RELAXED));
}

/* ---- Buffers ---- */

/* Where Shyper sees a buffer; NULL: not in one piece, or not RAM. The next is likely beside it. */
static u8 *find_ram(struct virtqueue *queue, u64 gpa, u64 len)
{
	const struct gmap_block *block;
	u64 offset = gpa - queue->ram_gpa;

	if (likely(offset < queue->ram_size && len <= queue->ram_size - offset))
		return queue->ram + offset;
	block = gmap_find(queue->gmap, GPA(gpa));
	if (block && block->kind == GMAP_RAM) {
		queue->ram_gpa = block->gpa;
		queue->ram_size = block->size;
		queue->ram = pa_ptr(HPA(block->hpa));
	}
	return gmap_ram_ptr(queue->gmap, GPA(gpa), len);
}

/* ---- Setting up ---- */

void virtqueue_init(struct virtqueue *queue, const struct gmap *gmap,
		    const struct virtio_queue_info *info, u64 features)
{
	u64 num = info->num;

	*queue = (struct virtqueue){
		.gmap = gmap,
		.num = info->num,
		.desc = info->desc,
		.driver = info->driver,
		.device = info->device,
		.desc_ram = gmap_ram_ptr(gmap, GPA(info->desc), DESC_SIZE * num),
		.driver_ram = gmap_ram_ptr(gmap, GPA(info->driver), 6 + 2 * num),
		.device_ram = gmap_ram_ptr(gmap, GPA(info->device), 6 + 8 * num),
		.event_idx = features & VIRTIO_F_EVENT_IDX,
		.indirect = features & VIRTIO_F_INDIRECT_DESC,
	};
	queue->usual = queue->desc_ram && queue->driver_ram && queue->device_ram;
}

void virtqueue_exit(struct virtqueue *queue)
{
	queue->num = 0;
	queue->usual = false;
}

/* With EVENT_IDX the event stays where it is: the driver passes it once in 2^16 buffers. */
void virtqueue_quiet(struct virtqueue *queue)
{
	queue->quiet = true;
	if (queue->num && !queue->event_idx)
		__atomic_store_n(device_word(queue, USED_FLAGS), USED_NO_NOTIFY, __ATOMIC_RELAXED);
}

/* ---- Taking chains ---- */

static enum virtqueue_result refuse(struct virtqueue *queue, const char *why)
{
	queue->broken = why;
	return VIRTQUEUE_BROKEN;
}

/* Where a walk along a chain is: in the queue's table, or in an indirect one. */
struct walk {
	bool indirect;
	u64 table;	/* guest physical, of the indirect one */
	u32 count;	/* entries of the table */
	u32 index;
};

static bool walk_load(const struct virtqueue *queue, const struct walk *walk, struct desc *desc)
{
	u64 raw[2];

	if (!walk->indirect) {
		*desc = load_desc(queue, walk->index);
		return true;
	}
	if (gmap_read(queue->gmap, GPA(walk->table + walk->index * DESC_SIZE), raw, DESC_SIZE))
		return false;
	*desc = unpack(raw[0], raw[1]);
	return true;
}

/* Section 2.7.5.3: one level, last in its chain, and negotiated. NULL: fine, the walk is in it. */
static const char *enter_table(const struct virtqueue *queue, const struct desc *desc,
			       struct walk *walk)
{
	if (!queue->indirect)
		return "an indirect table was not agreed on";
	if (walk->indirect || (desc->flags & DESC_NEXT))
		return "an indirect table in a wrong place";
	if (!desc->len || desc->len % DESC_SIZE ||
	    !gmap_is_ram(queue->gmap, GPA(desc->gpa), desc->len))
		return "an indirect table is malformed";
	*walk = (struct walk){ .indirect = true, .table = desc->gpa,
			       .count = desc->len / DESC_SIZE };
	return NULL;
}

static const char *add_segment(struct virtqueue *queue, struct virtqueue_chain *chain,
			       const struct desc *desc)
{
	u8 *ram;

	if (chain->segments == queue->num || chain->segments == chain->room)
		return "a chain is longer than the queue, or a loop";
	if (!desc->len)
		return "a buffer is empty";
	ram = find_ram(queue, desc->gpa, desc->len);
	if (!ram && !gmap_is_ram(queue->gmap, GPA(desc->gpa), desc->len))
		return "a buffer is not in memory";
	if (desc->flags & DESC_WRITE)
		chain->writable += desc->len;
	else if (chain->writable)
		return "a readable buffer behind a writable one";
	else
		chain->readable += desc->len;
	chain->segment[chain->segments++] = (struct virtqueue_segment){ ram, desc->gpa,
								       desc->len };
	chain->readable_segments += !(desc->flags & DESC_WRITE);
	return NULL;
}

/* Every round but one adds a segment, so there are at most two more than entries. */
static const char *walk_chain(struct virtqueue *queue, struct virtqueue_chain *chain)
{
	struct walk walk = { .count = queue->num, .index = chain->head };
	const char *why = NULL;
	struct desc desc;

	while (!why) {
		if (walk.index >= walk.count)
			return "a descriptor that does not exist";
		if (!walk_load(queue, &walk, &desc))
			return "an indirect table is not in memory";
		if (desc.flags & DESC_INDIRECT) {
			why = enter_table(queue, &desc, &walk);
			continue;
		}
		why = add_segment(queue, chain, &desc);
		if (!(desc.flags & DESC_NEXT))
			break;
		walk.index = desc.next;
	}
	return why;
}

/* The index runs freely; it can be ahead of us by as many chains as there are entries. */
static enum virtqueue_result available(struct virtqueue *queue)
{
	u16 ahead = (u16)(avail_index(queue) - queue->next_avail);

	if (!ahead && !queue->quiet) {
		virtqueue_arm(queue);
		/* What came before the driver could see that is taken now. */
		ahead = (u16)(avail_index(queue) - queue->next_avail);
	}
	if (ahead > queue->num)
		return refuse(queue, "the available index leaps");
	return ahead ? VIRTQUEUE_CHAIN : VIRTQUEUE_EMPTY;
}

static __noinline enum virtqueue_result pop_any(struct virtqueue *queue,
						struct virtqueue_chain *chain)
{
	enum virtqueue_result result;
	const char *why;
	u32 slot;

	if (!queue->num)
		return VIRTQUEUE_EMPTY;
	if (queue->broken)
		return VIRTQUEUE_BROKEN;
	result = available(queue);
	if (result != VIRTQUEUE_CHAIN)
		return result;
	slot = AVAIL_RING + 2 * (queue->next_avail & (queue->num - 1));
	chain->head = __atomic_load_n(driver_word(queue, slot), __ATOMIC_RELAXED);
	chain->segments = chain->readable_segments = 0;
	chain->readable = chain->writable = 0;
	why = walk_chain(queue, chain);
	if (why)
		return refuse(queue, why);
	queue->next_avail++;
	return VIRTQUEUE_CHAIN;
}

/*
 * The usual chain: one descriptor, its buffer in the block of RAM where the last one was. For all
 * others, pop_any() begins anew and believes nothing that was read here.
 */
enum virtqueue_result virtqueue_pop(struct virtqueue *queue, struct virtqueue_chain *chain)
{
	u32 mask = queue->num - 1, head, len, write;
	const u64 *entry;
	const u16 *ring;
	u64 gpa, rest, offset;

	if (unlikely(!queue->usual || queue->broken))
		return pop_any(queue, chain);
	ring = (const u16 *)(const void *)queue->driver_ram;
	if ((u16)(__atomic_load_n(&ring[1], __ATOMIC_ACQUIRE) - queue->next_avail) - 1U > mask)
		return pop_any(queue, chain);
	head = __atomic_load_n(&ring[2 + (queue->next_avail & mask)], __ATOMIC_RELAXED);
	if (unlikely(head > mask))
		return pop_any(queue, chain);
	entry = (const u64 *)(const void *)queue->desc_ram + 2 * head;
	gpa = __atomic_load_n(&entry[0], __ATOMIC_RELAXED);
	rest = __atomic_load_n(&entry[1], __ATOMIC_RELAXED);
	len = (u32)rest;
	offset = gpa - queue->ram_gpa;
	if (unlikely((rest >> 32 & (DESC_NEXT | DESC_INDIRECT)) || !len ||
		     offset >= queue->ram_size || len > queue->ram_size - offset))
		return pop_any(queue, chain);
	write = rest >> 32 & DESC_WRITE;
	chain->head = head;
	chain->segments = 1;
	chain->readable_segments = !write;
	chain->readable = write ? 0 : len;
	chain->writable = write ? len : 0;
	chain->segment[0] = (struct virtqueue_segment){ queue->ram + offset, gpa, len };
	queue->next_avail++;
	return VIRTQUEUE_CHAIN;
}

/* ---- Data ---- */

u64 virtqueue_take(struct virtqueue_cursor *cursor, void *buf, u64 size)
{
	u64 done = 0, n;

	for (const u8 *at; done < size; done += n) {
		at = virtqueue_step(cursor, size - done, &n);
		if (!at)
			break;
		memcpy((u8 *)buf + done, at, n);
	}
	return done;
}

u64 virtqueue_read(const struct virtqueue *queue, const struct virtqueue_chain *chain, u64 offset,
		   void *buf, u64 size)
{
	struct virtqueue_cursor cursor = virtqueue_start(queue, chain, false, offset);

	return virtqueue_take(&cursor, buf, size);
}

u64 virtqueue_write(const struct virtqueue *queue, const struct virtqueue_chain *chain, u64 offset,
		    const void *buf, u64 size)
{
	struct virtqueue_cursor cursor = virtqueue_start(queue, chain, true, offset);
	u64 done = 0, n;

	for (u8 *at; done < size; done += n) {
		at = virtqueue_step(&cursor, size - done, &n);
		if (!at)
			break;
		memcpy(at, (const u8 *)buf + done, n);
	}
	return done;
}

/* ---- Giving chains back ---- */

void virtqueue_stage(struct virtqueue *queue, u32 head, u32 written)
{
	u32 entry;

	if (!queue->num)
		return;
	entry = USED_RING + 8 * (queue->next_used & (queue->num - 1));
	__atomic_store_n(device_word32(queue, entry), head, __ATOMIC_RELAXED);
	__atomic_store_n(device_word32(queue, entry + 4), written, __ATOMIC_RELAXED);
	queue->next_used++;
}

/* Release: the entries, and the data before them, are there before the index says so. */
void virtqueue_publish(struct virtqueue *queue)
{
	if (queue->num)
		__atomic_store_n(device_word(queue, USED_INDEX), queue->next_used,
				 __ATOMIC_RELEASE);
}

static __noinline void push_any(struct virtqueue *queue, u32 head, u32 written)
{
	virtqueue_stage(queue, head, written);
	virtqueue_publish(queue);
}

void virtqueue_push(struct virtqueue *queue, u32 head, u32 written)
{
	if (likely(queue->usual)) {
		u32 *entry = (u32 *)(void *)(queue->device_ram + USED_RING) +
			     2 * (queue->next_used++ & (queue->num - 1));

		__atomic_store_n(&entry[0], head, __ATOMIC_RELAXED);
		__atomic_store_n(&entry[1], written, __ATOMIC_RELAXED);
		__atomic_store_n((u16 *)(void *)(queue->device_ram + USED_INDEX), queue->next_used,
				 __ATOMIC_RELEASE);
		return;
	}
	push_any(queue, head, written);
}

/* What was staged lies behind the index, where the driver does not look. */
void virtqueue_rewind(struct virtqueue *queue, u32 popped, u32 staged)
{
	queue->next_avail = (u16)(queue->next_avail - popped);
	queue->next_used = (u16)(queue->next_used - staged);
}

bool virtqueue_interrupt_due(struct virtqueue *queue)
{
	u16 before = queue->told, now = queue->next_used, event;

	if (!queue->num || before == now)
		return false;
	queue->told = now;
	/*
	 * The index is out before we look whether the driver wants to know: a driver writes its
	 * wish, then looks at the index again. One of the two sees the other. Section 2.7.7.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!queue->event_idx)
		return !(__atomic_load_n(driver_word(queue, AVAIL_FLAGS), __ATOMIC_RELAXED) &
			 AVAIL_NO_INTERRUPT);
	event = __atomic_load_n(driver_word(queue, AVAIL_RING + 2 * queue->num), __ATOMIC_RELAXED);
	return (u16)(now - event - 1) < (u16)(now - before);
}

/* Without EVENT_IDX the driver always notifies: we never set VIRTQ_USED_F_NO_NOTIFY. */
void virtqueue_arm(struct virtqueue *queue)
{
	if (!queue->num || !queue->event_idx)
		return;
	__atomic_store_n(device_word(queue, USED_RING + 8 * queue->num), avail_index(queue),
			 __ATOMIC_RELAXED);
	/* The wish is out before the index is read again; mirror image of the above. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
