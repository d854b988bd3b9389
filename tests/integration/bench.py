#!/usr/bin/env python3
"""conclave-bench against real servers: what it counts is what was asked, done and lost."""

import argparse
import json
import os
import signal
import subprocess
import sys

from members import SECONDS, Failed, House, begin, free_ports, wait_for


def expect(holds, why):
    if not holds:
        raise Failed(why)


class Bench:
    def __init__(self, program):
        self.program = program
        self.all = []

    def start(self, *args, **env):
        self.all.append(subprocess.Popen([self.program, *map(str, args)], stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True, env={**os.environ, **env}))
        return self.all[-1]

    def close(self):
        for process in self.all:
            process.kill()
            process.wait(SECONDS)

    def end(self, process, code=0):
        out, err = process.communicate(timeout=SECONDS)
        expect(process.returncode == code, f"exit code {process.returncode}, and not {code}: {out} {err}")
        return out, err

    def run(self, *args, code=0, **env):
        return self.end(self.start(*args, **env), code)

    def report(self, *args, **env):
        return json.loads(self.run("--json", "--warmup", 0, *args, **env)[0])


def at(server):
    return f"127.0.0.1:{server.port}"


def by_name(report):
    return {row["name"]: row for row in report["commands"]}


def answered(report):
    expect(report["all"]["errors"] == 0 and report["errors"] == {}, f"errors: {report}")
    return report["all"]["requests"]


def so_many_requests(bench, s):
    """Neither one more nor one less, whatever the connections, pipelines and threads."""
    for connections, pipeline, threads, protocol in ((1, 1, 1, 2), (7, 3, 2, 3), (3, 200, 5, 2), (20, 16, 2, 3)):
        before = int(s.say("GET", "counted") or 0)
        report = bench.report("--host", at(s), "--requests", 1000, "--connections", connections, "--pipeline", pipeline,
                              "--threads", threads, "--protocol", protocol, "--command", "INCR counted")
        expect(answered(report) == 1000, f"1000 requests: {report}")
        expect(int(s.say("GET", "counted")) == before + 1000, "it sent others than it counted")
        expect(report["connections_made"] == connections, f"connections: {report}")
        expect(0 < report["all"]["p50_ms"] <= report["all"]["p99_ms"] <= report["all"]["max_ms"], f"times: {report}")


def keys_are_filled(bench, s):
    report = bench.report("--host", at(s), "--keys", 700, "--fill", "--value-bytes", 33, "--requests", 2000,
                          "--mix", "get=3,hget=1,ping=1", "--pick", "zipf")
    rows = by_name(report)
    expect(answered(report) == 2000 and sum(row["requests"] for row in rows.values()) == 2000, f"the mix: {report}")
    expect(all(row["nulls"] == 0 for row in rows.values()), f"keys are missing: {report}")
    expect(rows["get"]["requests"] > rows["hget"]["requests"], f"weights: {report}")
    for i in (0, 349, 350, 699):
        expect(s.say("STRLEN", f"key:{i:012}") == 33, f"key {i}")
        expect(s.say("HSTRLEN", f"hash:{i:012}", "field") == 33, f"hash {i}")
    expect(s.say("EXISTS", f"key:{700:012}") == 0, "one key more")
    expect(s.say("GET", f"key:{1:012}") != s.say("GET", f"key:{2:012}"), "values are the same")
    report = bench.report("--host", at(s), "--keys", 700, "--requests", 700, "--pick", "sequential", "--mix", "del")
    expect(answered(report) == 700 and s.say("EXISTS", *(f"key:{i:012}" for i in range(700))) == 0, "sequential")
    report = bench.report("--host", at(s), "--keys", 700, "--requests", 700, "--mix", "get")
    expect(report["all"]["nulls"] == 700, f"what is not there: {report}")


