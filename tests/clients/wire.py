#!/usr/bin/env python3
"""Bytes to the server at CONCLAVE_PORT, and bytes back: the stories of wire.txt, and how connections end."""

import ast
import os
import re
import socket
import struct
import unittest
from pathlib import Path

from members import SECONDS, wait_for
from sides import elements, encode, split_replies

PORT = int(os.environ["CONCLAVE_PORT"])
STORIES = Path(__file__).with_suffix(".txt")
MIB = 1 << 20


def show(reply):
    """A reply as the stories have it."""
    end = reply.index(b"\r\n")
    kind, rest = chr(reply[0]), reply[1:end].decode("latin-1")
    if rest == "-1" and kind in "$*":
        return kind + "nil"
    if kind in "*%~>":
        return f"{kind}({' '.join(map(show, elements(reply, in_order=True)))})"
    if kind not in "$=!":
        return kind + rest
    text = kind + reply[end + 2:-2].decode("latin-1")
    if re.fullmatch(r"[!#-~]*", text):
        return text
    return '"' + text.encode("unicode_escape").decode().replace('"', '\\"') + '"'


def matches(shown, wanted):
    return re.fullmatch(".*".join(map(re.escape, wanted.split("..."))), shown)


def words_of(line):
    """What stands in double quotes has the escapes of Python."""
    found = re.findall(r'"(?:\\.|[^"\\])*"|[^\s"]+', line)
    return [ast.literal_eval(w).encode("latin-1") if w[0] == '"' else w.encode() for w in found]


def stories():
    """The name of each, and its steps: what is written, and the replies that are wanted."""
    found = []
    for line in STORIES.read_text(encoding="ascii").splitlines():
        if line.startswith("== "):
            found.append((line[3:], []))
        if line[:1] not in (">", "+", "!", "<"):
            continue
        steps = found[-1][1]
        if line[0] == "<":
            steps[-1][1].append(line[2:])
            continue
        if not steps or steps[-1][1]:
            steps.append(([], []))
        words = words_of(line[2:])
        data = words[0] if line[0] == "!" else encode(words)
        if line[0] == "+":
            steps[-1][0][-1] += data
        else:
            steps[-1][0].append(data)
    return found


