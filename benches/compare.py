#!/usr/bin/env python3
"""Measures snapexport beside curl making the same requests to the sandbox, and prints one Markdown table.

Linux only: it asks for the resident memory of each process. Start it with benches/run; README.md says how to read it.
"""

import argparse
import ctypes
import fcntl
import json
import os
import re
import shlex
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import lists

ROUNDS = 40
WARM_UPS = 3
OTHER_ROUNDS = 3
MANY = 1000
INTERVAL = 1.0

WAIT_MEMORY_KIB = 40 * 1024
BINARY_BYTES = 12_000_000
JOURNALED = 10_000
COMPLETION_SECONDS = 0.050

# What the sandbox must say before anything can be asked of it.
VARIABLES = {
    "OSC_ACCESS_KEY", "OSC_SECRET_KEY", "OSC_REGION", "OSC_ENDPOINT_API",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL_LIGHTSAIL",
    "OS_AUTH_URL", "RAX_USERNAME", "RAX_API_KEY", "RAX_REGION",
}
STARTS = {
    "outscale": ["snap-0a1b2c3d", "--bucket", "demo"],
    "lightsail": ["web-1"],
    "rackspace": ["7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21", "--container", "exports"],
}
# Headers that curl makes itself, or that the API does not need.
OWN_HEADERS = re.compile(r"authorization|content-length|x-amz-date|x-amz-user-agent|user-agent|amz-sdk-.*|x-auth-token")

# A process keeps its memory's high-water mark across exec, so one started from here would count as Python's size.
# This shell is smaller than all that is measured. It starts the command, which waits for a word on 4, tells its
# process id on 5 and ends; the command then becomes our child, to be waited for alone.
LAUNCHER = '(read -r _ <&4; exec "$@" <&3 3<&- 4<&- 5<&-) 5>&- & echo $! >&5'
PR_SET_CHILD_SUBREAPER = 36


class Trouble(Exception):
    """What makes a measurement worthless."""


@dataclass
class Run:
    """One process: seconds, seconds, KiB, and what it said."""

    wall: float
    cpu: float
    memory: int
    code: int
    out: str
    err: list  # (seconds since the start, line)

    def err_text(self):
        return "\n".join(line for _, line in self.err)


@dataclass
class Series:
    """The runs of one command."""

    name: str
    requests: str
    runs: list = field(default_factory=list)

    def wall(self):
        return statistics.median(run.wall for run in self.runs)

    def cpu(self):
        return statistics.median(run.cpu for run in self.runs)

    def memory(self):
        return max(run.memory for run in self.runs)


@dataclass
class Request:
    """A request as snapexport traced it."""

    method: str
    url: str
    headers: list = field(default_factory=list)
    body: str = ""


