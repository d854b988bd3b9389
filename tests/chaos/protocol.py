"""The protocol of Redis, as far as a client needs it."""

import socket
import time


class Error(Exception):
    """An error reply."""

    def __eq__(self, other):
        return isinstance(other, Error) and str(self) == str(other)

    __hash__ = Exception.__hash__


class Incomplete(Exception):
    """More has to be read."""


def encode(words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        if not isinstance(word, bytes):
            word = str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


class Parser:
    """Bytes in, replies out: bytes, int, None, a list, or an Error."""

    def __init__(self):
        self.data, self.at = bytearray(), 0

    def feed(self, data):
        self.data += data

    def replies(self):
        self.at = 0
        begin = 0
        try:
            while begin < len(self.data):
                reply = self._one()
                begin = self.at
                yield reply
        except Incomplete:
            pass
        finally:
            del self.data[:begin]

    def _line(self):
        end = self.data.find(b"\r\n", self.at)
        if end < 0:
            raise Incomplete
        line = bytes(self.data[self.at:end])
        self.at = end + 2
        return line

    def _one(self):
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest
        if kind == b"-":
            return Error(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._bulk(int(rest))
        if kind == b"*":
            return None if rest == b"-1" else [self._one() for _ in range(int(rest))]
        raise ValueError(f"not the protocol: {line!r}")

    def _bulk(self, size):
        if size < 0:
            return None
        end = self.at + size
        if end + 2 > len(self.data):
            raise Incomplete
        data = bytes(self.data[self.at:end])
        self.at = end + 2
        return data


class Asker:
    """A connection for one question after the other, each with so many seconds."""

    def __init__(self, path, seconds):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(seconds)
        self.seconds = seconds
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.parser = Parser()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, *words):
        """The reply; an error is raised, and OSError if none comes."""
        self.socket.sendall(encode(words))
        till = time.monotonic() + self.seconds
        while time.monotonic() < till:
            for reply in self.parser.replies():
                if isinstance(reply, Error):
                    raise reply
                return reply
            data = self.socket.recv(1 << 18)
            if not data:
                raise ConnectionResetError("the connection ended")
            self.parser.feed(data)
        raise TimeoutError(f"no reply to {words[0]}")
