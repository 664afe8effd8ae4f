/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The error numbers that Shyper uses internally: functions return 0 or one of these negated.
 * They never leave the hypervisor: SBI errors and the ABI status have their own spaces.
 */
#ifndef HV_ERRNO_H
#define HV_ERRNO_H

#define EPERM 1		/* the caller may not do this */
#define ENOENT 2	/* no such object */
#define EIO 5		/* hardware or firmware refused */
#define E2BIG 7		/* does not fit into the place given */
#define EAGAIN 11	/* there is more to do: call again */
#define ENOMEM 12	/* out of memory or of a counted resource */
#define EFAULT 14	/* an address that its user does not own */
#define EBUSY 16	/* somebody else has it, or it is in a state that forbids this */
#define EEXIST 17	/* it is there already, or overlaps something that is */
#define ENODEV 19	/* the hardware is absent */
#define EINVAL 22	/* an argument is malformed */
#define ERANGE 34	/* an argument is out of range */
#define ENOSYS 38	/* the operation does not exist */
#define EPROTO 71	/* malformed data from outside */
#define ETIMEDOUT 110	/* a bounded wait ran out */

#endif
