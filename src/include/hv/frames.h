/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frames of the schedule that is in force, the same for all harts, on the time that all harts
 * share. A frame is planned when the one before it ends, and does not change after that: a change
 * of the table, a new schedule, and re-sync come with the next one.
 */
#ifndef HV_FRAMES_H
#define HV_FRAMES_H

#include <hv/schedule.h>
#include <hv/types.h>

struct frame {
	u64 number;	/* from 1 */
	u64 start;	/* ticks of the host's timer */
	u64 length;	/* ticks until the next one starts */
	const struct schedule *schedule;	/* in ticks */
	u32 table;
	bool stretched;	/* its windows fill its length, instead of ending with it */
};

#define FRAMES_SAME (~(u32)0)

struct frames {
	struct frame frame;
	const struct schedule *next_schedule;	/* NULL: the same */
	u32 next_table;				/* FRAMES_SAME */
	s64 shift;				/* ticks that frames have still to move */
};

/* frames_begin() - the first frame begins at the next multiple of its length. */
void frames_begin(struct frames *f, const struct schedule *schedule, u64 now);

/* frames_advance() - the frame that now lies in; it never goes back. */
void frames_advance(struct frames *f, u64 now);

/* frame_at() - when the frame reaches this offset of its table; its end, if never. */
u64 frame_at(const struct frame *frame, u64 offset);

static inline u64 frame_end(const struct frame *frame)
{
	return frame->start + frame->length;
}

/*
 * The frames of this machine. Any hart.
 *   schedule_frame(): the frame that now lies in; false: there is no schedule
 *   schedule_live(): what is, or will be at the end of the frame; NULL: none
 *   schedule_install(): copy a checked schedule, and the tree that it was read from; it is live at
 *	once, or replaces the one that is at the end of the frame. -EBUSY: another one waits for
 *	that; -EINVAL: see the error. By who makes VMs
 *   schedule_tree(): the tree of schedule_live(), and its size; NULL: none. By who makes VMs
 *   schedule_frames(): the frames as they are; there is a schedule
 *   schedule_switch(): to the table of this number at the end of the frame; -ENOENT; -EBUSY: then
 *	another schedule comes
 *   schedule_shift(): frames shall begin so many microseconds later (< 0: earlier) than they do:
 *	at the end of the next frame, or by the table's correction; -ERANGE: more than half a frame
 *   schedule_admit(): may this VM be a partition, and on which harts? Fills them in, or -EINVAL.
 *	By who makes VMs
 */
bool schedule_frame(u64 now, struct frame *out);
const struct schedule *schedule_live(void);
int __must_check schedule_install(const struct schedule *s, const void *fdt,
				  struct vmdef_error *error);
const void *schedule_tree(size_t *size);
void schedule_frames(struct frames *out);
int __must_check schedule_switch(u64 table);
int __must_check schedule_shift(s64 us);
int __must_check schedule_admit(struct vmdef *def, struct vmdef_error *error);

#endif
