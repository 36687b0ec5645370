// SPDX-License-Identifier: Apache-2.0
//
// regs.h - fields of system registers and syndromes, by the names of the Arm ARM, and the base
// values of the tests.
#ifndef REGS_H
#define REGS_H

#define BIT(n) (1ul << (n))

// SPSR_ELx
#define SPSR_M_EL0T 0x0
#define SPSR_M_EL1T 0x4
#define SPSR_M_EL1H 0x5
#define SPSR_M_EL2T 0x8
#define SPSR_M_EL2H 0x9
#define SPSR_M_EL3T 0xc
#define SPSR_M_EL3H 0xd
#define SPSR_M_MASK 0x1ful
#define SPSR_F BIT(6)
#define SPSR_I BIT(7)
#define SPSR_A BIT(8)
#define SPSR_D BIT(9)
#define SPSR_DAIF 0x3c0ul
#define SPSR_BTYPE(n) ((uint64_t)(n) << 10)
#define SPSR_SSBS BIT(12)
#define SPSR_IL BIT(20)
#define SPSR_SS BIT(21)
#define SPSR_PAN BIT(22)
#define SPSR_UAO BIT(23)
#define SPSR_DIT BIT(24)
#define SPSR_TCO BIT(25)
#define SPSR_V BIT(28)
#define SPSR_C BIT(29)
#define SPSR_Z BIT(30)
#define SPSR_N BIT(31)

// Vector offsets: the group by origin, then the kind within it.
#define VECTOR_CURRENT_SP0 0x000
#define VECTOR_CURRENT_SPX 0x200
#define VECTOR_LOWER_A64 0x400
#define VECTOR_LOWER_A32 0x600
#define VECTOR_SYNC 0x000
#define VECTOR_IRQ 0x080
#define VECTOR_FIQ 0x100
#define VECTOR_SERROR 0x180

// ESR_ELx
#define ESR_IL BIT(25)
#define ESR(ec, iss) ((uint64_t)(ec) << 26 | ESR_IL | (uint64_t)(iss))
#define EC_UNKNOWN 0x00
#define EC_WFX 0x01
#define EC_FP_TRAP 0x07
#define EC_PAC_TRAP 0x09
#define EC_BTI 0x0d
#define EC_ILLEGAL 0x0e
#define EC_SVC 0x15
#define EC_HVC 0x16
#define EC_SMC 0x17
#define EC_SYSREG 0x18
#define EC_SVE_TRAP 0x19
#define EC_ERET 0x1a
#define EC_FPAC 0x1c
#define EC_IABT_LOWER 0x20
#define EC_IABT_SAME 0x21
#define EC_PC_ALIGN 0x22
#define EC_DABT_LOWER 0x24
#define EC_DABT_SAME 0x25
#define EC_SP_ALIGN 0x26
#define EC_FP_EXC 0x2c
#define EC_SERROR 0x2f
#define EC_BREAKPT_LOWER 0x30
#define EC_BREAKPT_SAME 0x31
#define EC_STEP_LOWER 0x32
#define EC_STEP_SAME 0x33
#define EC_WATCHPT_LOWER 0x34
#define EC_WATCHPT_SAME 0x35
#define EC_BRK 0x3c

// ISS of EC_SYSREG: in the order of the S<op0>_<op1>_C<n>_C<m>_<op2> name.
#define ISS_SYSREG(op0, op1, crn, crm, op2, rt, read) \
	((uint64_t)(op0) << 20 | (uint64_t)(op2) << 17 | (uint64_t)(op1) << 14 | \
	 (uint64_t)(crn) << 10 | (uint64_t)(rt) << 5 | (uint64_t)(crm) << 1 | (uint64_t)(read))
#define ISS_SYSREG_READ(op0, op1, crn, crm, op2, rt) ISS_SYSREG(op0, op1, crn, crm, op2, rt, 1)
#define ISS_SYSREG_WRITE(op0, op1, crn, crm, op2, rt) ISS_SYSREG(op0, op1, crn, crm, op2, rt, 0)
// ISS of EC_WFX with CV and COND as A64 gives them (1, 0xe); ti: 0 WFI, 1 WFE, 2 WFIT, 3 WFET.
#define ISS_WFX(ti) (0x1e00000ul | (uint64_t)(ti))
// ISS of EC_FP_TRAP from A64.
#define ISS_FP 0x1e00000ul

