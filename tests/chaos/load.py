"""Clients of all members, in one thread: each asks some things at once, hears the answers, and thinks a while."""

import heapq
import selectors
import socket
import threading
import time
from collections import deque

from history import APPLIED, DONE, OPEN, REFUSALS, REFUSED, Op
from protocol import Error, Parser, encode

HANG_SECONDS = 30  # nobody waits longer for an answer of a member that runs
RETRY_SECONDS = 0.1


class Client:
    """One connection after the other to whoever stands in its place in the cluster."""

    def __init__(self, load, number, place, kind):
        self.load, self.history, self.number, self.place = load, load.history, number, place
        self.random = load.random
        self.work = kind(self)
        self.member, self.run, self.socket = None, 0, None
        self.connections = 0
        self.parser, self.out = None, b""
        self.waiting = deque()
        self.wake = 0.0

    # ---- asking

    def step(self, now):
        """What is to be done at its time; says when the next time is."""
        if self.waiting:
            self.look_for_hang(now)
            return now + 1
        if self.load.resting:
            return now + 0.1
        if self.socket and self.member is not self.load.cluster.members[self.place]:
            self.disconnect()
        if not self.socket and not self.connect():
            return now + RETRY_SECONDS
        self.ask(now)
        return now + 1

    def connect(self):
        self.member = self.load.cluster.members[self.place]
        self.run = self.member.runs
        self.socket = socket.socket(socket.AF_UNIX)
        try:
            self.socket.connect(self.member.socket)
        except OSError:
            self.socket.close()
            self.socket = None
            return False
        self.socket.setblocking(False)
        self.parser, self.out = Parser(), b""
        self.connections += 1
        self.load.selector.register(self.socket, selectors.EVENT_READ, self)
        return True

    def disconnect(self):
        self.load.selector.unregister(self.socket)
        self.socket.close()
        self.socket = None

    def ask(self, now):
        ops = self.work.ask()
        if self.work.connection != self.connections:
            ops = self.work.connected() + ops
        # Whose answers these are shows by this one, and by the values.
        tag = b"client %d, %d" % (self.number, next(self.history.numbers))
        ops.append(Op((b"ECHO", tag), lambda op: self.expect(op, lambda reply: reply == tag)))
        for op in ops:
            op.number, op.call, op.sent_s = next(self.history.numbers), next(self.history.events), now
            self.waiting.append(op)
        self.out += b"".join(encode(op.words) for op in ops)
        self.write()

    def expect(self, op, holds):
        """Of the answer, if one came."""
        if op.outcome == DONE and not holds(op.reply):
            self.wrong(op, "an answer that cannot be")

    def wrong(self, op, why):
        self.history.wrong(f"client {self.number} at {self.member.name}: {op} -> {op.reply!r:.200}: {why}")

    def write(self):
        try:
            self.out = self.out[self.socket.send(self.out):]
        except BlockingIOError:
            pass
        except OSError:
            self.ended()
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.out else 0)
        self.load.selector.modify(self.socket, events, self)

    # ---- hearing

    def ready(self, events, now):
        if events & selectors.EVENT_WRITE:
            self.write()
        if self.socket and events & selectors.EVENT_READ:
            self.read(now)

    def read(self, now):
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.ended()
            return
        self.parser.feed(data)
        for reply in self.parser.replies():
            if not self.waiting:
                self.history.wrong(f"client {self.number}: an answer to nothing: {reply!r:.200}")
                return
            self.hear(self.waiting.popleft(), reply, now)
        if not self.waiting:
            self.load.wake(self, now + self.load.think())

    def hear(self, op, reply, now):
        op.reply, op.outcome = reply, DONE
        if isinstance(reply, Error):
            text = str(reply)
            if text.startswith("UNCERTAIN applied"):
                op.outcome = APPLIED
            elif text.startswith("UNCERTAIN"):
                op.outcome = OPEN
            elif text.startswith(REFUSALS):
                op.outcome = REFUSED
            else:
                self.wrong(op, "an error that nothing explains")
                return
            self.history.count("error: " + " ".join(w for w in text.split()[:4] if not w.isdigit()))
        self.finish(op, now)

    def finish(self, op, now):
        op.ret, op.ret_s = next(self.history.events), now
        self.history.ended(op)
        op.then(op)

    def ended(self):
        """The connection is gone; whether what waits was done is known if the process ended in peace."""
        self.disconnect()
        left = list(self.waiting)
        self.waiting.clear()
        if left:
            self.load.left.append((self, self.member, self.run, left))
        self.load.wake(self, time.monotonic() + RETRY_SECONDS)

    def look_for_hang(self, now):
        since = self.member.answers_since
        first = self.waiting[0]
        if since is not None and now - max(since, first.sent_s) > HANG_SECONDS:
            self.history.wrong(f"client {self.number} at {self.member.name}: no answer to {first} "
                               f"for {HANG_SECONDS} s")
            self.disconnect()
            self.waiting.clear()


