// SPDX-License-Identifier: Apache-2.0
// The small assembler and settings by name: words from the Arm ARM, and what bad input is told.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "cpu/field.h"
#include "cpu/model.h"
#include "explain/assemble.h"
#include "explain/setting.h"

static const struct {
	const char *text;
	uint32_t word;
} good[] = {
	{"MSR TTBR0_EL1, X3", 0xd5182003},
	{"mrs x0,ID_AA64PFR0_EL1", 0xd5380400},
	{"  MRS  XZR , S3_0_C1_C0_0  // SCTLR_EL1", 0xd538101f},
	{"MSR DAIFSet, #2", 0xd50342df},
	{"msr spsel, 1", 0xd50041bf},
	{"MSR SPSel, X1", 0xd5184201},
	{"TLBI VMALLE1", 0xd508871f},
	{"tlbi vae1is, x5", 0xd5088325},
	{"AT S1E1R, X0", 0xd5087800},
	{"DC ZVA, X2", 0xd50b7422},
	{"IC IALLU", 0xd508751f},
	{"SYS #3, C7, C4, #1, X2", 0xd50b7422},
	{"SYSL X1, #0, C7, C8, #0", 0xd5287801},
	{"HVC #0x1234", 0xd4024682},
	{"SVC 0", 0xd4000001},
	{"WFIT X3", 0xd5031023},
	{"ERETAB", 0xd69f0fff},
	{"LDR X0, [SP, #8]!", 0xf8408fe0},
	{"LDR X0, [X1, #8]", 0xf9400420},
	{"STP X29, X30, [SP, #-16]!", 0xa9bf7bfd},
	{"B.NE #8", 0x54000041},
	{"FMOV D0, X1", 0x9e670020},
	{"0xd5182003", 0xd5182003},
	{"ADD V0.4S, V1.4S, V2.4S", 0x4ea28420},
	// From the GNU assembler:
	{"LDR X0,[X1,W2,UXTW #3]", 0xf8625820},
	{"LDTRH W0,[X1]", 0x78400820},
	{"CPYFPWT [X0]!,[X1]!,X2!", 0x19011440},
	{"SETGETN [X0]!,X1!,X2", 0x1dc2b420},
	{"FMOV V0.D[1],X1", 0x9eaf0020},
	{"TBZ X0,#3,#8", 0x36180040},
	{"LDRAA X0,[X1,#8]", 0xf8201420},
	{"LDR Q0,[X1],#16", 0x3cc10420},
	{"LDPSW X0,X1,[X2,#-8]!", 0x69ff0440},
	{"CASALH W1,W2,[X3]", 0x48e1fc62},
	{"LDSMAXB W1,W2,[X3]", 0x38214062},
	{"ST2G X0,[X1],#32", 0xd9a02420},
	{"STLXRB W0,W1,[X2]", 0x0800fc41},
};

START_TEST(words)
{
	char error[200];
	uint32_t word = 0;

	ck_assert_msg(assemble(good[_i].text, &word, NULL, error, sizeof(error)) == 0, "%s: %s",
		      good[_i].text, error);
	ck_assert_msg(word == good[_i].word, "%s: 0x%08x", good[_i].text, word);
}
END_TEST

static const struct {
	const char *text;
	unsigned column;
	const char *says;
} bad[] = {
	{"", 1, "an instruction"},
	{"FROB X0", 1, "the name of an instruction"},
	{"MSR TTBR9_EL1, X0", 5, "a system register"},
	{"MSR TTBR0_EL1, X31", 16, "X0 to X30"},
	{"MSR TTBR0_EL1", 14, "','"},
	{"MSR TTBR0_EL1, X0, X1", 18, "the end"},
	{"MSR DAIFSet, #16", 14, "from 0 to 15"},
	{"SVC #65536", 5, "from 0 to 65535"},
	{"TLBI VAE9, X0", 6, "an operation of TLBI"},
	{"TLBI VAE1", 10, "a register"},
	{"LDP X0, X1, [X2, #3]", 18, "multiple of 8"},
	{"LDR X0, [X1, #8", 16, "']'"},
	{"0x1d5182003", 1, "32 bits"},
	{"MSR S1_0_C7_C8_0, X0", 5, "op0 2 or 3"},
	{"DSB FOO", 5, "nsh or ishld or ishst or ish or ld or st or sy or"},
	{"LDR X0, [X1, Q2]", 14, "an immediate or X0 to X30 or xzr or W0 to W30 or wzr"},
	{"B.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA #8", 3, "a condition"},
};

START_TEST(refusals)
{
	char error[320];
	unsigned column = 0;
	uint32_t word;

	ck_assert_int_ne(assemble(bad[_i].text, &word, &column, error, sizeof(error)), 0);
	ck_assert_msg(strstr(error, bad[_i].says) != NULL, "%s: %s", bad[_i].text, error);
	ck_assert_msg(column == bad[_i].column, "%s: column %u: %s", bad[_i].text, column, error);
	ck_assert(strchr(error, '\n') == NULL);
}
END_TEST