// ISS of aborts.
#define ISS_ISV BIT(24)
#define ISS_SAS(n) ((uint64_t)(n) << 22)
#define ISS_SSE BIT(21)
#define ISS_SRT(n) ((uint64_t)(n) << 16)
#define ISS_SF BIT(15)
#define ISS_AR BIT(14)
#define ISS_VNCR BIT(13)
#define ISS_FNV BIT(10)
#define ISS_EA BIT(9)
#define ISS_CM BIT(8)
#define ISS_S1PTW BIT(7)
#define ISS_WNR BIT(6)
#define FSC_ADDR_SIZE(level) (0x00u + (level))
#define FSC_TRANSLATION(level) (0x04u + (level))
#define FSC_ACCESS(level) (0x08u + (level))
#define FSC_PERMISSION(level) (0x0cu + (level))
#define FSC_EXTERNAL 0x10u
#define FSC_EXTERNAL_WALK(level) (0x14u + (level))
#define FSC_ALIGNMENT 0x21u
#define FSC_DEBUG 0x22u
#define FSC_TLB_CONFLICT 0x30u

// SCR_EL3
#define SCR_NS BIT(0)
#define SCR_IRQ BIT(1)
#define SCR_FIQ BIT(2)
#define SCR_EA BIT(3)
#define SCR_SMD BIT(7)
#define SCR_HCE BIT(8)
#define SCR_SIF BIT(9)
#define SCR_RW BIT(10)
#define SCR_ST BIT(11)
#define SCR_TWI BIT(12)
#define SCR_TWE BIT(13)
#define SCR_TLOR BIT(14)
#define SCR_TERR BIT(15)
#define SCR_APK BIT(16)
#define SCR_API BIT(17)
#define SCR_EEL2 BIT(18)
#define SCR_BASE (SCR_NS | SCR_HCE | SCR_RW | SCR_APK | SCR_API | 0x30)

// HCR_EL2
#define HCR_VM BIT(0)
#define HCR_SWIO BIT(1)
#define HCR_PTW BIT(2)
#define HCR_FMO BIT(3)
#define HCR_IMO BIT(4)
#define HCR_AMO BIT(5)
#define HCR_VF BIT(6)
#define HCR_VI BIT(7)
#define HCR_VSE BIT(8)
#define HCR_FB BIT(9)
#define HCR_DC BIT(12)
#define HCR_TWI BIT(13)
#define HCR_TWE BIT(14)
#define HCR_TID0 BIT(15)
#define HCR_TID1 BIT(16)
#define HCR_TID2 BIT(17)
#define HCR_TID3 BIT(18)
#define HCR_TSC BIT(19)
#define HCR_TIDCP BIT(20)
#define HCR_TACR BIT(21)
#define HCR_TSW BIT(22)
#define HCR_TPCP BIT(23)
#define HCR_TPU BIT(24)
#define HCR_TTLB BIT(25)
#define HCR_TVM BIT(26)
#define HCR_TGE BIT(27)
#define HCR_TDZ BIT(28)
#define HCR_HCD BIT(29)
#define HCR_TRVM BIT(30)
#define HCR_RW BIT(31)
#define HCR_CD BIT(32)
#define HCR_ID BIT(33)
#define HCR_E2H BIT(34)
#define HCR_TLOR BIT(35)
#define HCR_TERR BIT(36)
#define HCR_APK BIT(40)
#define HCR_API BIT(41)
#define HCR_NV BIT(42)
#define HCR_NV1 BIT(43)
#define HCR_AT BIT(44)
#define HCR_NV2 BIT(45)
#define HCR_FWB BIT(46)
#define HCR_TID4 BIT(49)
#define HCR_TICAB BIT(50)
#define HCR_TOCU BIT(52)
#define HCR_TTLBIS BIT(54)
#define HCR_TTLBOS BIT(55)
#define HCR_BASE (HCR_RW | HCR_APK | HCR_API)

