/* SPDX-License-Identifier: BSD-2-Clause */
/* See vaplic_model.h. */
#include <string.h>

#include "vaplic_model.h"

static bool is_edge(const struct model_source *s)
{
	return s->mode == 4 || s->mode == 5;
}

static bool is_level(const struct model_source *s)
{
	return s->mode == 6 || s->mode == 7;
}

static bool rectified(const struct model_source *s)
{
	switch (s->mode) {
	case 4:
		return s->level;
	case 5:
		return !s->level;
	case 6:
		return s->level || s->pulsed;
	case 7:
		return !s->level || s->pulsed;
	}
	return false;
}

static struct model_source *source_at(struct pair *m, u64 number)
{
	if (number >= VAPLIC_SOURCES || !m->source[number].own)
		return NULL;
	return &m->source[number];
}

static void send(struct pair *m, u32 hart, u32 eiid)
{
	if (hart < m->geometry.vcpus && eiid >= 1 && eiid <= m->geometry.eiids)
		m->msi[m->msis++] = hart << 18 | eiid;
}

/* What holds at any time. */
static void settle(struct pair *m)
{
	for (u32 i = 1; i < m->geometry.sources; i++) {
		struct model_source *s = &m->source[i];

		if (!s->own)
			continue;
		if (s->mode == 0) {
			s->ip = s->ie = false;
			s->hart = s->low = 0;
		}
		if (is_level(s) && (!m->domain_dm || !rectified(s)))
			s->ip = rectified(s);
		if (!m->domain_dm || !m->domain_ie || !s->ip || !s->ie)
			continue;
		send(m, s->hart, s->low);
		s->ip = false;
		if (is_level(s))
			s->pulsed = false;
	}
}

static u32 top(const struct pair *m, u32 vcpu)
{
	u32 found = 0, least = 256;

	for (u32 i = 1; i < m->geometry.sources && !m->domain_dm; i++) {
		const struct model_source *s = &m->source[i];

		if (!s->ip || !s->ie || s->hart != vcpu || s->low >= least)
			continue;
		if (m->ithreshold[vcpu] && s->low >= m->ithreshold[vcpu])
			continue;
		least = s->low;
		found = i;
	}
	return found ? found << 16 | least : 0;
}

static bool external_of(const struct pair *m, u32 vcpu)
{
	return !m->domain_dm && m->domain_ie && m->idelivery[vcpu] &&
	       (m->iforce[vcpu] || top(m, vcpu));
}

static u32 read_idc(struct pair *m, u32 vcpu, u32 reg)
{
	u32 value = top(m, vcpu);
	struct model_source *s = &m->source[value >> 16];

	if (reg == 0x00)
		return m->idelivery[vcpu];
	if (reg == 0x04)
		return m->iforce[vcpu];
	if (reg == 0x08)
		return m->ithreshold[vcpu];
	if (reg != 0x18 && reg != 0x1c)
		return 0;
	if (reg == 0x1c && !value)
		m->iforce[vcpu] = 0;
	if (reg == 0x1c && value) {
		s->ip = false;
		if (is_level(s))
			s->pulsed = false;
	}
	return value;
}

static void write_idc(struct pair *m, u32 vcpu, u32 reg, u32 value)
{
	if (reg == 0x00)
		m->idelivery[vcpu] = value & 1;
	else if (reg == 0x04)
		m->iforce[vcpu] = value & 1;
	else if (reg == 0x08)
		m->ithreshold[vcpu] = value & 0xff;
}

static u32 read_array(struct pair *m, u32 which, u32 first)
{
	u32 value = 0;

	for (u32 i = 0; i < 32; i++) {
		const struct model_source *s = source_at(m, first + i);

		if (s && (which == 0 ? s->ip : which == 1 ? rectified(s) : which == 2 && s->ie))
			value |= 1U << i;
	}
	return value;
}

static void act(struct pair *m, u32 which, u64 number)
{
	struct model_source *s = source_at(m, number);

	if (!s || s->mode == 0)
		return;
	switch (which) {
	case 0:
		if (!is_level(s) || (m->domain_dm && rectified(s)))
			s->ip = true;
		break;
	case 1:
		if (is_level(s) && !m->domain_dm)
			break;
		s->ip = false;
		if (is_level(s))
			s->pulsed = false;
		break;
	case 2:
		s->ie = true;
		break;
	case 3:
		s->ie = false;
	}
}

static void fresh_target(struct pair *m, struct model_source *s)
{
	s->hart = 0;
	s->low = m->domain_dm ? 0 : 1;
}

static void write_sourcecfg(struct pair *m, struct model_source *s, u32 value)
{
	bool was_inactive = s->mode == 0;

	s->mode = value & 7;
	if (value & 0x400 || s->mode == 2 || s->mode == 3)
		s->mode = 0;
	if (was_inactive)
		fresh_target(m, s);
	if (rectified(s))
		s->ip = true;
	if (is_edge(s) && s->pulsed) {
		s->ip = true;
		s->pulsed = false;
	}
}

static void write_target(struct pair *m, struct model_source *s, u32 value)
{
	s->hart = value >> 18;
	s->low = m->domain_dm ? value & 0x7ff : value & 0xff ? value & 0xff : 1;
}

static void write_domaincfg(struct pair *m, u32 value)
{
	bool dm = m->geometry.eiids && (!m->geometry.direct || value & 4);

	m->domain_ie = value & 0x100;
	if (dm == m->domain_dm)
		return;
	m->domain_dm = dm;
	for (u32 i = 1; i < m->geometry.sources; i++)
		if (m->source[i].mode)
			fresh_target(m, &m->source[i]);
}

