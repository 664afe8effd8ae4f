/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switching. Senders read everything without a lock: ports, their addresses and the learned ones
 * are single words. Whoever changes one holds the switch's lock, and a sender who sees the old
 * word does what was right a moment ago.
 *
 * A port's own address is not learned but known, so no flood of invented addresses can displace it.
 * Learned are those behind a port whose VM is a bridge. What was learned is forgotten when it is
 * looked at too late; no timer is needed for that.
 */
#include <hv/vswitch.h>

#include <hv/errno.h>
#include <hv/spinlock.h>
#include <hv/string.h>
#include <hv/timer.h>

#define SETS 64U
#define NO_ADDRESS (~(u64)0)	/* nobody's, and no frame's */
#define WAYS 4U
#define WAYS_OF_PORT 2U		/* of a set, so that one port cannot have them all */
#define AGE 300U		/* seconds for which a learned address is good; IEEE 802.1Q */

#define STORM_RATE 1000U	/* frames to all per second and port */
#define STORM_BURST 256U
#define RATE_BURST 131072U	/* bytes at least: two of the largest frames */

struct learned {
	u64 key;	/* address << 16 | index of the port + 1; 0: free. Atomic */
	u64 seen;	/* host ticks. Atomic */
};

struct vswitch {
	/* By VMs' maker. */
	char name[VSWITCH_NAME];
	u32 vlan;
	u32 members;		/* atomic; 0: free */
	bool small;

	/* Atomic words; the lock is held to write. */
	struct spinlock lock;
	u32 top;		/* all ports have lower indices */
	struct vswitch_port *port[VSWITCH_PORTS];
	u64 mac[VSWITCH_PORTS];	/* of these */
	struct learned learned[SETS][WAYS];
};

static struct vswitch switches[VSWITCH_SWITCHES];
static struct vswitch_port *monitor;	/* atomic */

static struct vswitch_port *port_at(struct vswitch *sw, u64 index)
{
	return __atomic_load_n(&sw->port[index], __ATOMIC_ACQUIRE);
}

/* ---- Limits ---- */

/* Take n tokens of those that come at `rate` a second and pile up to `burst`. */
static bool take(struct vswitch_bucket *bucket, u64 rate, u64 burst, u64 n)
{
	u64 hz = arch_timebase(), now = arch_time(), passed = now - bucket->filled;
	u64 full = burst * hz;

	if (!bucket->filled || passed >= full / rate)
		bucket->level = full;
	else
		bucket->level = MIN(bucket->level + passed * rate, full);
	bucket->filled = now;
	if (bucket->level < n * hz)
		return false;
	bucket->level -= n * hz;
	return true;
}

static __noinline bool within_rate(struct vswitch_port *from, u64 size)
{
	return take(&from->bytes, from->rate, MAX(from->rate / 10, RATE_BURST), size);
}

/* ---- Addresses ---- */

/* The port whose own address this is; -1: none. */
static long owner_of(const struct vswitch *sw, u64 mac)
{
	long top = __atomic_load_n(&sw->top, __ATOMIC_RELAXED);

	for (long i = 0; i < top; i++)
		if (__atomic_load_n(&sw->mac[i], __ATOMIC_RELAXED) == mac)
			return i;
	return -1;
}

static struct learned *set_of(struct vswitch *sw, u64 mac)
{
	return sw->learned[(mac ^ mac >> 8 ^ mac >> 16 ^ mac >> 24) % SETS];
}

static u64 key_of(const struct learned *entry)
{
	return __atomic_load_n(&entry->key, __ATOMIC_RELAXED);
}

static u64 age_of(const struct learned *entry)
{
	u64 seen = __atomic_load_n(&entry->seen, __ATOMIC_RELAXED), now = arch_time();

	/* Another hart may have read the time later than we. */
	return now > seen ? now - seen : 0;
}

static bool is_fresh(const struct learned *entry)
{
	return key_of(entry) && age_of(entry) < AGE * arch_timebase();
}

static struct learned *find_learned(struct vswitch *sw, u64 mac)
{
	struct learned *entry = set_of(sw, mac);

	for (u32 i = 0; i < WAYS; i++, entry++)
		if (key_of(entry) >> 16 == mac && is_fresh(entry))
			return entry;
	return NULL;
}

/*
 * Where a new address of this port goes: to its old place, a free one, that of another one of the
 * same port, or that of the one that was silent for longest. The lock is held.
 */
static struct learned *place_for(struct vswitch *sw, u64 mac, u64 index)
{
	struct learned *set = set_of(sw, mac), *room = NULL, *own = NULL, *oldest = set;
	u32 owned = 0;

	for (u32 i = 0; i < WAYS; i++) {
		if (key_of(&set[i]) >> 16 == mac)
			return &set[i];
		if (age_of(&set[i]) > age_of(oldest))
			oldest = &set[i];
		if (!is_fresh(&set[i])) {
			room = &set[i];
		} else if ((key_of(&set[i]) & 0xffff) == index + 1) {
			owned++;
			if (!own || age_of(&set[i]) > age_of(own))
				own = &set[i];
		}
	}
	return owned < WAYS_OF_PORT && room ? room : own ? own : oldest;
}