def errors_are_counted(bench, s):
    s.say("SET", "text", "no number")
    report = bench.report("--host", at(s), "--requests", 600, "--command", "INCR text", "--command", "2=HGET text a",
                          "--command", "3=PING")
    rows = by_name(report)
    expect(rows["INCR text"]["errors"] == rows["INCR text"]["requests"] > 0, f"ERR: {report}")
    expect(report["errors"] == {"ERR": rows["INCR text"]["requests"], "WRONGTYPE": rows["HGET text a"]["requests"]},
           f"by their first word: {report}")
    expect(rows["PING"]["errors"] == 0 and report["all"]["requests"] == 600, f"errors of others: {report}")
    out, _ = bench.run("--host", at(s), "--requests", 10, "--warmup", 0, "--command", "INCR text", code=1)
    expect("10 errors: ERR" in out, f"nothing but errors: {out}")


def for_a_time_and_at_a_rate(bench, s):
    report = bench.report("--host", at(s), "--seconds", 0.5, "--mix", "ping", "--every", 1)
    expect(answered(report) > 0 and report["seconds"] >= 0.49, f"half a second: {report}")
    report = bench.report("--host", at(s), "--requests", 100, "--rate", 1000, "--mix", "ping")
    expect(answered(report) == 100 and report["unsent"] == 0 and report["seconds"] >= 0.09, f"a rate: {report}")


def spread_over_members(bench, servers):
    before = {s.name: commands(s) for s in servers}
    report = bench.report(*hosts(servers), "--requests", 3000, "--connections", 6, "--mix", "set")
    expect(answered(report) == 3000 and len(report["targets"]) == 3, f"over members: {report}")
    for s in servers:
        expect(commands(s) - before[s.name] >= 500, f"{s.name} was asked {commands(s) - before[s.name]} times")


def hosts(servers):
    return [word for s in servers for word in ("--host", at(s))]


def commands(server):
    told = server.say("INFO", "stats").decode()
    return int(told.split("total_commands_processed:")[1].split("\r\n")[0])


def one_that_dies(bench, servers):
    """Its connections go to the others, and what they had asked is counted as lost."""
    dies = servers[2]
    before = commands(dies)
    process = bench.start(*hosts(servers), "--requests", 20000, "--connections", 9, "--mix", "set=1,get=1", "--json",
                          "--warmup", 0)
    wait_for(lambda: commands(dies) > before + 100, "nobody asks it")
    dies.end()
    report = json.loads(bench.end(process)[0])
    expect(report["all"]["requests"] == 20000 and report["unsent"] == 0, f"all are resolved: {report}")
    expect(report["connections_lost"] == 3 and report["connections_made"] >= 12, f"connections: {report}")
    lost = report["errors"].pop("(connection lost)", 0)
    expect(lost <= 3 and report["all"]["errors"] == lost + sum(report["errors"].values()), f"errors: {report}")
    # It is told at the start, too, and does no harm.
    out, err = bench.run(*hosts(servers), "--requests", 100, "--warmup", 0, "--mix", "ping", "--json")
    expect(f"{at(dies)}: Connection refused" in err, f"who is not there: {err}")
    expect(answered(json.loads(out)) == 100, f"without it: {out}")
    dies.start()
    wait_for(lambda: dies.say("PING") == b"PONG", "it does not come back")


