// SPDX-License-Identifier: Apache-2.0
//
// user.h - the guest kernel's system calls: number in x8, arguments in x0 and x1.
#ifndef USER_H
#define USER_H

#define SYSCALL_WRITE 1
#define SYSCALL_EXIT 2

void user_main(void) __attribute__((noreturn));

#endif
