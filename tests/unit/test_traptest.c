// SPDX-License-Identifier: Apache-2.0
// Trap tests through their C interface: what is refused and how, the matcher, hangs, crashes,
// order.
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "strata/strata_test.h"

#define HEAD "strata-trap-tests 1\n"

// ---- what is refused ----------------------------------------------------------------------------

static const struct {
	const char *text, *error;
} refused[] = {
	{"", "f:1:1: expected strata-trap-tests 1"},
	{"strata-trap-test 1\n", "f:1:1: expected strata-trap-tests 1"},
	{"strata-trap-tests 2\n", "f:1:19: expected version 1, the only one that is known"},
	{"strata-trap-tests 1 x\n", "f:1:21: expected the end of the line"},
	{HEAD "cases\n",
	 "f:2:1: expected case, test, section, machine, default, requires or qemu=no at the "
	 "beginning"},
	{HEAD "case a - | EL1 | NOP | ok\n", "f:2:8: expected a colon after the name"},
	{HEAD "case a%: - | EL1 | NOP | ok\n",
	 "f:2:7: expected a letter, a digit or one of . _ - in the name"},
	{HEAD "case a: - | EL1 | NOP\n",
	 "f:2:22: expected | and the next of SETTINGS | STATE | INSTRUCTION | EXPECTATION"},
	{HEAD "case a: - | EL1 | NOP | ok\ncase a: - | EL1 | NOP | ok\n",
	 "f:3:6: the name a is already that of line 2"},
	{HEAD "case a: HCR_EL2.TVN=1 | EL1 | NOP | ok\n", "f:2:17: HCR_EL2 has no field TVN"},
	{HEAD "case a: HRC_EL2.TVM=1 | EL1 | NOP | ok\n", "f:2:9: there is no register HRC_EL2"},
	{HEAD "case a: HCR_EL2.TVM=2 | EL1 | NOP | ok\n", "f:2:9: the value does not fit 1 bits"},
	{HEAD "case a: HCR_EL2.TVM | EL1 | NOP | ok\n", "f:2:20: expected ="},
	{HEAD "case a: HCR_EL2.TVM=x | EL1 | NOP | ok\n", "f:2:21: expected a number"},
	{HEAD "case a: X1=0x1ffffffffffffffff | EL1 | NOP | ok\n",
	 "f:2:12: the number does not fit 64 bits"},
	{HEAD "case a: X1=$dta | EL1 | NOP | ok\n",
	 "f:2:12: expected the name of a place ($data, $code, ...)"},
	{HEAD "case a: [$data]:3=1 | EL1 | NOP | ok\n",
	 "f:2:18: expected a size of 1, 2, 4 or 8 bytes"},
	{HEAD "case a: - | EL4 | NOP | ok\n", "f:2:13: expected a word of the state (NS, S, EL0 to "
					      "EL3, SP0, PAN, DAIF=, mmu, stage2, ...)"},
	{HEAD "case a: - | NS | NOP | ok\n", "f:2:13: expected the level: EL0, EL1, EL2 or EL3"},
	{HEAD "case a: - | EL1 EL2 | NOP | ok\n", "f:2:17: the level is said twice"},
	{HEAD "case a: SCR_EL3.NS=1 | S EL1 | NOP | ok\n",
	 "f:2:23: SCR_EL3.NS is set to 1, but the state says S"},
	{HEAD "machine el3=no\ncase a: - | EL3 | NOP | ok\n", "f:3:13: this machine has no EL3"},
	{HEAD "machine cpu=cortex-a0\n", NULL},
	{HEAD "case a: - | EL1 | NOP | okay\n", "f:2:25: expected ok, undefined, EL1, EL2 or EL3"},
	{HEAD "case a: - | EL1 | NOP | ok X3\n", "f:2:30: expected ="},
	{HEAD "case a: - | EL1 | NOP | ok writes FOO_EL1\n",
	 "f:2:35: there is no register FOO_EL1"},
	{HEAD "case a: - | EL1 | NOP | ok X3=9..2\n", "f:2:35: the range ends below its beginning"},
	{HEAD "case a: - | EL1 | NOP | ok | no-qemu\n",
	 "f:2:37: expected a text in quotation marks"},
	{HEAD "case a: - | EL1 | NOP | ok | requires FEAT_NOTHING\n",
	 "f:2:39: FEAT_NOTHING is no feature"},
	{HEAD "case a: \\\n  HCR_EL2.TVM=1, \\\n  HCR_EL2.NOPE=1 | EL1 | NOP | ok\n",
	 "f:4:11: HCR_EL2 has no field NOPE"},
	{HEAD "test a\n  asm\n", "f:3:1: expected end of what began in line 3"},
	{HEAD "test a\nend\n", "f:3:1: the test a has neither image nor asm"},
	{HEAD "test a\n  state EL1\n  image x\nend\n", NULL},
	{HEAD "test a\n expect\n  EL1 -> EL5\n", "f:4:12: expected 0, 1, 2, 3 or *"},
	{HEAD "test a\n expect\n  EL1 > EL2\n", "f:4:7: expected ->"},
	{HEAD "test a\n expect\n  EL1 -> EL2 cause=HVCX\n",
	 "f:4:20: HVCX is no cause (docs/trace.md)"},
	{HEAD "test a\n expect\n  EL1 -> EL2 x3..1\n",
	 "f:4:19: expected xN, xN..M or xN.. with N and M at most 100000"},
	{HEAD "test a\n count cause=HVC ~ 3\n", NULL},
	{HEAD "test a\n asm EL4\n end\nend\n", "f:3:6: expected EL1, EL2 or EL3, or nothing"},
	{HEAD "test a\n asm EL1+3\n end\nend\n",
	 "f:3:6: expected ELn+OFFSET with the offset of a vector (0, 0x80, ... 0x780)"},
	{HEAD "test a\n hex\n  xyz\n end\nend\n",
	 "f:4:3: expected an instruction as a hexadecimal word"},
	{HEAD "test a\n hex\n d503201f // NOP\n  1d503201f\n end\nend\n",
	 "f:5:3: expected an instruction as a hexadecimal word"},
	{HEAD "test a\n hex\n d503201f d503201x\n end\n asm EL2\n nop\n end\nend\n",
	 "f:4:11: expected an instruction as a hexadecimal word"},
	{HEAD "test a\n image ${NO_SUCH_VARIABLE_HERE}/x\nend\n",
	 "f:3:8: nothing says what ${NO_SUCH_VARIABLE_HERE} is (--define)"},
	// What could never be, so that a test would say nothing or always fail.
	{HEAD "case a: [0x10]=1 | EL1 | NOP | ok\n",
	 "f:2:10: expected an address in RAM, 0x40000000 to 0x40ffffff"},
	{HEAD "case a: - | EL1 | NOP | ok [0x40fffffc]=0\n",
	 "f:2:29: expected an address in RAM, 0x40000000 to 0x40ffffff"},
	{HEAD "case a: - | EL1 | NOP | ok ec=64\n", "f:2:28: the value does not fit 6 bits"},
	{HEAD "case a: - | EL1 | NOP | ok [$data]:1=256\n",
	 "f:2:28: the value does not fit 8 bits"},
	{HEAD "case a: - | EL1 | NOP | ok HCR_EL2.TVM=2\n",
	 "f:2:28: the value does not fit 1 bits"},
	{HEAD "case a: - | EL1 | NOP | ok iss[30:0]=1\n", "f:2:37: expected bits of ISS, 24 to 0"},
	{HEAD "case a: - | EL1 | HVC #0 | EL2 cause=FOO\n",
	 "f:2:38: FOO is no cause (docs/trace.md)"},
	{HEAD "case a: - | EL1 | HVC #0 | EL2 control=HCR_EL2.TVN\n",
	 "f:2:48: HCR_EL2 has no field TVN"},
	{HEAD "case a: - | EL1 | HVC #0 | EL2 control=HRC_EL2.TVM\n",
	 "f:2:40: there is no register HRC_EL2, so it controls nothing"},
	{HEAD "case a: - | EL1 | HVC #0 | EL2 sysreg=\"TLBI VAE9\"\n",
	 "f:2:40: there is no register TLBI VAE9"},
	{HEAD "case a: - | EL1 | HVC #0 | EL2 after:X0=5\n",
	 "f:2:32: after:X0=5 is for the transitions of tests, not for cases"},
	{HEAD "case a: NZCV=0 | EL1 | NOP | ok\n",
	 "f:2:9: NZCV is part of PSTATE, which the state says (EL1 DAIF=0 NZCV=4 PAN)"},
	{HEAD "machine cpu=cortex-a72\ncase a: - | EL1 BTYPE=1 | NOP | ok\n",
	 "f:3:17: PSTATE.BTYPE needs FEAT_BTI, which this CPU model has not"},
	{HEAD "machine cpu=cortex-a72\ncase a: tag[$tagged]=1 | EL1 | NOP | ok\n",
	 "f:3:12: a tag needs FEAT_MTE2, which this CPU model has not"},
	{HEAD "machine cpu=cortex-a72\ncase a: - | EL1 | NOP | ok HFGRTR_EL2=0\n",
	 "f:3:28: HFGRTR_EL2 needs FEAT_FGT, which this CPU model has not"},
	{HEAD "machine el2=no\n",
	 "f:2:1: there is no machine with EL3 and without EL2: say el3=no too"},
	{HEAD "test a\n machine el2=no\n state EL1\n",
	 "f:3:1: there is no machine with EL3 and without EL2: say el3=no too"},
	{HEAD "test a\n machine smp=2\n state EL1\n",
	 "f:3:1: smp=2 is for tests with an image, said before it"},
	{HEAD "test a\n machine el3=no\n image x\n set X0=1\n",
	 "f:3:1: el3= is for tests without an image: boot-el= and secure= say which levels one "
	 "has"},
	{HEAD "test a\n image x\n image y\n", "f:4:2: a test has only one image"},
	{HEAD "test a\n state EL1\n state EL2\n", "f:4:2: a test has only one state"},
	{HEAD "test a\n ends stuck\n ends reset\n", "f:4:2: a test has only one ends"},
	{HEAD "test a\n hex EL2\n end\n hex EL2\n end\n",
	 "f:5:5: this handler is given in line 3 already"},
	{HEAD "test a\n vectors EL2 stop\n vectors EL2 return\n",
	 "f:4:10: the vectors of EL2 are said twice"},
	{HEAD "test a\n ends exited 256\n", "f:3:14: expected an exit status from 0 to 255"},
	{HEAD "test a\n ends stopped EL7\n", "f:3:15: expected EL1, EL2 or EL3"},
	{HEAD "test a\n insns <= 3ms\n", "f:3:12: expected the end of the line"},
	{HEAD "test a\n time <= 0xffffffffffffffffs\n",
	 "f:3:10: the time does not fit 64 bits of nanoseconds"},
	{HEAD "test a\n limit insns=0\n", "f:3:8: expected a limit above 0"},
	{HEAD "test a\n after ec=5\n", "f:3:8: expected a check of a register or of memory"},
	{HEAD "test a\n watch after:X0=5\n",
	 "f:3:7: after:X0=5 looks at a return that has not been yet: it is for expect, not and "
	 "count"},
	{HEAD "test a\n input \"a\\x00\"\n", "f:3:11: a text has no zero byte"},
	{HEAD "test a\n expect\n EL1->EL2\n", "f:4:5: expected a space"},
};

