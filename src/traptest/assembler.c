// SPDX-License-Identifier: Apache-2.0
// The programs of tests. All assembly of a file goes through one run of the cross assembler, a
// section for each test; words given in hexadecimal need none. What the vectors hold that no
// snippet gives is written here.
#define _GNU_SOURCE // strcasestr
#include "traptest/assembler.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "traptest/arena.h"

#define ERET 0xd69f03e0u
#define HLT(imm) (0xd4400000u | (uint32_t)(imm) << 5)
#define BRANCH(bytes) (0x14000000u | ((uint32_t)(bytes) >> 2 & 0x3ffffffu))
#define FINISH \
	0xf0f0u // HLT of a program that came to its end; plus n: a vector of ELn without handler
#define HANDLERS 0x800u // behind the vectors
#define TOO_LONG \
	"the program, or the handlers of a level, are longer than the 16 KiB that there are"

// ---- words --------------------------------------------------------------------------------------

static void put(struct tt_test *t, size_t offset, uint32_t word)
{
	CHECK(offset + 4 <= t->code_size);
	memcpy(t->code + offset, &word, sizeof(word));
}

static bool is_free(const struct tt_test *t, size_t offset)
{
	uint32_t word;

	memcpy(&word, t->code + offset, sizeof(word));
	return word == 0;
}

// ELR_ELn += 4, with TPIDR_ELn as the only scratch.
static void put_skip(struct tt_test *t, size_t at, unsigned el)
{
	static const uint32_t op1[4] = {0, 0, 4u << 16, 6u << 16};
	uint32_t tpidr = (el == 1 ? 0xd518d09eu : 0xd518d05eu) | op1[el],
		 elr = 0xd518403eu | op1[el];

	put(t, at, tpidr); // MSR TPIDR_ELn, X30
	put(t, at + 4, elr | 1u << 21); // MRS X30, ELR_ELn
	put(t, at + 8, 0x910013deu); // ADD X30, X30, #4
	put(t, at + 12, elr);
	put(t, at + 16, tpidr | 1u << 21);
	put(t, at + 20, ERET);
}

// What no snippet gave.
static void fill_vectors(struct tt_test *t)
{
	for (unsigned el = 1; el <= 3; el++) {
		for (unsigned offset = 0; offset < HANDLERS; offset += 0x80) {
			size_t at = TT_AREA_VECTORS(el) + offset;

			if (!is_free(t, at)) {
				continue;
			}
			switch (t->vectors[el]) {
			case TT_VECTORS_STOP:
				put(t, at, HLT(FINISH + el));
				break;
			case TT_VECTORS_RETURN:
				put(t, at, ERET);
				break;
			case TT_VECTORS_SKIP:
				put_skip(t, at, el);
				break;
			}
		}
	}
}

// ---- snippets of words --------------------------------------------------------------------------

// Where reading the words of a snippet has come to. They are separated by spaces, commas or lines;
// "//" and '#' begin a comment.
struct words {
	const char *text, *line_start;
	unsigned line;
};

// 1: a word; 0: there is no more; -1: what stands there is none.
static int next_word(struct words *w, uint32_t *word)
{
	const char *digits;
	size_t n;

	for (;;) {
		if (*w->text == '#' || (w->text[0] == '/' && w->text[1] == '/')) {
			w->text += strcspn(w->text, "\n");
		} else if (*w->text == '\n') {
			w->line_start = ++w->text;
			w->line++;
		} else if (isspace((unsigned char)*w->text) || *w->text == ',') {
			w->text++;
		} else {
			break;
		}
	}
	if (*w->text == '\0') {
		return 0;
	}
	digits = w->text + (w->text[0] == '0' && (w->text[1] | 32) == 'x' ? 2 : 0);
	n = strspn(digits, "0123456789abcdefABCDEF");
	if (n == 0 || n > 8 || isalnum((unsigned char)digits[n]) || digits[n] == '_') {
		return -1;
	}
	*word = (uint32_t)strtoul(digits, NULL, 16);
	w->text = digits + n;
	return 1;
}

