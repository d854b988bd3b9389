"""Debian's redis-py beside the server at CONCLAVE_PORT."""

import os
import signal
import threading
import unittest

import redis


def connect(**options):
    return redis.Redis(port=int(os.environ["CONCLAVE_PORT"]), decode_responses=True, **options)


def together(count, work):
    """`work` in so many threads; what they throw is thrown here."""
    failed = []

    def one(i):
        try:
            work(i)
        except Exception as e:  # pylint: disable=broad-except
            failed.append(e)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


class RedisPyTest(unittest.TestCase):
    def setUp(self):
        self.client = connect()
        self.client.flushall()
        self.addCleanup(self.client.close)

    def test_strings_numbers_hashes_keys(self):
        c = self.client
        raw = redis.Redis(port=int(os.environ["CONCLAVE_PORT"]))
        self.assertTrue(raw.set("bytes", bytes(range(256))))
        self.assertEqual(raw.get("bytes"), bytes(range(256)))
        raw.close()
        self.assertEqual(c.set("key", "a", get=True), None)
        self.assertEqual(c.set("key", "b", px=100000, xx=True), True)
        self.assertTrue(0 < c.pttl("key") <= 100000)
        self.assertEqual(c.setnx("key", "c"), False)
        self.assertEqual(c.incrby("number", 40), 40)
        self.assertEqual(c.incrbyfloat("number", 2.5), 42.5)
        self.assertEqual(c.mget("key", "none"), ["b", None])
        self.assertEqual(c.hset("hash", mapping={"a": 1, "b": 2}), 2)
        self.assertEqual(c.hgetall("hash"), {"a": "1", "b": "2"})
        self.assertEqual(c.hmget("hash", "a", "none"), ["1", None])
        self.assertEqual(c.type("hash"), "hash")
        self.assertEqual(c.ttl("none"), -2)
        self.assertEqual(c.delete("key", "number", "hash", "none"), 3)

    def test_pipelines_with_and_without_a_transaction(self):
        with self.client.pipeline(transaction=False) as p:
            for i in range(10000):
                p.set(f"piped:{i}", i)
                p.get(f"piped:{i}")
            replies = p.execute()
        self.assertEqual(replies, [reply for i in range(10000) for reply in (True, str(i))])
        with self.client.pipeline() as p:
            replies = p.set("a", 1).incr("a").hgetall("a").get("a").execute(raise_on_error=False)
        self.assertEqual((replies[:2], replies[3]), ([True, 2], "2"))
        self.assertIsInstance(replies[2], redis.ResponseError)
        with self.client.pipeline() as p:
            p.set("a", 5).execute_command("NOSUCH", "x")
            with self.assertRaisesRegex(redis.ResponseError, "unknown command 'NOSUCH'"):
                p.execute()
        self.assertEqual(self.client.get("a"), "2")

    def test_a_transaction_is_tried_again_until_nobody_was_between(self):
        seen = []

        def increment(pipe):
            value = int(pipe.get("counter") or 0)
            if len(seen) < 2:  # somebody comes between, twice
                other.incr("counter")
            seen.append(value)
            pipe.multi()
            pipe.set("counter", value + 1)

        other = connect()
        self.assertEqual(self.client.transaction(increment, "counter"), [True])
        self.assertEqual((seen, self.client.get("counter")), ([0, 1, 2], "3"))
        other.close()

        def many(_):
            client, seen[:] = connect(), [0, 0]
            for _ in range(10):
                client.transaction(increment, "counter")
            client.close()

        together(4, many)
        self.assertEqual(self.client.get("counter"), "43")

    def test_a_lock_has_one_holder_and_ends_by_itself(self):
        inside, order = [], []

        def work(i):
            client, token = connect(), f"token:{i}"
            while not client.set("lock", token, nx=True, px=60000):
                pass
            inside.append(i)
            order.append(len(inside))
            inside.remove(i)

            def release(pipe):
                holder = pipe.get("lock")
                pipe.multi()
                if holder == token:
                    pipe.delete("lock")

            self.assertEqual(client.transaction(release, "lock"), [1])
            client.close()

        together(4, work)
        self.assertEqual(order, [1] * 4)
        self.assertTrue(self.client.set("lock", "who is gone", nx=True, px=1))
        while not self.client.set("lock", "the next", nx=True):
            pass
        self.assertEqual(self.client.get("lock"), "the next")

    def test_iterators_come_to_every_key_and_every_field_once(self):
        names = {f"scanned:{i}": str(i) for i in range(1000)}
        self.client.mset(names)
        self.client.set("other", 1)
        self.client.hset("fields", mapping=names)
        self.assertEqual(sorted(self.client.scan_iter("scanned:*", count=30)), sorted(names))
        self.assertEqual(sorted(self.client.scan_iter(_type="hash")), ["fields"])
        found = list(self.client.hscan_iter("fields", count=30))
        self.assertEqual((len(found), dict(found)), (1000, names))

    def test_what_the_server_refuses_is_an_error_of_the_library(self):
        self.client.hset("hash", "a", "b")
        with self.assertRaisesRegex(redis.ResponseError, "^WRONGTYPE Operation against a key"):
            self.client.get("hash")
        self.client.set("text", "a")
        with self.assertRaisesRegex(redis.ResponseError, "^value is not an integer or out of range"):
            self.client.incr("text")
        with self.assertRaisesRegex(redis.ResponseError, "without any password configured"):
            connect(password="x").ping()
        with self.assertRaisesRegex(redis.ResponseError, "^DB index is out of range"):
            connect(db=16).ping()

    def test_what_is_told_of_the_server_can_be_read(self):
        client = connect(db=3, client_name="named", health_check_interval=1)
        client.set("there", 1)
        self.assertEqual(self.client.get("there"), None)
        told = client.info("everything")
        self.assertEqual((told["loading"], told["role"], told["redis_mode"]), (0, "master", "standalone"))
        self.assertEqual(told["db3"]["keys"], 1)
        self.assertEqual([c["db"] for c in client.client_list() if c["name"] == "named"], ["3"])
        self.assertEqual(client.config_get("databases"), {"databases": "16"})
        self.assertEqual(client.command()["get"]["arity"], 2)
        self.assertEqual(client.command_getkeys("MSET", "a", 1, "b", 2), ["a", "b"])
        self.assertEqual(len(client.time()), 2)
        self.assertEqual(client.echo("said"), "said")
        client.close()

    def test_a_monitor_is_shown_what_another_writes(self):
        with self.client.monitor() as shown:
            other = connect()
            other.set("seen", "a b")
            self.assertEqual(shown.next_command()["command"], "SET seen a b")
            other.close()

    def test_after_the_server_was_killed_the_client_goes_on(self):
        self.client.set("kept", 1)
        pid = self.client.info("server")["process_id"]
        os.kill(pid, signal.SIGKILL)
        while True:
            try:
                if self.client.info("server")["process_id"] != pid:
                    break
            except redis.ConnectionError:
                pass
        self.assertEqual(self.client.get("kept"), "1")
        self.assertTrue(self.client.set("kept", 2))


if __name__ == "__main__":
    unittest.main()