static void count_results(void *opaque, const struct strata_test_result *r)
{
	(void)r;
	(*(unsigned *)opaque)++;
}

START_TEST(refused_by_place)
{
	char error[512] = "";
	unsigned ran = 0;
	int err = strata_test_run_string("f", refused[_i].text, NULL, count_results, &ran, error,
					 sizeof(error));

	ck_assert_msg(err == -EINVAL, "'%s' was taken", refused[_i].text);
	ck_assert_uint_eq(ran, 0);
	ck_assert_ptr_null(strchr(error, '\n'));
	if (refused[_i].error != NULL) {
		ck_assert_str_eq(error, refused[_i].error);
	} else {
		ck_assert(error[0] != '\0');
	}
}
END_TEST

// A RES0 bit, a bit of a feature that the model lacks, a register that it lacks.
START_TEST(impossible_settings)
{
	static const char *const texts[] = {
		HEAD "case a: SCR_EL3[60]=1 | EL1 | NOP | ok\n",
		HEAD "machine cpu=cortex-a72\ncase a: HCR_EL2.E2H=1 | EL1 | NOP | ok\n",
		HEAD "machine cpu=cortex-a72\ncase a: HFGRTR_EL2.AFSR0_EL1=1 | EL1 | NOP | ok\n",
		HEAD "case a: ID_AA64PFR0_EL1=0 | EL1 | NOP | ok\n",
	};
	static const char *const names[] = {"SCR_EL3", "HCR_EL2", "HFGRTR_EL2", "ID_AA64PFR0_EL1"};
	char error[512] = "";
	unsigned ran = 0;

	ck_assert_int_eq(strata_test_run_string("f", texts[_i], NULL, count_results, &ran, error,
						sizeof(error)),
			 -EINVAL);
	ck_assert_msg(strstr(error, names[_i]) != NULL, "%s", error);
}
END_TEST

