// SPDX-License-Identifier: Apache-2.0
// ELF64 executables for AArch64: segments by physical address, and symbols.
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "board/loader.h"

bool elf_recognise(const uint8_t *data, size_t size)
{
	return size >= SELFMAG && memcmp(data, ELFMAG, SELFMAG) == 0;
}

// What kind of file it is: everything that can be said before looking at its tables.
static int check_ident(struct loader *loader, const char *name, const uint8_t *data, size_t size)
{
	Elf64_Ehdr ehdr;

	if (size < EI_NIDENT) {
		return loader_fail(loader, EINVAL, "%s: truncated ELF file", name);
	}
	if (data[EI_CLASS] != ELFCLASS64) {
		return loader_fail(loader, EINVAL, "%s: is not a 64-bit ELF", name);
	}
	if (data[EI_DATA] != ELFDATA2LSB) {
		return loader_fail(loader, EINVAL, "%s: is not a little-endian ELF", name);
	}
	if (size < sizeof(ehdr)) {
		return loader_fail(loader, EINVAL, "%s: truncated ELF file", name);
	}
	memcpy(&ehdr, data, sizeof(ehdr));
	if (ehdr.e_machine != EM_AARCH64) {
		return loader_fail(loader, EINVAL,
				   "%s: is an ELF for another machine (%u, AArch64 is %u)", name,
				   ehdr.e_machine, EM_AARCH64);
	}
	return 0;
}

static Elf *open_elf(struct loader *loader, const char *name, uint8_t *data, size_t size)
{
	Elf *elf = NULL;

	if (elf_version(EV_CURRENT) != EV_NONE) {
		elf = elf_memory((char *)data, size);
	}
	if (elf == NULL || elf_kind(elf) != ELF_K_ELF) {
		(void)loader_fail(loader, EINVAL, "%s: damaged ELF file: %s", name, elf_errmsg(-1));
		elf_end(elf);
		return NULL;
	}
	return elf;
}

static int load_segment(struct loader *loader, const char *name, const uint8_t *data, size_t size,
			const GElf_Phdr *phdr)
{
	int err;

	if (phdr->p_filesz > phdr->p_memsz) {
		return loader_fail(
			loader, EINVAL,
			"%s: damaged ELF file: segment at 0x%llx has more file than memory", name,
			(unsigned long long)phdr->p_paddr);
	}
	if (phdr->p_offset > size || phdr->p_filesz > size - phdr->p_offset) {
		return loader_fail(loader, EINVAL,
				   "%s: truncated ELF file: segment at 0x%llx ends beyond the file",
				   name, (unsigned long long)phdr->p_paddr);
	}
	err = loader_claim(loader, phdr->p_paddr, phdr->p_memsz, name);
	if (err != 0) {
		return err;
	}
	loader_write(loader, phdr->p_paddr, data + phdr->p_offset, phdr->p_filesz);
	loader_zero(loader, phdr->p_paddr + phdr->p_filesz, phdr->p_memsz - phdr->p_filesz);
	return 0;
}

// The entry is a virtual address: where a segment holds it, its physical counterpart is where the
// PE starts.
static uint64_t physical_entry(const GElf_Phdr *phdr, uint64_t entry)
{
	return entry - phdr->p_vaddr < phdr->p_memsz ? entry - phdr->p_vaddr + phdr->p_paddr
						     : entry;
}