static struct words words_of(const struct tt_snippet *snippet)
{
	return (struct words){snippet->text, snippet->text, snippet->line};
}

// What is no word is refused with its place.
static int check_words(const struct tt_file *file, const struct tt_snippet *snippet, char *error,
		       size_t error_size)
{
	struct words w = words_of(snippet);
	uint32_t word;
	int more;

	while ((more = next_word(&w, &word)) > 0) {
	}
	if (more < 0) {
		snprintf(error, error_size,
			 "%s:%u:%zu: expected an instruction as a hexadecimal word", file->path,
			 w.line, (size_t)(w.text - w.line_start) + 1);
		return -EINVAL;
	}
	return 0;
}

static int lay_words(const struct tt_file *file, struct tt_test *t, char *error, size_t error_size)
{
	size_t next[4] = {0, TT_AREA_VECTORS(1) + HANDLERS, TT_AREA_VECTORS(2) + HANDLERS,
			  TT_AREA_VECTORS(3) + HANDLERS};

	for (size_t i = 0; i < t->snippet_count; i++) {
		const struct tt_snippet *s = &t->snippets[i];
		size_t begin = next[s->el], end = TT_AREA_VECTORS(s->el + 1u);
		struct words w = words_of(s);
		uint32_t word;

		while (next_word(&w, &word) > 0) {
			if (next[s->el] + 8 > end) { // and the instruction that ends it
				snprintf(error, error_size, "%s:%u:1: " TOO_LONG, file->path,
					 w.line);
				return -EINVAL;
			}
			put(t, next[s->el], word);
			next[s->el] += 4;
		}
		put(t, next[s->el], s->el == 0 ? HLT(FINISH) : ERET);
		next[s->el] += s->el == 0 ? 0 : 4;
		for (unsigned offset = 0; s->el != 0 && offset < HANDLERS; offset += 0x80) {
			size_t at = TT_AREA_VECTORS(s->el) + offset;

			if (s->all ? is_free(t, at) : s->offset == offset) {
				put(t, at, BRANCH(begin - at));
			}
		}
	}
	return 0;
}

// ---- assembly -----------------------------------------------------------------------------------

struct labels {
	struct {
		const char *name;
		size_t size;
	} * items;
	size_t count;
};

static bool is_name_start(char c)
{
	return isalpha((unsigned char)c) || c == '_' || c == '.';
}

static size_t name_length(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) ||
	       strchr("_.$", text[n] != '\0' ? text[n] : ' ') != NULL) {
		n++;
	}
	return n;
}