static u32 model_read(struct pair *m, u64 offset)
{
	struct model_source *s = source_at(m, offset % 0x1000 / 4);

	if (offset == 0)
		return 0x80000000 | (u32)m->domain_ie << 8 | (u32)m->domain_dm << 2;
	if (offset == 0x3000)
		return m->domain_dm ? m->genmsi : 0;
	if (offset < 0x1000)
		return s ? s->mode : 0;
	if (offset >= 0x3000 && offset < 0x4000)
		return s ? s->hart << 18 | s->low : 0;
	if (offset >= 0x1c00 && offset < 0x2000 && offset % 0x100 < 0x80)
		return read_array(m, (offset >> 8) & 3, (u32)offset % 0x100 * 8);
	if (offset >= 0x4000 && (offset - 0x4000) / 0x20 < m->geometry.vcpus && m->geometry.direct)
		return read_idc(m, (u32)(offset - 0x4000) / 0x20, offset % 0x20);
	return 0;
}

static void write_genmsi(struct pair *m, u32 value)
{
	if (!m->domain_dm)
		return;
	m->genmsi = value & 0xfffc07ff;
	send(m, m->genmsi >> 18, m->genmsi & 0x7ff);
}

static void model_write(struct pair *m, u64 offset, u32 value)
{
	struct model_source *s = source_at(m, offset % 0x1000 / 4);

	if (offset == 0)
		write_domaincfg(m, value);
	else if (offset == 0x3000)
		write_genmsi(m, value);
	else if (offset < 0x1000 && s)
		write_sourcecfg(m, s, value);
	else if (offset >= 0x3000 && offset < 0x4000 && s && s->mode)
		write_target(m, s, value);
	else if (offset == 0x2000)
		act(m, 0, value);
	else if (offset == 0x2004)
		act(m, 0, __builtin_bswap32(value));
	else if (offset >= 0x1c00 && offset < 0x2000 && offset % 0x100 == 0xdc)
		act(m, (offset >> 8) & 3, value);
	else if (offset >= 0x1c00 && offset < 0x2000 && offset % 0x100 < 0x80)
		for (u32 i = 0; i < 32; i++) {
			if (value >> i & 1)
				act(m, (offset >> 8) & 3, offset % 0x100 * 8 + i);
		}
	else if (offset >= 0x4000 && (offset - 0x4000) / 0x20 < m->geometry.vcpus &&
		 m->geometry.direct)
		write_idc(m, (u32)(offset - 0x4000) / 0x20, offset % 0x20, value);
}

/* ---- Both ---- */

void pair_init(struct pair *pair, const struct vaplic_geometry *geometry)
{
	memset(pair, 0, sizeof(*pair));
	pair->geometry = *geometry;
	pair->domain_dm = !geometry->direct;
	for (u32 i = 1; i < geometry->sources; i++)
		pair->source[i].own = !geometry->own || geometry->own[i / 64] >> i % 64 & 1;
	guest_init(&pair->guest, geometry, NULL);
	pair->geometry.own = NULL;	/* the caller's, no longer */
}

static bool same(struct pair *pair)
{
	struct guest *guest = &pair->guest;

	settle(pair);
	if (guest->msis != pair->msis)
		return false;
	for (u32 i = 0; i < pair->msis; i++)
		if ((guest->msi[i].vcpu << 18 | guest->msi[i].eiid) != pair->msi[i])
			return false;
	guest->msis = pair->msis = 0;
	for (u32 v = 0; v < pair->geometry.vcpus; v++) {
		bool now = external(guest, v);

		if (now != external_of(pair, v) || (now != pair->answered[v] && !guest->kicks[v]))
			return false;
		pair->answered[v] = now;
		guest->kicks[v] = 0;
	}
	return true;
}

bool pair_access(struct pair *pair, struct mmio_access *acc)
{
	u32 expected;

	if (acc->width != 4)
		return vaplic_mmio_ops.access(&pair->guest.chip, acc) == MMIO_FAULT && same(pair);
	if (acc->write) {
		model_write(pair, acc->offset, (u32)acc->value);
		wr(&pair->guest, acc->offset, (u32)acc->value);
		return same(pair);
	}
	expected = model_read(pair, acc->offset);
	return rd(&pair->guest, acc->offset) == expected && same(pair);
}

bool pair_line(struct pair *pair, u32 source, bool level)
{
	struct model_source *s = source_at(pair, source);
	bool before = s && rectified(s);

	line(&pair->guest, source, level);
	if (s) {
		s->level = level;
		if (!before && rectified(s))
			s->ip = true;
	}
	return same(pair);
}

bool pair_pulse(struct pair *pair, u32 source)
{
	struct model_source *s = source_at(pair, source);

	pulse(&pair->guest, source);
	if (s && (is_edge(s) || is_level(s)))
		s->ip = true;
	if (s && !is_edge(s))
		s->pulsed = true;
	return same(pair);
}

bool pair_reset(struct pair *pair)
{
	restart(&pair->guest);
	for (u32 i = 1; i < pair->geometry.sources; i++)
		pair->source[i] = (struct model_source){
			.own = pair->source[i].own, .level = pair->source[i].level,
		};
	pair->domain_ie = false;
	pair->domain_dm = !pair->geometry.direct;
	pair->genmsi = 0;
	memset(pair->idelivery, 0, sizeof(pair->idelivery));
	memset(pair->iforce, 0, sizeof(pair->iforce));
	memset(pair->ithreshold, 0, sizeof(pair->ithreshold));
	return same(pair);
}