static void learn(struct vswitch *sw, u64 mac, u32 index)
{
	u64 key = mac << 16 | (index + 1);
	struct learned *entry = find_learned(sw, mac);

	/* Once a second is enough to stay young. */
	if (entry && key_of(entry) == key && age_of(entry) < arch_timebase())
		return;
	spin_lock(&sw->lock);
	entry = place_for(sw, mac, index);
	__atomic_store_n(&entry->seen, arch_time(), __ATOMIC_RELAXED);
	__atomic_store_n(&entry->key, key, __ATOMIC_RELAXED);
	spin_unlock(&sw->lock);
}

/* May the port send frames of this source, which is not its own address? */
static __noinline bool check_other_source(struct vswitch_port *from, u64 source)
{
	if (from->locked || !source || (source & MAC_GROUP) || owner_of(from->sw, source) >= 0)
		return false;
	learn(from->sw, source, from->index);
	return true;
}

/* Learned addresses alone; the usual case is worth the separation. */
static __noinline long find_behind(struct vswitch *sw, u64 mac)
{
	const struct learned *entry = find_learned(sw, mac);

	return entry ? (long)(key_of(entry) & 0xffff) - 1 : -1;
}

/* The port behind which this address is; -1: not known. */
static long find(struct vswitch *sw, u64 mac)
{
	long owner = owner_of(sw, mac);

	return likely(owner >= 0) ? owner : find_behind(sw, mac);
}

/* ---- Frames ---- */

/* One copy; true: the monitor wants one, too. */
static inline bool deliver(struct vswitch_port *from, u64 index, const struct net_frame *frame)
{
	struct vswitch_port *to = port_at(from->sw, index);

	if (!to)
		return false;
	to->ops->deliver(to, frame);
	from->touched |= BIT(index);
	return vswitch_mirrored(to);
}

static __noinline u32 mirror(struct vswitch_port *from, const struct net_frame *frame)
{
	struct vswitch_port *to = __atomic_load_n(&monitor, __ATOMIC_ACQUIRE);

	if (!to)
		return 0;
	to->ops->deliver(to, frame);
	from->monitored = true;
	return 1;
}

/* Everyone else gets a copy, but of nothing that is to be cut up: no protocol asks for that. */
static __noinline u32 flood(struct vswitch_port *from, const struct net_frame *frame)
{
	u32 top = __atomic_load_n(&from->sw->top, __ATOMIC_RELAXED), copies = 0;
	bool mirrored = vswitch_mirrored(from);

	if (frame->offload.gso_type || !take(&from->storm, STORM_RATE, STORM_BURST, 1)) {
		net_drop(from, frame->offload.gso_type ? VSWITCH_UNFIT : VSWITCH_STORM);
		top = 0;
	}
	for (u32 i = 0; i < top; i++) {
		if (i == from->index)
			continue;
		mirrored |= deliver(from, i, frame);
		copies++;
	}
	return copies + (mirrored ? mirror(from, frame) : 0);
}

u32 vswitch_send(struct vswitch_port *from, const struct net_frame *frame)
{
	u64 source = mac_load(frame->head + 6), to;
	bool mirrored;
	long index;

	if (!from->sw)
		return 0;
	if (source != vswitch_mac(from) && !check_other_source(from, source)) {
		net_drop(from, VSWITCH_SPOOFED);
		return 0;
	}
	if (from->rate && !within_rate(from, frame->size)) {
		net_drop(from, VSWITCH_LIMITED);
		return 0;
	}
	to = mac_load(frame->head);
	index = to & MAC_GROUP ? -1 : find(from->sw, to);
	if (index < 0)
		return flood(from, frame);
	mirrored = vswitch_mirrored(from);
	if (index != from->index)
		mirrored |= deliver(from, (u64)index, frame);
	return 1 + (unlikely(mirrored) ? mirror(from, frame) : 0);
}

void vswitch_flush(struct vswitch_port *from)
{
	struct vswitch_port *to;

	for (; from->touched; from->touched &= from->touched - 1) {
		to = port_at(from->sw, (u32)__builtin_ctzll(from->touched));
		if (to)
			to->ops->flush(to);
	}
	to = from->monitored ? __atomic_load_n(&monitor, __ATOMIC_ACQUIRE) : NULL;
	from->monitored = false;
	if (to)
		to->ops->flush(to);
}

/* ---- Ports come and go ---- */

/* A VM that ends by itself takes its ports off meanwhile. */
static u32 members_of(const struct vswitch *sw)
{
	return __atomic_load_n(&sw->members, __ATOMIC_RELAXED);
}

static struct vswitch *find_switch(const char *name, u32 vlan)
{
	struct vswitch *room = NULL;

