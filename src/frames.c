/* SPDX-License-Identifier: BSD-2-Clause */
/* One frame after the other: pure functions over plain data. */
#include <hv/frames.h>

/* A hart that looks so rarely has no partition to be smooth for. */
#define FORGET 16

static u64 nominal(const struct frame *frame)
{
	return frame->schedule->table[frame->table].frame;
}

/*
 * Of what is to be moved, the part that this frame takes. A hard re-sync takes all; a smooth one
 * stretches the frame, and with it each window in proportion, so that the longest one changes by
 * the correction and every hart finds the same.
 */
static s64 part_of(const struct schedule_table *table, s64 shift)
{
	s64 most = table->correction ?
		(s64)(table->correction * table->frame / table->longest) : (s64)table->frame / 2;

	return MAX(MIN(shift, most), -most);
}

static void plan(struct frames *f, u64 start)
{
	struct frame *frame = &f->frame;
	s64 part;

	frame->number++;
	frame->start = start;
	if (f->next_schedule)
		frame->schedule = f->next_schedule;
	if (f->next_table != FRAMES_SAME)
		frame->table = f->next_table;
	f->next_schedule = NULL;
	f->next_table = FRAMES_SAME;
	part = part_of(&frame->schedule->table[frame->table], f->shift);
	f->shift -= part;
	frame->length = nominal(frame) + (u64)part;
	frame->stretched = part && frame->schedule->table[frame->table].correction;
}

void frames_begin(struct frames *f, const struct schedule *schedule, u64 now)
{
	u64 frame = schedule->table[0].frame;

	*f = (struct frames){ .next_schedule = schedule };
	plan(f, (now / frame + 1) * frame);
}

void frames_advance(struct frames *f, u64 now)
{
	u64 missed;

	while (now >= frame_end(&f->frame)) {
		plan(f, frame_end(&f->frame));
		if (now < frame_end(&f->frame))
			return;
		missed = (now - frame_end(&f->frame)) / nominal(&f->frame);
		if (missed > FORGET) {
			f->frame.number += missed;
			f->frame.start += missed * nominal(&f->frame) + (u64)f->shift;
			f->shift = 0;
		}
	}
}

u64 frame_at(const struct frame *frame, u64 offset)
{
	s64 part = (s64)(frame->length - nominal(frame));

	if (frame->stretched)
		return frame->start + offset + (u64)((s64)offset * part / (s64)nominal(frame));
	return frame->start + MIN(offset, frame->length);
}
