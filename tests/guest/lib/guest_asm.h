// SPDX-License-Identifier: Apache-2.0
//
// guest_asm.h - numbers that assembly, snippets and C share.
#ifndef GUEST_ASM_H
#define GUEST_ASM_H

#define SEMIHOST_SYS_WRITE0 0x04
#define SEMIHOST_SYS_GET_CMDLINE 0x15
#define SEMIHOST_SYS_EXIT_EXTENDED 0x20
#define SEMIHOST_APPLICATION_EXIT 0x20026

// SVC/SMC immediate with which a snippet says that it is done, and the base of those in the vector
// slots.
#define ESC_DONE 0x7e57
#define ESC_SLOT 0x7000

#endif
