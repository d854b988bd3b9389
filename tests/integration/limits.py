#!/usr/bin/env python3
"""Many clients, clients that mean harm or cannot help it, many keys that expire at once: all of it in bounded memory, and
others get their answers meanwhile."""

import os
import resource
import signal
import socket
import tempfile
import time

from members import SECONDS, Failed, Reply, free_ports, wait_for
from process import answer, ask, expect, expect_in, request, run_stories, start, start_redis, text_of

MANY = 10000
KIB, MIB = 1 << 10, 1 << 20


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)


def resident_bytes(server):
    for line in text_of(f"/proc/{server.process.pid}/status").split("\n"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * KIB
    raise Failed("the process is gone")


class Other:
    """Somebody who minds his own business, and must be answered whatever happens elsewhere."""

    def __init__(self, server):
        self.stream = connect(server.port)
        self.replies = Reply(self.stream.makefile("rb"))
        self.count = 0

    def works(self):
        self.count += 1
        text = b"%d" % self.count
        self.stream.sendall(request(b"PING") + request(b"SET", b"other", text) + request(b"GET", b"other"))
        expect([self.hears() for _ in range(3)], [b"PONG", b"OK", text], "somebody else's requests")

    def hears(self):
        """A reply; of an error its text, and what comes behind it is still the next one's."""
        try:
            return self.replies.read()
        except Failed as e:
            return str(e)


def many_clients(house):
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * MANY, max(2 * MANY, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    server = start(house, "--maxclients", str(MANY))
    other = Other(server)
    other.works()
    before = resident_bytes(server)
    idle = [connect(server.port) for _ in range(MANY - 1)]
    # Each of them was accepted when it is answered; connections are accepted in order.
    expect(ask(idle[-1], b"PING"), b"PONG", "the last one")
    other.works()
    grown = (resident_bytes(server) - before) // MANY
    print(f"many_clients: {grown} bytes a connection")
    expect(grown < 16 * KIB, True, f"{grown} bytes a connection")
    for stream in idle[::500]:
        expect(ask(stream, b"GET", b"a"), b"1", "one of them")
    with connect(server.port) as s:
        expect(s.recv(100), b"-ERR max number of clients reached\r\n", "one too many")
        expect(s.recv(100), b"", "and its end")
    info = ask(idle[0], b"INFO", b"clients").decode()
    expect_in(f"connected_clients:{MANY}\r\n", info, "INFO")
    expect_in("rejected_connections:1\r\n", ask(idle[0], b"INFO", b"stats").decode(), "INFO")
    idle.pop().close()
    wait_for(lambda: server.say("PING") == b"PONG", "there is room for another one")
    other.works()
    for stream in idle:
        stream.close()


# What ends a connection, and what does not, each as Redis answers it.
ODD_BYTES = [
    b"*1\r\n$4\r\nPING",
    b"*2\r\n$3\r\nGET\r\n$5\r\nab",
    b"*0\r\nPING\r\n",
    b"*-1\r\nPING\r\n",
    b"*-99999999999999999999\r\n",
    b"*1048577\r\n",
    b"*2147483648\r\n",
    b"*99999999999999999999\r\n",
    b"*abc\r\n",
    b"*\r\nPING\r\n",
    b"* 1\r\n",
    b"*+1\r\n",
    b"*01\r\n",
    b"*1\r\n:5\r\n",
    b"*1\r\nPING\r\n",
    b"*1\r\n*1\r\n$4\r\nPING\r\n",
    b"*1\r\n$-1\r\n",
    b"*1\r\n$-2\r\n",
    b"*1\r\n$abc\r\n",
    b"*1\r\n$\r\n",
    b"*1\r\n$99999999999\r\n",
    b"*2\r\n$3\r\nGET\r\n$18446744073709551616\r\n",
    b"*2\r\n$3\r\nGET\r\n$9223372036854775807\r\n",
    b"*1\r\n$0\r\n\r\nPING\r\n",
    b"*1\r\n$4\r\nPINGxxPING\r\n",
    b"\"unbalanced\r\n",
    b"SET a \"b\"c\r\n",
    b"\r\n\r\nPING\r\n",
    b"\xff\xfe\x01\r\n",
    b"\xff" * 300 + b"\r\n",
    b"+OK\r\n",
    b"$4\r\nPING\r\n",
    b"~1\r\n",
    b"*" + b"1" * (70 * KIB),
    b"*1\r\n$" + b"1" * (70 * KIB),
    b"x" * (70 * KIB),
]


def said_to(port, data):
    """All that is answered, up to the end of the connection."""
    with connect(port) as s:
        s.sendall(data)
        s.shutdown(socket.SHUT_WR)
        said = b""
        try:
            while part := s.recv(1 << 16):
                said += part
        except ConnectionResetError:
            pass
        return said


class Redis:
    def __init__(self):
        self.port = free_ports(1)[0]
        self.dir = tempfile.mkdtemp(prefix="conclave-limits-")
        self.process = start_redis(self.dir, self.port)

    def __enter__(self):
        wait_for(lambda: said_to(self.port, b"PING\r\n") == b"+PONG\r\n", "redis-server does not start")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(SECONDS)
        os.rmdir(self.dir)


def bytes_that_are_no_requests(house):
    server = start(house)
    other = Other(server)
    with Redis() as redis:
        for data in ODD_BYTES:
            expect(said_to(server.port, data), said_to(redis.port, data), f"what is said to {data[:60]!r}")
            other.works()


def requests_of_the_web(house):
    """What a page can make a browser send is not run, as in Redis."""
    server = start(house)
    for data in (b"POST / HTTP/1.1\r\nHost: here\r\n\r\nSET evil 1\r\n", b"Host: here\r\n\r\nSET evil 1\r\n",
                 request(b"post", b"/") + request(b"SET", b"evil", b"1")):
        expect(said_to(server.port, data), b"", f"what is said to {data!r}")
    expect(server.say("EXISTS", "evil"), 0, "EXISTS")
    expect_in("sends HTTP", text_of(server.said), "the log")


def much_of_what_is_no_request(house):
    """Lines without an end, arguments that never come, and megabytes behind an error: nothing of it is kept."""
    server = start(house)
    other = Other(server)
    before = resident_bytes(server)
    streams = []
    for i in range(60):
        stream = connect(server.port)
        streams.append(stream)
        try:
            if i % 3 == 0:
                stream.sendall(b"x" * MIB)  # inline, no newline
            elif i % 3 == 1:
                stream.sendall(b"*1000000\r\n" + b"$1\r\na\r\n" * 1000)
            else:
                stream.sendall(b"*2\r\n$3\r\nGET\r\n$500000000\r\n" + b"v" * MIB)
        except ConnectionError:
            pass  # it may be closed in the middle of it
        if i % 10 == 0:
            other.works()
    other.works()
    grown = resident_bytes(server) - before
    expect(grown < 48 * MIB, True, f"{grown} bytes for 60 such clients")
    expect(answer(streams[0]), "ERR Protocol error: too big inline request", "a line without an end")
    for stream in streams:
        stream.close()
    wait_for(lambda: b"connected_clients:2\r\n" in server.say("INFO", "clients"), "they are gone")
    other.works()


def slow_clients(house):
    server = start(house)
    other = Other(server)
    streams = [connect(server.port) for _ in range(50)]
    whole = request(b"SET", b"slow", b"value") + b"PING\r\n"
    for at in range(len(whole)):
        for stream in streams:
            stream.sendall(whole[at:at + 1])
        if at % 8 == 0:
            other.works()
    for stream in streams:
        replies = Reply(stream.makefile("rb"))
        expect([replies.read(), replies.read()], [b"OK", b"PONG"], "a slow one's answers")
        stream.close()


def clients_that_never_read(house):
    """Each asks for 256 MiB; they get an end when they have had enough, and cost no more than their limit until then."""
    server = start(house, "--client-output-buffer-limit", "normal", "1mb", "0", "0")
    value = b"v" * (64 * KIB)
    server.say("SET", "big", value.decode())
    other = Other(server)
    other.works()
    before = resident_bytes(server)
    streams = [connect(server.port) for _ in range(4)]
    for _ in range(64):
        for stream in streams:
            stream.sendall(request(b"GET", b"big") * 64)
        other.works()
    grown = resident_bytes(server) - before
    expect(grown < 64 * MIB, True, f"{grown} bytes for them")
    for stream in streams:
        read, replies = 0, Reply(stream.makefile("rb"))
        try:
            while True:
                try:
                    expect(replies.read(), value, "a reply")
                    read += 1
                except Failed as e:
                    expect_in("client-output-buffer-limit", str(e), "an error")
        except OSError:
            pass
        expect(0 < read < 64 * 64, True, f"{read} replies")
        stream.close()
    other.works()


def timer_of(stream):
    """Which timer the other end of a connection has, as the system lists it."""
    (_, own), (_, far) = stream.getsockname(), stream.getpeername()
    for row in text_of("/proc/net/tcp").split("\n")[1:]:
        fields = row.split()
        if fields and fields[1].endswith(f":{far:04X}") and fields[2].endswith(f":{own:04X}"):
            return fields[5].split(":")[0]
    raise Failed("the connection is not there")


def peers_that_vanish(house):
    """Whoever is silent for long is asked by the system whether it is still there."""
    server = start(house)
    with connect(server.port) as s:
        expect(ask(s, b"PING"), b"PONG", "PING")
        wait_for(lambda: timer_of(s) == "02", "there is no keepalive")
        expect(ask(s, b"CONFIG", b"SET", b"tcp-keepalive", b"0"), b"OK", "CONFIG SET")
    with connect(server.port) as s:
        expect(ask(s, b"PING"), b"PONG", "PING")
        wait_for(lambda: timer_of(s) == "00", "there is a keepalive all the same")


def keys_that_expire_at_once(house):
    """100,000 in the same millisecond: everything else goes on, and all of them go."""
    server = start(house, "--overlay-bytes", "4mb")
    count = 100000
    until = b"%d" % (int(time.time() * 1000) + 5000)
    with connect(server.port) as s:
        replies = Reply(s.makefile("rb"))
        for begin in range(0, count, 5000):
            s.sendall(b"".join(request(b"SET", b"key:%d" % i, b"v", b"PXAT", until) for i in range(begin, begin + 5000)))
            for _ in range(5000):
                expect(replies.read(), b"OK", "SET")
    other = Other(server)
    other.works()  # from here on one key more is there, and one that `start` wrote

    def gone():
        before = time.monotonic()
        other.works()
        expect(time.monotonic() - before < 10, True, "an answer within ten seconds")
        return server.say("DBSIZE") == 2

    wait_for(gone, "keys stay")
    expect(server.say("EXISTS", "key:1", f"key:{count - 1}"), 0, "EXISTS")
    process = server.process
    server.end(signal.SIGTERM)
    expect(process.returncode, 0, "the end")


if __name__ == "__main__":
    run_stories(__doc__, [many_clients, bytes_that_are_no_requests, requests_of_the_web, much_of_what_is_no_request, slow_clients,
                          clients_that_never_read, peers_that_vanish, keys_that_expire_at_once])
