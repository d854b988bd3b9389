"""What people read in the end."""

import bisect

WINDOW_S = 0.1


class Report:
    """Of one run; `from_s` and `till_s` are when faults were to be expected."""

    def __init__(self, run):
        self.run, self.from_s, self.till_s = run, 0, 0

    def print(self):
        """True if everything held."""
        run = self.run
        print(f"chaos: seed {run.seed}, {run.cluster.named} members in all, "
              f"{self.till_s - self.from_s:.0f} s of faults, options {' '.join(run.cluster.options)}")
        if run.no_network:
            print(f"no network of its own ({run.no_network}): nothing was cut, slow or lossy")
        print("faults:", ", ".join(f"{name} {count}" for name, count in sorted(run.nemesis.counts.items())))
        print("operations:", ", ".join(f"{name} {count}" for name, count in sorted(run.history.counts.items())))
        self.print_availability()
        for what, wrong in run.judge.verdicts:
            print(f"{'FAILED' if wrong else 'ok'}: {what}")
            if wrong:
                print("    " + "\n    ".join(wrong.split("\n")[:40]))
        if not run.judge.failed():
            print("so nothing that was acknowledged is lost or was done twice, nothing that was refused was done, "
                  "and no answer was wrong or another one's")
        return not run.judge.failed()

    def print_verdict(self):
        judge = self.run.judge
        print(f"{len(judge.verdicts) - len(judge.failed())} passed, {len(judge.failed())} failed", flush=True)

    def print_availability(self):
        times = sorted(t for t in self.run.history.write_times if self.from_s <= t <= self.till_s)
        if not times:
            print("availability: no write was acknowledged")
            return
        windows = max(1, int((self.till_s - self.from_s) / WINDOW_S))
        good = len({int((t - self.from_s) / WINDOW_S) for t in times})
        edges = [self.from_s, *times, self.till_s]
        gaps = sorted(((after - before, before) for before, after in zip(edges, edges[1:])), reverse=True)
        gap, at = gaps[0]
        print(f"availability: a write acknowledged in {min(1, good / windows):.1%} of {windows} windows of "
              f"{WINDOW_S * 1000:.0f} ms; longest without one {gap:.2f} s, {at - self.from_s:.1f} s after the "
              f"beginning")
        longest = {}
        for gap, at in gaps:
            if gap > WINDOW_S:
                longest.setdefault(self.fault_at(at, at + gap), gap)
        if longest:
            print("longest without one:", ", ".join(f"{gap:.2f} s {fault}" for fault, gap in longest.items()))

    def fault_at(self, begin, end):
        """Which fault the time from `begin` to `end` had most of."""
        spans = self.run.nemesis.spans
        first = max(0, bisect.bisect([s[0] for s in spans], begin) - 1)
        shared = [(min(e, end) - max(b, begin), name) for b, e, name in spans[first:] if b < end]
        return f"at '{max(shared)[1]}'" if shared and max(shared)[0] > 0 else "between faults"
