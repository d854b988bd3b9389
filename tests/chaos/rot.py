"""What a disk changes or forgets by itself, in the directory of a member that does not run."""

import glob
import os
import shutil

HEADER_BYTES = 128  # of a segment of the log, each of which its checksum covers
FIRST_GROUP = 4096
TABLE_BYTE = 200  # lies in the first block of a table


def flip(path, at, bit=0):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 1 << bit]))
    return f"{os.path.basename(path)} at {at}"


def rot_log(where, random):
    """The newest segment's header, so that it shows in any case, and perhaps what older ones begin with.

    Not the newest group: nothing behind it says that it was whole once, and what an append left undone looks the same.
    """
    *older, newest = sorted(glob.glob(os.path.join(where, "log", "*.log")))
    flipped = [flip(newest, random.randrange(HEADER_BYTES), random.randrange(8))]
    for path in random.sample(older, random.randint(0, min(2, len(older)))):
        flipped.append(flip(path, FIRST_GROUP + random.randrange(40), random.randrange(8)))
    return flipped


def rot_state(where, random):
    """The list of tables, or some tables."""
    name, at = random.choice((("MANIFEST-*", 20), ("*.sst", TABLE_BYTE)))
    paths = [path for path in sorted(glob.glob(os.path.join(where, "engine-*", name))) if os.path.getsize(path) > at]
    return [flip(path, at) for path in random.sample(paths, min(len(paths), random.choice((1, 3, len(paths)))))]


def drop_state(where):
    """As a member says that it is to be done; its log stays."""
    os.remove(os.path.join(where, "ENGINE"))
    for path in glob.glob(os.path.join(where, "engine-*")):
        shutil.rmtree(path)
