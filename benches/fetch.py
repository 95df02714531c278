#!/usr/bin/env python3
"""Measures `snapexport fetch` of an object of OUTSCALE beside other ways to get it home, all against one server here.

benches/fetch.py [--size GIB] [--rate MIB]: SNAPEXPORT_BIN names the binary. Linux only. The server answers from memory
(/dev/shm) with sendfile; --rate limits each of its connections. The files are written below the current directory.
"""

import argparse
import json
import os
import resource
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

BIN = os.environ.get("SNAPEXPORT_BIN", "target/dist/snapexport")
TASK = "snap-export-0a1b2c3d"
KEY = "snap-0a1b2c3d-0a1b2c3d.raw.gz"
MIB = 1 << 20


class Store(socketserver.StreamRequestHandler):
    """The few calls that a fetch makes, and what S3's other clients ask for."""

    disable_nagle_algorithm = True

    def handle(self):
        while True:
            line = self.rfile.readline().decode("latin-1")
            if not line.strip():
                return
            headers = {}
            while (text := self.rfile.readline().decode("latin-1").strip()):
                name, value = text.split(":", 1)
                headers[name.lower()] = value.strip()
            self.rfile.read(int(headers.get("content-length", 0)))
            method, target, _ = line.split(" ", 2)
            self.answer(method, target, headers)

    def say(self, status, headers, body=b""):
        head = f"HTTP/1.1 {status} x\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.wfile.write(head.encode() + b"\r\n" + body)
        self.wfile.flush()

    def text(self, kind, body):
        self.say(200, {"content-type": kind, "content-length": len(body)}, body.encode())

    def answer(self, method, target, headers):
        size, etag = self.server.size, self.server.etag
        if method == "POST":
            task = {"TaskId": TASK, "SnapshotId": "snap-0a1b2c3d", "State": "completed", "Progress": 100,
                    "OsuExport": {"OsuBucket": "demo", "DiskImageFormat": "raw"}}
            self.text("application/json", json.dumps({
                "ResponseContext": {"RequestId": "r"}, "Accounts": [{"AccountId": "123456789012"}],
                "SnapshotExportTasks": [task]}))
        elif KEY not in target or "list-type" in target:
            self.text("application/xml", f"<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>{KEY}</Key>"
                      f"<Size>{size}</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                      f"<ETag>{etag}</ETag></Contents></ListBucketResult>")
        else:
            span = headers.get("range", "")
            first, last = 0, size - 1
            if span:
                start, end = span.removeprefix("bytes=").split("-")
                first, last = int(start), min(int(end or last), last)
            say = {"content-length": last - first + 1, "etag": etag, "accept-ranges": "bytes",
                   "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT"}
            if span:
                say["content-range"] = f"bytes {first}-{last}/{size}"
            self.say(206 if span else 200, say)
            if method == "GET":
                self.send(first, last + 1)

    def send(self, at, end):
        rate = self.server.rate
        began, sent = time.monotonic(), 0
        while at < end:
            count = os.sendfile(self.connection.fileno(), self.server.file, at, min(end - at, MIB if rate else 8 * MIB))
            at, sent = at + count, sent + count
            if rate:
                time.sleep(max(0, sent / rate - (time.monotonic() - began)))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A client that leaves is none."""


def run(command, env, folder):
    """Wall and CPU seconds and MiB of a shell command, which must succeed."""
    script = f'exec 2>"{folder}/err"; {command}'
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run(["bash", "-c", script], env=env, cwd=folder, stdout=subprocess.DEVNULL)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{command}: exit code {done.returncode}\n{Path(folder, 'err').read_text()}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def peak(command, env, folder):
    """The same, with the high-water mark of the one process that does the work."""
    wall, cpu = run(command + " & pid=$!; while kill -0 $pid 2>/dev/null; do grep -h VmHWM /proc/$pid/status >>hwm; sleep 0.05; done; wait $pid", env, folder)
    lines = Path(folder, "hwm").read_text().split("\n")
    return wall, cpu, max(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=4, help="GiB of the object")
    parser.add_argument("--rate", type=float, default=0, help="MiB/s of each connection; 0 for no limit")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    binary = Path(BIN).resolve()
    store = Path(tempfile.mkdtemp(prefix="snapexport-", dir="/dev/shm"))
    try:
        measure(args, binary, store)
    finally:
        shutil.rmtree(store)


def measure(args, binary, store):
    # Half of the disk is noise, half is zeros, in turns of 16 MiB: packed it is as large as the noise.
    packed = store / KEY
    blocks = int(args.size * 1024) // 16
    with open(packed, "wb") as out:
        pack = subprocess.Popen(["gzip", "-1"], stdin=subprocess.PIPE, stdout=out)
        noise = os.urandom(16 * MIB)
        for number in range(blocks):
            turn = number * 4096 % len(noise)
            pack.stdin.write(noise[turn:] + noise[:turn] if number % 2 == 0 else bytes(16 * MIB))
        pack.stdin.close()
        if pack.wait():
            sys.exit("gzip failed")
    server = Server(("127.0.0.1", 0), Store)
    server.file = os.open(packed, os.O_RDONLY)
    server.size, server.etag, server.rate = packed.stat().st_size, '"0123456789abcdef0123456789abcdef-64"', args.rate * MIB
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    env = {"PATH": os.environ["PATH"], "HOME": str(store), "OSC_ACCESS_KEY": "AKSANDBOX0000OUTSCAL",
           "OSC_SECRET_KEY": "SKSANDBOX00000000000000000000000OUTSCALE", "OSC_ENDPOINT_API": url, "OSC_ENDPOINT_OOS": url,
           "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "SKEXAMPLE", "AWS_DEFAULT_REGION": "eu-west-2"}
    us = f"{binary} fetch {TASK} -q"
    ranges = 8
    part = -(-server.size // ranges)
    spans = " ".join(f"{first}-{min(first + part, server.size) - 1}" for first in range(0, server.size, part))
    curls = (f'for r in {spans}; do curl -sf -r $r -o part.${{r%-*}} {url}/demo/{KEY} & done; wait; '
             f'cat $(for r in {spans}; do echo part.${{r%-*}}; done) >out.gz')
    ways = [
        ("kept, verified with SHA-256 and gzip's CRC", "snapexport fetch", f"{us} --to out.gz"),
        ("kept, verified with SHA-256", "snapexport fetch --no-inflate", f"{us} --no-inflate --to out.gz"),
        ("kept", f"curl, {ranges} ranges and cat", curls),
        ("kept, verified with SHA-256", f"curl, {ranges} ranges and cat; sha256sum; sync", f"{curls}; sha256sum out.gz; sync out.gz"),
        ("kept, verified with SHA-256", "curl; sha256sum; sync", f"curl -sf -o out.gz {url}/demo/{KEY} && sha256sum out.gz && sync out.gz"),
        ("unpacked", "snapexport fetch --to out.raw", f"{us} --to out.raw"),
        ("unpacked", "curl | gzip -d", f"curl -sf {url}/demo/{KEY} | gzip -d >out.raw"),
        ("unpacked", "curl | pigz -d", f"curl -sf {url}/demo/{KEY} | pigz -d >out.raw"),
        ("kept, verified with SHA-256", "aws s3 cp; sha256sum", f"aws --endpoint-url {url} s3 cp s3://demo/{KEY} out.gz && sha256sum out.gz"),
        ("kept, verified with SHA-256", "s5cmd cp; sha256sum", f"s5cmd --endpoint-url {url} cp s3://demo/{KEY} out.gz && sha256sum out.gz"),
        ("kept, verified with SHA-256", "aria2c; sha256sum", f"aria2c -q -x16 -s16 -o out.gz {url}/demo/{KEY} && sha256sum out.gz"),
    ]
    limit = f", {args.rate:g} MiB/s a connection" if args.rate else ""
    print(f"{server.size / MIB:.0f} MiB packed, {blocks * 16} MiB unpacked{limit}; {os.cpu_count()} cores; best of {args.rounds}\n")
    print("| work | with | wall | packed MiB/s | CPU | memory, max |\n|---|---|--:|--:|--:|--:|")
    for work, name, command in ways:
        missing = [tool for tool in ("curl", "pigz", "aws", "s5cmd", "aria2c") if tool in name and not shutil.which(tool)]
        if missing:
            print(f"| {work} | {name} | {missing[0]} is missing |", flush=True)
            continue
        found = []
        for _ in range(args.rounds):
            folder = tempfile.mkdtemp(prefix="fetch-", dir=Path.cwd())
            try:
                if str(binary) in command:
                    found.append(peak(command, env, folder))
                else:
                    found.append((*run(command, env, folder), None))
            finally:
                shutil.rmtree(folder)
        wall, cpu, _ = min(found)
        memory = max((one[2] for one in found if one[2]), default=None)
        print(f"| {work} | {name} | {wall:.2f} s | {server.size / MIB / wall:.0f} | {cpu:.2f} s | {f'{memory:.0f} MiB' if memory else ''} |", flush=True)


if __name__ == "__main__":
    main()
