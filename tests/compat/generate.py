"""Requests by chance from a fixed seed: the table of commands says what there is, and this page what
arguments are worth a try."""

import itertools
import random

KEYS = [b"a", b"b", b"c", b"num", b"text", b"big", b"\x00\xff", b""]
INTEGERS = [b"0", b"1", b"-1", b"2", b"5", b"10", b"-10", b"100", b"9223372036854775807",
            b"-9223372036854775808", b"9223372036854775808", b"-9223372036854775809", b"2147483648",
            b"-2147483649", b"4294967296", b"007", b"+1", b" 1", b"1 ", b"1.5", b"", b"abc", b"-0",
            b"16777215", b"16777216", b"16777217", b"-"]
FRACTIONS = [b"0", b"1.5", b"-1.5", b"0.1", b"3.0", b"1e3", b"1e-20", b"5.0e3", b"1e400", b"-1e4932",
             b"1e5000", b"inf", b"-inf", b"nan", b"abc", b"", b" 1", b"1 ", b"0x10", b"1e-5000",
             b"0.00000000000000001", b"123456789012345678", b".5", b"5.", b"0x1.8p-3", b"-0x.1p70", b"1e-4950",
             b"18446744073709551615.5", b"-9223372036854775807.75", b"1.18973149535723176502e+4932", b"0.000000000000000005",
             b"0.1e-15", b"1e17", b"-3.3333333333333333333333e-7", b"1e", b"0x", b"Infinity"]
VALUES = [b"", b"x", b"hello world", b"10", b"-5", b"3.14", b"9223372036854775807", b"0",
          b"\r\n", b"\x00\x01\xff", b"y" * 44, b"z" * 45, b"w" * 64, b"v" * 65, b"10 ", b"1e5"]
# Far enough away that nothing expires while the two sides are compared, or past already.
SECONDS = [b"500", b"1000", b"100000", b"0", b"-1", b"9223372036854775807", b"9223372036854776",
           b"abc", b"", b"1.5", b"-9223372036854775808", b"-9223372036854777"]
MILLISECONDS = [b"500000", b"1000000", b"0", b"-1", b"9223372036854775807", b"abc",
                b"-9223372036854775808"]
STAMPS = [b"1", b"1600000000", b"4000000000", b"0", b"-1", b"9223372036854775807", b"abc"]
STAMPS_MS = [b"1", b"1600000000000", b"4000000000000", b"0", b"-1", b"abc", b"9223372036854775807"]
DATABASES = [b"0", b"1", b"2", b"15", b"16", b"-1", b"abc", b"99999999999999999999", b""]

# By argument; what is in a list of its own may come or not, and in any number.
SET_OPTIONS = [[b"NX"], [b"XX"], [b"GET"], [b"KEEPTTL"], [b"EX", SECONDS], [b"PX", MILLISECONDS],
               [b"EXAT", STAMPS], [b"PXAT", STAMPS_MS], [b"EX"], [b"PERSIST"], [b"nope"], [b"nx"]]
GETEX_OPTIONS = [[b"EX", SECONDS], [b"PX", MILLISECONDS], [b"EXAT", STAMPS], [b"PXAT", STAMPS_MS],
                 [b"PERSIST"], [b"KEEPTTL"], [b"NX"], [b"px"]]
# Which of two deadlines that count from now is the later one depends on who was asked when.
EXPIRE_OPTIONS = [[b"NX"], [b"XX"], [b"NX", b"GT"], [b"LT", b"NX"], [b"GT", b"LT"], [b"nope"]]
EXPIREAT_OPTIONS = [[b"NX"], [b"XX"], [b"GT"], [b"LT"], [b"gt"], [b"nope"]]
# Cursors of pages that are not the first are each server's own.
CURSORS = [b"0", b"0", b"0", b"00", b"", b"-0", b"+0", b"abc", b"1x", b"99999999999999999999"]
PATTERNS = [b"*", b"**", b"a", b"[a-c]", b"n*m", b"t?xt", b"[^a]*", b"b[ip]g", b"\\a", b"\x00*", b"", b"?", b"[", b"no"]
SCAN_OPTIONS = [[b"MATCH", PATTERNS], [b"match", PATTERNS], [b"COUNT", [b"1000", b"5000"]], [b"COUNT", [b"0", b"-1", b"x", b""]],
                [b"TYPE", [b"string", b"HASH", b"list", b"nope"]], [b"MATCH"], [b"nope"]]
