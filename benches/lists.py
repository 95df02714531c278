"""A cloud that lists a hundred thousand exports, or never stops: what `snapexport status --remote` takes for it."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

TASKS = 100_000
MEMORY_KIB = 256 * 1024
PAGES = {"outscale": 1000, "lightsail": 200, "rackspace": 100}


def uuid(number):
    return f"{number:08x}-1d9f-4b0d-9c1b-3f8a5e6d7c21"


def outscale(number):
    export = {"DiskImageFormat": "qcow2", "OsuBucket": "backups", "OsuPrefix": "web/"}
    return {"TaskId": f"snap-export-{number:08x}", "SnapshotId": f"snap-{number:08x}", "State": "completed", "Progress": 100,
            "Comment": "", "Tags": [], "OsuExport": export}


def operation(number):
    place = {"availabilityZone": "all", "regionName": "eu-west-3"}
    return {"id": uuid(number), "resourceName": f"web-{number}", "resourceType": "InstanceSnapshot", "createdAt": 1.76e9 + number,
            "location": place, "isTerminal": True, "operationType": "ExportSnapshot", "status": "Succeeded",
            "statusChangedAt": 1.76e9 + number + 100}


def record(number):
    arn = "arn:aws:lightsail:eu-west-3:111122223333"
    disk = {"name": "root", "path": "/dev/xvda", "sizeInGb": 20, "isSystemDisk": True}
    info = {"fromBundleId": "nano_3_0", "fromBlueprintId": "debian_12", "fromDiskInfo": [disk]}
    source = {"resourceType": "InstanceSnapshot", "createdAt": 1.75e9, "name": f"web-{number}",
              "arn": f"{arn}:InstanceSnapshot/{uuid(number)}", "fromResourceName": "web",
              "fromResourceArn": f"{arn}:Instance/{uuid(number)}", "instanceSnapshotInfo": info}
    return {"name": f"ExportSnapshotRecord-{uuid(number)}", "arn": f"{arn}:ExportSnapshotRecord/{uuid(number)}",
            "createdAt": 1.76e9 + number + 1, "location": {"availabilityZone": "all", "regionName": "eu-west-3"},
            "resourceType": "ExportSnapshotRecord", "state": "Succeeded", "sourceInfo": source,
            "destinationInfo": {"id": f"ami-{number:017x}", "service": "Aws::EC2::Image"}}


def rackspace(number):
    return {"id": uuid(number), "type": "export", "status": "success", "owner": "123456", "created_at": "2026-01-15T12:00:00Z",
            "updated_at": "2026-01-15T13:00:00Z", "expires_at": "2026-01-17T13:00:00Z", "self": f"/v2/tasks/{uuid(number)}",
            "schema": "/v2/schemas/task"}


def page(target, path, query, body, is_endless):
    """The reply to one request."""

    def part(token, size, thing):
        end = token + size if is_endless else min(token + size, TASKS)
        return [thing(number) for number in range(token, end)], end if is_endless or end < TASKS else None

    if "ReadSnapshotExportTasks" in path:
        items, after = part(int(body.get("NextPageToken", 0)), PAGES["outscale"], outscale)
        token = {} if after is None else {"NextPageToken": str(after)}
        return {"ResponseContext": {"RequestId": "bench"}, "SnapshotExportTasks": items, **token}
    if call := re.search(r"GetOperations|GetExportSnapshotRecords", target):
        member, thing = {"GetOperations": ("operations", operation)}.get(call[0], ("exportSnapshotRecords", record))
        items, after = part(int(body.get("pageToken", 0)), PAGES["lightsail"], thing)
        return {member: items, **({} if after is None else {"nextPageToken": str(after)})}
    if path.endswith("/tasks"):
        marker = query.get("marker")
        items, after = part(int(marker[0][:8], 16) + 1 if marker else 0, PAGES["rackspace"], rackspace)
        return {"tasks": items, **({} if after is None else {"next": f"/v2/tasks?marker={uuid(after - 1)}"})}
    return None


class Lists:
    """The server, on loopback."""

    def __init__(self, is_endless):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                sent = self.rfile.read(int(self.headers.get("content-length", 0)))
                url = urlparse(self.path)
                target = self.headers.get("x-amz-target", "")
                found = page(target, url.path, parse_qs(url.query), json.loads(sent or b"{}"), is_endless)
                text = json.dumps(found or {}, separators=(",", ":")).encode()
                self.send_response(200 if found else 404)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def variables(self):
        return {
            "OSC_ACCESS_KEY": "AKEXAMPLE0000000000A", "OSC_SECRET_KEY": "S" * 40, "OSC_ENDPOINT_API": f"{self.url}/api/v1",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "S" * 40, "AWS_REGION": "eu-west-3",
            "AWS_ENDPOINT_URL": self.url, "AUTH_TOKEN": "0123456789abcdef", "API_ENDPOINT": f"{self.url}/v2", "RAX_REGION": "DFW",
        }


def measure(bench, table, mebibytes):
    """A row for each cloud, of a list that is long, and of one that has no end."""
    for is_endless, what in ((False, f"a list of {TASKS:,} tasks"), (True, "a list without end")):
        lists = Lists(is_endless)
        own = ("PATH", "HOME", "LC_ALL", "SNAPEXPORT_STATE_DIR", "SNAPEXPORT_CACHE_DIR", "SNAPEXPORT_CONFIG_DIR")
        env = {name: bench.env[name] for name in own} | lists.variables()
        for cloud in PAGES:
            command = [bench.binary, "status", "--remote", "--provider", cloud, "-o", "json", "--no-journal", "--timeout", "5m"]
            run = bench.run(command, env=env)
            lines = len(run.out.splitlines())
            misses = ["memory"] if run.memory >= MEMORY_KIB else []
            if (run.code, lines) != ((1, 0) if is_endless else (0, TASKS)):
                misses.append(f"exit code {run.code} and {lines} tasks")
            table.add(f"{what}, {cloud}", "snapexport status --remote", "", f"{run.wall:.1f} s", f"{run.cpu:.1f} s",
                      mebibytes(run.memory), table.judge(what, misses))
        lists.server.shutdown()


def measure_ids(bench, table, mebibytes):
    """A look at ids from standard input, ten thousand and a hundred thousand: what is not linear shows."""
    walls = []
    for count in (10_000, 100_000):
        ids = bench.room / "many-ids"
        ids.write_text("".join(f"snap-export-{number:08x}\n" for number in range(count)))
        run = bench.run([bench.binary, "wait", "-", "--timeout", "0", "-q"], stdin=ids)
        walls.append(run.wall)
        misses = [] if run.code == 5 else [f"exit code {run.code}"]
        misses += ["linear"] if walls[-1] > 20 * walls[0] else []
        what = f"{count:,} ids that nobody knows"
        table.add(what, "snapexport wait - --timeout 0", "", f"{run.wall:.1f} s", f"{run.cpu:.1f} s", mebibytes(run.memory),
                  table.judge(what, misses))
