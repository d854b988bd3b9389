"""What a disk may hold after the power went off: a model of files and names, fed by power_shim.c.

Promised is only what POSIX promises: the bytes of a file that a sync of the file covered, and the names
that a sync of their directory covered. All else may be there or not, each thing on its own.
"""

import os
import shutil
import struct
from dataclasses import dataclass, field

HEAD = struct.Struct("=4Q")
SECTOR = 512

# What becomes of that which was not synced.
STYLES = (
    "kept",  # all of it is there: as after kill -9
    "lost",  # all of it is gone
    "cut",  # the disk did things in order, up to some moment
    "torn",  # each thing for itself is there, or gone, or there in some sectors
)


class TraceError(Exception):
    """The process did something that this model does not know."""


@dataclass(eq=False)
class File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list = field(default_factory=list)  # (record, offset, bytes) or (record, size, None)
    failed: int = 0  # no sync makes durable what comes before this record

    def apply(self, change):
        _, at, data = change
        if data is None:
            del self.durable[at:]
            self.durable.extend(bytes(at - len(self.durable)))
        else:
            self.durable.extend(bytes(max(0, at - len(self.durable))))
            self.durable[at:at + len(data)] = data

    def sync(self, before):
        for change in self.pending:
            if self.failed <= change[0] < before:
                self.apply(change)
        self.pending = [change for change in self.pending if not self.failed <= change[0] < before]


@dataclass(eq=False)
class Folder:
    names: dict = field(default_factory=dict)  # as the process sees them
    durable: dict = field(default_factory=dict)
    pending: list = field(default_factory=list)  # (record, {name: node or None})

    def change(self, record, changes):
        self.pending.append((record, changes))
        _set(self.names, changes)

    def sync(self, before):
        for record, changes in self.pending:
            if record < before:
                _set(self.durable, changes)
        self.pending = [change for change in self.pending if change[0] >= before]


def _set(names, changes):
    for name, node in changes.items():
        if node is None:
            names.pop(name, None)
        else:
            names[name] = node


def records(path):
    """The records (kind, a, b, text) of a trace; one that was cut off at the end is none."""
    with open(path, "rb") as trace:
        data = trace.read()
    at = 0
    while at + HEAD.size <= len(data):
        kind, a, b, length = HEAD.unpack_from(data, at)
        at += HEAD.size
        if at + length > len(data):
            return
        yield chr(kind), a, b, data[at:at + length]
        at += length


class Disk:
    """The directory of one process, over many of its lives."""

    def __init__(self, root):
        self.root = os.path.realpath(root)
        self.top = Folder()

    # ---- a life

    def write_out(self, root=None):
        """Makes the real directory what the disk durably holds; returns its files by inode."""
        root, inodes = root or self.root, {}
        shutil.rmtree(root, ignore_errors=True)
        self._write_folder(self.top, root, inodes, {})
        return inodes

    def _write_folder(self, folder, path, inodes, written):
        os.mkdir(path)
        for name, node in folder.durable.items():
            place = os.path.join(path, name)
            if isinstance(node, Folder):
                self._write_folder(node, place, inodes, written)
            elif node in written:
                os.link(written[node], place)
            else:
                with open(place, "wb") as out:
                    out.write(node.durable)
                    inodes[os.fstat(out.fileno()).st_ino] = node
                written[node] = place

    def replay(self, trace, inodes):
        """Takes in what a process did that began with what write_out() returned."""
        inodes = dict(inodes)
        for number, (kind, a, b, text) in enumerate(records(trace)):
            if kind in "WTSF":
                self._file_record(number, kind, inodes.get(a), b, text)
            elif kind == "N":
                self._node(text).sync(b)
            elif kind in "RL":
                self._pair_record(number, kind, *text.split(b"\0"))
            else:
                self._name_record(number, kind, a, text, inodes)

    @staticmethod
    def _file_record(number, kind, file, b, text):
        if file is None:
            raise TraceError(f"record {number} is about a file that was there before and is not ours")
        if kind == "S":
            file.sync(b)
        elif kind == "F":
            file.failed = number
        else:
            file.pending.append((number, b, text if kind == "W" else None))

    def _name_record(self, number, kind, inode, path, inodes):
        folder, name = self._place(path)
        node = None
        if kind == "C":
            node = inodes[inode] = File()
        elif kind == "D":
            node = Folder()
        folder.change(number, {name: node})

    def _pair_record(self, number, kind, source, target):
        folder, name = self._place(source)
        node = folder.names[name]
        target_folder, target_name = self._place(target)
        if kind == "L":
            target_folder.change(number, {target_name: node})
        elif folder is target_folder and isinstance(node, File):
            folder.change(number, {name: None, target_name: node})
        else:
            raise TraceError("a rename from one directory to another, or of a directory")

    def _node(self, path):
        node = self.top
        for name in os.path.relpath(path.decode(), self.root).split(os.sep):
            node = node if name == "." else node.names[name]
        return node

    def _place(self, path):
        folder, name = os.path.split(path)
        return self._node(folder), name.decode()

    # ---- its end

    def differs(self, unseen=()):
        """Where the directory is not as the process left it, or None; not in files of these names."""
        return self._folder_differs(self.top, self.root, unseen)

    def _folder_differs(self, folder, path, unseen):
        if sorted(os.listdir(path)) != sorted(folder.names):
            return f"{path}: {sorted(os.listdir(path))}, expected {sorted(folder.names)}"
        for name, node in folder.names.items():
            place, found = os.path.join(path, name), None
            if isinstance(node, Folder):
                found = self._folder_differs(node, place, unseen)
            elif not name.startswith(tuple(unseen)):
                expected = File(bytearray(node.durable))
                for change in node.pending:
                    expected.apply(change)
                with open(place, "rb") as real:
                    found = None if real.read() == expected.durable else place
            if found:
                return found
        return None

    def lose_power(self, random, style):
        """What was not synced meets its fate; what is left is durable from here on."""
        nodes = list(_below(self.top, set()))
        newest = [change[0] for node in nodes for change in node.pending]
        moment = random.randint(0, max(newest) + 1) if newest else 0
        for node in nodes:
            for change in node.pending:
                for left in _left(change, random, style, moment):
                    if isinstance(node, File):
                        node.apply(left)
                    else:
                        _set(node.durable, left[1])
            node.pending, node.failed = [], 0
        for node in nodes:
            if isinstance(node, Folder):
                node.names = dict(node.durable)


def _below(node, seen):
    """All nodes that have a name, or could have one."""
    if node in seen:
        return
    seen.add(node)
    yield node
    if isinstance(node, Folder):
        changed = [held for _, changes in node.pending for held in changes.values() if held]
        for held in [*node.durable.values(), *node.names.values(), *changed]:
            yield from _below(held, seen)


def _left(change, random, style, moment):
    """What is left of one change."""
    if style == "torn":
        fate = random.choice(("there", "gone", "sectors"))
        if fate == "sectors" and isinstance(change[-1], bytes):
            return _sectors(change, random)
        return [change] if fate != "gone" else []
    return [change] if style == "kept" or (style == "cut" and change[0] < moment) else []


def _sectors(change, random):
    """Some of the sectors of a write."""
    record, offset, data = change
    at = 0
    while at < len(data):
        end = min(len(data), at + SECTOR - (offset + at) % SECTOR)
        if random.random() < 0.5:
            yield record, offset + at, data[at:end]
        at = end