class Bench:
    """The binary, a home of its own, and the sandbox."""

    def __init__(self, binary, room):
        self.binary, self.room = binary, room
        self.env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(room / "home"), "LC_ALL": "C.UTF-8"}
        (room / "home").mkdir()
        for part in ("state", "cache", "config"):
            self.env[f"SNAPEXPORT_{part.upper()}_DIR"] = str(room / part)
        self.sandbox = subprocess.Popen(
            [binary, "sandbox", "--duration", "1h"], env=self.env, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )
        found = {}
        while not VARIABLES <= found.keys():
            line = self.sandbox.stdout.readline()
            if not line:
                raise Trouble(f"the sandbox did not name {', '.join(sorted(VARIABLES - found.keys()))}")
            if line.startswith("export "):
                name, _, value = shlex.split(line)[1].partition("=")
                found[name] = value
        self.env.update(found)

    def close(self):
        self.sandbox.terminate()
        self.sandbox.wait()

    def run(self, command, stdin=os.devnull, env=None):
        """Runs a command to its end and measures it."""
        (go, say_go), (pid_end, tell_pid), (err, err_in) = (map(high, os.pipe()) for _ in range(3))
        source = high(os.open(stdin, os.O_RDONLY))
        with os.fdopen(high(os.open(self.room / "out", os.O_RDWR | os.O_CREAT | os.O_TRUNC)), "w+b") as out:
            places = {source: 3, go: 4, tell_pid: 5, err_in: 2, out.fileno(): 1}
            shell = os.posix_spawn(
                "/bin/sh", ["sh", "-c", LAUNCHER, "sh", *command], env or self.env,
                file_actions=[(os.POSIX_SPAWN_DUP2, fd, place) for fd, place in places.items()],
            )
            for fd in (source, go, tell_pid, err_in):
                os.close(fd)
            with open(pid_end) as line:
                pid = int(line.readline())
            os.waitpid(shell, 0)
            started = time.perf_counter()
            os.write(say_go, b"\n")
            os.close(say_go)
            with open(err, errors="replace") as lines:
                said = [(time.perf_counter() - started, line.rstrip("\n")) for line in lines]
            _, status, usage = os.wait4(pid, 0)
            wall = time.perf_counter() - started
            out.seek(0)
            text = out.read().decode(errors="replace")
        return Run(
            wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, os.waitstatus_to_exitcode(status), text, said
        )

    def checked(self, command, **options):
        """Runs a command that must succeed."""
        run = self.run(command, **options)
        if run.code != 0:
            words = run.err_text().splitlines() or ["nothing on standard error"]
            raise Trouble(f"{Path(command[0]).name} ended with {run.code}: {words[-1]}")
        return run

    def start(self, cloud):
        """Starts the cloud's sample export and gives its id."""
        return self.checked([self.binary, "export", cloud, *STARTS[cloud]]).out.strip()

    def token(self):
        """The Rackspace token that snapexport keeps."""
        (path,) = (self.room / "cache").glob("rackspace-*.json")
        return json.loads(path.read_text())["token"]

    def status(self, cloud, task):
        return [self.binary, "status", f"{cloud}/{task}", "-o", "json"]

    def requests(self, cloud, task):
        """The requests of one status, from its own trace."""
        found = []
        for line in self.checked([*self.status(cloud, task), "-vvv"]).err_text().splitlines():
            if sent := re.fullmatch(r"· [^:]+: (GET|POST) (\S+)", line):
                found.append(Request(*sent.groups()))
            elif body := re.fullmatch(r"· > (\{.*)", line):
                found[-1].body = body[1]
            elif header := re.fullmatch(r"· > ([\w-]+): (.*)", line):
                if not OWN_HEADERS.fullmatch(header[1]):
                    found[-1].headers.append(f"{header[1]}: {header[2]}")
        if not found:
            raise Trouble(f"the trace of snapexport status shows no request to {cloud}")
        return found

    def curl(self, cloud, requests):
        """One curl process that makes these requests, and writes each one's HTTP status and a newline."""
        env = self.env
        identity = {
            "outscale": ["--aws-sigv4", f"aws:amz:{env['OSC_REGION']}:api",
                         "--user", f"{env['OSC_ACCESS_KEY']}:{env['OSC_SECRET_KEY']}"],
            "lightsail": ["--aws-sigv4", f"aws:amz:{env['AWS_REGION']}:lightsail",
                          "--user", f"{env['AWS_ACCESS_KEY_ID']}:{env['AWS_SECRET_ACCESS_KEY']}"],
            "rackspace": ["-H", f"x-auth-token: {self.token()}"] if cloud == "rackspace" else [],
        }[cloud]
        command = ["curl", "-q"]
        for index, request in enumerate(requests):
            command += ["--next"] if index else []
            command += ["-sS", "-w", r"\n%{http_code}\n", *identity]
            for header in request.headers:
                command += ["-H", header]
            if request.method == "POST":
                command += ["--data-raw", request.body]
            command.append(request.url)
        return command

    def curl_checked(self, command, count):
        """Runs curl; every request must have got HTTP 200. Gives the run and the bodies."""
        run = self.checked(command)
        lines = run.out.splitlines()
        if lines[1::2] != ["200"] * count:
            raise Trouble(f"curl got other answers than HTTP 200: {run.out[:300]}")
        return run, lines[0::2]


def high(fd):
    """The descriptor moved out of the way of those that the shell uses."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(fd)
    return moved


def compare_starts(bench):
    """What it costs to start either program and do nothing; no target, but it says where curl's time goes."""
    ours, theirs = Series("snapexport --version", ""), Series("curl --version", "")
    for index in range(WARM_UPS + ROUNDS):
        for series, program in ((ours, bench.binary), (theirs, "curl")):
            run = bench.checked([program, "--version"])
            if index >= WARM_UPS:
                series.runs.append(run)
    return ours, theirs


def compare(bench, cloud, task):
    """snapexport and curl by turns. Both must see the task, every time."""
    requests = bench.requests(cloud, task)
    count = len(requests)
    status, curl = bench.status(cloud, task), bench.curl(cloud, requests)
    ours, theirs = Series("snapexport status", str(count)), Series("curl", str(count))
    for index in range(WARM_UPS + ROUNDS):
        ours_run = bench.checked(status)
        seen = json.loads(ours_run.out)
        if seen["task_id"] != task or seen["state"] not in ("pending", "running"):
            raise Trouble(f"snapexport status shows {seen['task_id']} as {seen['state']}")
        theirs_run, bodies = bench.curl_checked(curl, count)
        if task not in bodies[0]:
            raise Trouble(f"curl's answer does not concern {task}")
        if index >= WARM_UPS:
            ours.runs.append(ours_run)
            theirs.runs.append(theirs_run)
    if len(bench.requests(cloud, task)) != count:
        raise Trouble(f"snapexport makes another number of requests to {cloud} than when the rounds began")
    return ours, theirs


