/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The complete decoder behind the short way of asm/insn.h: all integer loads and stores of RV64I,
 * C and Zcb, and the kind of whatever else accesses memory; CSR instructions. Straight code; the
 * bits come from a guest, so every reserved encoding is INSN_UNKNOWN.
 */
#include <asm/insn.h>

#define OPCODE(insn) ((insn) & 0x7f)
#define OPCODE_LOAD_FP 0x07
#define OPCODE_MISC_MEM 0x0f
#define OPCODE_STORE_FP 0x27
#define OPCODE_AMO 0x2f
#define OPCODE_SYSTEM 0x73

/* Implicit access to a page-table entry: 0x2000, 0x3000, and 0x20 on top of it for a write. */
#define HTINST_WALK32 0x2000
#define HTINST_WALK64 0x3000
#define HTINST_WALK_WRITE 0x20

/* LOAD-FP and STORE-FP share their opcodes with the vector unit; funct3 is the element's width. */
static enum insn_kind fp_or_vector(u32 insn)
{
	u32 funct3 = INSN_FUNCT3(insn);

	return funct3 >= 1 && funct3 <= 4 ? INSN_FP : INSN_VECTOR;
}

/* cbo.inval, cbo.clean, cbo.flush and cbo.zero, which is 4: selected by the immediate. */
static bool is_cbo(u32 insn)
{
	u32 operation = insn >> 20;

	return INSN_FUNCT3(insn) == 2 && INSN_RD(insn) == 0 &&
	       (operation <= 2 || operation == 4);
}

static enum insn_kind decode_standard(u32 insn, struct insn_ldst *out)
{
	if (insn_ldst_basic(insn, out))
		return INSN_LDST;
	switch (OPCODE(insn)) {
	case OPCODE_LOAD_FP:
	case OPCODE_STORE_FP:
		return fp_or_vector(insn);
	case OPCODE_AMO:
		return INSN_AMO;
	case OPCODE_MISC_MEM:
		return is_cbo(insn) ? INSN_CBO : INSN_UNKNOWN;
	default:
		return INSN_UNKNOWN;
	}
}

/* Zcb: bits 12..10 are lbu, lhu/lh, sb, sh; for halfwords bit 6 tells lh, and is reserved in sh. */
static enum insn_kind decode_zcb(u32 insn, struct insn_ldst *out)
{
	u32 operation = insn >> 10 & 7;
	bool bit6 = (insn & 0x40) != 0;

	if (operation > 3 || (operation == 3 && bit6))
		return INSN_UNKNOWN;
	out->write = operation >= 2;
	out->width = operation & 1 ? 2 : 1;
	out->sign_extend = operation == 1 && bit6;
	out->reg = (u8)(8 + (insn >> 2 & 7));
	return INSN_LDST;
}

/*
 * Quadrants 0 (three-bit registers) and 2 (relative to sp): bit 15 is set for a store, bits 14
 * and 13 are 1 for FP, 2 for a word, 3 for a doubleword.
 */
static enum insn_kind decode_compressed(u32 insn, struct insn_ldst *out)
{
	bool by_sp = (insn & 3) == 2;
	u32 size = insn >> 13 & 3;

	if ((insn & 3) == 1)
		return INSN_UNKNOWN;
	if (size == 0)
		return !by_sp && (insn & 0x8000) ? decode_zcb(insn, out) : INSN_UNKNOWN;
	if (size == 1)
		return INSN_FP;
	out->write = (insn & 0x8000) != 0;
	out->sign_extend = true;
	out->width = size == 2 ? 4 : 8;
	if (!by_sp)
		out->reg = (u8)(8 + (insn >> 2 & 7));
	else
		out->reg = (u8)(out->write ? insn >> 2 & 31 : INSN_RD(insn));
	/* c.lwsp and c.ldsp into x0 are reserved. */
	return by_sp && !out->write && !out->reg ? INSN_UNKNOWN : INSN_LDST;
}

