/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding of the load or store by which a guest hit an emulated device, and of CSR instructions.
 * A load or store comes from htinst where the hart fills it, else it is fetched from the guest's
 * memory. No CSR access.
 */
#ifndef ASM_INSN_H
#define ASM_INSN_H

#include <hv/csr_op.h>

/* What an instruction is to the emulator. Only INSN_LDST is carried out, the rest faults. */
enum insn_kind {
	INSN_LDST,	/* integer load or store; struct insn_ldst is filled in */
	INSN_FP,	/* load or store of an FP register */
	INSN_AMO,	/* LR, SC, AMO */
	INSN_VECTOR,	/* vector load or store */
	INSN_CBO,	/* cache block operation */
	INSN_UNKNOWN,	/* none that accesses memory, or one of hypervisor or custom kind */
	INSN_NONE,	/* htinst only: it is 0, the instruction has to be fetched */
	INSN_WALK,	/* htinst only: not the instruction, but the guest's page walk for it */
};

/* An integer load or store. */
struct insn_ldst {
	bool write;
	bool sign_extend;	/* load: the value is sign-extended into the register */
	u8 width;		/* bytes: 1, 2, 4 or 8 */
	u8 reg;			/* load: rd; store: rs2 */
	u8 length;		/* bytes of the instruction itself: 2 or 4 */
	u8 offset;		/* faulting address less the first one: not 0 when misaligned */
};

/* Fields of the 32-bit encodings, which htinst uses for compressed instructions too. */
#define INSN_FUNCT3(insn) (((insn) >> 12) & 7)
#define INSN_RD(insn) (((insn) >> 7) & 31)
#define INSN_RS1(insn) (((insn) >> 15) & 31)
#define INSN_RS2(insn) (((insn) >> 20) & 31)

/*
 * insn_ldst_basic() - decode a 32-bit LB … SD, all but length and offset. Returns false for any
 * other instruction. Opcodes: LOAD 0000011, STORE 0100011; funct3: log2 of the width, and 4 for a
 * load that zero-extends.
 */
static inline bool insn_ldst_basic(u32 insn, struct insn_ldst *out)
{
	bool store = (insn & 0x20) != 0;
	u32 funct3 = INSN_FUNCT3(insn);

	if ((insn & 0x5f) != 0x03 || funct3 > (store ? 3 : 6))
		return false;
	out->write = store;
	out->sign_extend = funct3 < 4;
	out->width = (u8)(1u << (funct3 & 3));
	out->reg = (u8)(store ? INSN_RS2(insn) : INSN_RD(insn));
	return true;
}

/*
 * insn_ldst_htinst() - the short way for the exit path: true when htinst holds a transformed
 * integer load or store, and *out is then complete. Else insn_decode_htinst() says what it is.
 * Privileged specification, "Transformed Instruction or Pseudoinstruction for mtinst or htinst":
 * bit 1 is 0 for a compressed instruction, the rs1 field holds the address offset.
 */
static inline bool insn_ldst_htinst(u64 htinst, struct insn_ldst *out)
{
	u32 insn = (u32)htinst;

	out->length = (u8)(2 + (insn & 2));
	out->offset = (u8)INSN_RS1(insn);
	return insn_ldst_basic(insn | 2, out);
}

/*
 * insn_decode() - what is this instruction, as fetched from memory? The low 16 bits alone count
 * when it is a compressed one. *out is meaningful only for INSN_LDST.
 */
enum insn_kind insn_decode(u32 insn, struct insn_ldst *out);

/* insn_decode_htinst() - the same for a value of htinst, all 64 bits. */
enum insn_kind insn_decode_htinst(u64 htinst, struct insn_ldst *out);

/*
 * insn_ldst_address() - the guest virtual address of the first byte that this instruction, for
 * which insn_decode() says INSN_LDST, accesses with these integer registers.
 */
u64 insn_ldst_address(u32 insn, const u64 gpr[32]);

/* insn_load_value() - what the register gets when the load read value (higher bits ignored). */
static inline u64 insn_load_value(const struct insn_ldst *ldst, u64 value)
{
	u32 unused = 64 - 8 * (u32)ldst->width;

	value <<= unused;
	return ldst->sign_extend ? (u64)((s64)value >> unused) : value >> unused;
}

/* insn_store_value() - the bytes of the register that the store writes, zero-extended. */
static inline u64 insn_store_value(const struct insn_ldst *ldst, u64 reg)
{
	u32 unused = 64 - 8 * (u32)ldst->width;

	return reg << unused >> unused;
}

/* One of the six CSR instructions (Zicsr). */
struct insn_csr {
	u16 csr;		/* number */
	u8 rd;
	u8 source;		/* rs1, or the immediate itself */
	bool immediate;
	enum csr_op op;
};

/* insn_csr() - decode a 32-bit instruction; false when it is no CSR instruction. */
bool insn_csr(u32 insn, struct insn_csr *out);

/* insn_csr_operand() - what it writes, sets or clears, with these integer registers. */
static inline u64 insn_csr_operand(const struct insn_csr *insn, const u64 gpr[32])
{
	return insn->immediate ? insn->source : gpr[insn->source];
}

#endif
