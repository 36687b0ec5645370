// SPDX-License-Identifier: Apache-2.0
// A trap-test file: its first line, machine, sections, defaults, and the items in it.
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/model.h"
#include "explain/open.h"
#include "traptest/arena.h"
#include "traptest/parse.h"

// ---- names, paths, features ---------------------------------------------------------------------

bool tt_parse_name(struct tt_parser *p, struct tt_cursor word, const char **name)
{
	for (const char *at = word.at; at < word.end; at++) {
		if (!isalnum((unsigned char)*at) && strchr("._-", *at) == NULL) {
			return tt_fail(&p->r, at,
				       "expected a letter, a digit or one of . _ - in the name");
		}
	}
	if (word.at == word.end) {
		return tt_expected(&p->r, &word, "a name");
	}
	*name = p->section != NULL ? tt_format(p->arena, "%s.%.*s", p->section,
					       (int)(word.end - word.at), word.at)
				   : tt_copy(p->arena, word.at, (size_t)(word.end - word.at));
	return true;
}

static const char *define_of(const struct tt_parser *p, const char *name, size_t size)
{
	char text[128];

	for (size_t i = 0; i < p->context->define_count; i++) {
		const char *define = p->context->defines[i];

		if (strncmp(define, name, size) == 0 && define[size] == '=') {
			return define + size + 1;
		}
	}
	if (size >= sizeof(text)) {
		return NULL;
	}
	memcpy(text, name, size);
	text[size] = '\0';
	return getenv(text);
}

const char *tt_path(struct tt_parser *p, const char *text, const char *at)
{
	const char *slash = strrchr(p->r.path, '/');
	char *path = tt_copy(p->arena, "", 0);
	const char *end;

	while (*text != '\0') {
		if (text[0] == '$' && text[1] == '{' && (end = strchr(text, '}')) != NULL) {
			const char *value = define_of(p, text + 2, (size_t)(end - text - 2));

			if (value == NULL) {
				tt_fail(&p->r, at, "nothing says what ${%.*s} is (--define)",
					(int)(end - text - 2), text + 2);
				return NULL;
			}
			path = tt_format(p->arena, "%s%s", path, value);
			text = end + 1;
		} else {
			path = tt_format(p->arena, "%s%c", path, *text++);
		}
	}
	if (path[0] != '/' && slash != NULL) {
		path = tt_format(p->arena, "%.*s/%s", (int)(slash - p->r.path), p->r.path, path);
	}
	return path;
}

bool tt_parse_requires(struct tt_parser *p, struct tt_cursor c, struct tt_requires *requires)
{
	struct tt_cursor part;

	while (tt_cut(&c, ',', &part)) {
		struct tt_cursor word = tt_word(&part, NULL);
		bool absent = tt_take(&word, "!"), has;
		char *name = tt_copy(p->arena, word.at, (size_t)(word.end - word.at));
		enum feature feature = feature_find(name);

		if (feature == FEAT_NONE) {
			return tt_fail(&p->r, word.at, "%s is no feature",
				       name[0] != '\0' ? name : "nothing");
		}
		has = p->model == NULL || feature_in(&p->model->features, feature);
		if (has == absent && requires->unmet == NULL) {
			requires->unmet = tt_format(p->arena, "needs %s%s", absent ? "no " : "",
						    feature_name(feature));
		}
		if (!absent) {
			requires->features =
				tt_format(p->arena, "%s %s",
					  requires->features != NULL ? requires->features : "",
					  feature_name(feature));
		}
		if (!tt_at_end(&part)) {
			return tt_expected(&p->r, &part, "a comma");
		}
	}
	return true;
}

const char *tt_unmet(const struct tt_parser *p)
{
	return p->section_requires.unmet != NULL ? p->section_requires.unmet : p->requires.unmet;
}

// ---- machines -----------------------------------------------------------------------------------

const struct cpu_model *tt_model(struct tt_parser *p, const struct tt_machine *m, const char *at)
{
	bool el2 = m->boot_el != 0 ? m->boot_el >= 2 : m->el2;
	bool el3 = m->boot_el != 0 ? m->boot_el == 3 || m->secure : m->el3;
	char error[160], key[128];

	snprintf(key, sizeof(key), "%s %d %d", m->cpu, el2, el3);
	for (size_t i = 0; i < p->model_count; i++) {
		if (strcmp(p->models[i].key, key) == 0) {
			return p->models[i].model;
		}
	}
	if (p->model_count == TT_MODELS_MAX) {
		tt_fail(&p->r, at, "expected at most %d different machines", TT_MODELS_MAX);
		return NULL;
	}
	p->models[p->model_count].model = cpu_model_parse(m->cpu, el2, el3, error, sizeof(error));
	if (p->models[p->model_count].model == NULL) {
		tt_fail(&p->r, at, "%s", error);
		return NULL;
	}
	snprintf(p->models[p->model_count].key, sizeof(key), "%s", key);
	return p->models[p->model_count++].model;
}