static struct cpu_model *model(const char *name)
{
	char error[200];
	struct cpu_model *m = cpu_model_parse(name, true, true, error, sizeof(error));

	ck_assert_msg(m != NULL, "%s", error);
	return m;
}

static const struct {
	const char *text;
	bool e2h;
	enum setting_kind kind;
	uint64_t mask, value;
} settings[] = {
	{"HCR_EL2.TVM=1", false, SETTING_SYSREG, BIT(26), BIT(26)},
	{"hcr_el2.tvm=0", false, SETTING_SYSREG, BIT(26), 0},
	{"CPACR_EL1.FPEN=3", false, SETTING_SYSREG, MASK(21, 20), MASK(21, 20)},
	{"HCR_EL2[27:26]=0b10", false, SETTING_SYSREG, MASK(27, 26), BIT(27)},
	{"CNTHCTL_EL2.EL1PCEN=1", false, SETTING_SYSREG, BIT(1), BIT(1)},
	{"CNTHCTL_EL2.EL1PTEN=1", true, SETTING_SYSREG, BIT(11), BIT(11)},
	{"X17=0xffff_ffff_ffff_ffff", false, SETTING_X, ~UINT64_C(0), ~UINT64_C(0)},
	{"SP=16", false, SETTING_SP, ~UINT64_C(0), 16},
	{"PSTATE.PAN=1", false, SETTING_PSTATE, BIT(22), BIT(22)},
	{"TTBR0_EL1=4096", false, SETTING_SYSREG, ~UINT64_C(0), 4096},
};

START_TEST(settings_read)
{
	struct setting s;
	char error[200];

	ck_assert_msg(setting_parse(settings[_i].text, settings[_i].e2h, &s, error,
				    sizeof(error)) == 0,
		      "%s: %s", settings[_i].text, error);
	ck_assert_int_eq(s.kind, settings[_i].kind);
	ck_assert_uint_eq(s.mask, settings[_i].mask);
	ck_assert_uint_eq(s.value, settings[_i].value);
}
END_TEST

static const struct {
	const char *cpu;
	const char *text;
	const char *says;
} impossible[] = {
	{"max", "HCR_EL2.TVN=1", "no field 'TVN'"},
	{"max", "HCR_EL3.TVM=1", "no such register"},
	{"max", "HCR_EL2.TVM=2", "1 bit"},
	{"max", "HCR_EL2.TVM", "REGISTER=VALUE"},
	{"max", "HCR_EL2.TVM=x", "no number"},
	{"max", "CNTHCTL_EL2.EL1PTEN=1", "while HCR_EL2.E2H is 0"},
	{"max", "PMUSERENR_EL0=0x80000000", "RES0"},
	{"max", "HCR_EL2[64]=1", "bits are written"},
	{"max", "PSTATE.M=1", "no field 'M'"},
	{"cortex-a53", "HCR_EL2.E2H=1", "HCR_EL2.E2H is fixed to 0"},
	{"cortex-a53", "SCTLR_EL1.EnIA=1", "fixed to 0"},
	{"cortex-a53", "TPIDR_EL4=1", "no such register"},
	{"cortex-a53", "LORC_EL1.EN=1", "needs FEAT_LOR"},
	{"max", "AT S1E1R=1", "no such register"},
};

START_TEST(settings_refused)
{
	struct cpu_model *m = model(impossible[_i].cpu);
	char error[200] = "";
	struct setting s;
	int result = setting_parse(impossible[_i].text, false, &s, error, sizeof(error));

	if (result == 0) {
		result = setting_check(&s, m, false, error, sizeof(error));
	}
	ck_assert_int_ne(result, 0);
	ck_assert_msg(strstr(error, impossible[_i].says) != NULL, "%s: %s", impossible[_i].text,
		      error);
	free(m);
}
END_TEST

// No two fields of a register in one layout share a bit, but a few that are two readings of one.
START_TEST(fields_are_apart)
{
	const struct sysreg_field *a, *b;

	for (size_t i = 0; (a = sysreg_field_at(i)) != NULL; i++) {
		ck_assert_uint_ge(a->hi, a->lo);
		ck_assert_uint_le(a->hi, 63);
		for (size_t j = i + 1; (b = sysreg_field_at(j)) != NULL; j++) {
			bool apart = a->reg != b->reg || a->lo > b->hi || b->lo > a->hi ||
				     (a->layout != b->layout && a->layout != FIELD_ANY &&
				      b->layout != FIELD_ANY);

			if (!apart) {
				ck_abort_msg("%s.%s and %s", sysreg_name((enum sysreg)a->reg),
					     a->name, b->name);
			}
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("assemble");
	TCase *tc = tcase_create("assemble");
	SRunner *runner = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, words, 0, sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tc, refusals, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_loop_test(tc, settings_read, 0, sizeof(settings) / sizeof(settings[0]));
	tcase_add_loop_test(tc, settings_refused, 0, sizeof(impossible) / sizeof(impossible[0]));
	tcase_add_test(tc, fields_are_apart);
	suite_add_tcase(s, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