// Labels at the beginning of a line, and names given by .set and .equ.
static void find_labels(const char *text, struct labels *labels)
{
	while (*text != '\0') {
		size_t n;

		text += strspn(text, " \t");
		if (strncmp(text, ".set ", 5) == 0 || strncmp(text, ".equ ", 5) == 0) {
			text += 5 + strspn(text + 5, " \t");
			n = name_length(text);
		} else {
			n = is_name_start(*text) ? name_length(text) : 0;
			n = n != 0 && text[n] == ':' ? n : 0;
		}
		if (n != 0) {
			labels->items = realloc(labels->items,
						(labels->count + 1) * sizeof(*labels->items));
			CHECK(labels->items != NULL);
			labels->items[labels->count].name = text;
			labels->items[labels->count++].size = n;
			text += n + 1;
			continue; // another label, or an instruction, may follow in this line
		}
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

// The text with every label of the test made its own. What a statement begins with is the name of
// an instruction, unless it is followed by a colon: a label may be called as one.
static void write_renamed(FILE *out, const char *text, const struct labels *labels, size_t number)
{
	bool quoted = false, begins = true;

	while (*text != '\0') {
		size_t n = !quoted && is_name_start(*text) ? name_length(text) : 0;
		bool renamed = false, name = n != 0 && begins && text[n] != ':';

		quoted = *text == '"' ? !quoted : *text != '\n' && quoted;
		begins = *text == '\n' || *text == ';' || *text == ':' ||
			 (begins && (isspace((unsigned char)*text) || (n != 0 && !name)));
		for (size_t i = 0; i < labels->count && n != 0 && !name && !renamed; i++) {
			if (labels->items[i].size == n &&
			    memcmp(labels->items[i].name, text, n) == 0) {
				fprintf(out, ".Lt%zu_%.*s", number, (int)n, text);
				renamed = true;
			}
		}
		if (!renamed) {
			n = n != 0 ? n : isalnum((unsigned char)*text) ? name_length(text) : 1;
			n = n != 0 ? n : 1;
			fwrite(text, 1, n, out);
		}
		text += n;
	}
	fputc('\n', out);
}

static void write_snippet(FILE *out, const struct tt_file *file, const struct tt_snippet *s,
			  const struct labels *labels, size_t number)
{
	struct words w = words_of(s);
	uint32_t word;

	if (!s->hex) {
		fprintf(out, "# %u \"%s\"\n", s->line, file->path);
		write_renamed(out, s->text, labels, number);
		return;
	}
	while (next_word(&w, &word) > 0) {
		fprintf(out, "\t.inst 0x%x\n", word);
	}
}

static void write_level(FILE *out, const struct tt_file *file, const struct tt_test *t, unsigned el,
			const struct labels *labels, size_t number)
{
	bool any = false;

	// The assembler moves nowhere back: what comes before must have ended.
	fprintf(out, "# %u \"%s\"\n\t.org 0x%x\n", file->items[number].line, file->path,
		TT_AREA_VECTORS(el));
	for (unsigned offset = 0; offset < HANDLERS; offset += 0x80) {
		const struct tt_snippet *handler = NULL;

		for (size_t i = 0; i < t->snippet_count; i++) {
			const struct tt_snippet *s = &t->snippets[i];

			if (s->el == el && (s->all ? handler == NULL : s->offset == offset)) {
				handler = s;
			}
		}
		if (handler != NULL) {
			any = true;
			fprintf(out, "\t.org 0x%x\n\tb .Lt%zu_handler%zu\n",
				TT_AREA_VECTORS(el) + offset, number,
				(size_t)(handler - t->snippets));
		}
	}
	if (any) {
		fprintf(out, "\t.org 0x%x\n", TT_AREA_VECTORS(el) + HANDLERS);
	}
	for (size_t i = 0; i < t->snippet_count; i++) {
		if (t->snippets[i].el == el) {
			fprintf(out, ".Lt%zu_handler%zu:\n", number, i);
			write_snippet(out, file, &t->snippets[i], labels, number);
			fprintf(out, "\teret\n");
		}
	}
}

// The highest level with a handler; 0: none.
static unsigned highest_level(const struct tt_test *t)
{
	unsigned el = 0;

	for (size_t i = 0; i < t->snippet_count; i++) {
		el = t->snippets[i].el > el ? t->snippets[i].el : el;
	}
	return el;
}

static void write_test(FILE *out, const struct tt_file *file, const struct tt_test *t,
		       size_t number)
{
	struct labels labels = {.count = 0};

	for (size_t i = 0; i < t->snippet_count; i++) {
		if (!t->snippets[i].hex) {
			find_labels(t->snippets[i].text, &labels);
		}
	}
	fprintf(out, "\t.section .t%zu, \"ax\", %%progbits\n", number);
	for (size_t i = 0; i < t->snippet_count; i++) {
		if (t->snippets[i].el == 0) {
			write_snippet(out, file, &t->snippets[i], &labels, number);
		}
	}
	fprintf(out, "\thlt #0x%x\n", FINISH);
	for (unsigned el = 1; el <= highest_level(t); el++) {
		write_level(out, file, t, el, &labels, number);
	}
	free(labels.items);
}

static bool has_assembly(const struct tt_item *item)
{
	for (size_t i = 0; !item->is_case && i < item->t.snippet_count; i++) {
		if (!item->t.snippets[i].hex) {
			return true;
		}
	}
	return false;
}

// ---- the assembler ------------------------------------------------------------------------------

static const char *assembler(void)
{
	const char *name = getenv("STRATA_AS");

#ifdef STRATA_ASSEMBLER
	return name != NULL && *name != '\0' ? name : STRATA_ASSEMBLER;
#else
	return name != NULL && *name != '\0' ? name : "aarch64-linux-gnu-as";
#endif
}

// 0; 1: it found fault; -1: there is no assembler.
static int run_assembler_for(const char *march, const char *source, const char *object,
			     const char *messages)
{
	pid_t pid;
	int status = 0;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int fd = open(messages, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		if (fd >= 0) {
			dup2(fd, STDERR_FILENO);
			dup2(fd, STDOUT_FILENO);
			execlp(assembler(), assembler(), march, "-o", object, source, (char *)NULL);
		}
		_exit(127);
	}
	if (pid < 0) {
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) == 127) {
		return -1;
	}
	return WEXITSTATUS(status) == 0 ? 0 : 1;
}

static bool mentions(const char *path, const char *text)
{
	FILE *file = fopen(path, "r");
	char line[512];
	bool found = false;

	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
		found = strstr(line, text) != NULL;
	}
	if (file != NULL) {
		fclose(file);
	}
	return found;
}