static bool parse_yes(struct tt_parser *p, struct tt_cursor *c, bool *value)
{
	if (tt_take(c, "yes")) {
		*value = true;
	} else if (tt_take(c, "no")) {
		*value = false;
	} else {
		return tt_expected(&p->r, c, "yes or no");
	}
	return true;
}

static bool parse_size(struct tt_parser *p, struct tt_cursor *c, uint64_t *size)
{
	if (!tt_number(&p->r, c, size)) {
		return false;
	}
	*size <<= tt_take(c, "G") ? 30 : tt_take(c, "M") ? 20 : tt_take(c, "K") ? 10 : 0;
	if (*size == 0 || *size > (UINT64_C(1) << 40)) {
		return tt_fail(&p->r, c->at, "expected a size such as 64M");
	}
	return true;
}

static bool parse_small(struct tt_parser *p, struct tt_cursor *c, unsigned min, unsigned max,
			unsigned *value)
{
	const char *begin = c->at;
	uint64_t n;

	if (!tt_number(&p->r, c, &n)) {
		return false;
	}
	if (n < min || n > max) {
		return tt_fail(&p->r, begin, "expected a number from %u to %u", min, max);
	}
	*value = (unsigned)n;
	return true;
}

static bool parse_load(struct tt_parser *p, struct tt_cursor *c, struct tt_machine *m)
{
	const char *begin = c->at, *sign = c->end, *path = NULL;
	struct tt_load *load = &m->loads[m->load_count];
	bool quoted = c->at < c->end && *c->at == '"';

	while (sign > begin && sign[-1] != '@') {
		sign--;
	}
	if (sign == begin || m->load_count == sizeof(m->loads) / sizeof(m->loads[0])) {
		return tt_expected(&p->r, c, "FILE@ADDRESS, at most eight");
	}
	if (quoted && (!tt_string(&p->r, c, &path) || c->at + 1 != sign)) {
		return tt_expected(&p->r, c, "@ADDRESS");
	}
	load->path =
		tt_path(p, quoted ? path : tt_copy(p->arena, begin, (size_t)(sign - 1 - begin)),
			begin);
	c->at = sign;
	m->load_count++;
	return load->path != NULL && tt_number(&p->r, c, &load->address);
}

// A name up to the end of the word, or a quoted text.
static bool parse_text(struct tt_parser *p, struct tt_cursor *c, const char **text)
{
	if (c->at < c->end && *c->at == '"') {
		return tt_string(&p->r, c, text);
	}
	*text = tt_copy(p->arena, c->at, (size_t)(c->end - c->at));
	c->at = c->end;
	return **text != '\0' ? true : tt_expected(&p->r, c, "a name");
}

static bool parse_file_name(struct tt_parser *p, struct tt_cursor *c, const char **path)
{
	const char *begin = c->at;

	return parse_text(p, c, path) && (*path = tt_path(p, *path, begin)) != NULL;
}

void tt_use_machine(struct tt_parser *p, const struct tt_machine *machine, bool of_image)
{
	p->machine = machine;
	p->of_image = of_image;
	p->ram_base = of_image && machine->ram_base != 0 ? machine->ram_base : OPEN_RAM_BASE;
	p->ram_size = machine->memory != 0 ? machine->memory : UINT64_C(1) << (of_image ? 27 : 24);
}

