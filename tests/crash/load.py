"""Clients of one server, and what has to be found after it has lost its power.

Each client has keys of its own and sends its commands down one connection without waiting. They are
applied in that order: whatever happens, what is found of them is the state behind some number of them,
at least as many as were acknowledged.
"""

import selectors
import socket
from collections import deque

REGISTERS, COUNTERS = 24, 4  # of each client
SHARED = b"shared"  # a counter of all
PIPELINE = 64  # commands that a client has not heard of
SIZES = (10, 60, 64, 65, 500, 4000, 20000)  # values, roughly

UNREADABLE = "ERR This member cannot read its data: input/output error"


class Wrong(Exception):
    """The server broke a promise."""


def command(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class Connection:
    """Requests without waiting, replies in order."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.socket.setblocking(False)
        self.out, self.into = bytearray(), bytearray()

    def close(self):
        self.socket.close()

    def write(self):
        """False: the server is gone."""
        try:
            if self.out:
                del self.out[:self.socket.send(self.out)]
            return True
        except BlockingIOError:
            return True
        except OSError:
            return False

    def read(self):
        """False: the server is gone."""
        try:
            data = self.socket.recv(1 << 18)
            self.into += data
            return bool(data)
        except BlockingIOError:
            return True
        except OSError:
            return False

    def replies(self):
        """The replies that are here: bytes, int or None; an error is a Wrong."""
        at = 0
        while (end := self.into.find(b"\r\n", at)) >= 0:
            kind, text, after = self.into[at:at + 1], bytes(self.into[at + 1:end]), end + 2
            if kind == b"$" and text != b"-1":
                after += int(text) + 2
                if after > len(self.into):
                    break
                yield bytes(self.into[end + 2:after - 2])
            elif kind == b"-":
                yield Wrong(text.decode())
            else:
                yield int(text) if kind == b":" else None if kind == b"$" else text
            at = after
        del self.into[:at]


class Client:
    """What one client has done and knows, over all lives of the server."""

    def __init__(self, number, random):
        self.number, self.random = number, random
        self.registers = [b"r:%d:%d" % (number, i) for i in range(REGISTERS)]
        self.counters = [b"c:%d:%d" % (number, i) for i in range(COUNTERS)]
        self.base = {}  # what each key holds before the first of `writes`
        self.writes = []  # (key, what it holds then), in order; the shared counter without
        self.known = 0  # so many of them are done
        self.most = None  # and so many at most: the next one was refused
        self.may_be_refused = False  # its disk fails
        self.sent = 0  # values so far: no two are equal
        self.now = {}  # what each key holds when all is done
        self.connection = None
        self.waiting = deque()

    def keys(self):
        return self.registers + self.counters

    # ---- writing

    def connect(self, connection):
        self.connection = connection
        self.waiting.clear()

    def value(self):
        size = self.random.choice(SIZES)
        size = self.random.randint(size // 2, size)
        self.sent += 1
        head = b"%d-%d-" % (self.number, self.sent)
        return head + self.random.randbytes(max(0, size - len(head)))

    def ask(self, most):
        """Puts some commands on their way; answers how many writes there were."""
        before = len(self.writes)
        for _ in range(self.random.randint(1, 16)):
            if len(self.waiting) >= PIPELINE or len(self.writes) - before >= most:
                break
            self._ask_one()
        return len(self.writes) - before

    def _ask_one(self):
        draw = self.random.random()
        if draw < 0.5:
            key, value = self.random.choice(self.registers), self.value()
            self._write(key, value, command(b"SET", key, value), b"OK")
        elif draw < 0.75:
            key = self.random.choice(self.counters)
            count = int(self.now.get(key) or 0) + 1
            self._write(key, b"%d" % count, command(b"INCR", key), count)
        elif draw < 0.85:
            self._write(SHARED, None, command(b"INCR", SHARED), None)
        else:
            key = self.random.choice(self.keys())
            self.connection.out += command(b"GET", key)
            self.waiting.append((len(self.writes), key, self.now.get(key), False))

    def _write(self, key, value, text, reply):
        self.writes.append((key, value))
        self.now[key] = value
        self.connection.out += text
        self.waiting.append((len(self.writes), key, reply, True))

    def hear(self, reply):
        done, key, expected, writes = self.waiting.popleft()
        if self.may_be_refused and isinstance(reply, Wrong):
            self._hear_refusal(str(reply), done, writes)
            return
        if isinstance(reply, Wrong) or (key != SHARED and reply != expected):
            raise Wrong(f"client {self.number}, command {done}, {key}: {reply!r:.80} "
                        f"instead of {expected!r:.80}")
        self.known = max(self.known, done)

    def _hear_refusal(self, error, done, writes):
        """Of the two that a member that stops may say, one means that it is not done and never will be."""
        if not error.startswith(("CLUSTERDOWN ", "UNCERTAIN ") if writes else ("CLUSTERDOWN ", UNREADABLE)):
            raise Wrong(f"client {self.number}, command {done}: {error}")
        if writes and error.startswith("CLUSTERDOWN ") and self.most is None:
            self.most = done - 1

    # ---- looking

    def begin_anew(self, found):
        """What was found holds; the history begins again."""
        self.base = {key: value for key, value in found.items() if value is not None}
        self.now = dict(self.base)
        self.writes, self.known, self.most = [], 0, None

    def shared_upto(self, done):
        """How often the first so many writes count on the shared counter."""
        return sum(1 for key, _ in self.writes[:done] if key == SHARED)

    def fits(self, found):
        """How many writes are done if this was found; from now on no fewer may be."""
        low, high = self.known, len(self.writes) if self.most is None else self.most
        for key, value in found.items():
            first, behind = self._span(key, value)
            low, high = max(low, first), min(high, behind)
        if low > high:
            raise Wrong(f"client {self.number}: {self.known} of {len(self.writes)} writes were "
                        f"acknowledged{self._most_told()}, and what is found is of none of the states behind them; "
                        + self._story(found))
        self.known = low
        return high

    def _most_told(self):
        return "" if self.most is None else f", number {self.most + 1} was refused"

    def _span(self, key, value):
        """Between how many writes the key holds this value; (1, 0): never."""
        first = 0 if self.base.get(key) == value else None
        for done, (written, held) in enumerate(self.writes, 1):
            if written == key and first is not None:
                return first, done - 1
            if written == key and held == value:
                first = done
        return (1, 0) if first is None else (first, len(self.writes))

    def _story(self, found):
        return ", ".join(f"{key.decode()} {value!r:.24} fits {self._span(key, value)}"
                         for key, value in found.items())


class Load:
    """All clients together."""

    def __init__(self, random, clients):
        self.random = random
        self.clients = [Client(i, random) for i in range(clients)]
        self.shared = 0  # what the shared counter was found at

    def connect(self, connect, may_be_refused=False):
        for client in self.clients:
            client.may_be_refused = may_be_refused
            client.connect(connect())

    def disconnect(self):
        """The server is gone: what is still in the connections was said."""
        for client in self.clients:
            if not client.connection:
                continue
            while client.connection.read():
                pass
            for reply in client.connection.replies():
                client.hear(reply)
            client.connection.close()
            client.connection = None

    def run(self, goes_on, most):
        """Writes until the server is gone, `goes_on` says no, or all of `most` writes are heard of."""
        with selectors.DefaultSelector() as selector:
            for client in self.clients:
                selector.register(client.connection.socket,
                                  selectors.EVENT_READ | selectors.EVENT_WRITE, client)
            while goes_on():
                if most <= 0 and not any(client.waiting for client in self.clients):
                    return
                for key, events in selector.select(0.05):
                    client, connection = key.data, key.data.connection
                    if events & selectors.EVENT_WRITE and most > 0:
                        most -= client.ask(most)
                    there = connection.write()
                    if there and events & selectors.EVENT_READ:
                        there = connection.read()
                        for reply in connection.replies():
                            client.hear(reply)
                    if not there:
                        return
                    interest = selectors.EVENT_READ
                    if connection.out or (most > 0 and len(client.waiting) < PIPELINE):
                        interest |= selectors.EVENT_WRITE
                    selector.modify(connection.socket, interest, client)

    def check(self, look):
        """Compares all that is there; `look` yields keys and values and raises if the server ends."""
        keys = [key for client in self.clients for key in client.keys()]
        found, tops = {}, []
        try:
            for key, value in look([*keys, SHARED]):
                found[key] = value
        finally:  # whatever was seen has to stay
            for client in self.clients:
                tops.append(client.fits({k: found[k] for k in client.keys() if k in found}))
        self._check_shared(int(found[SHARED] or 0), tops)
        for client in self.clients:
            client.begin_anew({key: found[key] for key in client.keys()})

    def _check_shared(self, shared, tops):
        low = self.shared + sum(client.shared_upto(client.known) for client in self.clients)
        high = self.shared + sum(client.shared_upto(top) for client, top in zip(self.clients, tops))
        if not low <= shared <= high:
            raise Wrong(f"the shared counter is at {shared}, and not between {low} and {high}")
        self.shared = shared
