/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process on each processor that keeps its FP and vector registers full of patterns of its own
 * and looks whether they are still there: what others on a hart may see or change, one of them
 * notices. They never sleep, until FILE is there. Static: any image runs it.
 *   registers FILE	"rounds N mismatches M vector 0|1", and status 0 if M is 0
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define FP_REGISTERS 32
#define VECTOR_MAX 8192	/* bytes of one register, 65536 bits */
#define SPIN 20000	/* between filling and looking */
#define HWCAP_V (1ul << ('V' - 'A'))

struct result {
	uint64_t rounds;
	uint64_t mismatches;
};

static uint64_t vlenb;
static uint8_t out[FP_REGISTERS * VECTOR_MAX], in[FP_REGISTERS * VECTOR_MAX];

/* No NaN boxing, no rounding: registers are moved as they are. */
static void fill(uint64_t seed, size_t size)
{
	for (size_t i = 0; i < size; i += 8) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		memcpy(out + i, &seed, 8);
	}
}

#define EACH(op) \
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) \
	op(14) op(15) op(16) op(17) op(18) op(19) op(20) op(21) op(22) op(23) op(24) op(25) \
	op(26) op(27) op(28) op(29) op(30) op(31)
#define LOAD(n) "fld f" #n ", 8*" #n "(%0)\n"
#define STORE(n) "fsd f" #n ", 8*" #n "(%1)\n"
#define WAIT "mv t0, %2\n1: addi t0, t0, -1\nbnez t0, 1b\n"

static uint64_t fp_round(uint64_t seed)
{
	fill(seed, 8 * FP_REGISTERS);
	__asm__ volatile(EACH(LOAD) WAIT EACH(STORE) :: "r"(out), "r"(in), "r"(SPIN)
			 : "t0", "memory", "f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8",
			   "f9", "f10", "f11", "f12", "f13", "f14", "f15", "f16", "f17", "f18",
			   "f19", "f20", "f21", "f22", "f23", "f24", "f25", "f26", "f27", "f28",
			   "f29", "f30", "f31");
	return memcmp(out, in, 8 * FP_REGISTERS) != 0;
}

static void vector_init(void)
{
	if (!(getauxval(AT_HWCAP) & HWCAP_V))
		return;
	__asm__ volatile("csrr %0, 0xc22" : "=r"(vlenb));
	if (vlenb > VECTOR_MAX)
		vlenb = 0;
}

/* All 32 registers, in four groups of eight. */
static uint64_t vector_round(uint64_t seed)
{
	uint64_t group = 8 * vlenb;

	if (!vlenb)
		return 0;
	fill(seed, 4 * group);
	__asm__ volatile(".option push\n.option arch, +v\n"
			 "mv t1, %0\n"
			 "vl8re8.v v0, (t1)\nadd t1, t1, %3\n"
			 "vl8re8.v v8, (t1)\nadd t1, t1, %3\n"
			 "vl8re8.v v16, (t1)\nadd t1, t1, %3\n"
			 "vl8re8.v v24, (t1)\n" WAIT
			 "mv t1, %1\n"
			 "vs8r.v v0, (t1)\nadd t1, t1, %3\n"
			 "vs8r.v v8, (t1)\nadd t1, t1, %3\n"
			 "vs8r.v v16, (t1)\nadd t1, t1, %3\n"
			 "vs8r.v v24, (t1)\n.option pop\n"
			 :: "r"(out), "r"(in), "r"(SPIN), "r"(group) : "t0", "t1", "memory");
	return memcmp(out, in, 4 * group) != 0;
}

static void work(struct result *result, uint64_t seed, const char *stop)
{
	while (access(stop, F_OK)) {
		result->mismatches += fp_round(seed++);
		result->mismatches += vector_round(seed++);
		result->rounds++;
	}
}

static void stay(long processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)processor, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int main(int argc, char **argv)
{
	long processes = sysconf(_SC_NPROCESSORS_ONLN);
	struct result *results, sum = { 0, 0 };
	uint64_t seed;	/* of this run, on this machine */

	if (argc != 2 || processes > 64)
		return 2;
	memcpy(&seed, (const void *)getauxval(AT_RANDOM), sizeof(seed));
	vector_init();
	results = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (long i = 0; i < processes; i++) {
		if (fork())
			continue;
		stay(i);
		work(&results[i], seed + ((uint64_t)i << 32), argv[1]);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	for (long i = 0; i < processes; i++) {
		sum.rounds += results[i].rounds;
		sum.mismatches += results[i].mismatches;
	}
	printf("rounds %llu mismatches %llu vector %d\n", (unsigned long long)sum.rounds,
	       (unsigned long long)sum.mismatches, vlenb != 0);
	return sum.mismatches != 0;
}