def other_tool(bench, cloud, task):
    """The tool that a user of the cloud has: its name, its command, its environment."""
    env = dict(bench.env, HOME=str(bench.room / "tools"))
    if cloud == "lightsail":
        return "aws", ["lightsail", "get-operation", "--operation-id", task,
                       "--endpoint-url", env["AWS_ENDPOINT_URL_LIGHTSAIL"]], env
    if cloud == "rackspace":
        images = env["OS_AUTH_URL"].removesuffix(".0")
        return "glance", ["--os-auth-token", bench.token(), "--os-image-url", images, "task-show", task], env
    profile = {
        "access_key": env["OSC_ACCESS_KEY"], "secret_key": env["OSC_SECRET_KEY"],
        "region_name": env["OSC_REGION"], "endpoint": env["OSC_ENDPOINT_API"].removesuffix("/api/v1"),
    }
    config = bench.room / "tools/.osc/config.json"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps({"default": profile}))
    return "osc-cli", ["api", "ReadSnapshotExportTasks", "--Filters", json.dumps({"TaskIds": [task]})], env


def measure_other(bench, cloud, task):
    """A few rounds of that tool, or why there are none."""
    name, arguments, env = other_tool(bench, cloud, task)
    program = shutil.which(name, path=os.environ.get("TOOLS_BIN"))
    if not program:
        return None, f"{name}: skipped, it is not installed (TOOLS_BIN names the directory to look in)"
    series = Series(f"{name} {next(word for word in arguments if word.count('-') == 1 or word[0].isupper())}", "")
    try:
        for index in range(1 + OTHER_ROUNDS):
            run = bench.checked([program, *arguments], env=env)
            if task not in run.out:
                return None, f"{name}: skipped, its answer does not concern {task}"
            if index:
                series.runs.append(run)
    except Trouble as trouble:
        return None, f"{name}: skipped, {trouble}"
    return series, None


def start_many(bench):
    """Starts a thousand exports with one curl, and gives their ids."""
    body = json.dumps({"SnapshotId": "snap-0a1b2c3d", "OsuExport": {"OsuBucket": "demo", "DiskImageFormat": "qcow2"}})
    url = f"{bench.env['OSC_ENDPOINT_API']}/CreateSnapshotExportTask"
    request = Request("POST", url, ["content-type: application/json"], body)
    ids = []
    for _ in range(10):
        count = MANY // 10
        _, bodies = bench.curl_checked(bench.curl("outscale", [request] * count), count)
        ids += [json.loads(text)["SnapshotExportTask"]["TaskId"] for text in bodies]
    if len(set(ids)) != MANY:
        raise Trouble(f"{len(set(ids))} exports were started instead of {MANY}")
    return ids


def wait_for_many(bench):
    """One wait for a thousand tasks: the run, its requests, and its looks, told apart by the pauses between them."""
    ids = bench.room / "ids"
    ids.write_text("\n".join(start_many(bench)) + "\n")
    command = [bench.binary, "wait", "-", "--timeout", "5s", "--interval", f"{INTERVAL:g}s", "--no-journal", "-v", "-q"]
    run = bench.run(command, stdin=ids)
    if run.code != 124:
        raise Trouble(f"the wait ended with {run.code} instead of 124: {run.err_text()[-300:]}")
    asked = [at for at, line in run.err if re.match(r"· ReadSnapshotExportTasks: POST ", line)]
    looks, last = 0, float("-inf")
    for at in asked:
        if at - last > INTERVAL / 2:
            looks, last = looks + 1, at
    if looks < 5:
        raise Trouble(f"the wait looked {looks} times in 5 s")
    return run, len(asked), looks


def complete_many(bench, task):
    """Completes a task id as bash asks for it, with a journal of ten thousand tasks; most have ended."""
    with sqlite3.connect(bench.room / "state" / "journal.db") as journal:
        journal.execute("PRAGMA busy_timeout = 5000")
        (columns,) = zip(*journal.execute("SELECT name FROM pragma_table_info('task')"))
        row = dict(zip(columns, journal.execute("SELECT * FROM task WHERE task_id = ?", [task]).fetchone()))
        for number in range(JOURNALED):
            name, state = f"snap-export-{number:08x}", "running" if number % 100 == 0 else "completed"
            seen = json.loads(row["object"]) | {"task_id": name, "state": state, "is_terminal": state != "running"}
            new = row | {"task_id": name, "is_terminal": state != "running", "object": json.dumps(seen)}
            marks = ", ".join("?" * len(columns))
            journal.execute(f"INSERT OR REPLACE INTO task VALUES ({marks})", list(new.values()))
    journal.close()
    command = [bench.binary, "--", "snapexport", "wait", "snap-export-"]
    env = bench.env | {"_SNAPEXPORT_COMPLETE": "bash", "_CLAP_COMPLETE_INDEX": "2", "_CLAP_IFS": "\n"}
    series = Series("snapexport wait [Tab]", "0")
    for turn in range(WARM_UPS + ROUNDS):
        run = bench.checked(command, env=env)
        if len(run.out.split()) < 100:
            raise Trouble(f"completion offered {len(run.out.split())} tasks: {run.out[:300]}")
        if turn >= WARM_UPS:
            series.runs.append(run)
    return series