// ---- cases --------------------------------------------------------------------------------------

static const struct {
	const char *text;
	enum strata_test_status status;
	const char *message; // part of it
} cases[] = {
	{"case a: HCR_EL2.TVM=1 | NS EL1 | MSR TTBR0_EL1, X3 | EL2 ec=0x18 iss=insn "
	 "control=HCR_EL2.TVM",
	 STRATA_TEST_PASSED, ""},
	{"case a: HCR_EL2.TVM=1 | NS EL1 | MSR TTBR0_EL1, X3 | ok", STRATA_TEST_FAILED,
	 "+ EL1 -> EL2 cause=SYSREG ec=0x18 iss=0x300860"},
	{"case a: - | NS EL1 | MSR TTBR0_EL1, X3 | EL2 ec=0x18", STRATA_TEST_FAILED, "+ ok"},
	{"case a: HCR_EL2.TVM=1 | NS EL1 | MSR TTBR0_EL1, X3 | EL2 ec=0x19", STRATA_TEST_FAILED,
	 "seen:     ec=0x18"},
	{"case a: HCR_EL2.TVM=1 | NS EL1 | MSR TTBR0_EL1, X3 | EL2 ec=0x18 elr=+4",
	 STRATA_TEST_FAILED, "expected: elr=+4"},
	{"case a: HCR_EL2.TVM=1 | NS EL1 | MSR TTBR0_EL1, X3 | EL2 ec=0x18 spsr.el=0",
	 STRATA_TEST_FAILED, "spsr.el=0x1"},
	{"case a: HCR_EL2.TVM=1 | NS EL1 | MSR TTBR0_EL1, X3 | EL2 ec=0x18 iss=0x300862",
	 STRATA_TEST_FAILED, "iss=0x300860"},
	{"case a: - | NS EL1 | MSR TTBR0_EL1, X3 | ok writes TTBR1_EL1", STRATA_TEST_FAILED,
	 "writes TTBR0_EL1"},
	{"case a: - | NS EL1 | MSR TTBR0_EL1, X3 | ok writes none", STRATA_TEST_FAILED,
	 "writes TTBR0_EL1"},
	{"case a: HCR_EL2.E2H=1 | EL2 | MSR TTBR0_EL1, X3 | ok writes TTBR0_EL2",
	 STRATA_TEST_PASSED, ""},
	{"case a: TTBR0_EL1=0x1000 | EL1 | MRS X3, TTBR0_EL1 | ok reads TTBR0_EL1 X3=0x1000",
	 STRATA_TEST_PASSED, ""},
	{"case a: TTBR0_EL1=0x1000 | EL1 | MRS X3, TTBR0_EL1 | ok X3=0x1001", STRATA_TEST_FAILED,
	 "X3=0x1000"},
	{"case a: TTBR0_EL1=0x1000 | EL1 | MRS X3, TTBR0_EL1 | ok reads TTBR1_EL1",
	 STRATA_TEST_FAILED, "TTBR1_EL1"},
	{"case a: - | EL1 | MRS X3, TTBR0_EL1 | ok reads TTBR0_EL1", STRATA_TEST_FAILED,
	 "other than 0"},
	{"case a: X1=$data | EL1 | STR X3, [X1] | ok stores [$data]", STRATA_TEST_PASSED, ""},
	{"case a: X1=$data | EL1 | STR X3, [X1] | ok stores none", STRATA_TEST_FAILED,
	 "stores [0x40020000]"},
	{"case a: X1=$data | EL1 | LDR X3, [X1] | ok stores none [$data]=0", STRATA_TEST_PASSED,
	 ""},
	{"case a: - | EL1 | NOP | ok | requires !FEAT_PAN", STRATA_TEST_SKIPPED,
	 "needs no FEAT_PAN"},
	{"case a: - | EL1 | MRS X3, SCR_EL3 | undefined EL1", STRATA_TEST_PASSED, ""},
	{"case a: - | EL1 | MRS X3, SCR_EL3 | undefined EL2", STRATA_TEST_FAILED, "EL1 -> EL1"},
	{"case a: irq | EL1 DAIF=0 | NOP | EL1 vector=0x280", STRATA_TEST_PASSED, ""},
	{"case a: irq | EL1 | NOP | ok", STRATA_TEST_PASSED, ""},
	// Another level than expected, the settings of the file, names as the trace has them.
	{"case a: - | NS EL1 | HVC #0 | EL3", STRATA_TEST_FAILED,
	 "expected: EL3\n      seen:     EL2"},
	{"default HCR_EL2.TSC=1\nsection s\ndefault HCR_EL2.TWI=1\n"
	 "case a: X1=5 | EL1 | SMC #0 | ok",
	 STRATA_TEST_FAILED, "at EL1 with HCR_EL2.TSC=1, HCR_EL2.TWI=1, X1=5\n"},
	{"case a: HCR_EL2.TTLB=1 | EL1 | TLBI VAE1, X0 | EL2 sysreg=\"TLBI VAE1\" cause=sysreg",
	 STRATA_TEST_PASSED, ""},
	{"case a: - | EL1 | NOP | ok | requires FEAT_PAN, !FEAT_UAO", STRATA_TEST_SKIPPED,
	 "needs no FEAT_UAO"},
};