	for (u32 i = 0; i < VSWITCH_SWITCHES; i++) {
		struct vswitch *sw = &switches[i];

		if (!members_of(sw))
			room = room ? room : sw;
		else if (sw->vlan == vlan && !strcmp(sw->name, name))
			return sw;
	}
	if (room) {
		/* Its last port left a moment ago, perhaps on another hart, which holds it. */
		spin_lock(&room->lock);
		spin_unlock(&room->lock);
		memset(room, 0, sizeof(*room));
		memcpy(room->name, name, strnlen(name, VSWITCH_NAME - 1));
		room->vlan = vlan;
	}
	return room;
}

static int free_index(struct vswitch *sw)
{
	for (u32 i = 0; i < VSWITCH_PORTS; i++)
		if (!port_at(sw, i))
			return (int)i;
	return -ENOMEM;
}

static void set_address(struct vswitch *sw, struct vswitch_port *port, u64 mac)
{
	__atomic_store_n(&port->mac, mac, __ATOMIC_RELAXED);
	__atomic_store_n(&sw->mac[port->index], mac, __ATOMIC_RELAXED);
}

static bool is_home(const struct vswitch *sw, u64 mac)
{
	for (u32 i = 0; i < sw->top; i++)
		if (sw->port[i] && sw->port[i]->home == mac)
			return true;
	return false;
}

/*
 * An address that a driver asks for must be nobody's, at home or not. To a port that comes home it
 * is given; a driver that has taken it before goes home itself. The lock is held.
 */
static int take_address(struct vswitch *sw, struct vswitch_port *port, u64 mac)
{
	long owner = owner_of(sw, mac);
	struct vswitch_port *holder = owner < 0 ? NULL : sw->port[owner];

	if (mac != port->home && holder != port && (holder || is_home(sw, mac)))
		return -EEXIST;
	if (holder && holder != port)
		set_address(sw, holder, holder->home);
	set_address(sw, port, mac);
	return 0;
}

/* A port that is seen has its address, and is below top. The lock is held. */
static int connect(struct vswitch *sw, u32 index, struct vswitch_port *port)
{
	if (is_home(sw, port->mac))
		return -EEXIST;
	port->index = index;
	port->home = port->mac;
	(void)take_address(sw, port, port->mac);
	port->sw = sw;
	__atomic_store_n(&sw->port[index], port, __ATOMIC_RELEASE);
	if (index >= sw->top)
		__atomic_store_n(&sw->top, index + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&sw->members, sw->members + 1, __ATOMIC_RELAXED);
	return 0;
}

static int join_monitor(struct vswitch_port *port)
{
	if (__atomic_load_n(&monitor, __ATOMIC_RELAXED))
		return -EEXIST;
	__atomic_store_n(&monitor, port, __ATOMIC_RELEASE);
	return 0;
}

int vswitch_join(struct vswitch_port *port, const char *name, u32 vlan)
{
	struct vswitch *sw;
	int index;

	if (port->monitor)
		return join_monitor(port);
	sw = find_switch(name, vlan);
	index = sw ? free_index(sw) : -ENOMEM;
	if (index < 0)
		return index;
	if (members_of(sw) && sw->small != port->small)
		return -EINVAL;
	sw->small = port->small;
	spin_lock(&sw->lock);
	index = connect(sw, (u32)index, port);
	spin_unlock(&sw->lock);
	return index;
}

/* Nobody behind this port any more. The lock is held. */
static void forget(struct vswitch *sw, u32 index)
{
	for (u32 i = 0; i < SETS * WAYS; i++) {
		struct learned *entry = &sw->learned[i / WAYS][i % WAYS];

		if ((key_of(entry) & 0xffff) == index + 1)
			__atomic_store_n(&entry->key, 0, __ATOMIC_RELAXED);
	}
}

void vswitch_leave(struct vswitch_port *port)
{
	struct vswitch *sw = port->sw;

	if (__atomic_load_n(&monitor, __ATOMIC_RELAXED) == port)
		__atomic_store_n(&monitor, NULL, __ATOMIC_RELEASE);
	if (!sw)
		return;
	spin_lock(&sw->lock);
	__atomic_store_n(&sw->mac[port->index], NO_ADDRESS, __ATOMIC_RELAXED);
	__atomic_store_n(&sw->port[port->index], NULL, __ATOMIC_RELEASE);
	forget(sw, port->index);
	__atomic_store_n(&sw->members, sw->members - 1, __ATOMIC_RELAXED);
	spin_unlock(&sw->lock);
	port->sw = NULL;
}

int vswitch_set_mac(struct vswitch_port *port, u64 mac)
{
	struct vswitch *sw = port->sw;
	int err;

	if (!sw) {
		__atomic_store_n(&port->mac, mac, __ATOMIC_RELAXED);
		return 0;
	}
	spin_lock(&sw->lock);
	err = take_address(sw, port, mac);
	spin_unlock(&sw->lock);
	return err;
}