// With the newest architecture that the assembler knows.
static int run_assembler(const char *source, const char *object, const char *messages)
{
	static const char *const marches[] = {
		"-march=armv9.3-a+memtag+rng+crypto+mops+hbc+ls64+cssc",
		"-march=armv8.6-a+memtag+rng+crypto",
		"-march=armv8.5-a",
	};
	int err = -1;

	for (size_t i = 0; i < sizeof(marches) / sizeof(marches[0]); i++) {
		err = run_assembler_for(marches[i], source, object, messages);
		if (err <= 0 || !mentions(messages, "unknown architect")) {
			break;
		}
	}
	return err;
}

// Take away what was put before the names of labels.
static void strip_prefixes(char *text)
{
	char *mark = text;

	while ((mark = strcasestr(mark, ".Lt")) != NULL) {
		size_t n = 3 + strspn(mark + 3, "0123456789");

		if (n > 3 && mark[n] == '_') {
			memmove(mark, mark + n + 1, strlen(mark + n + 1) + 1);
		} else {
			mark += n;
		}
	}
}

// "FILE:LINE: Error: text" as FILE:LINE:1: text.
static void first_message(const char *messages, const char *path, char *error, size_t error_size)
{
	FILE *file = fopen(messages, "r");
	char line[512];

	snprintf(error, error_size, "%s: the assembler failed without a word", path);
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		char *mark = strstr(line, ": Error: ");

		line[strcspn(line, "\n")] = '\0';
		if (mark != NULL) {
			*mark = '\0';
			mark += 9;
			strip_prefixes(mark);
			snprintf(error, error_size, "%s:1: %s", line,
				 strstr(mark, "move .org backwards") != NULL ? TOO_LONG : mark);
			break;
		}
	}
	if (file != NULL) {
		fclose(file);
	}
}

static uint8_t *read_object(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	long length = -1;

	if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
		length = ftell(file);
	}
	if (length > 0) {
		data = malloc((size_t)length);
		rewind(file);
		if (data != NULL && fread(data, 1, (size_t)length, file) != (size_t)length) {
			free(data);
			data = NULL;
		}
	}
	if (file != NULL) {
		fclose(file);
	}
	*size = length > 0 ? (size_t)length : 0;
	return data;
}