START_TEST(case_outcomes)
{
	char message[4096] = "";
	enum strata_test_status status = strata_test_one(cases[_i].text, message, sizeof(message));

	ck_assert_msg(status == cases[_i].status, "%s: %d\n%s", cases[_i].text, status, message);
	ck_assert_msg(strstr(message, cases[_i].message) != NULL, "%s\n%s", cases[_i].text,
		      message);
}
END_TEST

struct seen {
	char names[64][32];
	enum strata_test_status status[64];
	char message[64][400];
	unsigned count;
};

static void note(void *opaque, const struct strata_test_result *r)
{
	struct seen *seen = opaque;

	snprintf(seen->names[seen->count], sizeof(seen->names[0]), "%s", r->name);
	snprintf(seen->message[seen->count], sizeof(seen->message[0]), "%s", r->message);
	seen->status[seen->count++] = r->status;
}

// ---- the matcher --------------------------------------------------------------------------------

// HVC #1 three times, HVC #2 once; EL2 returns from each.
#define PROGRAM \
	"test a\n state EL1\n vectors EL2 return\n hex\n d4000022 d4000022 d4000022 d4000042\n " \
	"end\n"
#define UP "EL1 -> EL2 cause=HVC imm="
#define DOWN "EL2 -> EL1\n"