static bool image_word(struct tt_parser *p, struct tt_cursor *w, struct tt_machine *m)
{
	if (tt_take(w, "boot-el=")) {
		return parse_small(p, w, 1, 3, &m->boot_el);
	}
	if (tt_take(w, "smp=")) {
		return parse_small(p, w, 1, 8, &m->smp);
	}
	if (tt_take(w, "secure=")) {
		return parse_yes(p, w, &m->secure);
	}
	if (tt_take(w, "semihosting=")) {
		return parse_yes(p, w, &m->semihosting);
	}
	if (tt_take(w, "initrd=")) {
		return parse_file_name(p, w, &m->initrd);
	}
	if (tt_take(w, "dtb=")) {
		return parse_file_name(p, w, &m->dtb);
	}
	if (tt_take(w, "append=")) {
		return parse_text(p, w, &m->append);
	}
	if (tt_take(w, "load=")) {
		return parse_load(p, w, m);
	}
	if (tt_take(w, "entry=")) {
		m->has_entry = true;
		return tt_number(&p->r, w, &m->entry);
	}
	if (tt_take(w, "ram-base=")) {
		return tt_number(&p->r, w, &m->ram_base);
	}
	if (tt_take(w, "seed=")) {
		m->has_seed = true;
		return tt_number(&p->r, w, &m->seed);
	}
	if (tt_take(w, "tlb=")) {
		m->tlb = tt_take(w, "sized")    ? 0
			 : tt_take(w, "forget") ? 1
			 : tt_take(w, "keep")   ? 2
						: -1;
		return m->tlb >= 0 ? true : tt_expected(&p->r, w, "sized, forget or keep");
	}
	return tt_expected(&p->r, w,
			   "a word of the machine (cpu=, el2=, el3=, memory=, boot-el=, ...)");
}

bool tt_parse_machine(struct tt_parser *p, struct tt_cursor c, struct tt_machine *m, bool of_test)
{
	while (!tt_at_end(&c)) {
		struct tt_cursor w = tt_word(&c, NULL), whole = w;
		bool ok;

		if (tt_take(&w, "cpu=")) {
			const char *cpu = NULL;

			ok = parse_text(p, &w, &cpu);
			m->cpu = p->context->cpu != NULL ? p->context->cpu : cpu;
		} else if (tt_take(&w, "el2=")) {
			ok = parse_yes(p, &w, &m->el2);
			m->level_word = "el2=";
		} else if (tt_take(&w, "el3=")) {
			ok = parse_yes(p, &w, &m->el3);
			m->level_word = "el3=";
		} else if (tt_take(&w, "memory=")) {
			ok = parse_size(p, &w, &m->memory);
		} else if (of_test) {
			ok = image_word(p, &w, m);
			m->image_word = tt_text(&p->r, whole);
		} else {
			ok = tt_expected(&p->r, &w,
					 "a word of the machine (cpu=, el2=, el3=, memory=)");
		}
		if (!ok) {
			return false;
		}
		if (w.at != w.end) {
			return tt_expected(&p->r, &w, "a space");
		}
	}
	return true;
}

// ---- the file -----------------------------------------------------------------------------------

static bool parse_qemu(struct tt_parser *p, struct tt_cursor c)
{
	struct tt_cursor word = tt_word(&c, NULL);

	if (!tt_is_word(&word, "qemu=no")) {
		return tt_fail(&p->r, word.at, "expected qemu=no \"REASON\"");
	}
	return tt_string(&p->r, &c, p->in_section ? &p->section_no_qemu : &p->no_qemu);
}

static bool parse_section(struct tt_parser *p, struct tt_cursor c)
{
	const char *name = NULL;

	p->section = NULL;
	if (!tt_parse_name(p, tt_word(&c, NULL), &name)) {
		return false;
	}
	p->section = name;
	p->in_section = true;
	p->section_defaults = (struct tt_settings){0};
	p->section_said = NULL;
	p->section_requires = (struct tt_requires){0};
	p->section_no_qemu = NULL;
	return tt_at_end(&c) ? true : tt_expected(&p->r, &c, "the end of the line");
}

static bool parse_default(struct tt_parser *p, struct tt_cursor c)
{
	struct tt_settings *to = p->in_section ? &p->section_defaults : &p->defaults;
	const char **said = p->in_section ? &p->section_said : &p->said;
	struct tt_settings all = {0};
	size_t inherited;

	// The layout of a field may depend on what the file says above.
	for (size_t i = 0; i < p->defaults.count; i++) {
		TT_LIST_ADD(p, all.items, all.count, p->defaults.items[i]);
	}
	for (size_t i = 0; p->in_section && i < p->section_defaults.count; i++) {
		TT_LIST_ADD(p, all.items, all.count, p->section_defaults.items[i]);
	}
	inherited = all.count;
	p->model = p->file->model;
	tt_use_machine(p, &p->file->machine, false);
	p->skip = tt_unmet(p);
	if (!tt_parse_settings(p, c, &all)) {
		return false;
	}
	*said = *said != NULL ? tt_format(p->arena, "%s, %s", *said, tt_text(&p->r, c))
			      : tt_text(&p->r, c);
	for (size_t i = inherited; i < all.count; i++) {
		TT_LIST_ADD(p, to->items, to->count, all.items[i]);
	}
	return true;
}

