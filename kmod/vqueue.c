// SPDX-License-Identifier: GPL-2.0-only
/*
 * Split virtqueues. The driver runs meanwhile and may change anything at any time: each of its
 * words is loaded by one READ_ONCE(), or copied before it is looked at. virtio is little-endian,
 * and so are all machines that this runs on.
 */
#include "vqueue.h"

#define DESC_NEXT 0x1
#define DESC_WRITE 0x2
#define DESC_INDIRECT 0x4

#define AVAIL_NO_INTERRUPT 0x1
#define USED_NO_NOTIFY 0x1

/* Acquire: what the driver wrote before it advanced the index is loaded after the index. */
static u16 avail_index(const struct vqueue *queue)
{
	return virt_load_acquire(&queue->avail->idx);
}

/* Behind the heads of one ring stands up to where the other side wants to hear nothing. */
static const u16 *used_event(const struct vqueue *queue)
{
	return &queue->avail->ring[queue->num];
}

static u16 *avail_event(const struct vqueue *queue)
{
	return (u16 *)&queue->used->ring[queue->num];
}

static bool aligned(const void *pointer, size_t to)
{
	return (unsigned long)pointer % to == 0;
}

bool vqueue_init(struct vqueue *queue, const struct guest_memory *memory,
		 const struct vqueue_rings *rings, u64 features)
{
	u32 num = rings->num;

	if (!num || num > VQUEUE_MAX || (num & (num - 1)) || !aligned(rings->desc, 16) ||
	    !aligned(rings->avail, 2) || !aligned(rings->used, 4))
		return false;
	*queue = (struct vqueue){
		.memory = memory,
		.num = num,
		.desc = rings->desc,
		.avail = rings->avail,
		.used = rings->used,
		.event_idx = features & VQUEUE_F_EVENT_IDX,
		.indirect = features & VQUEUE_F_INDIRECT_DESC,
	};
	return true;
}

/* --- Taking chains -------------------------------------------------------------------------- */

static enum vqueue_result refuse(struct vqueue *queue, const char *why)
{
	queue->broken = why;
	return VQUEUE_BROKEN;
}

/* Where a walk is: in the queue's own table, or in an indirect one of count entries. */
struct walk {
	bool indirect;
	u64 table;
	u32 count;
	u32 index;
};

static struct virtq_desc load_once(const struct virtq_desc *at)
{
	return (struct virtq_desc){ .addr = READ_ONCE(at->addr), .len = READ_ONCE(at->len),
				    .flags = READ_ONCE(at->flags), .next = READ_ONCE(at->next) };
}

static bool load_desc(const struct vqueue *queue, const struct walk *walk, struct virtq_desc *desc)
{
	if (walk->indirect)
		return guest_read(queue->memory, walk->table + walk->index * sizeof(*desc), desc,
				  sizeof(*desc));
	*desc = load_once(&queue->desc[walk->index]);
	return true;
}

/* Section 2.7.5.3: negotiated, one level, the last of its chain. NULL: fine, the walk is in it. */
static const char *enter_table(const struct vqueue *queue, const struct virtq_desc *desc,
			       struct walk *walk)
{
	u32 count = desc->len / (u32)sizeof(struct virtq_desc);

	if (!queue->indirect)
		return "an indirect table was not negotiated";
	if (walk->indirect)
		return "an indirect table in an indirect table";
	if (desc->flags & DESC_NEXT)
		return "an indirect table with a descriptor behind";
	if (!count || desc->len % sizeof(struct virtq_desc))
		return "an indirect table of odd size";
	*walk = (struct walk){ .indirect = true, .table = desc->addr, .count = count };
	return NULL;
}

static const char *add_segment(const struct vqueue *queue, struct vqueue_chain *chain,
			       const struct virtq_desc *desc)
{
	if (chain->segments == VQUEUE_SEGMENTS)
		return "a chain is too long, or a loop";
	if (!desc->len)
		return "an empty descriptor";
	if (!guest_has(queue->memory, desc->addr, desc->len))
		return "a buffer is not in RAM";
	if (desc->flags & DESC_WRITE) {
		chain->writable += desc->len;
	} else {
		if (chain->writable)
			return "a buffer to read behind one to write";
		chain->readable += desc->len;
		chain->readable_segments++;
	}
	chain->segment[chain->segments++] =
		(struct vqueue_segment){ .gpa = desc->addr, .size = desc->len };
	return NULL;
}