static const struct {
	const char *text;
	bool matches;
	const char *message;
} matches[] = {
	{"expect\n repeat x3\n " UP "1\n " DOWN " end\n " UP "2\n " DOWN "end\n", true, ""},
	{"expect\n repeat x2\n " UP "1\n " DOWN " end\n " UP "2\n " DOWN "end\n", false,
	 "expected imm=2, seen imm=0x1"},
	{"expect\n repeat x4\n " UP "1\n " DOWN " end\nend\n", false,
	 "expected imm=1, seen imm=0x2"},
	{"expect\n repeat x1..5\n " UP "1\n " DOWN " end\n " UP "2\n " DOWN "end\n", true, ""},
	{"expect\n repeat +\n " UP "1\n " DOWN " end\n " UP "2\n " DOWN "end\n", true, ""},
	{"expect\n repeat *\n " UP "{1,2}\n " DOWN " end\nend\n", true, ""},
	{"expect\n repeat ?\n " UP "1\n " DOWN " end\n any\nend\n", true, ""},
	{"expect\n repeat x4..\n " UP "1\n " DOWN " end\n any\nend\n", false, ""},
	{"expect\n any\nend\n", true, ""},
	{"expect\n any\n " UP "2\n " DOWN "end\n", true, ""},
	{"expect\n any\n " UP "2\nend\n", false, "no more transitions"},
	{"expect\n any\n " UP "3\n any\nend\n", false, "nothing like it"},
	{"expect\n any 6\n " UP "2\n " DOWN "end\n", true, ""},
	{"expect\n any 5\n " UP "2\n " DOWN "end\n", false, ""},
	{"expect\n any 0..9\n " UP "2\n any 1\nend\n", true, ""},
	{"expect\n any except imm=2\n " UP "2\n any\nend\n", true, ""},
	{"expect\n any except cause=HVC\n " UP "2\n any\nend\n", false, ""},
	{"expect\n " UP "1 elr=+4\n any\nend\n", true, ""},
	{"expect\n " UP "1 elr=+0\n any\nend\n", false, "expected elr=+0, seen elr=+4"},
	{"expect\n " UP "1 X1=0x50..0x5555555555555555\n any\nend\n", true, ""},
	{"expect\n " UP "1 X1=0x55/0xff after:X1=0x55/0xff\n any\nend\n", true, ""},
	{"expect\n " UP "1 after:X1=0x54\n any\nend\n", false, "after:X1"},
	{"expect\n repeat x2\n  repeat x1..2\n " UP "1\n " DOWN "  end\n end\n any 2\nend\n", true,
	 ""},
	{"expect\nend\n", false, "no more transitions"},
	{"not imm=3 to=EL2\n", true, ""},
	{"not EL1 -> EL2 imm=2\n", false, "transition 7"},
	{"count EL1 -> EL2 == 4\n", true, ""},
	{"count EL1 -> EL2 imm=1 < 3\n", false, "+ 3"},
	{"count EL2 -> EL1 >= 4\n count return != 5\n", true, ""},
	{"insns <= 9\n insns > 4\n cycles in EL2 == 4\n", true, ""},
	{"insns < 4\n", false, ""},
	{"after X1=0x5555555555555555, X30=0x5555555555555555\n", true, ""},
	{"after X1=0\n", false, "X1=0x5555555555555555"},
	{"ends finished\n", true, ""},
	{"ends stopped\n", false, "the program finished"},
	{"ends stuck\n", false, ""},
	{"watch imm=2\n expect\n EL1 -> EL2\n end\n", true, ""},
	{"until imm=2\n expect\n any 6\n EL1 -> EL2 imm=2\n end\n", true, ""},
	{"until imm=3\n", false, "until imm=3"},
	{"output \"x\"\n", false, "output"},
	{"input \"a\\\\\" # a comment\n", true, ""},
	// At most so many, and what no change of level ends counts too.
	{"expect\n " UP "1 within=9\n any\nend\n", true, ""},
	{"watch within=1\n count EL1 -> EL2 == 4\n", true, ""},
	{"watch within=0\n count EL1 -> EL2 == 0\n", true, ""},
	{"expect\n " UP "1\n EL2 -> EL1 within=0\n any\nend\n", false, "seen within=0x1"},
	{"cycles in EL1 == 5\n cycles in EL2 == 4\n cycles == 9\n", true, ""},
	{"time > 1s\n", false, "+ 9 ns"},
	{"expect\n EL1 -> EL2 cause=hvc\n any\nend\n", true, ""},
};

START_TEST(matcher)
{
	char text[1024], message[8192] = "";
	enum strata_test_status status;

	snprintf(text, sizeof(text),
		 PROGRAM "%s"
			 "end\n",
		 matches[_i].text);
	status = strata_test_one(text, message, sizeof(message));
	ck_assert_msg(status == (matches[_i].matches ? STRATA_TEST_PASSED : STRATA_TEST_FAILED),
		      "%s: %d\n%s", matches[_i].text, status, message);
	ck_assert_msg(strstr(message, matches[_i].message) != NULL, "%s\n%s", matches[_i].text,
		      message);
}
END_TEST

// Handlers of one vector and of a level, in words.
START_TEST(vectors_in_words)
{
	static const char text[] =
		"test a\n state EL1\n hex\n d4000022 d4000003\n end\n"
		" hex EL2\n 91000421\n end\n" // ADD X1, X1, #1
		" hex EL3+0x400\n 91000842\n end\n" // ADD X2, X2, #2
		" after X1=0x5555555555555556, X2=0x5555555555555557\n ends finished\nend\n";
	char message[4096] = "";

	ck_assert_msg(strata_test_one(text, message, sizeof(message)) == STRATA_TEST_PASSED, "%s",
		      message);
}
END_TEST