def one_that_does_not_answer(bench, s):
    s.process.send_signal(signal.SIGSTOP)
    process = bench.start("--host", at(s), "--requests", 10, "--warmup", 0, "--mix", "ping", "--timeout", 1)
    _, err = bench.end(process, 1)
    s.process.send_signal(signal.SIGCONT)
    expect("no answer" in err, f"who hangs: {err}")
    # Each of the two has been answered before nobody answers any more: first the one that asks seldom.
    before = commands(s)
    at_a_rate = bench.start("--host", at(s), "--seconds", 4, "--warmup", 0, "--mix", "ping", "--timeout", 1, "--json",
                            "--connections", 3, "--rate", 500)
    wait_for(lambda: commands(s) > before + 100, "it asks nothing at a rate")
    process = bench.start("--host", at(s), "--seconds", 4, "--warmup", 0, "--mix", "ping", "--timeout", 1, "--json",
                          "--connections", 3)
    before = commands(s)
    wait_for(lambda: commands(s) > before + 1000, "it asks nothing")
    s.process.send_signal(signal.SIGSTOP)
    late, due = (json.loads(bench.end(p)[0]) for p in (process, at_a_rate))
    s.process.send_signal(signal.SIGCONT)
    expect(late["errors"].get("(no reply in time)", 0) >= 3 and late["connections_lost"] >= 3, f"late: {late}")
    # What was due meanwhile is not forgotten, though nobody could send it.
    expect(due["unsent"] > 100 and 1900 < due["all"]["requests"] + due["unsent"] <= 2000, f"due: {due}")
    expect(late["unsent"] == 0, f"in a closed loop nothing is due: {late}")


def ended_early(bench, s):
    process = bench.start("--host", at(s), "--seconds", 1000, "--warmup", 0, "--mix", "ping", "--json")
    before = commands(s)
    wait_for(lambda: commands(s) > before + 1000, "it asks nothing")
    process.send_signal(signal.SIGINT)
    report = json.loads(bench.end(process)[0])
    expect(answered(report) > 0 and report["seconds"] < 999, f"what there is: {report}")


def passwords(bench, house):
    s = house.add("secret", "--requirepass", "hush").start()
    wait_for(lambda: s.refuses("NOAUTH", "GET", "a") or True, "it starts")
    for protocol in (2, 3):
        asked = ("--host", at(s), "--protocol", protocol, "--requests", 50, "--mix", "ping")
        expect(answered(bench.report(*asked, "--password", "hush")) == 50, "a password")
        expect(answered(bench.report(*asked, CONCLAVE_PASSWORD="hush")) == 50, "in the environment")
        expect(answered(bench.report(*asked, "--user", "default", "--password", "hush")) == 50, "and a user")
        _, err = bench.run(*asked, "--password", "wrong", code=1)
        expect("WRONGPASS" in err, f"a wrong one: {err}")
    _, err = bench.run("--host", at(s), "--first", "SELECT 1", code=1)
    expect("NOAUTH" in err, f"none: {err}")
    s.end()


def what_makes_no_sense(bench):
    port = free_ports(1)[0]
    for args, code, text in ((("--connections", "x"), 2, "--connections takes a number from 1"),
                             (("--mix", "fetch"), 2, "there is no 'fetch' in a mix"),
                             (("--command", "GET 'a"), 2, "'GET 'a' is no command"),
                             (("--first", "SELECT '1"), 2, "a quote is not closed"),
                             (("--host", "127.0.0.1:x"), 2, "'127.0.0.1:x' is no host:port"),
                             (("--host", f"127.0.0.1:{port}"), 1, "Connection refused")):
        out, err = bench.run(*args, code=code)
        expect(text in err and not out, f"{args}: {out} {err}")
    out, err = bench.run("--help")
    expect("--pipeline" in out and not err, f"help: {out} {err}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--bench", required=True)
    args = parser.parse_args()
    house, bench = House(os.path.abspath(args.server)), Bench(os.path.abspath(args.bench))
    try:
        what_makes_no_sense(bench)
        servers = begin(house)
        so_many_requests(bench, servers[0])
        keys_are_filled(bench, servers[1])
        errors_are_counted(bench, servers[2])
        for_a_time_and_at_a_rate(bench, servers[0])
        spread_over_members(bench, servers)
        one_that_dies(bench, servers)
        one_that_does_not_answer(bench, servers[1])
        ended_early(bench, servers[0])
        passwords(bench, house)
    except Failed as e:
        sys.exit(f"bench: {e}")
    finally:
        bench.close()
        house.close()
    print("bench: asked what it counted, filled, counted errors, lost connections and went on")


if __name__ == "__main__":
    main()