static int load_segments(struct loader *loader, const char *name, const uint8_t *data, size_t size,
			 Elf *elf, struct image_info *info)
{
	size_t count;
	size_t loaded = 0;
	GElf_Ehdr ehdr;
	bool entry_found = false;

	if (gelf_getehdr(elf, &ehdr) == NULL || elf_getphdrnum(elf, &count) != 0) {
		return loader_fail(loader, EINVAL, "%s: damaged ELF file: %s", name,
				   elf_errmsg(-1));
	}
	if (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN) {
		return loader_fail(loader, EINVAL, "%s: is not an executable ELF (type %u)", name,
				   ehdr.e_type);
	}
	info->entry = ehdr.e_entry;
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr phdr;
		int err;

		if (gelf_getphdr(elf, (int)i, &phdr) == NULL) {
			return loader_fail(loader, EINVAL, "%s: truncated ELF file: %s", name,
					   elf_errmsg(-1));
		}
		if (phdr.p_type != PT_LOAD || phdr.p_memsz == 0) {
			continue;
		}
		err = load_segment(loader, name, data, size, &phdr);
		if (err != 0) {
			return err;
		}
		if (!entry_found && ehdr.e_entry - phdr.p_vaddr < phdr.p_memsz) {
			info->entry = physical_entry(&phdr, ehdr.e_entry);
			entry_found = true;
		}
		loaded++;
	}
	if (loaded == 0) {
		return loader_fail(loader, EINVAL, "%s: the ELF has nothing to load", name);
	}
	return 0;
}

static int add_section(struct loader *loader, Elf *elf, Elf_Scn *section, const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = shdr->sh_entsize != 0 ? shdr->sh_size / shdr->sh_entsize : 0;
	int added = 0;

	if (data == NULL) {
		return 0;
	}
	for (size_t i = 0; i < count && i < INT32_MAX; i++) {
		GElf_Sym sym;
		const char *name;
		unsigned type, rank;

		if (gelf_getsym(data, (int)i, &sym) == NULL) {
			break;
		}
		type = GELF_ST_TYPE(sym.st_info);
		if (sym.st_shndx == SHN_UNDEF || sym.st_shndx == SHN_ABS || type == STT_FILE ||
		    type == STT_SECTION || type == STT_TLS) {
			continue;
		}
		name = elf_strptr(elf, shdr->sh_link, sym.st_name);
		if (name == NULL || name[0] == '\0' || name[0] == '$') {
			continue; // mapping symbols say code or data, not a name
		}
		rank = (type == STT_FUNC ? 4 : 0) +
		       (GELF_ST_BIND(sym.st_info) != STB_LOCAL ? 2 : 0);
		if (symbols_add(loader->symbols, sym.st_value, sym.st_size, name, strlen(name),
				rank) != 0) {
			return -ENOMEM;
		}
		added++;
	}
	return added;
}

static int add_symbols(struct loader *loader, Elf *elf)
{
	Elf_Scn *section = NULL;
	int total = 0;

	if (loader->symbols == NULL) {
		return 0;
	}
	while ((section = elf_nextscn(elf, section)) != NULL) {
		GElf_Shdr shdr;
		int added;

		if (gelf_getshdr(section, &shdr) == NULL || shdr.sh_type != SHT_SYMTAB) {
			continue;
		}
		added = add_section(loader, elf, section, &shdr);
		if (added < 0) {
			return added;
		}
		total += added;
	}
	return total;
}

int elf_load(struct loader *loader, const char *name, uint8_t *data, size_t size,
	     struct image_info *info)
{
	int err = check_ident(loader, name, data, size);
	Elf *elf;

	if (err != 0) {
		return err;
	}
	elf = open_elf(loader, name, data, size);
	if (elf == NULL) {
		return -EINVAL;
	}
	err = load_segments(loader, name, data, size, elf, info);
	if (err == 0) {
		// Damaged symbols do not keep an image from running.
		(void)add_symbols(loader, elf);
	}
	elf_end(elf);
	return err;
}

int elf_symbols(struct loader *loader, const char *name, uint8_t *data, size_t size)
{
	int err = check_ident(loader, name, data, size);
	Elf *elf;

	if (err != 0) {
		return err;
	}
	elf = open_elf(loader, name, data, size);
	if (elf == NULL) {
		return -EINVAL;
	}
	err = add_symbols(loader, elf);
	elf_end(elf);
	if (err < 0) {
		return loader_fail(loader, ENOMEM, "%s: out of memory", name);
	}
	return err;
}
