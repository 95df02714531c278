#!/usr/bin/env python3
"""Measures `snapexport fetch` beside other ways to bring the same disk home, all from one server here.

SNAPEXPORT_BIN names the binary. Linux only. It prints Markdown; docs/benchmarks.md says how to read it. The server answers
from memory (/dev/shm) with sendfile, and is asked by all in turns.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import store
from store import IMAGE, LIGHTSAIL_TASK, MIB, OBJECT, OUTSCALE_TASK, RACKSPACE_TASK, SNAPSHOT

BIN = Path(os.environ.get("SNAPEXPORT_BIN", "target/dist/snapexport")).resolve()
PARTS = 8
LINK_PARTS = 16
SMALL = 64 * MIB
# The heads of tables: a colon before what is a number.
SPEED = "work | with | :wall | :MiB/s | :and synced | :CPU"
# The fastest there is: sha256sum may have no use of the processor's own instructions.
SHA = "openssl dgst -sha256" if shutil.which("openssl") else "sha256sum"
OURS = {"OSC_ACCESS_KEY": "AKSANDBOX0000OUTSCAL", "OSC_SECRET_KEY": "SKSANDBOX00000000000000000000000OUTSCALE",
        "OSC_REGION": "eu-west-2", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "SKEXAMPLE",
        "AWS_REGION": "eu-west-3", "AWS_DEFAULT_REGION": "eu-west-3", "RAX_USERNAME": "bench", "RAX_API_KEY": "0" * 32,
        "RAX_REGION": "DFW"}


@dataclass
class Way:
    """A command that fetches the disk in its folder as out.*, or in parts whose names sort in their order."""

    tool: str
    how: str
    command: str
    runs: list = field(default_factory=list)

    def name(self):
        return f"{self.tool} {self.how}"

    def is_ours(self):
        return self.tool == "snapexport"

    def lacks(self):
        tools = [self.tool, *(word for word in ("pigz", "gzip") if word in self.how.split())]
        return [tool for tool in tools if not self.is_ours() and not shutil.which(tool)]


@dataclass
class Run:
    """One run: seconds until it ended, and until all was synced; seconds of all processors, and MiB at most (of ours alone)."""

    wall: float
    synced: float
    cpu: float
    memory: float


class Bench:
    """The store, and the folder below which files are written."""

    def __init__(self, args, memory):
        self.args, self.memory = args, memory
        self.store = store.Store()
        url = self.url = self.store.url
        self.env = {**OURS, "PATH": os.environ["PATH"], "HOME": memory, "OS_AUTH_URL": f"{url}/v2.0",
                    **{name: url for name in ("OSC_ENDPOINT_API", "OSC_ENDPOINT_OOS", "AWS_ENDPOINT_URL_LIGHTSAIL",
                                              "AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL_EBS")}}
        self.what = self.table = None

    def serve(self, make, size, rate=0):
        """Makes what is served, unless it is there; one at a time takes memory."""
        if self.what != (make, size):
            if self.what:
                self.store.disk.remove()
            self.store.disk, self.what = make(self.memory, size), (make, size)
        self.store.rate = rate * MIB
        return self.store.disk

    def start(self, command, folder):
        with open(Path(folder, "err"), "ab") as err:
            return subprocess.Popen(["bash", "-c", command], env=self.env, cwd=folder, stdout=subprocess.DEVNULL, stderr=err)

    def run(self, way, digest=None):
        folder = tempfile.mkdtemp(prefix="fetch-", dir=self.args.to)
        try:
            began = time.monotonic()
            # In the shell's place, it can be watched.
            process = self.start(f"exec {way.command}" if way.is_ours() else way.command, folder)
            water = Water(process.pid) if way.is_ours() else None
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            wall = time.monotonic() - began
            if process.returncode:
                sys.exit(f"{way.command}: exit code {process.returncode}\n{Path(folder, 'err').read_text()}")
            for file in files(folder):
                with open(file, "rb") as opened:
                    os.fsync(opened.fileno())
            synced = time.monotonic() - began
            if digest and digest_of(files(folder)) != digest:
                sys.exit(f"{way.command}: made another file")
            return Run(wall, synced, used.ru_utime + used.ru_stime, water.mark() if water else 0)
        finally:
            shutil.rmtree(folder)

    def compare(self, work, disk, digest, ways):
        """Rows of a table: the best of some rounds, in which the ways take turns."""
        for number in range(self.args.rounds):
            for way in ways:
                if not way.lacks():
                    way.runs.append(self.run(way, digest if number == 0 else None))
        for way in ways:
            if not way.runs:
                self.row(SPEED, work, way.name(), f"{way.lacks()[0]} is missing", "", "", "")
                continue
            best = min(way.runs, key=lambda run: run.wall)
            self.row(SPEED, work, way.name(), f"{best.wall:.2f} s", f"{disk.size / MIB / best.wall:.0f}",
                     f"{best.synced:.2f} s", f"{best.cpu:.2f} s")

    def row(self, table, *cells):
        """A row, behind the head of its table if that is another than before."""
        if table != self.table:
            line = "|".join("---" if number < len(cells) - table.count(":") else "--:" for number in range(len(cells)))
            print(f"\n| {table.replace(':', '')} |\n|{line}|")
            self.table = table
        print(f"| {' | '.join(cells)} |", flush=True)

    # The rows.

    def ours(self, options):
        return f"{BIN} fetch -q {options}"

    def curls(self, count, size, then):
        """curl for so many ranges, side by side."""
        part = -(-size // count)
        one = f'curl -sf -r $((n * {part}))-$(((n + 1) * {part} - 1)) -o part.$(printf %02d $n) {self.url}/demo/{OBJECT}'
        return f"for n in {{0..{count - 1}}}; do {one} & done; wait; {then}"

    def clients(self, then=""):
        s3 = f"s3://demo/{OBJECT} out.gz{then}"
        label = "; SHA-256" if then else ""
        return [
            Way("s5cmd", f"cp{label}", f"s5cmd --endpoint-url {self.url} cp {s3}"),
            Way("aws", f"s3 cp{label}", f"aws --endpoint-url {self.url} s3 cp {s3}"),
            Way("rclone", f"copyto{label}", f"rclone copyto --s3-provider Other --s3-env-auth --s3-endpoint {self.url} "
                f":s3:demo/{OBJECT} out.gz{then}"),
        ]

    def kept(self):
        """OOS, kept, raw loopback."""
        disk = self.serve(store.packed, self.args.size)
        sha = f"cat part.* | {SHA}"
        self.compare("OOS, .gz kept", disk, disk.digest, [
            Way("snapexport", "fetch --no-inflate", self.ours(f"{OUTSCALE_TASK} --no-inflate --to out.gz")),
            Way("snapexport", "fetch: gzip's CRC too", self.ours(f"{OUTSCALE_TASK} --to out.gz")),
            Way("curl", f"{PARTS} ranges; SHA-256", self.curls(PARTS, disk.size, sha)),
            *self.clients(f" && {SHA} out.gz"),
            Way("curl", f"{PARTS} ranges, nothing verified", self.curls(PARTS, disk.size, ":")),
        ])

    def link(self):
        """The same, each connection limited."""
        disk = self.serve(store.packed, self.args.size, self.args.rate)
        aria = f"aria2c -q -x16 -s16 --file-allocation=none -o out.gz {self.url}/demo/{OBJECT}"
        self.compare(f"OOS, .gz kept, {self.args.rate:g} MiB/s a connection", disk, disk.digest, [
            Way("snapexport", "fetch --no-inflate", self.ours(f"{OUTSCALE_TASK} --no-inflate --to out.gz")),
            Way("snapexport", "fetch: gzip's CRC too", self.ours(f"{OUTSCALE_TASK} --to out.gz")),
            Way("curl", f"{PARTS} ranges, nothing verified", self.curls(PARTS, disk.size, ":")),
            Way("curl", f"{LINK_PARTS} ranges, nothing verified", self.curls(LINK_PARTS, disk.size, ":")),
            *self.clients(),
            Way("aria2c", "-x16 -s16", aria),
        ])

    def unpacked(self):
        """OOS, unpacked."""
        disk = self.serve(store.packed, self.args.size)
        pipe = f"curl -sf {self.url}/demo/{OBJECT}"
        self.compare("OOS, unpacked to raw", disk, disk.unpacked_digest, [
            Way("snapexport", "fetch, sparse, SHA-256", self.ours(f"{OUTSCALE_TASK} --to out.raw")),
            Way("curl", r"\| pigz -d", f"set -o pipefail; {pipe} | pigz -d >out.raw"),
            Way("curl", r"\| gzip -d", f"set -o pipefail; {pipe} | gzip -d >out.raw"),
        ])

    def swift(self):
        """Cloud Files, a dynamic large object."""
        disk = self.serve(store.flat, self.args.size)
        self.compare("Cloud Files, segmented", disk, disk.digest, self.swift_ways())

    def swift_link(self):
        """The same, each connection limited."""
        disk = self.serve(store.flat, self.args.size, self.args.rate)
        self.compare(f"Cloud Files, segmented, {self.args.rate:g} MiB/s a connection", disk, disk.digest, self.swift_ways())

    def swift_ways(self):
        account = f"{self.url}/v1/account"
        return [
            Way("snapexport", "fetch: MD5 of segments, SHA-256", self.ours(f"rackspace/{RACKSPACE_TASK} --to out.vhd")),
            Way("swift", "download", f"swift --os-storage-url {account} --os-auth-token t download demo {IMAGE} -o out.vhd"),
            Way("rclone", "copyto", f"rclone copyto --swift-storage-url {account} --swift-auth-token t :swift:demo/{IMAGE} out.vhd"),
        ]

    def ebs(self):
        """EBS direct APIs."""
        disk = self.serve(store.flat, self.args.size)
        self.compare("EBS blocks to sparse raw", disk, store.snapshot_digest(disk), [
            Way("snapexport", "fetch: SHA-256 of blocks and disk", self.ours(f"lightsail/{LIGHTSAIL_TASK} --to out.raw")),
            Way("coldsnap", "download: SHA-256 of blocks",
                f"coldsnap --endpoint {self.url} download --no-progress {SNAPSHOT} out.raw"),
        ])

    def peak(self):
        """Memory, small and large."""
        sizes = (SMALL, self.args.size)
        for make, works in [
            (store.packed, [("OOS, .gz kept", f"{OUTSCALE_TASK} --to out.gz"),
                            ("OOS, unpacked", f"{OUTSCALE_TASK} --to out.raw")]),
            (store.flat, [("Cloud Files, segmented", f"rackspace/{RACKSPACE_TASK} --to out.vhd"),
                          ("EBS blocks", f"lightsail/{LIGHTSAIL_TASK} --to out.raw")]),
        ]:
            found = {work: [] for work, _ in works}
            for size in sizes:
                self.serve(make, size)
                for work, options in works:
                    runs = [self.run(Way("snapexport", "fetch", self.ours(options))) for _ in range(self.args.rounds)]
                    found[work].append(f"{max(run.memory for run in runs):.0f} MiB")
            for work, cells in found.items():
                self.row("memory at most | " + " | ".join(f":{size / MIB:.0f} MiB" for size in sizes), work, *cells)

    def resume(self):
        """Killed in the middle, and run again."""
        disk = self.serve(store.packed, self.args.size, self.args.rate or 64)
        folder = tempfile.mkdtemp(prefix="fetch-", dir=self.args.to)
        command = f"exec {self.ours(f'{OUTSCALE_TASK} --no-inflate --to out.gz')}"
        try:
            self.store.served = 0
            process = self.start(command, folder)
            while self.store.served < disk.size // 2 and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
            process.wait()
            # What the server has under way is sent to nobody.
            time.sleep(0.5)
            first, self.store.served = self.store.served, 0
            journal = Path(folder, "out.gz.partial.parts").read_text().splitlines()
            part = json.loads(journal[0])["part"]
            numbers = {json.loads(line)["number"] for line in journal[1:]}
            noted = sum(min(part, disk.size - number * part) for number in numbers)
            again = self.start(command, folder)
            if again.wait() or digest_of(files(folder)) != disk.digest:
                sys.exit(f"the resumed fetch failed\n{Path(folder, 'err').read_text()}")
            cells = [first, noted, disk.size - noted, self.store.served]
            self.row("kill -9 in the middle, run again | :sent before | :journalled | :left | :sent then", "OOS, .gz kept",
                     *(f"{cell / MIB:.1f} MiB" for cell in cells))
        finally:
            shutil.rmtree(folder)


class Water(threading.Thread):
    """The high-water mark of a process, which the system forgets with it: ru_maxrss would count the one that started it."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.highest = pid, 0
        self.start()

    def run(self):
        try:
            while True:
                name, *lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
                if name.split()[1] == BIN.name[:15]:
                    self.highest = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
                time.sleep(0.01)
        except (OSError, StopIteration):
            return

    def mark(self):
        self.join(1)
        return self.highest / 1024


