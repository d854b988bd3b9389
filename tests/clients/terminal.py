"""A program at a terminal, and somebody who types and reads."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

from members import SECONDS, Failed

# Colours, moves of the cursor, and what asks the terminal for something.
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    def __init__(self, words, environment):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self.process = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, env=environment,
                                        start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.shown = ""

    def send(self, text):
        """Types; what was shown before counts no more."""
        self.shown = ""
        os.write(self.master, text.encode())

    def read(self, till):
        """More of what is shown; nothing at the end."""
        ready, _, _ = select.select([self.master], [], [], max(0, till - time.monotonic()))
        if not ready:
            raise Failed(f"the terminal shows no more than {self.shown!r}")
        try:
            return os.read(self.master, 1 << 16).decode(errors="replace")
        except OSError:  # nobody holds the other end
            return ""

    def wait_for(self, pattern):
        """Reads until this is shown; what stands behind it is looked at next time."""
        till = time.monotonic() + SECONDS
        while True:
            self.shown = ESCAPES.sub("", self.shown)
            if found := re.search(pattern, self.shown, re.DOTALL):
                self.shown = self.shown[found.end():]
                return found.group()
            more = self.read(till)
            if not more:
                raise Failed(f"the program ended with {self.shown!r}, without {pattern!r}")
            self.shown += more

    def wait_for_end(self):
        till = time.monotonic() + SECONDS
        while self.read(till):
            pass
        self.process.wait(SECONDS)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