class Table:
    """The rows, and the targets that were missed."""

    def __init__(self):
        self.rows, self.missed = [], []

    def add(self, *cells):
        self.rows.append(cells)

    def judge(self, what, misses):
        """Notes what was missed, and gives the cell that says so."""
        self.missed += [f"{what}: {miss}" for miss in misses]
        return f"**missed: {', '.join(misses)}**" if misses else "met"

    def print(self):
        head = ("measured", "with", "requests", "wall, median", "CPU, median", "memory, max", "target")
        print("|", " | ".join(head), "|")
        print("|---|---|--:|--:|--:|--:|---|")
        for row in self.rows:
            print("|", " | ".join(row), "|")


def figures(series):
    return f"{series.wall() * 1e3:.1f} ms", f"{series.cpu() * 1e3:.1f} ms", mebibytes(series.memory())


def mebibytes(kibibytes):
    return f"{kibibytes / 1024:.1f} MiB"


def all_measurements(bench, table):
    """Fills the table; gives the notes on what was skipped."""
    notes = []
    for series in compare_starts(bench):
        table.add("the start alone", series.name, series.requests, *figures(series), "")
    tasks = {cloud: bench.start(cloud) for cloud in STARTS}
    for cloud, task in tasks.items():
        what = f"one {cloud} task"
        ours, theirs = compare(bench, cloud, task)
        misses = [
            name
            for name, get in (("wall", Series.wall), ("CPU", Series.cpu), ("memory", Series.memory))
            if get(ours) > get(theirs)
        ]
        table.add(what, ours.name, ours.requests, *figures(ours), table.judge(what, misses))
        table.add(what, theirs.name, theirs.requests, *figures(theirs), "")
        other, note = measure_other(bench, cloud, task)
        if other:
            table.add(what, other.name, other.requests, *figures(other), "")
        else:
            notes.append(note)
    what = f"{MANY:,} outscale tasks"
    run, requests, looks = wait_for_many(bench)
    misses = [f"{requests} requests in {looks} looks"] if requests != looks else []
    misses += ["memory"] if run.memory >= WAIT_MEMORY_KIB else []
    table.add(what, "snapexport wait", f"{requests / looks:g} a look ({looks} looks)", f"{run.wall:.1f} s",
              f"{run.cpu * 1e3:.1f} ms", mebibytes(run.memory), table.judge(what, misses))
    lists.measure(bench, table, mebibytes)
    lists.measure_ids(bench, table, mebibytes)
    what = f"completion, {JOURNALED:,} tasks journaled"
    series = complete_many(bench, tasks["outscale"])
    misses = ["wall"] if series.wall() > COMPLETION_SECONDS else []
    table.add(what, series.name, series.requests, *figures(series), table.judge(what, misses))
    size = Path(bench.binary).stat().st_size
    misses = ["size"] if size >= BINARY_BYTES else []
    table.add("the binary", f"{size:,} bytes", "", "", "", "", table.judge("the binary", misses))
    return notes


def first_line(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def main():
    parser = argparse.ArgumentParser(description="snapexport beside curl, against the sandbox")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    is_checked = parser.parse_args().check
    binary = os.environ.get("SNAPEXPORT_BIN") or "target/dist/snapexport"
    binary = str(Path(binary).resolve())
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    print(f"{first_line(binary, '--version')}; {first_line('curl', '--version')}; {os.cpu_count()} cores;",
          f"{ROUNDS} rounds by turns after {WARM_UPS} warm-ups ({OTHER_ROUNDS} of other tools)\n")
    table = Table()
    with tempfile.TemporaryDirectory(prefix="snapexport-bench-") as room:
        bench = Bench(binary, Path(room))
        try:
            notes = all_measurements(bench, table)
        finally:
            bench.close()
    table.print()
    for note in notes:
        print(f"\n{note}")
    if is_checked and table.missed:
        print("\nMissed targets:", "; ".join(table.missed), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Trouble as trouble:
        sys.exit(f"error: {trouble}")