BITS = [b"0", b"1", b"0", b"1", b"2", b"-1", b"", b"abc", b"01"]
# A few long ones, so that strings are large now and then, and seldom the last one that may be: every BITOP of
# such a string makes another of 16 MiB.
LOW_OFFSETS = [b"0", b"1", b"7", b"8", b"9", b"63", b"100", b"1000", b"600000"]
BAD_OFFSETS = [b"134217728", b"-1", b"4294967296", b"9223372036854775807", b"", b"abc", b"1.5"]
OFFSETS = 10 * (LOW_OFFSETS + [b"1200007"] + BAD_OFFSETS) + [b"134217727"]
UNITS = [b"BYTE", b"BIT", b"bit", b"byte", b"nope"]
BIT_OPERATIONS = [b"AND", b"or", b"XOR", b"NOT", b"nope", b""]
FIELD_TYPES = [b"u1", b"u4", b"i5", b"u8", b"i8", b"u16", b"i33", b"u63", b"i64", b"i1", b"u64", b"i65", b"u0", b"x8", b"u", b"", b"u08"]
FIELD_PLACES = LOW_OFFSETS + [b"#0", b"#1", b"#3", b"#100"]
FIELD_OFFSETS = 10 * (FIELD_PLACES + [b"#-1", b"#", b"#9223372036854775807"] + BAD_OFFSETS[1:]) + [b"134217720"]
FIELD_NUMBERS = INTEGERS + [b"1", b"2", b"15", b"16", b"127", b"128", b"-128", b"-129", b"255", b"256", b"-1"]
FIELD_ACTIONS = [[b"GET", FIELD_TYPES, FIELD_OFFSETS], [b"get", FIELD_TYPES, FIELD_OFFSETS],
                 [b"GET", FIELD_TYPES, FIELD_OFFSETS], [b"SET", FIELD_TYPES, FIELD_OFFSETS, FIELD_NUMBERS],
                 [b"SET", FIELD_TYPES[:10], FIELD_PLACES, FIELD_NUMBERS], [b"INCRBY", FIELD_TYPES[:10], FIELD_PLACES, FIELD_NUMBERS],
                 [b"incrby", FIELD_TYPES[:10], FIELD_PLACES, FIELD_NUMBERS], [b"OVERFLOW", [b"WRAP", b"SAT", b"FAIL", b"sat", b"nope"]],
                 [b"OVERFLOW", [b"SAT"]], [b"OVERFLOW", [b"FAIL"]], [b"OVERFLOW"], [b"nope"]]
FIELDS = [b"f", b"g", b"n", b"", b"10"]
COUNTS = [b"0", b"1", b"2", b"-1", b"-7", b"5", b"100", b"9223372036854775807", b"-1000", b"-9223372036854775808",
          b"9223372036854775808", b"", b"abc", b"1.5", b"4611686018427387904"]
LCS_OPTIONS = [[b"LEN"], [b"IDX"], [b"MINMATCHLEN", INTEGERS], [b"WITHMATCHLEN"], [b"idx"], [b"MINMATCHLEN"], [b"nope"]]
FLUSH_OPTIONS = [[b"SYNC"], [b"ASYNC"], [b"nope"]]

HASHES = KEYS + [b"h", b"h", b"hash"]
COPY_OPTIONS = [[b"REPLACE"], [b"DB", DATABASES], [b"replace"], [b"DB"], [b"nope"]]
OBJECT_WORDS = [b"REFCOUNT", b"freq", b"nope", b"HELP"]
# Whole requests of other commands, for those that are asked about.
GETKEYS = [b"GETKEYS", b"GETKEYSANDFLAGS", b"getkeys"]