static bool parse_file_machine(struct tt_parser *p, struct tt_cursor c, const char *at)
{
	if (p->file->item_count != 0 || p->in_section) {
		return tt_fail(&p->r, at,
			       "the machine is said before the first section, case and test");
	}
	if (!tt_parse_machine(p, c, &p->file->machine, false)) {
		return false;
	}
	if (p->file->machine.el3 && !p->file->machine.el2) {
		return tt_fail(&p->r, at, TT_NO_EL3_ALONE);
	}
	p->file->machine.level_word = NULL; // tests need not repeat it, nor is it theirs
	p->file->model = (struct cpu_model *)(uintptr_t)tt_model(p, &p->file->machine, at);
	return p->file->model != NULL;
}

static bool parse_statement(struct tt_parser *p, struct tt_cursor c)
{
	struct tt_cursor word = tt_word(&c, NULL);

	if (tt_is_word(&word, "case")) {
		return tt_parse_case(p, c);
	}
	if (tt_is_word(&word, "test")) {
		return tt_parse_test(p, c);
	}
	if (tt_is_word(&word, "machine")) {
		return parse_file_machine(p, c, word.at);
	}
	if (tt_is_word(&word, "requires")) {
		p->model = p->file->model;
		return tt_parse_requires(p, c, p->in_section ? &p->section_requires : &p->requires);
	}
	if (tt_is_word(&word, "default")) {
		return parse_default(p, c);
	}
	if (tt_is_word(&word, "section")) {
		return parse_section(p, c);
	}
	if (word.end - word.at >= 4 && memcmp(word.at, "qemu", 4) == 0) {
		c.at = word.at;
		return parse_qemu(p, c);
	}
	return tt_fail(&p->r, word.at,
		       "expected case, test, section, machine, default, requires or qemu=no at the "
		       "beginning");
}

static bool parse_header(struct tt_parser *p)
{
	struct tt_cursor c = {NULL, NULL}, word;
	uint64_t version;

	if (!tt_next_line(&p->r, &c)) {
		return tt_fail(&p->r, NULL, "expected strata-trap-tests %d", TT_VERSION);
	}
	word = tt_word(&c, NULL);
	if (!tt_is_word(&word, "strata-trap-tests")) {
		return tt_fail(&p->r, word.at, "expected strata-trap-tests %d", TT_VERSION);
	}
	tt_skip_space(&c);
	word = c;
	if (!tt_number(&p->r, &c, &version)) {
		return false;
	}
	if (version != TT_VERSION) {
		return tt_fail(&p->r, word.at, "expected version %d, the only one that is known",
			       TT_VERSION);
	}
	return tt_at_end(&c) ? true : tt_expected(&p->r, &c, "the end of the line");
}

static const char *stem_of(struct tt_arena *arena, const char *path)
{
	const char *name = strrchr(path, '/');
	const char *dot;

	name = name != NULL ? name + 1 : path;
	dot = strrchr(name, '.');
	return tt_copy(arena, name,
		       dot != NULL && dot != name ? (size_t)(dot - name) : strlen(name));
}

struct tt_file *tt_file_parse(const char *path, const char *text, size_t size,
			      const struct tt_context *context, char *error, size_t error_size)
{
	struct tt_arena *arena = tt_arena_create();
	struct tt_file *file = tt_alloc(arena, sizeof(*file));
	struct tt_parser *p = tt_alloc(arena, sizeof(*p));
	struct tt_cursor c;

	file->arena = p->arena = arena;
	file->path = tt_copy(arena, path, strlen(path));
	file->stem = stem_of(arena, path);
	file->machine = (struct tt_machine){.cpu = context->cpu != NULL ? context->cpu : "max",
					    .el2 = true,
					    .el3 = true,
					    .smp = 1};
	p->file = file;
	p->context = context;
	tt_reader_init(&p->r, file->path, text, size, arena, error, error_size);
	if (context->headless || parse_header(p)) {
		file->model = (struct cpu_model *)(uintptr_t)tt_model(p, &file->machine, NULL);
		while (file->model != NULL && tt_next_line(&p->r, &c) && parse_statement(p, c)) {
		}
	}
	for (size_t i = 0; i < p->model_count; i++) {
		free(p->models[i].model);
	}
	file->model = NULL;
	tt_reader_done(&p->r);
	if (p->r.failed) {
		tt_arena_destroy(arena);
		return NULL;
	}
	return file;
}

void tt_file_free(struct tt_file *file)
{
	if (file != NULL) {
		tt_arena_destroy(file->arena);
	}
}