/* Ends on a chain of any kind: each step adds a segment, or enters the one table there may be. */
static const char *walk_chain(const struct vqueue *queue, struct vqueue_chain *chain)
{
	struct walk walk = { .count = queue->num, .index = chain->head };
	const char *why;
	struct virtq_desc desc;

	for (;;) {
		if (walk.index >= walk.count)
			return "a descriptor that does not exist";
		if (!load_desc(queue, &walk, &desc))
			return "an indirect table is not in RAM";
		if (desc.flags & DESC_INDIRECT) {
			why = enter_table(queue, &desc, &walk);
			if (why)
				return why;
			continue;
		}
		why = add_segment(queue, chain, &desc);
		if (why || !(desc.flags & DESC_NEXT))
			return why;
		walk.index = desc.next;
	}
}

enum vqueue_result vqueue_pop(struct vqueue *queue, struct vqueue_chain *chain)
{
	u16 waiting = (u16)(avail_index(queue) - queue->next_avail);
	const char *why;

	if (queue->broken)
		return VQUEUE_BROKEN;
	if (!waiting)
		return VQUEUE_EMPTY;
	if (waiting > queue->num)
		return refuse(queue, "more chains than entries");
	chain->head = READ_ONCE(queue->avail->ring[queue->next_avail & (queue->num - 1)]);
	chain->segments = 0;
	chain->readable_segments = 0;
	chain->readable = 0;
	chain->writable = 0;
	why = walk_chain(queue, chain);
	if (why)
		return refuse(queue, why);
	queue->next_avail++;
	return VQUEUE_CHAIN;
}

bool vqueue_waiting(const struct vqueue *queue)
{
	return avail_index(queue) != queue->next_avail;
}

void vqueue_quiet(struct vqueue *queue)
{
	/* With events, whoever does not arm hears nothing. */
	if (!queue->event_idx)
		WRITE_ONCE(queue->used->flags, USED_NO_NOTIFY);
}

bool vqueue_arm(struct vqueue *queue)
{
	if (queue->event_idx)
		WRITE_ONCE(*avail_event(queue), queue->next_avail);
	else
		WRITE_ONCE(queue->used->flags, 0);
	/* First the driver can see it, then we look: one of us sees the other's store. */
	virt_mb();
	return vqueue_waiting(queue);
}

/* --- Giving them back ----------------------------------------------------------------------- */

void vqueue_push(struct vqueue *queue, u32 head, u32 written)
{
	struct virtq_used_elem *used = &queue->used->ring[queue->next_used++ & (queue->num - 1)];

	WRITE_ONCE(used->id, head);
	WRITE_ONCE(used->len, written);
}

void vqueue_publish(struct vqueue *queue)
{
	virt_store_release(&queue->used->idx, queue->next_used);
}

bool vqueue_interrupt_due(struct vqueue *queue)
{
	u16 told = queue->told;

	queue->told = queue->next_used;
	/* First the driver can see the index, then we look whether it wants to hear of it. */
	virt_mb();
	if (!queue->event_idx)
		return !(READ_ONCE(queue->avail->flags) & AVAIL_NO_INTERRUPT);
	/* Section 2.7.10: does the index that the driver waits for lie in what was published? */
	return (u16)(queue->next_used - READ_ONCE(*used_event(queue)) - 1) <
	       (u16)(queue->next_used - told);
}

/* --- Bytes of a chain ----------------------------------------------------------------------- */

struct vqueue_cursor vqueue_readable(const struct vqueue_chain *chain, u64 skip, u64 size)
{
	struct vqueue_cursor cursor = { .chain = chain, .left = size };

	while (cursor.segment < chain->segments && skip >= chain->segment[cursor.segment].size)
		skip -= chain->segment[cursor.segment++].size;
	cursor.offset = (u32)skip;
	return cursor;
}

struct vqueue_cursor vqueue_writable(const struct vqueue_chain *chain, u64 size)
{
	return (struct vqueue_cursor){ .chain = chain, .segment = chain->readable_segments,
				       .left = size };
}

void *vqueue_step(const struct guest_memory *memory, struct vqueue_cursor *cursor, u64 most,
		  u32 *size)
{
	const struct vqueue_segment *segment = &cursor->chain->segment[cursor->segment];
	u64 step = cursor->left < most ? cursor->left : most;
	void *pointer;

	if (!step)
		return NULL;
	if (step > segment->size - cursor->offset)
		step = segment->size - cursor->offset;
	pointer = guest_pointer(memory, segment->gpa + cursor->offset, &step);
	cursor->left -= step;
	cursor->offset += (u32)step;
	if (cursor->offset == segment->size) {
		cursor->segment++;
		cursor->offset = 0;
	}
	*size = (u32)step;
	return pointer;
}
