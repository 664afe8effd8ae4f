# SPDX-License-Identifier: BSD-2-Clause
# Objects of arch/riscv64, one line each, full path.
objs += arch/riscv64/vpmu.o
objs += arch/riscv64/insn.o
objs += arch/riscv64/guest_fdt.o
objs += arch/riscv64/guest_isa.o
objs += arch/riscv64/ptable.o
objs += arch/riscv64/ptable_walk.o
objs += arch/riscv64/ptable_pages.o
objs += arch/riscv64/vmid.o