// The return of the exception within itself is not that of the first: SVC #1, in whose handler an
// SVC #2 adds 1 to X1, and which then adds 1 itself.
START_TEST(matching_return)
{
	static const char text[] =
		"test a\n state EL1\n set X1=0\n hex\n d4000021\n end\n"
		" hex EL1\n"
		" d5385200\n" // MRS X0, ESR_EL1
		" 92403c00\n" // AND X0, X0, #0xffff
		" d1000800\n" // SUB X0, X0, #2
		" b40000e0\n" // CBZ X0, .+28
		" d5384022\n" // MRS X2, ELR_EL1
		" d5384003\n" // MRS X3, SPSR_EL1
		" d4000041\n" // SVC #2
		" d5184022\n" // MSR ELR_EL1, X2
		" d5184003\n" // MSR SPSR_EL1, X3
		" 91000421\n" // ADD X1, X1, #1
		" 91000421\n end\n" // ADD X1, X1, #1
		" expect\n EL1 -> EL1 imm=1 X1=0 after:X1=3\n EL1 -> EL1 imm=2 X1=0 after:X1=1\n"
		" EL1 -> EL1 return X1=1\n EL1 -> EL1 return X1=3\n end\nend\n";
	char message[4096] = "";

	ck_assert_msg(strata_test_one(text, message, sizeof(message)) == STRATA_TEST_PASSED, "%s",
		      message);
}
END_TEST

// A file may begin with the mark that some editors write.
START_TEST(byte_order_mark)
{
	const struct strata_test_options options = {.jobs = STRATA_TEST_IN_PROCESS};
	unsigned ran = 0;
	char error[400] = "";

	ck_assert_msg(strata_test_run_string("f",
					     "\xef\xbb\xbf" HEAD "case a: - | EL1 | NOP | ok\n",
					     &options, count_results, &ran, error,
					     sizeof(error)) == 0,
		      "%s", error);
	ck_assert_uint_eq(ran, 1);
}
END_TEST

#define TOO_LONG \
	"the program, or the handlers of a level, are longer than the 16 KiB that there are"

// Assembly that would not be what the test runs. Without an assembler there is nothing to be seen.
START_TEST(assembly_refused)
{
	static const struct {
		const char *text, *error;
	} texts[] = {
		{" asm\n .data\n .word 1\n .text\n nop\n end\nend\n",
		 "f: some assembly goes to section .text, which is in no test: all of it has to "
		 "stay "
		 "in the section that it begins in"},
		{" asm\n b nowhere\n end\nend\n",
		 "f:2:1: the assembly of a refers to nowhere, which is not in the test"},
		{" asm\n here: foo here\n end\nend\n",
		 "f:4:1: unknown mnemonic `foo' -- `foo here'"},
		{" asm\n .rept 4096\n nop\n .endr\n end\nend\n", "f:2:1: " TOO_LONG},
		{" asm\n .rept 4096\n nop\n .endr\n end\n asm EL2\n end\nend\n",
		 "f:2:1: " TOO_LONG},
		{" asm EL3\n .rept 4096\n nop\n .endr\n end\nend\n", "f:2:1: " TOO_LONG},
	};
	const struct strata_test_options options = {.jobs = STRATA_TEST_IN_PROCESS};
	char text[400], error[400] = "";
	struct seen seen = {.count = 0};

	snprintf(text, sizeof(text), HEAD "test a\n%s", texts[_i].text);
	if (strata_test_run_string("f", text, &options, note, &seen, error, sizeof(error)) == 0) {
		ck_assert_uint_eq(seen.count, 1);
		ck_assert_msg(seen.status[0] == STRATA_TEST_SKIPPED, "'%s' was taken", text);
	} else {
		ck_assert_str_eq(error, texts[_i].error);
	}
}
END_TEST

// The same of words, for which no assembler is needed.
START_TEST(too_many_words)
{
	const struct strata_test_options options = {.jobs = STRATA_TEST_IN_PROCESS};
	char *text = malloc(100 + 4096 * 9), error[400] = "";
	struct seen seen = {.count = 0};
	char *at = text + sprintf(text, HEAD "test a\n state EL1\n hex\n");

	for (unsigned i = 0; i < 4096; i++) {
		at += sprintf(at, "d503201f ");
	}
	strcpy(at, "\n end\nend\n");
	ck_assert_int_eq(strata_test_run_string("f", text, &options, note, &seen, error,
						sizeof(error)),
			 -EINVAL);
	ck_assert_str_eq(error, "f:5:1: " TOO_LONG);
	free(text);
}
END_TEST

// Labels may be called as instructions are, and the words of a test stand beside assembly.
START_TEST(labels)
{
	static const char text[] = "test a\n state EL1\n asm\n"
				   " b: sub x5, x5, x5; mov: mov x0, #1\n"
				   " cmp x0, #2 ; b.ne ret\n"
				   " b b\n"
				   " ret: add x0, x0, #1 // b\n"
				   " .set ten, 10\n"
				   " add x0, x0, ten\n"
				   " adr x1, add\n"
				   " ldr x1, [x1]\n"
				   " b done\n"
				   " add: .quad 0x77\n"
				   " done: hvc #0\n"
				   " end # of the program\n"
				   " hex EL2\n 91000400, 0xd503201f # ADD X0, X0, #1; NOP\n end\n"
				   " after X0=13, X1=0x77\n ends finished\nend\n";
	char message[4096] = "";
	enum strata_test_status status = strata_test_one(text, message, sizeof(message));

	ck_assert_msg(status == STRATA_TEST_PASSED || status == STRATA_TEST_SKIPPED, "%s", message);
}
END_TEST

