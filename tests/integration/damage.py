#!/usr/bin/env python3
"""Damaged data, and directories that are not what they should be: one clear line each, and nothing is served that may be
wrong."""

import glob
import os
import shutil
import signal
import subprocess

from members import LOG_BYTES, SECONDS, SIZES, Failed, start_three, wait_for
from process import expect, expect_in, run_stories, text_of
from space import Disk, may_mount


def write_some(house, name, how=signal.SIGTERM, *options):
    """A server that has written some, and has ended."""
    server = house.add(name, *options).start()
    wait_for(lambda: server.say("SET", "a", "1") == b"OK", f"{name} takes no write")
    server.write(300, 1000)
    server.end(how)
    return server


def does_not_start(server, *options):
    """What it says; the last line is what people see."""
    done = subprocess.run(
        [server.house.server, "--name", server.name, "--dir", server.dir, "--port", str(server.port), "--peer-port",
         str(server.peer_port), *SIZES, *options], stderr=subprocess.PIPE, timeout=SECONDS, check=False)
    expect(done.returncode, 1, "the exit code")
    lines = done.stderr.decode().strip().split("\n")
    expect_in("conclave-server: ", lines[-1], "the last line")
    return lines


def flip(path, at):
    with open(path, "r+b") as f:
        f.seek(at)
        byte = f.read(1)
        f.seek(at)
        f.write(bytes([byte[0] ^ 1]))


def log_files(server):
    return sorted(glob.glob(os.path.join(server.dir, "log", "*.log")))


def engine_files(server, name):
    return sorted(glob.glob(os.path.join(server.dir, "engine-*", name)), key=os.path.getsize)


def a_byte_in_the_log(house):
    """Below what is known to be durable: a member that is alone serves nobody, now and later; with its bytes it does."""
    server = write_some(house, "n1", signal.SIGKILL)
    segment = log_files(server)[-2]  # but one: what follows says that it was durable
    copy = os.path.join(house.root, "copy")
    shutil.copytree(server.dir, copy)
    flip(segment, 4096 + 100)
    for _ in range(2):
        last = does_not_start(server)[-1]
        expect_in(f"{server.dir}/log: the log is damaged from entry ", last, "where")
        expect_in(f"in segment {int(os.path.basename(segment)[:16], 16)} at offset 4096; ", last, "where")
        expect_in(" entries before it are held, traces reach to entry ", last, "how much")
        expect_in("put back a copy of dir and log-dir", last, "what to do")
    shutil.rmtree(server.dir)
    shutil.move(copy, server.dir)
    server.start()
    wait_for(lambda: server.say("GET", "key:299") == b"v" * 1000, "it is back")
    server.end(signal.SIGTERM)
    flip(log_files(server)[-1], 40)
    expect_in("the log is damaged", does_not_start(server)[-1], "a segment's header")


def a_segment_is_missing(house):
    server = write_some(house, "n1", signal.SIGKILL)
    os.remove(log_files(server)[-2])
    expect_in("the log is damaged from entry ", does_not_start(server)[-1], "a missing segment")


def a_byte_in_the_state(house):
    server = write_some(house, "n1")
    flip(engine_files(server, "MANIFEST-*")[-1], 20)
    lines = does_not_start(server)
    expect_in("engine: opening: Corruption: ", lines[0], "what")
    expect_in("MANIFEST", lines[0], "where")
    expect_in(f"{server.dir}: the state is damaged, a line before says where. In a cluster of several: remove ENGINE",
              lines[-1], "what to do")

    # Tables are looked at when they are read: those of keys at the latest when somebody asks for one.
    server = write_some(house, "n2")
    tables = engine_files(server, "*.sst")
    for path in tables:
        flip(path, 200)
    said = subprocess.Popen([house.server, "--name", server.name, "--dir", server.dir, "--port", str(server.port),
                             "--peer-port", str(server.peer_port), *SIZES], stderr=subprocess.PIPE)
    _, text = said.communicate(timeout=SECONDS)
    expect(said.returncode, 1, "the exit code")
    expect_in("block checksum mismatch", text.decode(), "what")
    expect(any(path in text.decode() for path in tables), True, "where")
    expect_in("remove ENGINE and engine-*", text.decode(), "what to do")

    server = write_some(house, "n3")
    with open(os.path.join(server.dir, "ENGINE"), "w", encoding="utf-8") as f:
        f.write("nonsense\n")
    lines = does_not_start(server)
    expect_in("ENGINE names no engine", lines[0], "where")
    expect_in("the state is damaged", lines[-1], "what")


