"""The two sides of the comparison: redis-server, and a member in a process of its own."""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

# One program under several names: it does what it is called.
PROGRAM = shutil.which("redis-server") or shutil.which("redis-check-rdb")
PR_SET_PDEATHSIG = 1
STARTED = re.compile(rb"(?i)ready to accept connections")


class Truncated(Exception):
    """The bytes end before the reply does."""


def encode(words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


def reply_end(data, at):
    """Where the reply that begins at `at` ends."""
    end = data.find(b"\r\n", at)
    if end < 0:
        raise Truncated
    kind, rest, end = data[at:at + 1], data[at + 1:end], end + 2
    if kind in b"+-:_#,(":
        return end
    number = int(rest)
    if kind in b"$=!":
        if number < 0:
            return end
        if end + number + 2 > len(data):
            raise Truncated
        return end + number + 2
    if kind not in b"*~>%":
        raise ValueError(f"no reply begins with {data[at:at + 20]!r}")
    for _ in range(max(number, 0) * (2 if kind == b"%" else 1)):
        end = reply_end(data, end)
    return end


def elements(reply, together=1, in_order=False):
    """What an array or a map holds, in the groups that belong together, sorted unless in order."""
    at = reply.find(b"\r\n") + 2
    found = []
    while at < len(reply):
        end = at
        for _ in range(together):
            end = reply_end(reply, end)
        found.append(reply[at:end])
        at = end
    return found if in_order else sorted(found)


def value(reply):
    """A whole reply as Python has it, texts as str."""
    return value_at(reply, 0)[0]


def value_at(data, at):
    """One reply, and where it ends."""
    end = data.index(b"\r\n", at)
    kind, rest, end = data[at:at + 1], data[at + 1:end].decode("latin-1"), end + 2
    if kind == b":":
        return int(rest), end
    if kind in b"+-,(":
        return rest, end
    if kind == b"_" or rest == "-1":
        return None, end
    if kind in b"$=":
        return data[end:end + int(rest)].decode("latin-1"), end + int(rest) + 2
    items = []
    for _ in range(int(rest) * (2 if kind == b"%" else 1)):
        item, end = value_at(data, end)
        items.append(item)
    return (dict(zip(items[::2], items[1::2])) if kind == b"%" else items), end


def split_replies(data):
    """All whole replies, and where the rest begins."""
    replies, at = [], 0
    while at < len(data):
        try:
            end = reply_end(data, at)
        except Truncated:
            break
        replies.append(data[at:end])
        at = end
    return replies, at


def end_with_parent():
    """What is started ends with this process, however that ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Redis:
    """redis-server in a directory of its own, reached through a socket in there."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="conclave-compat-")
        path = os.path.join(self.directory.name, "redis.sock")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly",
             "no", "--proto-max-bulk-len", "16mb", "--slowlog-log-slower-than", "-1", "--dir", self.directory.name],
            executable=PROGRAM, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=end_with_parent)
        self.path, self.sockets = path, {}
        for line in self.process.stdout:
            if STARTED.search(line):
                return
        raise RuntimeError("redis-server did not start")

    def ask(self, connection, requests):
        """The replies to requests that go out together."""
        if connection not in self.sockets:
            self.sockets[connection] = socket.socket(socket.AF_UNIX)
            self.sockets[connection].connect(self.path)
        sock, data, replies = self.sockets[connection], b"", []
        sock.sendall(b"".join(map(encode, requests)))
        while len(replies) < len(requests):
            more = sock.recv(1 << 20)
            if not more:
                self.sockets.pop(connection).close()
                return replies
            found, at = split_replies(data + more)
            replies += found
            data = (data + more)[at:]
        if requests[-1][0].upper() == b"QUIT":  # whoever asks next is a new client
            assert not sock.recv(1)
            self.sockets.pop(connection).close()
        return replies

    def close(self):
        for sock in self.sockets.values():
            sock.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
        self.directory.cleanup()


class Member:
    """The program compat_runner."""

    def __init__(self, program, *arguments):
        self.process = subprocess.Popen([Path(program), *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def ask(self, connection, requests):
        data = b"".join(map(encode, requests))
        self.process.stdin.write(b"%d %d\n%s" % (connection, len(data), data))
        self.process.stdin.flush()
        length = self.process.stdout.readline()
        if not length:
            raise RuntimeError(f"the member ended: {self.process.wait()}")
        replies, _ = split_replies(self.process.stdout.read(int(length)))
        return replies

    def close(self):
        self.process.stdin.close()
        status = self.process.wait()
        self.process.stdout.close()
        if status:
            raise RuntimeError(f"the member ended with {status}")