class Load:
    """All clients; starts and ends with the thread."""

    def __init__(self, cluster, history, shared, random, kinds, pause_s):
        self.cluster, self.history, self.shared = cluster, history, shared
        self.random, self.pause_s = random, pause_s
        self.selector = selectors.DefaultSelector()
        self.resting, self.over = False, False
        self.left = []
        self.clients = []
        self.times = []
        for place in range(len(cluster.members)):
            for kind in kinds:
                self.clients.append(Client(self, len(self.clients) + 1, place, kind))
        self.thread = threading.Thread(target=self._run, name="load")

    def think(self):
        return self.random.expovariate(1 / self.pause_s)

    def start(self):
        now = time.monotonic()
        for client in self.clients:
            self.wake(client, now + self.think())
        self.thread.start()

    def wake(self, client, at):
        client.wake = at
        heapq.heappush(self.times, (at, client.number))

    def _run(self):
        try:
            while not self.over:
                self._turn()
        except Exception as e:  # pylint: disable=broad-exception-caught
            self.history.wrong(f"the clients failed: {e!r}")
            raise

    def _turn(self):
        now = time.monotonic()
        while self.times and self.times[0][0] <= now:
            at, number = heapq.heappop(self.times)
            client = self.clients[number - 1]
            if client.wake == at:
                self.wake(client, client.step(now))
        wait = min(0.1, max(0.0, self.times[0][0] - time.monotonic())) if self.times else 0.1
        for key, events in self.selector.select(wait):
            key.data.ready(events, time.monotonic())
        if self.left:
            self._settle()

    def _settle(self):
        """What was asked on connections that ended, of processes that have ended by now."""
        still = []
        for client, member, run, ops in self.left:
            in_peace = member.ended_in_peace.get(run)
            if in_peace is None:
                still.append((client, member, run, ops))
                continue
            for op in ops:
                # Who ends in peace has answered all that it took.
                op.outcome = REFUSED if in_peace else OPEN
                client.finish(op, time.monotonic())
        self.left = still

    def rest(self, seconds):
        """No more is asked; False if not all is answered in that time."""
        self.resting = True
        till = time.monotonic() + seconds
        while time.monotonic() < till:
            if not self.left and not any(client.waiting for client in self.clients):
                return True
            time.sleep(0.05)
        return False

    def unanswered(self):
        """Some of what waits for an answer."""
        waiting = [f"client {c.number} at {c.member.name}: {c.waiting[0]}" for c in self.clients if c.waiting]
        return waiting[:5] + [f"client {c.number} at {m.name}, run {run}, was left with {ops[0]}"
                              for c, m, run, ops in self.left[:5]]

    def end(self):
        self.over = True
        if self.thread.is_alive():
            self.thread.join()
        for client in self.clients:
            if client.socket:
                client.disconnect()
            self.left.append((client, None, 0, list(client.waiting)))
        # What nobody heard of may be done nevertheless.
        for client, _, _, ops in self.left:
            for op in ops:
                op.outcome = OPEN
                client.finish(op, time.monotonic())
        self.selector.close()
