# Our OUTSCALE requests, and the sandbox's replies to them, held by Prism against OUTSCALE's own description of its API.
. "$(dirname "$0")/checks.sh"
here=$(cd "$(dirname "$0")" && pwd)

# The description says where it is served in `servers`, which Prism leaves out of its paths.
sed -E 's|^  /([A-Z][A-Za-z]+):$|  /api/v1/\1:|' "$OUTSCALE_DESCRIPTION" >description.yaml
works 'the description has its calls' grep -q '^  /api/v1/CreateSnapshotExportTask:' description.yaml

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
pids=()
trap 'kill "${pids[@]}" 2>/dev/null' EXIT
serves() { # NAME PORT LOG: until it answers, which takes Prism a few seconds for a megabyte
    local tries=60
    until curl -s -o /dev/null "http://127.0.0.1:$2/" || [ $((tries -= 1)) -eq 0 ]; do sleep 0.5; done
    works "$1" grep -q 'Prism is listening' "$3"
}
violations() { grep -iE 'violation' "$1" | grep -v 'Unable to match the returned status code'; }
# Every request that Prism saw since the start passed; there were some.
without_violation() { # NAME LOG
    local calls
    calls=$(grep -c ' post /api/v1/.*Request received' "$2")
    if [ "$calls" -gt 0 ] && ! violations "$2" >violations && ! grep -q 'Request terminated with error' <(grep -v ' get / ' "$2"); then ok "$1 ($calls calls)"; else fail "$1" "$calls calls; $(cat violations) $(grep 'terminated with error' "$2" | grep -v ' get / ')"; fi
}
status_of() { curl -s -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' -H 'Authorization: none' -d "$2" "$OSC_ENDPOINT_API/$1"; }

sandbox=${OSC_ENDPOINT_API%/api/v1}

# Prism in the cloud's place: it refuses what the description does not allow, and answers with the description's examples.
port=$(free_port)
prism mock --errors -p "$port" description.yaml >mock.log 2>&1 &
pids+=($!)
serves 'prism: serves the description' "$port" mock.log
export OSC_ENDPOINT_API=http://127.0.0.1:$port/api/v1
shows 'snapexport list' '"id":"snap-12345678"' snapexport list outscale -o json
# Prism answers each start with the description's example, which is about another bucket: that is no answer to it. The requests count here.
another='named no task'
refuses 'snapexport export' "$another" snapexport export outscale snap-12345678 --bucket demo --prefix web/
refuses 'snapexport export: without a prefix, raw, with a manifest' "$another" snapexport export outscale snap-12345678 --bucket demo --format raw --manifest-url https://example.com/m --new
OSU_ACCESS_KEY=AKSANDBOX0000PARTNER OSU_SECRET_KEY=SKSANDBOX00000000000000000000000PARTNER0 refuses 'snapexport export: to another account' "$another" snapexport export outscale snap-12345678 --bucket partner --new
shows 'snapexport status' '"progress":13' snapexport status snap-export-12345678 -o json
shows 'snapexport status --remote' snap-export-12345678 snapexport status --remote -o json
attempt snapexport wait snap-export-12345678 --timeout 0
judge 'snapexport wait: time runs out' 'it goes on' [ "$status" -eq 124 ]
refuses 'snapexport cancel: the example stays as it is' 'was accepted' snapexport cancel snap-export-12345678
without_violation 'prism: no request of ours breaks the description' mock.log
gives 'prism: would refuse a member that is not described' '4(00|22)' status_of ReadSnapshots '{"Nonsense": 1}'
gives 'prism: would refuse a value that is not described' '4(00|22)' status_of CreateSnapshotExportTask '{"SnapshotId": "snap-12345678", "OsuExport": {"OsuBucket": "b"}}'

# Prism between us and the sandbox: the sandbox's replies are held against the description as well.
port=$(free_port) behind=$(free_port)
node "$here/shim.mjs" "$behind" "$sandbox" "127.0.0.1:$port" &
pids+=($!)
prism proxy --errors -p "$port" description.yaml "http://127.0.0.1:$behind" >proxy.log 2>&1 &
pids+=($!)
serves 'prism: stands before the sandbox' "$port" proxy.log
export OSC_ENDPOINT_API=http://127.0.0.1:$port/api/v1 SNAPEXPORT_STATE_DIR=$PWD/behind
shows 'snapexport list, of the sandbox' snap-0a1b2c3d snapexport list outscale -o json
shows 'snapexport export --wait, in the sandbox' s3://demo/web/snap-0a1b2c3d- snapexport export outscale snap-0a1b2c3d --bucket demo --prefix web/ --wait -o json
refuses 'snapexport export --wait, of what fails' 'Input/output error' snapexport export outscale snap-deadbeef --bucket demo --wait
gives 'snapexport export, of what never ends' 'snap-export-[0-9a-f]{8}' snapexport export outscale snap-57a11ed0 --bucket demo
works 'snapexport cancel, in the sandbox' snapexport cancel "$given"
shows 'snapexport status --remote, of the sandbox' snap-deadbeef snapexport status --remote -o json
refuses 'snapexport wait, for what is not there' 'knows no export task' snapexport wait snap-export-00000000 --timeout 0
without_violation 'prism: nor does a reply of the sandbox' proxy.log
attempt status_of ReadRegions '{}'
becomes 'prism: would notice a reply that is not described' '#VIOLATIONS' violations proxy.log