enum insn_kind insn_decode(u32 insn, struct insn_ldst *out)
{
	out->offset = 0;
	if ((insn & 3) == 3) {
		out->length = 4;
		return decode_standard(insn, out);
	}
	out->length = 2;
	return decode_compressed(insn & 0xffff, out);
}

enum insn_kind insn_decode_htinst(u64 htinst, struct insn_ldst *out)
{
	u64 walk = htinst & ~(u64)HTINST_WALK_WRITE;

	if (insn_ldst_htinst(htinst, out))
		return htinst >> 32 ? INSN_UNKNOWN : INSN_LDST;
	if (htinst == 0)
		return INSN_NONE;
	if (walk == HTINST_WALK32 || walk == HTINST_WALK64)
		return INSN_WALK;
	if (htinst >> 32 || !(htinst & 1))
		return INSN_UNKNOWN;
	return decode_standard((u32)htinst | 2, out);
}

/* The n bits of insn from bit `from` on, moved to bit `to`: one part of a scattered immediate. */
static u32 part(u32 insn, u32 from, u32 n, u32 to)
{
	return (insn >> from & ((1u << n) - 1)) << to;
}

/* C.LWSP, C.LDSP, C.SWSP, C.SDSP: bit 15 store, bit 13 doubleword. */
static u32 sp_offset(u32 insn)
{
	switch (insn >> 13 & 5) {
	case 0:
		return part(insn, 12, 1, 5) | part(insn, 4, 3, 2) | part(insn, 2, 2, 6);
	case 1:
		return part(insn, 12, 1, 5) | part(insn, 5, 2, 3) | part(insn, 2, 3, 6);
	case 4:
		return part(insn, 9, 4, 2) | part(insn, 7, 2, 6);
	default:
		return part(insn, 10, 3, 3) | part(insn, 7, 3, 6);
	}
}

/* Quadrant 0: bits 14 and 13 are 0 for Zcb (of which bit 10 tells halfwords), 2 word, 3 double. */
static u32 short_offset(u32 insn)
{
	switch (insn >> 13 & 3) {
	case 0:
		return part(insn, 5, 1, 1) | (insn & 0x400 ? 0 : part(insn, 6, 1, 0));
	case 2:
		return part(insn, 10, 3, 3) | part(insn, 6, 1, 2) | part(insn, 5, 1, 6);
	default:
		return part(insn, 10, 3, 3) | part(insn, 5, 2, 6);
	}
}

u64 insn_ldst_address(u32 insn, const u64 gpr[32])
{
	s32 high = (s32)insn >> 20;

	if ((insn & 3) == 0)
		return gpr[8 + (insn >> 7 & 7)] + short_offset(insn);
	if ((insn & 3) == 2)
		return gpr[2] + sp_offset(insn);
	if (insn & 0x20)
		high = (high & ~31) | (s32)(insn >> 7 & 31);
	return gpr[INSN_RS1(insn)] + (u64)(s64)high;
}

/* funct3: 1 CSRRW, 2 CSRRS, 3 CSRRC, and 4 more with an immediate in the place of rs1. */
bool insn_csr(u32 insn, struct insn_csr *out)
{
	static const enum csr_op ops[] = { CSR_OP_READ, CSR_OP_WRITE, CSR_OP_SET, CSR_OP_CLEAR };
	u32 kind = INSN_FUNCT3(insn) & 3;

	if (OPCODE(insn) != OPCODE_SYSTEM || kind == 0)
		return false;
	*out = (struct insn_csr){
		.csr = (u16)(insn >> 20),
		.rd = (u8)INSN_RD(insn),
		.source = (u8)INSN_RS1(insn),
		.immediate = INSN_FUNCT3(insn) >= 4,
		.op = ops[kind],
	};
	if (out->op != CSR_OP_WRITE && out->source == 0)
		out->op = CSR_OP_READ;
	return true;
}
