"""The store of `fetch.py`: the few calls that a fetch makes of each cloud, and what other clients of them ask for.

It answers from memory (files in /dev/shm) with sendfile, from a thread for each connection, and counts the bytes of disks it
sent. Signatures and tokens are not looked at.
"""

import base64
import hashlib
import json
import os
import re
import socket
import socketserver
import struct
import threading
import time
import zlib
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

MIB = 1 << 20
BLOCK = 512 << 10
SEGMENT = 128 * MIB
# Blocks of the EBS snapshot come in stretches of so many, of which every second one was written.
STRETCH = 32
PAGE = 10_000

OBJECT = "snap-0a1b2c3d-0a1b2c3d.raw.gz"
OUTSCALE_TASK = "snap-export-0a1b2c3d"
IMAGE = "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21.vhd"
RACKSPACE_TASK = "9532bfb5-49c7-4edd-9af5-88095a7a7831"
LIGHTSAIL_TASK = "538eeb2c-fc8a-475c-9d93-d7068a037161"
SNAPSHOT = "snap-1fe0ea6703f31fe15"
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"


class Disk:
    """A file in the store, what clients must make of it, and its size."""

    def __init__(self, path, digest):
        self.path, self.digest = path, digest
        self.file = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self.file).st_size

    def remove(self):
        os.close(self.file)
        self.path.unlink()


