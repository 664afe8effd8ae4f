/* SPDX-License-Identifier: BSD-2-Clause */
/* Harts and who shares them, from two looks at all of them. */
#include "shares.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HARTS 64	/* most that Shyper drives */
#define INTERVAL_MAX 3600

struct machine {
	uint32_t harts;
	struct shyper_sched_info hart[HARTS];
};

static int look(struct session *s, struct machine *m)
{
	for (m->harts = 0; m->harts < HARTS; m->harts++) {
		struct shyper_sched_hart one = { .number = m->harts };
		int err = device.sched_info(s->fd, &one);

		if (err == -ENOENT)
			break;
		if (err < 0)
			return session_refused(s, s->fd, err, "hart number %u", m->harts);
		if (one.info.vcpus > SHYPER_VCPUS)
			one.info.vcpus = SHYPER_VCPUS;
		m->hart[m->harts] = one.info;
	}
	return 0;
}

static struct machine *look_anew(struct session *s)
{
	struct machine *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	if (!session_device(s) && !look(s, m))
		return m;
	free(m);
	return NULL;
}

/* --- As JSON --------------------------------------------------------------------------------- */

static const char *state_of(const struct shyper_sched_vcpu *vcpu)
{
	static const char *const words[] = {
		[SHYPER_SCHED_OFF] = "off", [SHYPER_SCHED_BLOCKED] = "blocked",
		[SHYPER_SCHED_READY] = "ready", [SHYPER_SCHED_RUNNING] = "running",
	};

	return vcpu->state < sizeof(words) / sizeof(words[0]) ? words[vcpu->state] : "unknown";
}

/* The same vCPU at the look before; NULL: it was not there, or is another one's by now. */
static const struct shyper_sched_vcpu *same(const struct shyper_sched_info *before,
					    const struct shyper_sched_vcpu *vcpu)
{
	for (uint32_t i = 0; i < before->vcpus; i++) {
		const struct shyper_sched_vcpu *one = &before->vcpu[i];

		if (one->vm == vcpu->vm && one->vcpu == vcpu->vcpu)
			return one->ran <= vcpu->ran ? one : NULL;
	}
	return NULL;
}

static const char *name_of(struct session *s, uint32_t id, char *buf, size_t size)
{
	struct session_vm vm = { .fd = -1, .lock = -1 };

	snprintf(buf, size, "VM %u", id);
	if (!session_open(s, id, false, &vm))
		snprintf(buf, size, "%s", vm.info.name);
	session_done(&vm);
	return buf;
}

static json_t *json_vcpu(struct session *s, const struct shyper_sched_info *before,
			 const struct shyper_sched_info *now, uint32_t i, uint64_t timebase)
{
	const struct shyper_sched_vcpu *vcpu = &now->vcpu[i], *was;
	double second = (double)timebase;
	char name[SHYPER_NAME + 8];
	json_t *out = json_pack("{si ss si ss}", "vm", (int)vcpu->vm, "name",
				name_of(s, vcpu->vm, name, sizeof(name)), "vcpu",
				(int)vcpu->vcpu, "state", state_of(vcpu));

	if (now->policy == SHYPER_SCHED_PINNED)
		return out;
	json_object_update_new(out, json_pack("{si si si sb sf sf}", "priority",
					      (int)vcpu->priority, "budget_us",
					      (int)vcpu->budget, "period_us", (int)vcpu->period,
					      "strict", !!(vcpu->flags & SHYPER_SCHED_STRICT),
					      "ran", (double)vcpu->ran / second, "waited",
					      (double)vcpu->waited / second));
	if (now->policy == SHYPER_SCHED_PARTITION && vcpu->windows + vcpu->missed)
		json_object_update_new(out, json_pack("{sI sI sI sf}", "windows",
						      (json_int_t)vcpu->windows, "missed",
						      (json_int_t)vcpu->missed, "late",
						      (json_int_t)vcpu->late, "late_max_us",
						      1e6 * (double)vcpu->late_max / second));
	was = before ? same(before, vcpu) : NULL;
	if (was && now->now > before->now)
		json_object_set_new(out, "share", json_real(100.0 * (double)(vcpu->ran - was->ran) /
							    (double)(now->now - before->now)));
	return out;
}

