/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policy "partition". All looks ahead by the time of a switch: at `now` it decides for the
 * moment `now + ahead`, and a window's first run is put off until it begins.
 */
#include <hv/sched_policy.h>

static u64 ahead(const struct sched_windows *w)
{
	return w->frame.schedule ? w->frame.schedule->switch_time : 0;
}

/* The entity of partition n (index + 1); NULL: its VM is not there. */
static struct sched_entity *entity_of(struct sched_queue *q, u32 n)
{
	for (u32 i = 0; i < q->count; i++)
		if (q->entity[i].windowed && q->entity[i].partition == n)
			return &q->entity[i];
	return NULL;
}

/*
 * Windows of the partition have gone by, and the hart has not looked. It is not known whether one
 * that slept would have: what it waits for was due in one of them, perhaps.
 */
static void gone(struct sched_queue *q, const struct schedule_window *window, u64 times)
{
	struct sched_entity *e = entity_of(q, window->partition + 1);

	if (e && e->state != SCHED_OFF && !q->windows.blind)
		e->health.missed += times;
}

/* The windows that have ended at t. */
static void pass(struct sched_queue *q, u64 t)
{
	struct sched_windows *w = &q->windows;

	while (w->next < w->count && frame_at(&w->frame, w->window[w->next].end) <= t) {
		if (!w->begun)
			gone(q, &w->window[w->next], 1);
		w->next++;
		w->begun = false;
	}
}

void sched_partition_frame(struct sched_queue *q, const struct frame *frame, u64 hart)
{
	struct sched_windows *w = &q->windows;
	const struct schedule_list *list = schedule_list(frame->schedule, frame->table, hart);
	bool follows = w->frame.number != 0;

	if (follows)
		pass(q, frame_end(&w->frame));
	if (follows && frame->schedule == w->frame.schedule)
		for (u32 i = 0; i < w->count; i++)
			gone(q, &w->window[i], frame->number - w->frame.number - 1);
	if (frame->schedule != w->frame.schedule)
		w->ran = 0;	/* its number means another one */
	w->frame = *frame;
	w->window = list ? &frame->schedule->window[list->first] : NULL;
	w->count = list ? list->count : 0;
	w->next = 0;
	w->begun = false;
	w->blind |= !follows;
}

/* The one that it is time for; NULL: between windows. */
static const struct schedule_window *window_at(struct sched_queue *q, u64 t)
{
	struct sched_windows *w = &q->windows;

	pass(q, t);
	if (w->next == w->count || frame_at(&w->frame, w->window[w->next].begin) > t)
		return NULL;
	return &w->window[w->next];
}

u32 sched_partition_now(struct sched_queue *q, u64 now)
{
	const struct schedule_window *window = window_at(q, now + ahead(&q->windows));

	return window ? window->partition + 1 : 0;
}

/* When another window begins or this one ends, less the time of the switch. */
static u64 edge(const struct sched_windows *w, const struct schedule_window *window)
{
	u64 at = window ? frame_at(&w->frame, window->end) :
		 w->next < w->count ? frame_at(&w->frame, w->window[w->next].begin) :
				      frame_end(&w->frame);

	return at - ahead(w);
}

/* A window's first look: it has begun, with somebody to run or not (NULL). */
static void open_window(struct sched_windows *w, const struct schedule_window *window,
			struct sched_entity *e)
{
	w->begun = true;
	w->goes_on = e && w->ran == e->partition &&
		     w->ran_until == frame_at(&w->frame, window->begin);
	if (!e)
		return;
	e->health.windows++;
	w->ran = e->partition;
	w->ran_until = frame_at(&w->frame, window->end);
}

/* When it is to start: with its window, unless that is under way. */
static u64 start_of(struct sched_windows *w, const struct schedule_window *window,
		    struct sched_entity *e, u64 now)
{
	u64 begin = frame_at(&w->frame, window->begin);
	bool first = !w->begun;

	if (first)
		open_window(w, window, e);
	if (w->goes_on)
		return 0;
	return now < begin || (first && !w->blind) ? begin : 0;
}

static bool anybody_windowed(const struct sched_queue *q)
{
	for (u32 i = 0; i < q->count; i++)
		if (q->entity[i].windowed && q->entity[i].state != SCHED_OFF)
			return true;
	return false;
}

static struct sched_choice choose(struct sched_queue *q, u64 now)
{
	struct sched_windows *w = &q->windows;
	const struct schedule_window *window = window_at(q, now + ahead(w));
	struct sched_entity *e = window ? entity_of(q, window->partition + 1) : NULL;
	struct sched_choice choice = { .next = SCHED_NOBODY, .until = SCHED_NEVER };
	bool looks = w->frame.number && anybody_windowed(q);

	if (e && e->state == SCHED_READY) {
		choice.from = start_of(w, window, e, now);
		choice.next = (u32)(e - q->entity);
	} else {
		if (window && !w->begun)
			open_window(w, window, NULL);
		if (!w->frame.schedule || w->frame.schedule->table[w->frame.table].relaxed)
			choice = sched_priority.choose(q, now);
	}
	w->blind = !looks;	/* nothing wakes the hart for its windows */
	if (looks)
		choice.until = MIN(choice.until, edge(w, window));
	return choice;
}

void sched_partition_began(struct sched_queue *q, u32 i, u64 late)
{
	struct sched_health *health = &q->entity[i].health;

	health->late += late > q->windows.frame.schedule->late;
	health->late_max = MAX(health->late_max, late);
}

/* The rest is what those need that are not windowed. */
static void begin(struct sched_queue *q, u32 i, u64 now)
{
	sched_priority.begin(q, i, now);
}

static void set_state(struct sched_queue *q, u32 i, enum sched_state state)
{
	sched_priority.set_state(q, i, state);
}

static void charge(struct sched_queue *q, u32 i, u64 from, u64 to)
{
	sched_priority.charge(q, i, from, to);
}

static void yield(struct sched_queue *q, u32 i)
{
	sched_priority.yield(q, i);
}

const struct sched_policy sched_partition = {
	.name = "partition",
	.begin = begin,
	.set_state = set_state,
	.charge = charge,
	.yield = yield,
	.choose = choose,
};
