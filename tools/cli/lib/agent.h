/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VM's guest agent (qemu-guest-agent), through the port that leads to it. The guest is not
 * trusted: what it sends is bounded in size and in time, and checked. The port serves one process
 * at a time; another waits for it until its own time is over.
 */
#ifndef CLI_AGENT_H
#define CLI_AGENT_H

#include <stdint.h>

#include "error.h"

#define AGENT_SECONDS 5		/* for an answer, unless the user says otherwise */

enum agent_state {
	AGENT_NONE,	/* there is no port, nobody has it open in the guest, or nobody answers */
	AGENT_ANSWERS,
	AGENT_BUSY,	/* another process talks to it all the time */
};

/* agent_probe() - ask VM id's agent for a sign of life, for so many ms at most. */
enum agent_state agent_probe(uint32_t id, int ms);

/*
 * agent_shutdown() - ask the agent to end its guest; mode is "powerdown" or "reboot". 0: the agent
 * took it, and the guest will end or not. -1: it did not; the error is a clause that fits behind
 * "VM 1: ". Takes the given seconds at most.
 */
int agent_shutdown(uint32_t id, const char *mode, unsigned int seconds, struct error *error);

#endif