static json_t *json_hart(struct session *s, const struct shyper_sched_info *before,
			 const struct shyper_sched_info *now, uint64_t timebase)
{
	static const char *const policies[] = {
		[SHYPER_SCHED_FREE] = "free", [SHYPER_SCHED_PINNED] = "pinned",
		[SHYPER_SCHED_PRIORITY] = "priority",
		[SHYPER_SCHED_PARTITION] = "partition",
	};
	json_t *vcpus = json_array();

	for (uint32_t i = 0; i < now->vcpus; i++)
		json_array_append_new(vcpus, json_vcpu(s, before, now, i, timebase));
	return json_pack("{sI ss so}", "hart", (json_int_t)now->hart, "policy",
			 now->policy < sizeof(policies) / sizeof(policies[0]) ?
			 policies[now->policy] : "unknown", "vcpus", vcpus);
}

json_t *shares_of(struct session *s, unsigned int ms)
{
	const struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };
	struct machine *before = ms ? look_anew(s) : NULL, *now = NULL;
	struct shyper_system_info system;
	json_t *list = NULL;

	if (ms && !before)
		return NULL;
	if (ms)
		nanosleep(&wait, NULL);
	now = look_anew(s);
	if (now && !session_system(s, &system)) {
		list = json_array();
		for (uint32_t i = 0; i < now->harts; i++)
			json_array_append_new(list, json_hart(s, before ? &before->hart[i] : NULL,
							      &now->hart[i], system.timebase));
	}
	free(before);
	free(now);
	return list;
}

int shares_ms(struct session *s, const json_t *args)
{
	const char *text = json_string_value(json_object_get(args, "interval"));
	double seconds;
	char *end;

	if (!text)
		return 1000;
	seconds = strtod(text, &end);
	if (end != text && !*end && seconds >= 0 && seconds <= INTERVAL_MAX)
		return (int)(seconds * 1000);
	s->error.usage = true;
	return error_set(&s->error, "an interval of \"%s\" seconds is not possible; it is 0 to %d",
			 text, INTERVAL_MAX);
}

/* --- Looking one up -------------------------------------------------------------------------- */

const json_t *shares_get(const json_t *harts, uint32_t vm, uint32_t vcpu, json_int_t *hart)
{
	const json_t *one, *on;
	size_t i, j;

	json_array_foreach(harts, i, on) {
		json_array_foreach(json_object_get(on, "vcpus"), j, one) {
			if (json_integer_value(json_object_get(one, "vm")) != vm ||
			    json_integer_value(json_object_get(one, "vcpu")) != vcpu)
				continue;
			*hart = json_integer_value(json_object_get(on, "hart"));
			return one;
		}
	}
	return NULL;
}

int shares_find(struct session *s, uint32_t vm, struct shyper_sched_vcpu *vcpu)
{
	struct machine *m = look_anew(s);

	if (!m)
		return -1;
	for (uint32_t i = 0; i < m->harts; i++) {
		for (uint32_t j = 0; j < m->hart[i].vcpus; j++) {
			if (m->hart[i].vcpu[j].vm != vm)
				continue;
			*vcpu = m->hart[i].vcpu[j];
			free(m);
			return 0;
		}
	}
	free(m);
	return error_set(&s->error, "VM %u is on no hart", vm);
}

/* --- Budgets --------------------------------------------------------------------------------- */

static void note_hart(struct session *s, const struct shyper_sched_info *hart)
{
	char name[SHYPER_NAME + 8], text[512] = "";
	double sum = 0;
	size_t used = 0;

	for (uint32_t i = 0; i < hart->vcpus && used < sizeof(text); i++) {
		const struct shyper_sched_vcpu *vcpu = &hart->vcpu[i];
		double percent = vcpu->budget ? 100.0 * vcpu->budget / vcpu->period : 0;

		sum += percent;
		if (percent > 0)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %.4g %%",
						 used ? ", " : "", name_of(s, vcpu->vm, name,
									   sizeof(name)),
						 percent);
	}
	if (sum > 100.001)
		session_note(s, "hart %" PRIu64 ": the budgets come to %.4g %% (%s); whoever comes "
			     "last by priority gets less than that", (uint64_t)hart->hart, sum,
			     text);
}

void shares_note(struct session *s)
{
	struct machine *m = look_anew(s);

	for (uint32_t i = 0; m && i < m->harts; i++)
		note_hart(s, &m->hart[i]);
	free(m);
}

const char *shares_time(const json_t *one, const char *key, char *buf, size_t size)
{
	const json_t *value = json_object_get(one, key);

	if (!value)
		return "-";
	snprintf(buf, size, "%.6f s", json_number_value(value));
	return buf;
}