def a_scan_leaves_nothing_out(house):
    """Where rows cannot be read it is an error, as it is for a key alone, and not less than there is."""
    server = house.add("n4").start()
    wait_for(lambda: server.say("SET", "a", "1") == b"OK", "no write")
    for i in range(4):
        server.say("MSET", *(word for n in range(i, 4000, 4) for word in (f"key:{n:04}", "v" * 40)))
        server.say("HSET", f"hash:{i}", *(word for n in range(1000) for word in (f"field:{n:04}", "v" * 40)))
        expect(server.say("SAVE"), b"OK", "SAVE")
    server.end(signal.SIGTERM)
    server.start()
    wait_for(lambda: server.say("PING") == b"PONG", "it does not come back")
    # What the start has changed is stored now, and not while the tables are damaged: that would end the process.
    wait_for(lambda: server.say("SAVE") == b"OK", "SAVE")
    for path in engine_files(server, "*.sst"):
        for part in range(1, 6):
            flip(path, os.path.getsize(path) * part // 6)
    questions = [(4005, "KEYS", "*"), (4005, "RANGE", "-", "+", "KEYSONLY")] + [
        (1000, command, f"hash:{i}") for i in range(4) for command in ("HKEYS", "HVALS")]
    refused = 0
    for count, *words in questions:
        try:
            expect(len(server.say(*words)), count, f"{words}")
        except Failed as e:
            expect_in("ERR This member cannot read its data: stored data is damaged", str(e), f"{words}")
            refused += 1
    expect(refused > len(questions) / 2, True, "most of it cannot be read")
    expect_in("block checksum mismatch", text_of(server.said), "where")
    expect(text_of(server.said).count("the stored state is damaged, a line before says where"), 1, "what to do, once")


def a_state_in_a_cluster_is_made_again(house):
    """What the message says can be done is done."""
    members = [house.add(f"n{i}") for i in (1, 2, 3)]
    cluster = ",".join(f"{m.name}=127.0.0.1:{m.peer_port}" for m in members)
    for m in members:
        m.options = ("--initial-cluster", cluster)
        m.start()
    wait_for(lambda: members[0].say("SET", "a", "1") == b"OK", "no write")
    members[0].write(300, 1000)
    wait_for(lambda: members[2].say("GET", "key:299") == b"v" * 1000, "n3 does not read")
    members[2].end(signal.SIGTERM)
    for path in engine_files(members[2], "MANIFEST-*"):
        flip(path, 20)
    expect_in("the state is damaged", does_not_start(members[2], *members[2].options)[-1], "n3")
    os.remove(os.path.join(members[2].dir, "ENGINE"))
    for path in glob.glob(os.path.join(members[2].dir, "engine-*")):
        shutil.rmtree(path)
    members[2].start()
    wait_for(lambda: members[2].say("GET", "key:299") == b"v" * 1000, "n3 does not come back")
    wait_for(lambda: members[2].say("SET", "b", "1") == b"OK", "n3 takes no write")


def a_log_without_any_header_is_filled_again(house):
    """Nothing in it says whose it is: the directory does."""
    members = start_three(house)
    members[0].write(50, 1000)
    members[2].end()
    for path in log_files(members[2]):
        flip(path, 20)
    members[2].start()
    wait_for(lambda: members[2].say("GET", "key:49") == b"v" * 1000, "n3 does not come back")
    wait_for(lambda: members[2].say("SET", "b", "1") == b"OK", "n3 takes no write")
    expect_in("does not vote until it has got the rest from the others", text_of(members[2].said), "n3")
    wait_for(lambda: "the damaged log is whole again" in text_of(members[2].said), "n3 does not get its vote back")


def rot_in_what_the_state_holds_takes_no_vote(house):
    """It is found some seconds after the start, and the log begins behind it."""
    server = house.add("n1", "--log-max-bytes", "32mb", "--log-segment-bytes", "1mb").start()
    wait_for(lambda: server.say("SET", "a", "1") == b"OK", "no write")
    for _ in range(8):
        server.write(250, 8000)
    expect(server.say("SAVE"), b"OK", "SAVE")
    server.end()
    flip(log_files(server)[1], 500000)
    server.start()
    wait_for(lambda: "it is applied and stored: the log begins behind " in text_of(server.said), "nothing is found")
    expect(server.say("SET", "a", "2"), b"OK", "SET")
    server.end()
    server.start()
    wait_for(lambda: server.say("GET", "a") == b"2", "it does not start again")


def a_leader_that_cannot_give_its_state_leads_no_more(house):
    """Else who needs one would ask it for ever."""
    members = start_three(house)
    leader = next(m for m in members if any(r[b"leads"] == 1 and r[b"name"].decode() == m.name
                                            for r in m.members().values()))
    other, away = (m for m in members if m is not leader)
    away.end()
    for _ in range(4):
        other.write(250, 8000)  # more than the log keeps
    wait_for(lambda: leader.log_bytes() < 2 * LOG_BYTES, "the log keeps everything")
    expect(leader.say("SAVE"), b"OK", "SAVE")
    # Values, which a leader that nobody asks for them does not read.
    flip(engine_files(leader, "*.sst")[-1], 200)
    away.start()
    wait_for(lambda: away.say("GET", "key:249") == b"v" * 8000, f"{away.name} does not get a state")
    expect_in("the stored state cannot be given to member ", text_of(leader.said), "the leader")
    wait_for(lambda: other.say("SET", "goes", "on") == b"OK", "no write")


def directories_that_do_not_belong_together(house):
    one, other = write_some(house, "n1"), write_some(house, "n2")
    expect_in("it belongs to a member of a cluster with another cluster-token", does_not_start(
        one, "--cluster-token", "another")[-1], "another cluster")
    one.start()
    wait_for(lambda: one.say("SAVE") == b"OK", "no state is stored")
    one.end()
    kept, name = os.path.join(house.root, "log"), os.path.join(house.root, "MEMBER")
    shutil.move(os.path.join(one.dir, "log"), kept)
    shutil.move(os.path.join(one.dir, "MEMBER"), name)
    expect_in("is the data of a member, though the file MEMBER is missing", does_not_start(one)[-1], "no log, no name")
    shutil.move(name, os.path.join(one.dir, "MEMBER"))
    last = does_not_start(one)[-1]
    expect_in("there is no log, and ", last, "no log")
    expect_in("mount the disk with the log", last, "what to do")
    expect(os.listdir(os.path.join(one.dir, "log")), [], "nothing was written there")
    shutil.rmtree(os.path.join(one.dir, "log"))
    shutil.copytree(os.path.join(other.dir, "log"), os.path.join(one.dir, "log"))
    expect_in("give directories that belong together", does_not_start(one)[-1], "another one's log")
    shutil.rmtree(os.path.join(one.dir, "log"))
    shutil.move(kept, os.path.join(one.dir, "log"))
    with open(os.path.join(one.dir, "MEMBER"), "a", encoding="utf-8") as f:
        f.write("and more\n")
    expect_in("MEMBER: stored data is damaged; it says whose data this is", does_not_start(one)[-1], "a damaged name")
    os.remove(os.path.join(one.dir, "MEMBER"))
    os.mkdir(os.path.join(one.dir, "MEMBER"))  # reads of it fail
    expect_in("MEMBER: it cannot be read: input/output error: the disk failed: see what the system says of it",
              does_not_start(one)[-1], "a disk that does not read")
    os.rmdir(os.path.join(one.dir, "MEMBER"))
    one.start()
    wait_for(lambda: one.say("GET", "key:1") == b"v" * 1000, "it goes on with its own")


def a_directory_that_cannot_be_written(house):
    with Disk(os.path.join(house.root, "n1"), 16, ",ro"):
        server = house.add("n1")
        expect_in("this process may not write there: Read-only file system", does_not_start(server)[-1], "read-only")
    server = house.add("n2")
    os.makedirs(os.path.join(server.dir, "LOCK"))
    expect_in("n2: the directory cannot be locked: Is a directory: give another one", does_not_start(server)[-1], "LOCK")


if __name__ == "__main__":
    may_mount()
    run_stories(__doc__, [a_byte_in_the_log, a_segment_is_missing, a_byte_in_the_state, a_scan_leaves_nothing_out,
                          a_state_in_a_cluster_is_made_again, a_log_without_any_header_is_filled_again,
                          rot_in_what_the_state_holds_takes_no_vote,
                          a_leader_that_cannot_give_its_state_leads_no_more,
                          directories_that_do_not_belong_together, a_directory_that_cannot_be_written])