// The name of what the first relocation of a section asks for.
static const char *first_symbol(const uint8_t *data, size_t size, const Elf64_Shdr *rela)
{
	const Elf64_Ehdr *head = (const Elf64_Ehdr *)(const void *)data;
	const Elf64_Shdr *sections = (const Elf64_Shdr *)(const void *)(data + head->e_shoff);
	const Elf64_Shdr *symbols, *names;
	Elf64_Rela entry;
	Elf64_Sym symbol;
	uint64_t index;

	if (rela->sh_link >= head->e_shnum || size < sizeof(entry) ||
	    rela->sh_offset > size - sizeof(entry)) {
		return "something";
	}
	memcpy(&entry, data + rela->sh_offset, sizeof(entry));
	symbols = &sections[rela->sh_link];
	index = ELF64_R_SYM(entry.r_info);
	if (symbols->sh_link >= head->e_shnum || symbols->sh_offset > size ||
	    index >= (size - symbols->sh_offset) / sizeof(symbol)) {
		return "something";
	}
	memcpy(&symbol, data + symbols->sh_offset + index * sizeof(symbol), sizeof(symbol));
	names = &sections[symbols->sh_link];
	if (names->sh_offset > size || symbol.st_name >= size - names->sh_offset ||
	    memchr(data + names->sh_offset + symbol.st_name, '\0',
		   size - names->sh_offset - symbol.st_name) == NULL ||
	    data[names->sh_offset + symbol.st_name] == '\0') {
		return "something";
	}
	return (const char *)data + names->sh_offset + symbol.st_name;
}

// Put the sections .tN of the object into the tests. The file is our own assembler's work; what is
// not as expected is refused all the same.
static int take_sections(struct tt_file *file, const uint8_t *data, size_t size, char *error,
			 size_t error_size)
{
	const Elf64_Ehdr *head = (const Elf64_Ehdr *)(const void *)data;
	const Elf64_Shdr *sections;
	const char *names;

	snprintf(error, error_size, "%s: the assembler's output is no ELF object", file->path);
	if (data == NULL || size < sizeof(*head) || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
	    head->e_shentsize != sizeof(*sections) || head->e_shoff % 8 != 0 ||
	    head->e_shoff > size || head->e_shnum > (size - head->e_shoff) / sizeof(*sections) ||
	    head->e_shstrndx >= head->e_shnum) {
		return -EINVAL;
	}
	sections = (const Elf64_Shdr *)(const void *)(data + head->e_shoff);
	if (sections[head->e_shstrndx].sh_offset > size) {
		return -EINVAL;
	}
	names = (const char *)data + sections[head->e_shstrndx].sh_offset;
	for (unsigned i = 0; i < head->e_shnum; i++) {
		const Elf64_Shdr *s = &sections[i];
		size_t number, room = size - sections[head->e_shstrndx].sh_offset;
		bool rela = false;

		if (s->sh_name < room && (s->sh_flags & SHF_ALLOC) != 0 && s->sh_size != 0 &&
		    sscanf(names + s->sh_name, ".t%zu", &number) != 1) {
			snprintf(
				error, error_size,
				"%s: some assembly goes to section %s, which is in no test: all of "
				"it has to stay in the section that it begins in",
				file->path, names + s->sh_name);
			return -EINVAL;
		}
		if (s->sh_name >= room || (s->sh_type != SHT_PROGBITS && s->sh_type != SHT_RELA)) {
			continue;
		}
		rela = s->sh_type == SHT_RELA;
		if (sscanf(names + s->sh_name, rela ? ".rela.t%zu" : ".t%zu", &number) != 1 ||
		    number >= file->item_count || file->items[number].is_case) {
			continue;
		}
		if (rela) {
			snprintf(error, error_size,
				 "%s:%u:1: the assembly of %s refers to %s, which is not in the "
				 "test",
				 file->path, file->items[number].line, file->items[number].name,
				 first_symbol(data, size, s));
			return -EINVAL;
		}
		if (s->sh_offset > size || s->sh_size > size - s->sh_offset ||
		    s->sh_size > TT_AREA_VECTORS(highest_level(&file->items[number].t) + 1)) {
			snprintf(error, error_size, "%s:%u:1: " TOO_LONG, file->path,
				 file->items[number].line);
			return -EINVAL;
		}
		memcpy(file->items[number].t.code, data + s->sh_offset, s->sh_size);
	}
	return 0;
}