// A single test has the lines of its own text, and is single.
START_TEST(one_test)
{
	static const struct {
		const char *text, *message;
	} texts[] = {
		{"", "expected one case or test, not 0\n"},
		{"case a: - | EL1 | NOP | ok\ncase b: - | EL1 | NOP | ok\n",
		 "expected one case or test, not 2\n"},
		{"case a: - | EL5 | NOP | ok\n", "test:1:13: expected a word of the state (NS, S, "
						 "EL0 to EL3, SP0, PAN, DAIF=, mmu, "
						 "stage2, ...)\n"},
		{"machine cpu=max\ncase a: - | EL1 | NOP | okay\n",
		 "test:2:25: expected ok, undefined, EL1, EL2 or EL3\n"},
		{"strata-trap-tests 1\ncase a: - | EL1 | NOP | ok\n",
		 "test:1:1: expected case, test, section, machine, default, requires or qemu=no at "
		 "the beginning\n"},
	};
	char message[400];

	ck_assert_int_eq(strata_test_one(texts[_i].text, message, sizeof(message)),
			 STRATA_TEST_BROKEN);
	ck_assert_str_eq(message, texts[_i].message);
}
END_TEST

// What the guest prints may be anything; what is said of it is plain text.
START_TEST(output_shown)
{
	static const char text[] =
		"test a\n state EL1\n hex\n d2a12001\n" // MOVZ X1, #0x900, LSL #16
		" 52800c20 b9000020\n" // MOV W0, #'a'; STR W0, [X1]
		" 52800360 b9000020\n" // MOV W0, #27
		" 528001a0 b9000020\n" // MOV W0, #'\r'
		" b900003f\n" // STR WZR, [X1]
		" 52800c40 b9000020\n" // MOV W0, #'b'
		" end\n output \"a\"\n output \"b\"\n output \"c\"\nend\n";
	char message[4096] = "", other[1024];

	ck_assert_int_eq(strata_test_one(text, message, sizeof(message)), STRATA_TEST_FAILED);
	ck_assert_msg(strstr(message, "- output \"c\"\n    + no output after that\n") != NULL, "%s",
		      message);
	snprintf(other, sizeof(other), "%.*soutput \"\\n\"\nend\n",
		 (int)(strstr(text, "output") - text), text);
	ck_assert_int_eq(strata_test_one(other, message, sizeof(message)), STRATA_TEST_FAILED);
	ck_assert_msg(strstr(message, "- output \"\\n\"\n    + the last of the output: "
				      "\"a\\x1b\\r\\x00b\"\n") != NULL,
		      "%s", message);
}
END_TEST

// ---- workers ------------------------------------------------------------------------------------

#define LOOP(limit) " state EL1\n hex\n 14000000\n end\n limit " limit "\nend\n"

// A test that reaches its limit of instructions, and one that reaches that of the host's time; what
// stands around them runs.
START_TEST(hangs)
{
	static const char text[] =
		HEAD "case before: - | EL1 | NOP | ok\n"
		     "test insns\n" LOOP("insns=100000") "test expected\n ends limit\n" LOOP(
			     "insns=100000") "test host\n" LOOP("insns=1000000000000000 "
								"host=1") "case after: - | "
									  "EL1 | NOP | ok\n";
	const struct strata_test_options options = {.jobs = (unsigned)_i};
	struct seen seen = {.count = 0};
	char error[400] = "";

	ck_assert_msg(strata_test_run_string("f.traps", text, &options, note, &seen, error,
					     sizeof(error)) == 0,
		      "%s", error);
	ck_assert_uint_eq(seen.count, 5);
	ck_assert_str_eq(seen.names[0], "f/before");
	ck_assert_int_eq(seen.status[0], STRATA_TEST_PASSED);
	ck_assert_int_eq(seen.status[1], STRATA_TEST_HUNG);
	ck_assert_int_eq(seen.status[2], STRATA_TEST_PASSED);
	ck_assert_int_eq(seen.status[3], STRATA_TEST_HUNG);
	ck_assert_ptr_nonnull(strstr(seen.message[3], "no end within 1 s"));
	ck_assert_int_eq(seen.status[4], STRATA_TEST_PASSED);
}
END_TEST

static void *kill_a_child(void *opaque)
{
	char path[64], line[256] = "";

	snprintf(path, sizeof(path), "/proc/self/task/%ld/children", *(long *)opaque);
	for (unsigned i = 0; i < 100; i++) {
		FILE *file = fopen(path, "r");

		usleep(50000);
		if (file != NULL) {
			if (fgets(line, sizeof(line), file) != NULL && atoi(line) > 0) {
				usleep(100000);
				kill(atoi(line), SIGKILL);
				fclose(file);
				break;
			}
			fclose(file);
		}
	}
	return NULL;
}