def files(folder):
    """What was fetched: one file, or parts in order."""
    made = [file for kind in ("out.gz", "out.raw", "out.vhd", "part.*") for file in Path(folder).glob(kind)]
    return sorted(made)


def digest_of(paths):
    whole = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            while data := file.read(4 * MIB):
                whole.update(data)
    return whole.hexdigest()


ROWS = {"kept": Bench.kept, "link": Bench.link, "unpacked": Bench.unpacked, "swift": Bench.swift,
        "swift-link": Bench.swift_link, "ebs": Bench.ebs, "memory": Bench.peak, "resume": Bench.resume}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}; all without it")
    parser.add_argument("--size", type=float, default=4, help="GiB that are fetched (4)")
    parser.add_argument("--rate", type=float, default=64, help="MiB/s of each connection of a link (64)")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many is shown (3)")
    parser.add_argument("--to", default="/dev/shm", help="below which folder files are written (/dev/shm)")
    args = parser.parse_args()
    unknown = [name for name in args.rows if name not in ROWS]
    if unknown:
        parser.error(f"there is no row {unknown[0]}")
    if not BIN.exists():
        parser.error(f"there is no {BIN}: SNAPEXPORT_BIN names the binary")
    args.size = int(args.size * 1024 * MIB)
    free = min(shutil.disk_usage(place).free for place in ("/dev/shm", args.to))
    if free < 4 * args.size:
        parser.error(f"{free // MIB} MiB are free in /dev/shm or {args.to}, and {4 * args.size // MIB} may be needed: --size")
    memory = tempfile.mkdtemp(prefix="snapexport-", dir="/dev/shm")
    try:
        bench = Bench(args, memory)
        print(f"{args.size / MIB:.0f} MiB over the wire, {os.cpu_count()} cores, the best of {args.rounds}.")
        for name in args.rows or ROWS:
            ROWS[name](bench)
    finally:
        shutil.rmtree(memory)


if __name__ == "__main__":
    main()