FORMS = {
    b"command": ([GETKEYS], []),
    b"copy": ([KEYS, KEYS], COPY_OPTIONS),
    b"hdel": ([HASHES, FIELDS], [[FIELDS], [FIELDS, FIELDS]]),
    b"hexists": ([HASHES, FIELDS], []),
    b"hget": ([HASHES, FIELDS], []),
    b"hgetall": ([HASHES], []),
    b"hincrby": ([HASHES, FIELDS, INTEGERS], []),
    b"hkeys": ([HASHES], []),
    b"hlen": ([HASHES], []),
    b"hmget": ([HASHES, FIELDS], [[FIELDS], [FIELDS, FIELDS]]),
    b"hmset": ([HASHES, FIELDS, VALUES], [[FIELDS, VALUES], [FIELDS, VALUES], [FIELDS]]),
    b"hset": ([HASHES, FIELDS, VALUES], [[FIELDS, VALUES], [FIELDS, VALUES], [FIELDS]]),
    b"hsetnx": ([HASHES, FIELDS, VALUES], []),
    b"hstrlen": ([HASHES, FIELDS], []),
    b"hvals": ([HASHES], []),
    b"move": ([KEYS, DATABASES], []),
    b"object": ([OBJECT_WORDS, KEYS], []),
    b"append": ([KEYS, VALUES], []),
    b"bitcount": ([KEYS], [[INTEGERS, INTEGERS], [INTEGERS, INTEGERS, UNITS], [INTEGERS]]),
    b"bitfield": ([KEYS], FIELD_ACTIONS),
    b"bitfield_ro": ([KEYS], FIELD_ACTIONS[:4]),
    b"bitop": ([BIT_OPERATIONS, KEYS, KEYS], [[KEYS], [KEYS, KEYS]]),
    b"bitpos": ([KEYS, BITS], [[INTEGERS], [INTEGERS, INTEGERS], [INTEGERS, INTEGERS, UNITS]]),
    b"decrby": ([KEYS, INTEGERS], []),
    b"getbit": ([KEYS, OFFSETS], []),
    b"echo": ([VALUES], []),
    b"expire": ([KEYS, SECONDS], EXPIRE_OPTIONS),
    b"expireat": ([KEYS, STAMPS], EXPIREAT_OPTIONS),
    b"flushall": ([], FLUSH_OPTIONS),
    b"flushdb": ([], FLUSH_OPTIONS),
    b"getex": ([KEYS], GETEX_OPTIONS),
    b"getrange": ([KEYS, INTEGERS, INTEGERS], []),
    b"getset": ([KEYS, VALUES], []),
    b"incrby": ([KEYS, INTEGERS], []),
    b"incrbyfloat": ([KEYS, FRACTIONS], []),
    b"mset": ([KEYS, VALUES], [[KEYS, VALUES], [KEYS]]),
    b"msetnx": ([KEYS, VALUES], [[KEYS, VALUES], [KEYS]]),
    b"pexpire": ([KEYS, MILLISECONDS], EXPIRE_OPTIONS),
    b"pexpireat": ([KEYS, STAMPS_MS], EXPIREAT_OPTIONS),
    b"psetex": ([KEYS, MILLISECONDS, VALUES], []),
    b"hrandfield": ([HASHES], [[COUNTS], [COUNTS], [COUNTS, b"WITHVALUES"], [COUNTS, b"withvalues"], [COUNTS, b"nope"]]),
    b"hscan": ([HASHES, CURSORS, [b"COUNT"], [b"1000"]], SCAN_OPTIONS),
    b"hincrbyfloat": ([HASHES, FIELDS, FRACTIONS], []),
    b"lcs": ([KEYS, KEYS], LCS_OPTIONS),
    b"keys": ([PATTERNS], []),
    b"scan": ([CURSORS, [b"COUNT"], [b"1000"]], SCAN_OPTIONS),
    b"select": ([DATABASES], []),
    b"set": ([KEYS, VALUES], SET_OPTIONS),
    b"setbit": ([KEYS, OFFSETS, BITS], []),
    b"setex": ([KEYS, SECONDS, VALUES], []),
    b"setnx": ([KEYS, VALUES], []),
    b"setrange": ([KEYS, INTEGERS, VALUES], []),
    b"substr": ([KEYS, INTEGERS, INTEGERS], []),
    b"swapdb": ([DATABASES, DATABASES], []),
}

# What is about the server or ends it, what ends a connection or changes how it speaks, what only one
# side can know, and DBSIZE, which in Redis counts keys that have expired and were not seen since: these
# stand in the files or in unit tests, as does what Redis has not.
LEFT_OUT = {b"dbsize", b"quit", b"reset", b"hello", b"client", b"time", b"readonly", b"readwrite", b"auth", b"info",
            b"slowlog", b"monitor", b"memory", b"latency", b"shutdown", b"debug", b"config", b"save", b"bgsave",
            b"bgrewriteaof", b"role", b"lastsave", b"wait", b"waitaof", b"failover"}
# Those whose replies without their options, or with others, are each server's own: pages.
EXACT = {b"scan", b"hscan"}
# Seldom, so that what others do lasts.
SELDOM = {b"flushall", b"flushdb", b"swapdb", b"select", b"discard", b"exec", b"multi", b"watch"}
# In a run of one family these make the keys that it meets, of all types; transactions have them as elements.
MAKERS = {b"set", b"hset", b"del", b"append", b"setbit", b"pexpireat"}
ELEMENTS = MAKERS | {b"get", b"incr", b"hincrby", b"select", b"echo", b"rename", b"copy", b"expiretime", b"getex", b"lcs"}


