// SPDX-License-Identifier: Apache-2.0
// The terminal. Its settings are the process's, and signal handlers have no argument: so this file
// keeps what it must restore in one static struct.
#define _GNU_SOURCE // ppoll, pipe2
#include "cli/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE_KEY 0x01 // Ctrl-A

static struct {
	struct termios saved;
	volatile sig_atomic_t raw; // saved is to be restored
	volatile sig_atomic_t signal;
	int wake[2]; // a signal writes here, so that a waiting poll ends
	struct strata *volatile strata;
	bool is_terminal;
	bool escaped; // the escape key was the last key
	bool ended;
} console;

static void restore(void)
{
	if (console.raw) {
		console.raw = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &console.saved);
	}
}

// An orderly end: the machine stops, the trace is completed. A second signal ends at once.
static void on_end(int number)
{
	int saved_errno = errno;

	if (console.signal != 0 || console.strata == NULL) {
		restore();
		signal(number, SIG_DFL);
		raise(number);
		return;
	}
	console.signal = number;
	strata_stop(console.strata);
	(void)!write(console.wake[1], "", 1);
	errno = saved_errno;
}

static void on_crash(int number)
{
	restore();
	signal(number, SIG_DFL);
	raise(number);
}

static void catch (int number, void (*handler)(int))
{
	struct sigaction action;
	struct sigaction old;

	if (sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN) {
		return; // nohup
	}
	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

static void write_all(const void *data, size_t size)
{
	const char *p = data;

	while (size != 0) {
		ssize_t n = write(STDOUT_FILENO, p, size);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

			(void)poll(&out, 1, -1);
		} else if (n < 0 && errno != EINTR) {
			return; // no one reads any more: the machine need not care
		}
		if (n > 0) {
			p += n;
			size -= (size_t)n;
		}
		if (n < 0 && console.signal != 0) {
			return;
		}
	}
}

static void console_write(void *opaque, const void *data, size_t size)
{
	(void)opaque;
	write_all(data, size);
}

static void print_help(void)
{
	static const char text[] = "\r\nCtrl-A x      end the run\r\n"
				   "Ctrl-A p      press the power key\r\n"
				   "Ctrl-A h      this help\r\n"
				   "Ctrl-A Ctrl-A send Ctrl-A\r\n";

	write_all(text, sizeof(text) - 1);
}

// Take the escape sequences out of what was typed. Returns the count of bytes left, or
// STRATA_CONSOLE_*.
static int unescape(unsigned char *data, int size)
{
	int kept = 0;

	for (int i = 0; i < size; i++) {
		unsigned char c = data[i];

		if (!console.escaped) {
			if (c == ESCAPE_KEY) {
				console.escaped = true;
			} else {
				data[kept++] = c;
			}
			continue;
		}
		console.escaped = false;
		switch (c) {
		case 'x':
		case 'X':
			return STRATA_CONSOLE_QUIT;
		case 'p':
		case 'P':
			return STRATA_CONSOLE_POWER_KEY;
		case ESCAPE_KEY:
			data[kept++] = c;
			break;
		case 'h':
		case 'H':
		case '?':
			print_help();
			break;
		default:
			break; // no such command: both keys are dropped
		}
	}
	return kept;
}

static int console_read(void *opaque, void *data, size_t size, uint64_t timeout_ns)
{
	struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
				{.fd = console.wake[0], .events = POLLIN}};
	struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / 1000000000),
				   .tv_nsec = (long)(timeout_ns % 1000000000)};
	ssize_t n;

	(void)opaque;
	if (console.ended) {
		return STRATA_CONSOLE_END;
	}
	if (ppoll(fds, 2, timeout_ns == STRATA_WAIT_FOREVER ? NULL : &timeout, NULL) <= 0 ||
	    fds[0].revents == 0) {
		return 0;
	}
	n = read(STDIN_FILENO, data, size);
	if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
		return 0;
	}
	if (n <= 0) {
		console.ended = true;
		return STRATA_CONSOLE_END;
	}
	return console.is_terminal ? unescape(data, (int)n) : (int)n;
}

static void set_raw(void)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &console.saved) != 0) {
		return;
	}
	raw = console.saved;
	raw.c_iflag &=
		~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	raw.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
	raw.c_cflag |= CS8;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	// Output processing stays on: messages of our own end lines with a line feed alone.
	console.raw = 1;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void console_open(struct strata_console *host)
{
	static const int crashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGQUIT};
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP};

	memset(host, 0, sizeof(*host));
	host->write = console_write;
	host->read = console_read;
	if (pipe2(console.wake, O_CLOEXEC | O_NONBLOCK) != 0) {
		console.wake[0] = console.wake[1] = -1;
	}
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		catch (ends[i], on_end);
	}
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
		catch (crashes[i], on_crash);
	}
	console.is_terminal = isatty(STDIN_FILENO);
	host->paced = console.is_terminal;
}

void console_attach(struct strata *strata)
{
	console.strata = strata;
	if (strata != NULL && console.is_terminal) {
		atexit(restore);
		set_raw();
	}
}

void console_close(void)
{
	restore();
	console.strata = NULL;
}

int console_signal(void)
{
	return console.signal;
}
