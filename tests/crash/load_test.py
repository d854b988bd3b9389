"""What the clients of the crash test notice."""

import random
import unittest

from load import SHARED, Client, Load, Wrong


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.client = Client(0, random.Random(1))
        self.client.base = {b"a": b"0"}
        self.client.writes = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3"), (SHARED, None)]
        self.client.known = 2

    def test_what_was_acknowledged_is_there(self):
        self.assertEqual(self.client.fits({b"a": b"1", b"b": b"2"}), 2)
        for found in ({b"a": b"0", b"b": b"2"}, {b"a": b"1", b"b": None}, {b"a": None}):
            with self.assertRaises(Wrong):
                self.client.fits(found)

    def test_what_was_not_may_be_there(self):
        self.assertEqual(self.client.fits({b"a": b"3", b"b": b"2"}), 4)

    def test_it_is_there_in_order(self):
        self.client.known = 0
        self.assertEqual(self.client.fits({b"a": b"0", b"b": None}), 0)
        with self.assertRaises(Wrong):
            self.client.fits({b"a": b"3", b"b": None})

    def test_what_nobody_wrote_is_not_there(self):
        with self.assertRaises(Wrong):
            self.client.fits({b"a": b"4"})

    def test_what_was_seen_stays(self):
        self.client.fits({b"a": b"3"})
        with self.assertRaises(Wrong):
            self.client.fits({b"a": b"1", b"b": b"2"})

    def test_what_was_refused_is_not_there(self):
        self.client.known, self.client.may_be_refused = 0, True
        for done, error in ((2, "UNCERTAIN in time"), (3, "CLUSTERDOWN stopped")):
            self.client.waiting.append((done, b"a", b"OK", True))
            self.client.hear(Wrong(error))
        with self.assertRaises(Wrong):
            self.client.fits({b"a": b"3"})
        self.assertEqual(self.client.fits({b"a": b"1", b"b": b"2"}), 2)
        self.client.waiting.append((3, b"a", b"OK", True))
        with self.assertRaises(Wrong):
            self.client.hear(Wrong("ERR no"))


class LoadTest(unittest.TestCase):
    def setUp(self):
        self.load = Load(random.Random(1), 2)
        for client in self.load.clients:
            client.writes = [(SHARED, None)] * 3
            client.known = 2

    def check(self, shared):
        self.load.check(lambda keys: [(key, shared if key == SHARED else None) for key in keys])

    def test_the_counter_of_all_holds_what_was_acknowledged_and_no_more_than_was_asked(self):
        for shared in (b"3", b"7"):
            with self.subTest(shared), self.assertRaises(Wrong):
                self.check(shared)
        self.check(b"5")
        self.check(b"5")
        with self.assertRaises(Wrong):
            self.check(b"4")

    def test_what_was_seen_before_the_server_died_stays(self):
        client = self.load.clients[0]
        key = client.registers[0]
        client.writes = [(key, b"1"), (key, b"2")]
        client.known = 1

        def look(_):
            yield key, b"2"
            raise ConnectionError

        with self.assertRaises(ConnectionError):
            self.load.check(look)
        self.assertEqual(client.known, 2)


if __name__ == "__main__":
    unittest.main()