def weight(name, group, family):
    """How often a command comes in a run of a family, or of all (an empty one)."""
    if family == "transactions":
        return 4.0 if group == family else 1.0 if name in ELEMENTS else 0.0
    if family and group != family:
        return 0.5 if name in MAKERS else 0.0
    return 0.1 if name in SELDOM else 1.0


def make(rnd, name, arity, rows):
    """One request; one in thirty has a wrong number of arguments."""
    if rnd.random() < 0.03 and name not in EXACT:
        return [name] + [rnd.choice(VALUES) for _ in range(rnd.randrange(5))]
    fixed, options = FORMS.get(name, ([KEYS] * (abs(arity) - 1), []))
    words = [name if rnd.random() < 0.9 else name.upper()] + [rnd.choice(a) for a in fixed]
    if name == b"command":
        about = rnd.choice([row for row in rows if row[0] != name])
        return words + make(rnd, *about[:2], rows)
    if name not in FORMS and arity < 0:
        words += [rnd.choice(KEYS) for _ in range(rnd.randrange(3))]
    for _ in range(rnd.choice((0, 0, 1, 1, 2, 3)) if options else 0):
        words += [rnd.choice(a) if isinstance(a, list) else a for a in rnd.choice(options)]
    return words


def over_before_it_begins(words):
    """A key that is set with a deadline in the past: who watched that it is absent hears of it in Redis."""
    return words[0].lower() == b"set" and any(word.upper() in (b"EXAT", b"PXAT") for word in words)


def requests(seed, table, count, family=""):
    """`table`: name, arity and group of all commands that both sides have."""
    rnd = random.Random(seed)
    rows = [row for row in table if row[0] not in LEFT_OUT]
    weights = [weight(name, group, family) for name, _, group in rows]
    made, open_for = [], 0
    while len(made) < count:
        if rnd.random() < 0.01:
            made.append([b"MULTI"])
            open_for = rnd.randrange(1, 8)
        (row,) = rnd.choices(rows, weights)
        words = make(rnd, *row[:2], rows)
        if family == "transactions" and over_before_it_begins(words):
            continue
        made.append(words)
        open_for -= 1
        if open_for == 0:
            made.append([b"EXEC"])
    return made


# What ends the server or the connection, or does not end, once its words are right; and what depends on
# what Redis' child is doing.
NOT_ALONE = {(b"shutdown",), (b"quit",), (b"monitor",), (b"save",), (b"bgsave",), (b"bgrewriteaof",)}


def forms(ours, theirs):
    """Requests of all commands and subcommands that both sides have, as COMMAND tells them, of so many words as
    are right, and of some more and less; and subcommands that nobody has."""
    names = {row[0]: {sub[0] for sub in row[9]} for row in theirs}
    for name, arity, subcommands in ((row[0], row[1], row[9]) for row in ours if row[0] in names):
        rows = [(sub[0], sub[1]) for sub in subcommands if sub[0] in names[name]]
        for called, least in [(name, abs(arity))] + [(sub, abs(number)) for sub, number in rows]:
            words = [word.encode() for word in called.split("|")]
            for count, word in itertools.product(range(len(words), least + 3), (b"x", b"1")):
                request = words + [word] * (count - len(words))
                if tuple(request) not in NOT_ALONE:
                    yield request


# Few different bytes, so that much matches and more nearly does.
PATTERN_PIECES = [b"*", b"*", b"**", b"?", b"[", b"]", b"[^", b"-", b"^", b"\\", b"a", b"b", b"c", b"ab", b"\xe9",
                  b"\x00", b"[a-c]", b"[^ab]", b"[b-a]", b"[\\]]", b"[a\\-c]", b"\\*", b"[a-\xff]", b"[\x80-a]"]
NAME_PIECES = [b"a", b"b", b"c", b"a", b"b", b"*", b"[", b"]", b"^", b"-", b"\\", b"\xe9", b"\x00", b"\xff"]


def pieces(rnd, of, most):
    return b"".join(rnd.choice(of) for _ in range(rnd.randrange(most + 1)))


def patterns(seed, count):
    """A hundred keys, then patterns that are tried on all of them."""
    rnd = random.Random(seed)
    made = [[b"SET", pieces(rnd, NAME_PIECES, rnd.choice((2, 5, 9))), b"x"] for _ in range(100)]
    for i in range(count - 100):
        pattern = pieces(rnd, PATTERN_PIECES, 7)
        made.append([b"SCAN", b"0", b"COUNT", b"1000", b"MATCH", pattern] if i % 4 == 0 else [b"KEYS", pattern])
    return made