class Connection:
    def __init__(self, case):
        self.socket = socket.create_connection(("127.0.0.1", PORT), timeout=SECONDS)
        case.addCleanup(self.socket.close)
        self.data, self.replies = b"", []

    def write(self, data):
        self.socket.sendall(data)

    def read(self, count=None):
        """So many replies, or all; fewer if the server closes."""
        while count is None or len(self.replies) < count:
            more = self.socket.recv(MIB)
            if not more:
                break
            found, at = split_replies(self.data + more)
            self.replies += found
            self.data = (self.data + more)[at:]
        taken, self.replies = self.replies[:count], self.replies[count or len(self.replies):]
        return taken

    def ask(self, *words):
        self.write(encode([word.encode() for word in words]))
        return show(self.read(1)[0])

    def shut_down(self):
        """No more is sent, but replies are read yet."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class WireTest(unittest.TestCase):
    def setUp(self):
        self.observer = Connection(self)
        self.observer.ask("FLUSHALL")

    def tell(self, steps):
        c = Connection(self)
        for parts, wanted in steps:
            for part in parts:
                c.write(part)
            shown = [show(reply) for reply in c.read(len(wanted))]
            for found, expected in zip(shown, wanted):
                self.assertTrue(matches(found, expected), f"{found}\nwanted: {expected}")
            self.assertEqual(len(shown), len(wanted), shown)
        try:
            c.write(encode([b"ECHO", b"nothing more"]))
            last = [show(reply) for reply in c.read(1)]
        except ConnectionError:  # it was ended by a QUIT
            last = []
        self.assertIn(last, [[], ['"$nothing more"'], ["-NOAUTH Authentication required."]])

    def test_what_libraries_send_and_need_back(self):
        for name, steps in stories():
            with self.subTest(name):
                password = "hush" if ", password" in name else ""
                self.observer.ask("FLUSHALL")
                self.assertEqual(self.observer.ask("CONFIG", "SET", "requirepass", password), "+OK")
                self.tell(steps)
        self.observer.ask("CONFIG", "SET", "requirepass", "")

    def test_who_sends_and_shuts_down_is_answered_in_full(self):
        c = Connection(self)
        c.write(b"SET a 1\r\nGET a\r\n")
        c.shut_down()
        self.assertEqual(c.read(), [b"+OK\r\n", b"$1\r\n1\r\n"])
        many = Connection(self)
        many.write(b"".join(encode([b"INCR", b"n"]) + encode([b"GET", b"n"]) for _ in range(5000)))
        many.write(encode([b"MULTI"]) + encode([b"GET", b"n"]) + encode([b"EXEC"]))
        many.write(b"*2\r\n$3\r\nGET\r\n$100\r\nhalf of a request")
        many.shut_down()
        replies = many.read()
        self.assertEqual(replies[0:10000:2], [b":%d\r\n" % (i + 1) for i in range(5000)])
        self.assertEqual(replies[1:10000:2], [b"$%d\r\n%d\r\n" % (len(str(i)), i) for i in range(1, 5001)])
        self.assertEqual(replies[10000:], [b"+OK\r\n", b"+QUEUED\r\n", b"*1\r\n$4\r\n5000\r\n"])
        self.assertEqual(many.data, b"")

    def test_a_transaction_that_was_not_ended_leaves_nothing(self):
        c = Connection(self)
        c.write(encode([b"MULTI"]) + encode([b"SET", b"a", b"1"]))
        c.shut_down()
        self.assertEqual(c.read(), [b"+OK\r\n", b"+QUEUED\r\n"])
        self.assertEqual(self.observer.ask("EXISTS", "a"), ":0")

    def test_what_comes_after_nonsense_is_not_done(self):
        c = Connection(self)
        c.write(encode([b"SET", b"a", b"1"]) + b"*1\r\nnonsense\r\n" + encode([b"SET", b"a", b"2"]))
        self.assertEqual(c.read(), [b"+OK\r\n", b"-ERR Protocol error: expected '$', got 'n'\r\n"])
        self.assertEqual(self.observer.ask("GET", "a"), "$1")

    def test_a_browser_that_was_sent_here_is_cut_off(self):
        for head in (b"POST / HTTP/1.1\r\n", b"GET /x HTTP/1.1\r\nHost: localhost\r\n"):
            c = Connection(self)
            c.write(head + b"\r\nSET a 1\r\n")
            try:
                self.assertNotIn(b"+OK\r\n", c.read())
            except ConnectionError:  # not even what it sent was read
                pass
            self.assertEqual(self.observer.ask("EXISTS", "a"), ":0")

    def test_requests_may_come_byte_by_byte(self):
        c = Connection(self)
        c.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = encode([b"SET", b"a", b"\r\n$1\r\n"]) + b"\r\nGET a\n" + encode([b"STRLEN", b"a"])
        for i in range(len(data)):
            c.write(data[i:i + 1])
        self.assertEqual(c.read(3), [b"+OK\r\n", b"$6\r\n\r\n$1\r\n\r\n", b":6\r\n"])

    def test_clients_that_never_read_harm_nobody(self):
        self.assertEqual(self.observer.ask("SET", "large", "x" * MIB), "+OK")
        silent = [Connection(self) for _ in range(20)]
        for i, c in enumerate(silent):
            c.write(encode([b"GET", b"large"]) * 4 + encode([b"SET", b"silent:%d" % i, b"there"]))
        # They are served to the end, and whoever reads is served meanwhile.
        wait_for(lambda: self.observer.ask("KEYS", "silent:*").count("silent:") == 20, "somebody is not served")
        for c in silent[1:]:
            c.reset()
        wait_for(lambda: self.observer.ask("CLIENT", "LIST").count("id=") == 2, "somebody who left is still there")
        replies = silent[0].read(5)
        self.assertEqual([len(reply) for reply in replies], [MIB + len("$1048576\r\n\r\n")] * 4 + [len("+OK\r\n")])

    def test_who_leaves_within_a_request_leaves_nothing(self):
        for how in (Connection.reset, Connection.shut_down):
            c = Connection(self)
            c.write(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$%d\r\n" % MIB + b"x" * 1000)
            how(c)
        wait_for(lambda: self.observer.ask("CLIENT", "LIST").count("id=") == 1, "somebody who left is still there")
        self.assertEqual(self.observer.ask("EXISTS", "a"), ":0")


if __name__ == "__main__":
    unittest.main()
