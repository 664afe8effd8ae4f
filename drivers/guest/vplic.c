/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's PLIC, without a lock.
 *
 * A request is a token; each source has at most one, and it travels
 *
 *	free -> (gateway's hands) -> pending -> (claimer's) -> claimed -> (completer's) -> free
 *
 * Each step is one atomic read-modify-write of one bit, done by whoever has the token or, where
 * several may try, won by exactly the one who sees the bit change: gateway() wins `busy`, which
 * stays set until the token is free again, claim() wins `pending`, complete() wins `claimed`. So a
 * token is never doubled. It is never lost either:
 *
 * - set_line() against complete(). The one writes `level` and then does a RMW of `busy`, the other
 *   a RMW of `busy` and then reads `level`. The two RMWs of one word have an order. If complete()
 *   comes first, the gateway is open and set_line() makes the request. If set_line() does, its
 *   release and complete()'s acquire show the new level to complete(), which makes the request.
 *   When both try, one wins `busy`. A pulse is the same with `edge`, which a claim clears: who
 *   pulses after that finds a claimed source, and its request is made at the completion.
 *
 * - A change against the kick it needs. Whether a source counts for a vCPU depends on several words
 *   (pending, priority, enable, threshold), written by different harts. Each writer changes its
 *   word, passes a full fence, then reads the other words to see who needs a kick. Of two writers
 *   one has the later fence, and it sees what the other wrote; so the vCPU is kicked after the last
 *   relevant change, and its hart then evaluates all of the words anew.
 */
#include <hv/check.h>
#include <hv/string.h>
#include <hv/vplic.h>

/* PLIC 1.0, "Memory Map". */
#define PENDING 0x1000U
#define ENABLE ((u32)VPLIC_ENABLES)
#define ENABLE_STRIDE 0x80U
#define CONTEXT 0x200000U
#define CONTEXT_STRIDE 0x1000U
#define THRESHOLD 0x0U
#define CLAIM 0x4U

/* A vCPU has two contexts side by side: M-mode, which is absent, and S-mode. */
#define VCPU_STRIDE (2 * CONTEXT_STRIDE)
#define S_MODE CONTEXT_STRIDE

static inline u32 read32(const u32 *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline u64 read64(const u64 *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline u64 bit_of(u32 source)
{
	return BIT(source % 64);
}

static inline bool test(const u64 *words, u32 source)
{
	return read64(&words[source / 64]) & bit_of(source);
}

/* Sets the bit; true when it was clear. */
static inline bool set(u64 *words, u32 source)
{
	u64 bit = bit_of(source);

	return !(__atomic_fetch_or(&words[source / 64], bit, __ATOMIC_ACQ_REL) & bit);
}

/* Clears the bit; true when it was set. */
static inline bool clear(u64 *words, u32 source)
{
	u64 bit = bit_of(source);

	return __atomic_fetch_and(&words[source / 64], ~bit, __ATOMIC_ACQ_REL) & bit;
}

static inline bool enabled(const struct vplic_context *context, u32 source)
{
	return read32(&context->enable[source / 32]) >> source % 32 & 1;
}

static inline void kick(const struct vplic *plic, u32 vcpu)
{
	plic->hooks->kick(plic->ctx, vcpu);
}

/* Between a change and the look at who is concerned: see the top of this file. */
static inline void full_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* Behind the fence: kick those for whom a source of this priority counts. */
static void notify(const struct vplic *plic, u32 source, u32 priority)
{
	for (u32 vcpu = 0; vcpu < plic->vcpus; vcpu++) {
		const struct vplic_context *context = &plic->context[vcpu];

		if (enabled(context, source) && priority > read32(&context->threshold))
			kick(plic, vcpu);
	}
}

/* The source has become pending, or is so no more. */
static void notify_pending(const struct vplic *plic, u32 source)
{
	full_fence();
	notify(plic, source, read32(&plic->priority[source]));
}

/* The wire is high: make a request, unless one is under way. */
static void gateway(struct vplic *plic, u32 source)
{
	if (!set(plic->busy, source))
		return;
	set(plic->pending, source);
	notify_pending(plic, source);
}

/* The end of a request: open the gateway. A wire that is still high makes the next one at once. */
static void release(struct vplic *plic, u32 source)
{
	clear(plic->busy, source);
	if (test(plic->level, source) || test(plic->edge, source))
		gateway(plic, source);
	if (plic->hooks->completed)
		plic->hooks->completed(plic->ctx, source);
}

static void set_line(void *chip, u32 source, bool level)
{
	struct vplic *plic = chip;

	if (source == 0 || source >= plic->sources)
		return;
	if (!level)
		clear(plic->level, source);
	else if (set(plic->level, source))
		gateway(plic, source);
}

static void pulse(void *chip, u32 source)
{
	struct vplic *plic = chip;

	if (source == 0 || source >= plic->sources)
		return;
	set(plic->edge, source);
	gateway(plic, source);
}

/*
 * The pending and enabled source of the highest priority above floor, of the lowest number among
 * equals; 0: none.
 */
static u32 best(const struct vplic *plic, const struct vplic_context *context, u32 floor)
{
	u32 source = 0;

	for (u32 i = 0; i < VPLIC_WORDS; i++) {
		u64 left = read64(&plic->pending[i]) &
			   (read32(&context->enable[2 * i]) |
			    (u64)read32(&context->enable[2 * i + 1]) << 32);

		for (; left; left &= left - 1) {
			u32 candidate = 64 * i + (u32)__builtin_ctzll(left);
			u32 priority = read32(&plic->priority[candidate]);

			if (priority > floor) {
				floor = priority;
				source = candidate;
			}
		}
	}
	return source;
}

static inline bool idle(const struct vplic *plic)
{
	u64 any = 0;

	for (u32 i = 0; i < VPLIC_WORDS; i++)
		any |= read64(&plic->pending[i]);
	return !any;
}

static bool pending(void *chip, u32 vcpu)
{
	const struct vplic *plic = chip;
	const struct vplic_context *context;

	if (vcpu >= plic->vcpus || idle(plic))
		return false;
	context = &plic->context[vcpu];
	return best(plic, context, read32(&context->threshold)) != 0;
}

/*
 * The threshold does not matter ("Interrupt Claim Process": claims are not affected by it). A lost
 * race means that another vCPU claimed; after as many as there are vCPUs this one answers "none",
 * and what is left keeps its input high.
 */
static u32 claim(struct vplic *plic, const struct vplic_context *context)
{
	for (u32 tries = 0; tries < plic->vcpus; tries++) {
		u32 source = best(plic, context, 0);

		if (!source)
			return 0;
		if (clear(plic->pending, source)) {
			if (test(plic->edge, source))
				clear(plic->edge, source);
			set(plic->claimed, source);
			notify_pending(plic, source);
			return source;
		}
	}
	return 0;
}

/*
 * "Interrupt Completion": the source need not be the one this context claimed last, nor claimed by
 * it at all, but must be enabled for it. One that nobody has claimed has nothing to complete.
 */
static void complete(struct vplic *plic, const struct vplic_context *context, u32 source)
{
	if (source >= plic->sources || !enabled(context, source) || !clear(plic->claimed, source))
		return;
	release(plic, source);
}

/* The sources that exist among the 32 of a register. Source 0 does not. */
static u32 valid_mask(const struct vplic *plic, u32 word)
{
	u32 first = 32 * word;
	u32 mask = first + 32 <= plic->sources ? ~0U :
		   first >= plic->sources      ? 0 :
						 (1U << (plic->sources - first)) - 1;

	return word ? mask : mask & ~1U;
}

static u32 access_priority(struct vplic *plic, u32 source, const struct mmio_access *acc)
{
	u32 now = (u32)acc->value & VPLIC_PRIORITY_MAX;	/* WARL */
	u32 old;

	if (source == 0 || source >= plic->sources)
		return 0;
	if (!acc->write)
		return read32(&plic->priority[source]);
	old = __atomic_exchange_n(&plic->priority[source], now, __ATOMIC_RELAXED);
	full_fence();
	if (test(plic->pending, source) && now != old)
		notify(plic, source, MAX(old, now));
	return 0;
}

static u32 read_pending(const struct vplic *plic, u32 word)
{
	if (word >= VPLIC_SOURCES / 32)
		return 0;
	return (u32)(read64(&plic->pending[word / 2]) >> 32 * (word % 2));
}

/* What the guest sees of an enable word: of several writers the last one shows what it is then. */
static void show_enable(struct vplic *plic, u32 vcpu, u32 word)
{
	const u32 *from = &plic->context[vcpu].enable[word];
	u32 *to = &plic->enables[((2 * vcpu + 1) * ENABLE_STRIDE) / 4 + word];
	u32 now;

	do {
		now = __atomic_load_n(from, __ATOMIC_SEQ_CST);
		__atomic_store_n(to, now, __ATOMIC_SEQ_CST);
	} while (__atomic_load_n(from, __ATOMIC_SEQ_CST) != now);
}

static u32 access_enable(struct vplic *plic, u32 vcpu, u32 word, const struct mmio_access *acc)
{
	struct vplic_context *context = &plic->context[vcpu];
	u32 old, now;

	if (word >= VPLIC_SOURCES / 32)
		return 0;
	if (!acc->write)
		return read32(&context->enable[word]);
	now = (u32)acc->value & valid_mask(plic, word);
	old = __atomic_exchange_n(&context->enable[word], now, __ATOMIC_RELAXED);
	full_fence();
	show_enable(plic, vcpu, word);
	if ((old ^ now) & read_pending(plic, word))
		kick(plic, vcpu);
	return 0;
}

static u32 access_threshold(struct vplic *plic, u32 vcpu, const struct mmio_access *acc)
{
	u32 *threshold = &plic->context[vcpu].threshold;
	u32 now = (u32)acc->value & VPLIC_PRIORITY_MAX;	/* WARL */

	if (!acc->write)
		return read32(threshold);
	if (__atomic_exchange_n(threshold, now, __ATOMIC_RELAXED) != now) {
		full_fence();
		kick(plic, vcpu);
	}
	return 0;
}

/* Is this the S-mode context of a vCPU? The vCPU's number is context / 2. */
static inline bool context_exists(const struct vplic *plic, u64 context)
{
	return context % 2 == 1 && context / 2 < plic->vcpus;
}

/* Everything below the context registers: configuration, not hot. */
static u32 access_config(struct vplic *plic, const struct mmio_access *acc)
{
	u32 offset = (u32)acc->offset;
	u32 context = (offset - ENABLE) / ENABLE_STRIDE;

	if (offset < PENDING)
		return access_priority(plic, offset / 4, acc);
	if (offset < ENABLE)
		return acc->write ? 0 : read_pending(plic, (offset - PENDING) / 4);
	if (!context_exists(plic, context))
		return 0;
	return access_enable(plic, context / 2, offset % ENABLE_STRIDE / 4, acc);
}

static u32 access_context(struct vplic *plic, const struct mmio_access *acc)
{
	u64 context = (acc->offset - CONTEXT) / CONTEXT_STRIDE;
	u32 reg = (u32)acc->offset % CONTEXT_STRIDE;
	u32 vcpu = (u32)context / 2;

	if (!context_exists(plic, context))
		return 0;
	if (reg == THRESHOLD)
		return access_threshold(plic, vcpu, acc);
	if (reg != CLAIM)
		return 0;
	if (!acc->write)
		return claim(plic, &plic->context[vcpu]);
	complete(plic, &plic->context[vcpu], (u32)acc->value);
	return 0;
}

/* Kept out of the path of an empty claim, which then needs no stack frame. */
static __noinline enum mmio_result access_any(struct vplic *plic, struct mmio_access *acc)
{
	u32 value;

	if (acc->width != 4)
		return MMIO_FAULT;
	if (acc->offset >= CONTEXT)
		value = access_context(plic, acc);
	else
		value = access_config(plic, acc);
	if (!acc->write)
		acc->value = value;
	return MMIO_OK;
}

/* A claim while nothing is pending in the whole VM: how a guest's handler finds out it is done. */
static inline bool empty_claim(const struct vplic *plic, const struct mmio_access *acc)
{
	u64 offset = acc->offset - CONTEXT;	/* below CONTEXT it wraps, beyond all vCPUs */

	return acc->width == 4 && !acc->write && offset / VCPU_STRIDE < plic->vcpus &&
	       offset % VCPU_STRIDE == S_MODE + CLAIM && idle(plic);
}

/* A priority: one word, read as it is. */
static inline bool priority_read(const struct vplic *plic, const struct mmio_access *acc)
{
	return acc->width == 4 && !acc->write && acc->offset / 4 < plic->sources;
}

static enum mmio_result vplic_access(void *dev, struct mmio_access *acc)
{
	struct vplic *plic = dev;

	if (priority_read(plic, acc))
		acc->value = read32(&plic->priority[acc->offset / 4]);
	else if (empty_claim(plic, acc))
		acc->value = 0;
	else
		return access_any(plic, acc);
	return MMIO_OK;
}

static void reset_source(struct vplic *plic, u32 source)
{
	bool waiting = clear(plic->pending, source);
	bool served = clear(plic->claimed, source);

	/* What a pulse told, nobody asks for any more. */
	clear(plic->edge, source);
	if (waiting || served)
		release(plic, source);
}

/* Those that have something: most have not. */
static void reset_sources(struct vplic *plic)
{
	for (u32 i = 0; i < VPLIC_WORDS; i++) {
		u64 some = read64(&plic->pending[i]) | read64(&plic->claimed[i]) |
			   read64(&plic->edge[i]);

		for (; some; some &= some - 1)
			reset_source(plic, i * 64 + (u32)__builtin_ctzll(some));
	}
}

/*
 * Claims and completes everything, so it keeps the rule of the tokens and a set_line() that races
 * with it comes before or after, as a whole. Requests that the wires still make are made anew, and
 * whoever waits for a completion hears of one.
 */
static void reset(void *chip)
{
	struct vplic *plic = chip;

	memset(plic->priority, 0, sizeof(plic->priority));
	memset(plic->context, 0, sizeof(plic->context));
	memset(plic->enables, 0, sizeof(plic->enables));
	reset_sources(plic);
	for (u32 vcpu = 0; vcpu < plic->vcpus; vcpu++)
		kick(plic, vcpu);
}

void vplic_init(struct vplic *plic, u32 vcpus, u32 sources, const struct vplic_hooks *hooks,
		void *ctx)
{
	CHECK(vcpus >= 1 && vcpus <= VPLIC_VCPUS && sources >= 2 && sources <= VPLIC_SOURCES);
	memset(plic, 0, sizeof(*plic));
	plic->vcpus = vcpus;
	plic->sources = sources;
	plic->hooks = hooks;
	plic->ctx = ctx;
}

const struct irqchip_ops vplic_irqchip_ops = {
	.name = "vplic",
	.set_line = set_line,
	.pulse = pulse,
	.pending = pending,
	.reset = reset,
};

const struct mmio_ops vplic_mmio_ops = {
	.name = "plic",
	.access = vplic_access,
};