def packed(folder, size):
    """About `size` bytes of a gzip, of a disk like those in use: noise, words, small holes and one of 16 MiB in 64."""
    words = [os.urandom(8) for _ in range(256)]
    text = b"".join(words[number] for number in os.urandom(40 << 10))
    piece = os.urandom(640 << 10) + text + bytes(64 << 10)
    unit = b"".join(piece[turn:] + piece[:turn] for turn in range(0, 48 * 4096, 4096)) + bytes(16 * MIB)
    pack = zlib.compressobj(1, zlib.DEFLATED, -15)
    deflated = pack.compress(unit) + pack.flush(zlib.Z_FULL_FLUSH)
    times = max(1, round(size / len(deflated)))
    crc, unpacked = 0, hashlib.sha256()
    whole = hashlib.sha256()
    path = Path(folder, "packed")
    with open(path, "wb") as out:
        def put(data):
            out.write(data)
            whole.update(data)
        put(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
        for _ in range(times):
            crc = zlib.crc32(unit, crc)
            unpacked.update(unit)
            put(deflated)
        put(b"\x03\0" + struct.pack("<II", crc, len(unit) * times % (1 << 32)))
    disk = Disk(path, whole.hexdigest())
    disk.unpacked_size, disk.unpacked_digest = len(unit) * times, unpacked.hexdigest()
    return disk


def flat(folder, size):
    """A fixed VHD of noise, in segments with their MD5; and the same bytes as the blocks of an EBS snapshot."""
    size = size // BLOCK * BLOCK
    noise = os.urandom(16 * MIB)
    path = Path(folder, "flat")
    whole, sums, segments, segment = hashlib.sha256(), [], [], hashlib.md5()
    with open(path, "wb") as out:
        for number in range(size // BLOCK):
            turn = number * 4096 % (len(noise) - BLOCK)
            block = struct.pack("<Q", number) + noise[turn + 8:turn + BLOCK]
            out.write(block)
            whole.update(block)
            sums.append(base64.b64encode(hashlib.sha256(block).digest()).decode())
            segment.update(block)
            if (number + 1) * BLOCK % SEGMENT == 0:
                segments.append((SEGMENT, segment.hexdigest()))
                segment = hashlib.md5()
        tail = footer(size)
        out.write(tail)
        whole.update(tail)
        segment.update(tail)
        segments.append((size % SEGMENT + len(tail), segment.hexdigest()))
    disk = Disk(path, whole.hexdigest())
    disk.sums, disk.segments = sums, segments
    disk.gib = -(-2 * size // (1 << 30))
    return disk


def footer(size):
    """The last sector of a fixed VHD."""
    fields = struct.pack(">8sIIQI4sI4sQQHBBI", b"conectix", 2, 0x10000, (1 << 64) - 1, 0, b"tap\0", 0x10003, b"\0\0\0\0",
                         size, size, 65535, 16, 255, 2)
    rest = bytes(16) + bytes(1)
    checksum = ~sum(fields + rest) & 0xFFFFFFFF
    return (fields + struct.pack(">I", checksum) + rest).ljust(512, b"\0")


def snapshot_digest(disk):
    """SHA-256 of the volume behind the snapshot."""
    whole, hole = hashlib.sha256(), bytes(STRETCH * BLOCK)
    at, end = 0, len(disk.sums) * BLOCK
    while at < end:
        data = os.pread(disk.file, min(STRETCH * BLOCK, end - at), at)
        whole.update(data + hole)
        at += len(data)
    left = disk.gib << 30
    left -= end + (-(-len(disk.sums) // STRETCH)) * len(hole)
    while left > 0:
        whole.update(hole[:left])
        left -= len(hole)
    return whole.hexdigest()


def index_of(number):
    """Which block of the volume the written block of this number is."""
    return number // STRETCH * 2 * STRETCH + number % STRETCH


class Connection(socketserver.BaseRequestHandler):
    """Requests of one connection, one after the other."""

    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        held = b""
        while True:
            while (end := held.find(b"\r\n\r\n")) < 0:
                got = self.request.recv(1 << 16)
                if not got:
                    return
                held += got
            head, held = held[:end].decode("latin-1"), held[end + 4:]
            first, *lines = head.split("\r\n")
            self.method, target, _ = first.split(" ", 2)
            self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            length = int(self.headers.get("content-length", 0))
            while len(held) < length:
                held += self.request.recv(1 << 16)
            body, held = held[:length], held[length:]
            url = urlsplit(target)
            query = {name: values[-1] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
            self.answer(unquote(url.path), query, body)

    def answer(self, path, query, body):
        if path.startswith("/snapshots/"):
            self.ebs(path.split("/"), query)
        elif path.startswith("/v1/"):
            self.files(path.split("/", 4)[4:], query)
        elif path == "/v2.0/tokens":
            self.json(self.login())
        elif path.startswith("/v2/tasks/"):
            self.json({"id": RACKSPACE_TASK, "type": "export", "status": "success", "message": "None",
                       "input": {"image_uuid": IMAGE[:-4], "receiving_swift_container": "demo"},
                       "result": {"export_location": f"demo/{IMAGE}"}, "owner": "981977",
                       "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:01:00Z"})
        elif self.method == "POST" and "x-amz-target" in self.headers:
            self.json(self.lightsail(), "application/x-amz-json-1.1")
        elif self.method == "POST" and b"Action=DescribeSnapshots" in body:
            item = f"<snapshotId>{SNAPSHOT}</snapshotId><status>completed</status><progress>100%</progress>"
            self.text("text/xml", "<DescribeSnapshotsResponse><requestId>r</requestId><snapshotSet><item>"
                      f"{item}</item></snapshotSet></DescribeSnapshotsResponse>")
        elif self.method == "POST":
            task = {"TaskId": OUTSCALE_TASK, "SnapshotId": OBJECT[:13], "State": "completed", "Progress": 100,
                    "OsuExport": {"OsuBucket": "demo", "DiskImageFormat": "raw"}}
            self.json({"ResponseContext": {"RequestId": "r"}, "Accounts": [{"AccountId": "123456789012"}],
                       "SnapshotExportTasks": [task]})
        elif path == f"/demo/{OBJECT}":
            # Of an upload in parts whose size nobody can guess: nobody verifies it.
            self.disk(self.server.disk, '"0123456789abcdef0123456789abcdef-9999"')
        else:
            self.text("application/xml", f"<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>{OBJECT}"
                      f"</Key><Size>{self.server.disk.size}</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                      '<ETag>"0123456789abcdef0123456789abcdef-9999"</ETag></Contents></ListBucketResult>')

    # Rackspace.

    def login(self):
        here = f"http://{self.headers['host']}"
        service = lambda name, kind, url: {"name": name, "type": kind, "endpoints": [{"region": "DFW", "publicURL": url}]}
        return {"access": {
            "token": {"id": "0" * 32, "expires": "2040-01-01T00:00:00.000Z", "tenant": {"id": "981977", "name": "981977"}},
            "serviceCatalog": [service("cloudImages", "image", f"{here}/v2"),
                               service("cloudFiles", "object-store", f"{here}/v1/account")],
            "user": {"id": "1", "name": "bench", "RAX-AUTH:defaultRegion": "DFW", "roles": []}}}

    def files(self, rest, query):
        disk = self.server.disk
        rest = rest[0] if rest else ""
        if rest == IMAGE:
            etag = hashlib.md5("".join(md5 for _, md5 in disk.segments).encode()).hexdigest()
            return self.disk(disk, f'"{etag}"', {"x-object-manifest": f"demo/{IMAGE}-", "x-timestamp": "1767225600.00000"})
        if rest.startswith(f"{IMAGE}-"):
            number = int(rest[-5:]) - 1
            return self.disk(disk, disk.segments[number][1], {}, number * SEGMENT, disk.segments[number][0])
        names = [(f"{IMAGE}-{number:05}", size, md5) for number, (size, md5) in enumerate(disk.segments, 1)]
        names = [(IMAGE, 0, "d41d8cd98f00b204e9800998ecf8427e"), *names]
        prefix, marker = query.get("prefix", ""), query.get("marker", "")
        self.json([{"name": name, "bytes": size, "hash": md5, "content_type": "application/octet-stream",
                    "last_modified": "2026-01-01T00:00:00.000000"}
                   for name, size, md5 in names if name.startswith(prefix) and name > marker])

    # Lightsail.

    def lightsail(self):
        place = {"availabilityZone": "all", "regionName": "eu-west-3"}
        record = "ExportSnapshotRecord-9572783b-7183-421e-9b64-3359151b5ff6"
        if self.headers["x-amz-target"].endswith(".GetOperation"):
            return {"operation": {
                "id": LIGHTSAIL_TASK, "resourceName": record, "resourceType": "ExportSnapshotRecord", "createdAt": 1767225600,
                "location": place, "isTerminal": True, "operationDetails": "data-1", "operationType": "ExportSnapshot",
                "status": "Succeeded", "statusChangedAt": 1767225660}}
        return {"exportSnapshotRecords": [{
            "name": record, "createdAt": 1767225600, "location": place, "resourceType": "ExportSnapshotRecord",
            "state": "Succeeded", "destinationInfo": {"id": SNAPSHOT, "service": "Aws::EC2::Snapshot"},
            "sourceInfo": {"resourceType": "DiskSnapshot", "name": "data-1", "diskSnapshotInfo": {"sizeInGb": self.server.disk.gib}}}]}

    def ebs(self, path, query):
        disk = self.server.disk
        if len(path) > 4:
            index = int(path[4])
            number = index // (2 * STRETCH) * STRETCH + index % STRETCH
            self.head(200, {"content-length": BLOCK, "x-amz-data-length": BLOCK, "x-amz-checksum": disk.sums[number],
                            "x-amz-checksum-algorithm": "SHA256", "content-type": "application/octet-stream"})
            return self.send(disk, number * BLOCK, (number + 1) * BLOCK)
        first = int(query.get("pageToken") or query.get("startingBlockIndex") or 0)
        numbers = (number for number in range(first // 2 // STRETCH * STRETCH, len(disk.sums)) if index_of(number) >= first)
        listed = [index_of(number) for number, _ in zip(numbers, range(PAGE + 1))]
        page = {"Blocks": [{"BlockIndex": index, "BlockToken": f"token{index}"} for index in listed[:PAGE]],
                "BlockSize": BLOCK, "VolumeSize": disk.gib, "ExpiryTime": 2e9}
        if len(listed) > PAGE:
            page["NextToken"] = str(listed[PAGE])
        self.json(page)

    # Whatever cloud it is.

    def head(self, status, headers):
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.request.sendall(f"HTTP/1.1 {status} x\r\n{lines}\r\n".encode())

    def text(self, kind, text):
        body = text.encode()
        self.head(200, {"content-type": kind, "content-length": len(body)})
        if self.method != "HEAD":
            self.request.sendall(body)

    def json(self, value, kind="application/json"):
        self.text(kind, json.dumps(value))

    def disk(self, disk, etag, headers=(), start=0, size=None):
        """A disk, a stretch of it, or what is asked for of that."""
        size = disk.size if size is None else size
        first, last = 0, size - 1
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        if span:
            first, last = int(span[1]), min(int(span[2] or last), last)
        say = {"content-length": last - first + 1, "content-type": "application/octet-stream", "etag": etag,
               "accept-ranges": "bytes", "last-modified": DATE, **dict(headers)}
        if span:
            say["content-range"] = f"bytes {first}-{last}/{size}"
        self.head(206 if span else 200, say)
        if self.method != "HEAD":
            self.send(disk, start + first, start + last + 1)

    def send(self, disk, at, end):
        rate, began, sent = self.server.rate, time.monotonic(), 0
        while at < end:
            count = os.sendfile(self.request.fileno(), disk.file, at, min(end - at, MIB if rate else 8 * MIB))
            at, sent = at + count, sent + count
            self.server.sent(count)
            if rate:
                time.sleep(max(0, sent / rate - (time.monotonic() - began)))


class Store(socketserver.ThreadingTCPServer):
    """Serves one disk at a time; `rate` limits each connection, in bytes a second."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Connection)
        self.disk, self.rate, self.served, self.lock = None, 0, 0, threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def sent(self, count):
        with self.lock:
            self.served += count

    def handle_error(self, request, client_address):
        """A client that leaves is none."""