// A worker that dies takes one test with it; another one runs the rest.
START_TEST(crash)
{
	static const char text[] = HEAD "test victim\n" LOOP(
		"insns=1000000000000000 host=20") "case after: - | EL1 | NOP | ok\n";
	const struct strata_test_options options = {.jobs = 1};
	struct seen seen = {.count = 0};
	char error[400] = "";
	long tid = syscall(SYS_gettid);
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, kill_a_child, &tid), 0);
	ck_assert_int_eq(strata_test_run_string("f", text, &options, note, &seen, error,
						sizeof(error)),
			 0);
	pthread_join(thread, NULL);
	ck_assert_uint_eq(seen.count, 2);
	ck_assert_int_eq(seen.status[0], STRATA_TEST_CRASHED);
	ck_assert_ptr_nonnull(strstr(seen.message[0], "crashed"));
	ck_assert_int_eq(seen.status[1], STRATA_TEST_PASSED);
}
END_TEST

// Results come in the order of the file, however many work.
START_TEST(order)
{
	static const unsigned jobs[] = {1, 2, 7, STRATA_TEST_IN_PROCESS};
	const struct strata_test_options options = {.jobs = jobs[_i]};
	struct seen seen = {.count = 0};
	char text[8192] = HEAD, error[400] = "", name[32];

	for (unsigned i = 0; i < 60; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used,
			 "case c%u: X1=%u | EL1 | NOP | ok X1=%u\n", i, i, i % 7 == 0 ? i + 1 : i);
	}
	ck_assert_int_eq(strata_test_run_string("f", text, &options, note, &seen, error,
						sizeof(error)),
			 0);
	ck_assert_uint_eq(seen.count, 60);
	for (unsigned i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "f/c%u", i);
		ck_assert_str_eq(seen.names[i], name);
		ck_assert_int_eq(seen.status[i],
				 i % 7 == 0 ? STRATA_TEST_FAILED : STRATA_TEST_PASSED);
	}
}
END_TEST

// One case leaves nothing behind for the next.
START_TEST(restored_between_cases)
{
	static const char text[] =
		HEAD "case a: X1=$data, HCR_EL2.TVM=1, SCTLR_EL1.M=0 | EL1 | STR X3, [X1] | ok "
		     "[$data]=0x5555555555555555\n"
		     "case b: - | EL1 | NOP | ok [$data]=0 HCR_EL2.TVM=0 X1=0x5555555555555555\n"
		     "case c: - | EL2 | MSR ICC_PMR_EL1, X3 | ok writes ICC_PMR_EL1\n"
		     "case d: - | EL1 | MSR TTBR0_EL1, X3 | ok writes TTBR0_EL1\n"
		     "case e: - | EL2 | MSR ICC_PMR_EL1, X3 | ok writes ICC_PMR_EL1\n"
		     "case f: irq | EL1 DAIF=0 | NOP | EL1 vector=0x280\n"
		     "case g: - | EL1 DAIF=0 | NOP | ok\n";
	const struct strata_test_options options = {.jobs = STRATA_TEST_IN_PROCESS};
	struct seen seen = {.count = 0};
	char error[400] = "";

	ck_assert_msg(strata_test_run_string("f", text, &options, note, &seen, error,
					     sizeof(error)) == 0,
		      "%s", error);
	for (unsigned i = 0; i < seen.count; i++) {
		ck_assert_msg(seen.status[i] == STRATA_TEST_PASSED, "%s\n%s", seen.names[i],
			      seen.message[i]);
	}
}
END_TEST

START_TEST(filters)
{
	static const char *const wanted[] = {"f/b*", "c1"};
	const struct strata_test_options options = {.jobs = STRATA_TEST_IN_PROCESS,
						    .filters = wanted,
						    .filter_count = 2};
	struct seen seen = {.count = 0};
	char error[400] = "";

	ck_assert_int_eq(strata_test_run_string(
				 "f",
				 HEAD "case a1: - | EL1 | NOP | ok\ncase b1: - | EL1 | NOP | ok\n"
				      "section s\ncase c1: - | EL1 | NOP | ok\n",
				 &options, note, &seen, error, sizeof(error)),
			 0);
	ck_assert_uint_eq(seen.count, 2);
	ck_assert_str_eq(seen.names[0], "f/b1");
	ck_assert_str_eq(seen.names[1], "f/s.c1");
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

int main(void)
{
	Suite *suite = suite_create("traptest");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, refused_by_place, 0, COUNT(refused));
	tcase_add_loop_test(tcase, impossible_settings, 0, 4);
	tcase_add_loop_test(tcase, case_outcomes, 0, COUNT(cases));
	tcase_add_loop_test(tcase, matcher, 0, COUNT(matches));
	tcase_add_test(tcase, vectors_in_words);
	tcase_add_test(tcase, matching_return);
	tcase_add_test(tcase, byte_order_mark);
	tcase_add_test(tcase, output_shown);
	tcase_add_loop_test(tcase, one_test, 0, 5);
	tcase_add_loop_test(tcase, assembly_refused, 0, 6);
	tcase_add_test(tcase, too_many_words);
	tcase_add_test(tcase, labels);
	tcase_add_loop_test(tcase, hangs, 1, 3);
	tcase_add_test(tcase, crash);
	tcase_add_loop_test(tcase, order, 0, 4);
	tcase_add_test(tcase, restored_between_cases);
	tcase_add_test(tcase, filters);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
