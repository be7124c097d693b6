"""An independent verifier of ledgers, written from docs/record-format.md alone, with nothing but
Python's own library: reads a ledger's journal, checks checksums, numbers, places and the chain, and
prints the head of each epoch.

    verify_ledger.py STORE/ledger     a ledger's directory
    verify_ledger.py --export FILE    what `tidewaiter-bridge ledger export` wrote

Exit status 0 when all follows, 1 with the first record that does not.
"""

import base64
import hashlib
import json
import pathlib
import struct
import sys


class Broken(Exception):
    """What does not follow, and where."""


def crc32c(data):
    table = crc32c.table
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _table():
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        yield crc


crc32c.table = list(_table())


def genesis(station, epoch):
    return hashlib.sha256(
        b"tidewaiter/genesis/v1\0" + station.encode() + b"\0" + struct.pack(">Q", epoch)
    ).digest()


def link(previous, stored):
    return hashlib.sha256(b"\x01" + previous + stored).digest()


def header(stored):
    """The clear header of a stored record: epoch, seq, station, type."""
    version, clock, epoch, seq, _at = struct.unpack_from(">BBQQq", stored)
    if version != 1 or clock > 2:
        raise Broken(f"version {version}, clock {clock}")
    at = 58
    length = stored[at]
    station = stored[at + 1 : at + 1 + length].decode()
    at += 1 + length
    length = stored[at]
    kind = stored[at + 1 : at + 1 + length].decode()
    at += 1 + length + 24
    (sealed,) = struct.unpack_from(">I", stored, at)
    if at + 4 + sealed != len(stored):
        raise Broken("bytes are missing from the sealed part, or follow it")
    return epoch, seq, station, kind


def head_file(directory):
    """Where the ledger begins, and how much of its newest segment was written, as its head file
    says: (epoch, seq, hash) of the floor, ordinal of the oldest segment, (ordinal, offset) of the
    end, (epoch, seq) of the head; None when there is no such file."""
    path = pathlib.Path(directory, "head")
    if not path.exists():
        return None
    data = path.read_bytes()
    if data[:4] != b"TWH1" or struct.unpack_from(">I", data, 4)[0] != crc32c(data[8:256]):
        raise Broken("head: the head file is damaged")
    epoch, seq = struct.unpack_from(">QQ", data, 8)
    floor = struct.unpack_from(">QQ32s", data, 56)
    segment, offset, oldest = struct.unpack_from(">QIQ", data, 217)
    return floor, oldest, (segment, offset), (epoch, seq)


class Chain:
    """The heads of a ledger as its records come."""

    def __init__(self):
        self.heads, self.records, self.station = {}, 0, None

    def begin(self, station, epoch, seq, digest):
        self.station = self.station or station
        if station != self.station:
            raise Broken(f"epoch {epoch}: a segment of {station} in the ledger of {self.station}")
        if seq == 0 and digest != genesis(station, epoch):
            raise Broken(f"epoch {epoch}: the genesis hash is another one")
        if seq > 0 and epoch not in self.heads:
            raise Broken(f"epoch {epoch}: records up to {seq} are missing")
        if self.heads.setdefault(epoch, (seq, digest)) != (seq, digest):
            raise Broken(f"epoch {epoch}: records up to {seq} are missing")

    def add(self, stored, hash_given):
        epoch, seq, station, _ = header(stored)
        self.station = self.station or station
        last, digest = self.heads.get(epoch, (0, genesis(station, epoch)))
        if station != self.station or seq != last + 1:
            raise Broken(f"epoch {epoch}: record {seq} of {station} follows record {last}")
        digest = link(digest, stored)
        if digest != hash_given:
            raise Broken(f"epoch {epoch}, record {seq}: the chain hash is another one")
        self.heads[epoch] = (seq, digest)
        self.records += 1


def journal(directory, chain):
    known = head_file(directory)
    floor, oldest, written, head = known or ((0, 0, b""), 1, (0, 0), (0, 0))
    if floor[0] > 0:
        chain.heads[floor[0]] = floor[1:]
    expected = None
    for path in sorted(pathlib.Path(directory, "journal").glob("*.segment")):
        data = path.read_bytes()
        (crc,) = struct.unpack_from(">I", data, 4)
        if data[:4] != b"TWS1" or crc != crc32c(data[8:128]):
            raise Broken(f"{path.name}: its header is damaged")
        ordinal, epoch, seq = struct.unpack_from(">QQQ", data, 8)
        if ordinal < oldest:
            continue  # let go
        if ordinal != (expected or max(oldest, 1)):
            raise Broken(f"{path.name}: the segment before it is missing")
        expected = ordinal + 1
        station = data[65 : 65 + data[64]].decode()
        chain.begin(station, epoch, seq, data[32:64])
        at = 128
        while data[at : at + 4] == b"TWJ1":
            crc, kind, length = struct.unpack_from(">IB3xI", data, at + 4)
            end = at + 88 + length
            if crc != crc32c(data[at + 8 : end]):
                raise Broken(f"{path.name}, byte {at}: a frame is damaged")
            if kind == 1:
                chain.add(data[at + 88 : end], data[at + 40 : at + 72])
            at = end
        if any(data[at:]):
            raise Broken(f"{path.name}, byte {at}: no frame and no zeros")
        if ordinal == written[0] and at < written[1]:
            raise Broken(f"{path.name}, byte {at}: zeros stand where frames were")
    if head[1] > chain.heads.get(head[0], (0, b""))[0]:
        raise Broken(f"epoch {head[0]}: the journal ends before record {head[1]}")


def export(file, chain):
    for line in open(file):
        row = json.loads(line)
        if "stored" in row:
            chain.add(base64.b64decode(row["stored"]), bytes.fromhex(row["hash"]))
        elif "floor" in row:
            chain.heads[row["epoch"]] = (row["floor"]["seq"], bytes.fromhex(row["floor"]["hash"]))
        else:
            head = (row["head"]["seq"], bytes.fromhex(row["head"]["hash"]))
            empty = (0, genesis(row["station"], row["epoch"]))
            if chain.heads.get(row["epoch"], empty) != head:
                raise Broken(f"epoch {row['epoch']}: it ends elsewhere than its head says")


def main(arguments):
    chain = Chain()
    try:
        if arguments[0] == "--export":
            export(arguments[1], chain)
        else:
            journal(arguments[0], chain)
    except Broken as broken:
        print(f"FAIL {broken}")
        return 1
    for epoch, (seq, digest) in sorted(chain.heads.items()):
        print(f"epoch {epoch} ends at record {seq} {digest.hex()}")
    print(f"{chain.records} records")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