static void skip_assembly(struct tt_file *file)
{
	for (size_t i = 0; i < file->item_count; i++) {
		if (has_assembly(&file->items[i]) && file->items[i].skip == NULL) {
			file->items[i].skip =
				tt_format(file->arena, "there is no assembler (%s)", assembler());
		}
	}
}

static int assemble_in(struct tt_file *file, const char *directory, char *error, size_t error_size)
{
	char source[256], object[256], messages[256];
	uint8_t *data;
	size_t size = 0;
	FILE *out;
	int err;

	snprintf(source, sizeof(source), "%s/tests.s", directory);
	snprintf(object, sizeof(object), "%s/tests.o", directory);
	snprintf(messages, sizeof(messages), "%s/messages", directory);
	out = fopen(source, "w");
	if (out == NULL) {
		snprintf(error, error_size, "%s: can't write: %s", source, strerror(errno));
		return -EIO;
	}
	for (size_t i = 0; i < file->item_count; i++) {
		if (has_assembly(&file->items[i]) && file->items[i].skip == NULL) {
			write_test(out, file, &file->items[i].t, i);
		}
	}
	fclose(out);
	err = run_assembler(source, object, messages);
	if (err < 0) {
		skip_assembly(file);
		err = 0;
	} else if (err > 0) {
		first_message(messages, file->path, error, error_size);
		err = -EINVAL;
	} else {
		data = read_object(object, &size);
		err = take_sections(file, data, size, error, error_size);
		free(data);
	}
	unlink(source);
	unlink(object);
	unlink(messages);
	return err;
}

static int assemble_all(struct tt_file *file, char *error, size_t error_size)
{
	const char *base = getenv("TMPDIR");
	char directory[200];
	int err;

	snprintf(directory, sizeof(directory), "%s/strata-test-XXXXXX",
		 base != NULL ? base : "/tmp");
	if (mkdtemp(directory) == NULL) {
		snprintf(error, error_size, "%s: can't make a directory: %s", directory,
			 strerror(errno));
		return -EIO;
	}
	err = assemble_in(file, directory, error, error_size);
	rmdir(directory);
	return err;
}

int tt_assemble_file(struct tt_file *file, char *error, size_t error_size)
{
	bool assembly = false;
	int err = 0;

	for (size_t i = 0; err == 0 && i < file->item_count; i++) {
		struct tt_item *item = &file->items[i];

		if (item->is_case || item->t.snippet_count == 0 || item->skip != NULL) {
			continue;
		}
		item->t.code_size = TT_AREA_SIZE;
		item->t.code = tt_alloc(file->arena, TT_AREA_SIZE);
		for (size_t k = 0; k < item->t.snippet_count; k++) {
			if (item->t.snippets[k].hex &&
			    check_words(file, &item->t.snippets[k], error, error_size) != 0) {
				return -EINVAL;
			}
		}
		if (has_assembly(item)) {
			assembly = true;
		} else {
			err = lay_words(file, &item->t, error, error_size);
		}
	}
	if (err == 0 && assembly) {
		err = assemble_all(file, error, error_size);
	}
	for (size_t i = 0; err == 0 && i < file->item_count; i++) {
		if (file->items[i].t.code != NULL) {
			fill_vectors(&file->items[i].t);
		}
	}
	return err;
}