// SCTLR_ELx: those of EL1 and of the EL2&0 regime, then the base values.
#define SCTLR_M BIT(0)
#define SCTLR_A BIT(1)
#define SCTLR_C BIT(2)
#define SCTLR_SA BIT(3)
#define SCTLR_SA0 BIT(4)
#define SCTLR_NAA BIT(6)
#define SCTLR_UMA BIT(9)
#define SCTLR_ENRCTX BIT(10)
#define SCTLR_EOS BIT(11)
#define SCTLR_I BIT(12)
#define SCTLR_ENDB BIT(13)
#define SCTLR_DZE BIT(14)
#define SCTLR_UCT BIT(15)
#define SCTLR_NTWI BIT(16)
#define SCTLR_NTWE BIT(18)
#define SCTLR_WXN BIT(19)
#define SCTLR_TSCXT BIT(20)
#define SCTLR_IESB BIT(21)
#define SCTLR_EIS BIT(22)
#define SCTLR_SPAN BIT(23)
#define SCTLR_E0E BIT(24)
#define SCTLR_EE BIT(25)
#define SCTLR_UCI BIT(26)
#define SCTLR_ENDA BIT(27)
#define SCTLR_ENIB BIT(30)
#define SCTLR_ENIA BIT(31)
#define SCTLR_BT0 BIT(35)
#define SCTLR_BT1 BIT(36)
#define SCTLR_EPAN BIT(57)
#define SCTLR_EL1_BASE \
	(BIT(29) | BIT(28) | SCTLR_SPAN | SCTLR_EIS | SCTLR_TSCXT | SCTLR_EOS | SCTLR_UCI | \
	 SCTLR_NTWE | SCTLR_NTWI | SCTLR_UCT | SCTLR_DZE | BIT(7) | BIT(8) | BIT(5))
#define SCTLR_EL2_BASE 0x30c50830ul
#define SCTLR_EL3_BASE 0x30c50830ul

// CPTR_EL2 (HCR_EL2.E2H = 0: the RES1 bits, SVE not trapped), CPACR_EL1 (FP and SVE not trapped),
// CPTR_EL3.
#define CPTR_TFP BIT(10)
#define CPTR_TZ BIT(8)
#define CPTR_TTA BIT(20)
#define CPTR_TCPAC BIT(31)
#define CPTR_EL2_BASE 0x32fful
#define CPTR_EL3_BASE BIT(8) // EZ: SVE not trapped
#define CPACR_FPEN(n) ((uint64_t)(n) << 20)
#define CPACR_ZEN(n) ((uint64_t)(n) << 16)
#define CPACR_TTA BIT(28)
#define CPACR_BASE (CPACR_FPEN(3) | CPACR_ZEN(3))

// MDCR_EL2, MDCR_EL3, MDSCR_EL1
#define MDCR_EL2_TPMCR BIT(5)
#define MDCR_EL2_TPM BIT(6)
#define MDCR_EL2_HPME BIT(7)
#define MDCR_EL2_TDE BIT(8)
#define MDCR_EL2_TDA BIT(9)
#define MDCR_EL2_TDOSA BIT(10)
#define MDCR_EL2_TDRA BIT(11)
#define MDCR_EL3_TPM BIT(6)
#define MDCR_EL3_TDA BIT(9)
#define MDCR_EL3_TDOSA BIT(10)
#define MDCR_EL3_SPD32(n) ((uint64_t)(n) << 14)
#define MDCR_EL3_SDD BIT(16)
#define MDCR_EL3_SPME BIT(17)
#define MDCR_EL3_BASE 0ul
#define MDSCR_SS BIT(0)
#define MDSCR_TDCC BIT(12)
#define MDSCR_KDE BIT(13)
#define MDSCR_MDE BIT(15)

// CNTHCTL_EL2 with E2H = 0 and with E2H = 1, CNTKCTL_EL1, and CNT*_CTL.
#define CNTHCTL_EL1PCTEN BIT(0)
#define CNTHCTL_EL1PCEN BIT(1)
#define CNTHCTL_E2H_EL0PCTEN BIT(0)
#define CNTHCTL_E2H_EL0VCTEN BIT(1)
#define CNTHCTL_E2H_EL0VTEN BIT(8)
#define CNTHCTL_E2H_EL0PTEN BIT(9)
#define CNTHCTL_E2H_EL1PCTEN BIT(10)
#define CNTHCTL_E2H_EL1PTEN BIT(11)
#define CNTHCTL_BASE (CNTHCTL_EL1PCTEN | CNTHCTL_EL1PCEN)
#define CNTKCTL_EL0PCTEN BIT(0)
#define CNTKCTL_EL0VCTEN BIT(1)
#define CNTKCTL_EL0VTEN BIT(8)
#define CNTKCTL_EL0PTEN BIT(9)
#define CNTKCTL_BASE (CNTKCTL_EL0PCTEN | CNTKCTL_EL0VCTEN | CNTKCTL_EL0VTEN | CNTKCTL_EL0PTEN)
#define CNT_CTL_ENABLE BIT(0)
#define CNT_CTL_IMASK BIT(1)
#define CNT_CTL_ISTATUS BIT(2)

// MAIR_ELx of the tests: index 0 Device-nGnRnE, 1 Normal Non-cacheable, 2 Normal Write-Back.
#define MAIR_BASE 0xff4400ul
#define MAIR_DEVICE 0
#define MAIR_NC 1
#define MAIR_WB 2

#endif
