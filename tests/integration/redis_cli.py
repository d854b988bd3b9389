#!/usr/bin/env python3
"""redis-cli shows the table of a real server: its help is what COMMAND DOCS says."""

import argparse
import os
import re
import subprocess
import sys

from members import SECONDS, House, wait_for

WANTED = {
    "help get": "GET key",
    "help set": "SET key value [NX|XX|",
    "help bitcount": "BITCOUNT key [start end [BYTE|BIT]]",
    "help mset": "MSET key value [key value ...]",
    "help client setname": "CLIENT SETNAME connection-name",
    "help member promote": "MEMBER PROMOTE member",
    "help delrange": "DELRANGE min max",
    "help @history": "HISTORY GET key [FROM revision] [TO revision] [COUNT count] [REV]",
}
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--server", required=True)
    house = House(os.path.abspath(options.parse_args().server))
    try:
        server = house.add("n1").start()
        wait_for(lambda: server.say("PING") == b"PONG", "n1 does not start")
        for words, wanted in WANTED.items():
            shown = subprocess.run(["redis-cli", "-p", str(server.port), *words.split()], text=True,
                                   capture_output=True, timeout=SECONDS, check=True).stdout
            if wanted not in COLOURS.sub("", shown):
                sys.exit(f"redis-cli {words}: {shown!r} is without {wanted!r}")
    finally:
        house.close()
    print(f"redis_cli: shows what it is told, {len(WANTED)} times")


if __name__ == "__main__":
    main()
