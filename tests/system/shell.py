#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Use the emulated console as a person does: through a terminal.

Cases:
  shell     boot to a shell, type, recall and edit a line with the arrow keys, interrupt commands
            with ^C, switch off; the terminal must be as before
  escape    leave with the escape key (^A x) in the middle of the boot; the terminal as before
  literal   ^A ^A reaches the guest as one ^A (start of line, in the shell's line editor)
  sigterm   be ended by SIGTERM in the middle of the boot; the terminal as before
"""

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

import harness
from harness import Failure, check

PROMPT = "strata# "
ESCAPE = "\x01"
LFLAG = 3


class Terminal:
    """A machine on a pseudo-terminal, and what it has written so far."""

    def __init__(self, argv, timeout):
        self.deadline = time.monotonic() + timeout
        self.argv = argv
        self.text = ""
        self.mark = 0
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            argv, stdin=self.slave, stdout=self.slave, stderr=self.slave,
            start_new_session=True, preexec_fn=self.take_terminal)

    def take_terminal(self):
        """In the child: make the slave the controlling terminal, as a shell's would be."""
        os.close(os.open(os.ttyname(0), os.O_RDWR))

    def pump(self, seconds):
        """Take what the machine writes within so many seconds; false if it wrote nothing."""
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        data = os.read(self.master, 65536).decode("utf-8", "replace")
        # busybox asks the terminal where its cursor is; a terminal answers.
        for _ in range(data.count("\x1b[6n")):
            self.send("\x1b[1;%dR" % (len(PROMPT) + 1))
        self.text += data
        return True

    def expect(self, words, what=None):
        """Wait until the words appear after what was matched last; return what came before."""
        while True:
            at = self.text.find(words, self.mark)
            if at >= 0:
                between = self.text[self.mark:at]
                self.mark = at + len(words)
                return between
            if time.monotonic() > self.deadline:
                raise Failure("%s did not come" % (what or repr(words)))
            if not self.pump(0.2) and self.process.poll() is not None and not self.pump(0.2):
                raise Failure("%s did not come: the machine ended with status %d" % (
                    what or repr(words), self.process.returncode))

    def command(self, keys):
        """Type keys at the prompt; return the lines printed until the next prompt."""
        self.send(keys + "\r")
        between = self.expect("\n", "the end of the line that was typed")
        return between, self.expect(PROMPT, "the prompt after %r" % keys).replace("\r", "")

    def send(self, keys):
        # One key after the other: the UART's FIFO is short, and so is a person's patience.
        for byte in keys.encode():
            os.write(self.master, bytes([byte]))
            time.sleep(0.005)

    def wait(self, what):
        """Wait for the end of the machine; returns its exit status."""
        while self.process.poll() is None:
            if time.monotonic() > self.deadline:
                raise Failure("the machine did not end after %s" % what)
            self.pump(0.1)
        while self.pump(0.1):
            pass
        return self.process.returncode

    def check_raw(self):
        mode = termios.tcgetattr(self.slave)[LFLAG]
        check(not mode & (termios.ICANON | termios.ECHO | termios.ISIG),
              "the terminal is not in raw mode while the machine runs")

    def check_restored(self):
        check(termios.tcgetattr(self.slave) == self.before,
              "the terminal's settings are not what they were before")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


def interrupted(terminal, command):
    """^C must end a command that would not end for long, and the shell must go on."""
    terminal.send(command + "; echo not-interrupted\r")
    terminal.expect("\n")
    end = time.monotonic() + 1
    while time.monotonic() < end:
        terminal.pump(0.1)
    check(PROMPT not in terminal.text[terminal.mark:], "%r ended by itself" % command)
    terminal.send("\x03")
    output = terminal.expect(PROMPT, "the prompt after ^C in %r" % command)
    check("not-interrupted" not in output, "^C did not interrupt %r" % command)
    status = terminal.command("echo status-$?")[1]
    check("status-130" in status, "%r was not ended by SIGINT: %r" % (command, status))


def case_shell(terminal, _machine):
    terminal.expect(harness.MARKER, "user space")
    terminal.expect(PROMPT, "the shell's prompt")
    terminal.check_raw()
    check("hello-42\n" in terminal.command("echo hello-$((6*7))")[1], "a command's output is wrong")
    typed, output = terminal.command("\x1b[A")
    check("echo hello-" in typed, "the up arrow did not recall the line: %r" % typed)
    check("hello-42\n" in output, "the recalled line's output is wrong: %r" % output)
    output = terminal.command("echo abd\x1b[Dc")[1]
    check("abcd\n" in output, "the left arrow did not move the cursor: %r" % output)
    output = terminal.command("echo typp\x7fo")[1]
    check("typo\n" in output, "the erase key did not erase: %r" % output)
    check("/dev/ttyAMA0" in terminal.command("tty")[1], "the shell is not on the UART")
    count = uart_interrupts(terminal)
    check(uart_interrupts(terminal) > count > 0, "keys do not come by interrupts")
    interrupted(terminal, "sleep 1000")
    interrupted(terminal, "while :; do :; done")
    interrupted(terminal, "cat")
    terminal.send("poweroff -f\r")
    status = terminal.wait("poweroff -f")
    check("reboot: Power down" in terminal.text, "the kernel did not power off")
    check(status == 0, "exit status is %d, not 0" % status)
    harness.check_healthy(terminal.text)


def uart_interrupts(terminal):
    output = terminal.command("grep pl011 /proc/interrupts")[1]
    found = re.search(r"\d+: +(\d+) .*pl011", output)
    check(found, "no interrupt of the UART in /proc/interrupts: %r" % output)
    return int(found.group(1))


def case_escape(terminal, _machine):
    terminal.expect("Linux version", "the kernel's first line")
    terminal.check_raw()
    terminal.send(ESCAPE + "x")
    status = terminal.wait("the escape key")
    check(status >= 0, "ended by signal %d" % -status)
    check(harness.MARKER not in terminal.text, "the machine ran on to user space")


def case_literal(terminal, _machine):
    terminal.expect(PROMPT, "the shell's prompt")
    output = terminal.command("cho begin%s%se" % (ESCAPE, ESCAPE))[1]
    check("begin\n" in output, "^A did not reach the line editor: %r" % output)
    terminal.send(ESCAPE + "x")
    terminal.wait("the escape key")


def case_sigterm(terminal, machine):
    terminal.expect("Linux version", "the kernel's first line")
    terminal.check_raw()
    terminal.process.send_signal(signal.SIGTERM)
    status = terminal.wait("SIGTERM")
    # QEMU makes no difference between this end and the guest's own.
    check(status != 0 or machine.is_qemu, "exit status is 0, as if the guest had powered off")


CASES = {"shell": case_shell, "escape": case_escape, "literal": case_literal,
         "sigterm": case_sigterm}


def main():
    parser = harness.parser(__doc__.splitlines()[0])
    parser.add_argument("case", choices=sorted(CASES))
    arguments = parser.parse_args()
    machine = harness.Machine(arguments, harness.Images())
    terminal = Terminal(machine.command(append="strata.shell"), arguments.timeout)
    try:
        CASES[arguments.case](terminal, machine)
        terminal.check_restored()
    except Failure:
        harness.show(terminal.argv, terminal.text, "")
        raise
    finally:
        terminal.close()


harness.main(main)
