# OUTSCALE: its API by osc-cli and curl, which sign with OSC4; its object store by the AWS CLI.
. "$(dirname "$0")/checks.sh"

# osc-cli reads a file only, and adds /api/latest itself.
mkdir .osc
profile() { printf '"%s": {"access_key": "%s", "secret_key": "%s", "region_name": "%s", "endpoint": "%s"}' "$@" "$OSC_REGION" "${OSC_ENDPOINT_API%/api/v1}"; }
echo "{$(profile default "$OSC_ACCESS_KEY" "$OSC_SECRET_KEY"), $(profile wrong "$OSC_ACCESS_KEY" wrong)}" >.osc/config.json

osc() { timeout 60 osc-cli api "$@"; }
tasks() { osc ReadSnapshotExportTasks --Filters "{\"TaskIds\": [\"$1\"]}"; }
task() { tasks "$1" | json "it['SnapshotExportTasks'][0]['$2']"; }
create() { osc CreateSnapshotExportTask --SnapshotId "$1" --OsuExport "{\"DiskImageFormat\": \"$2\", \"OsuBucket\": \"$3\", \"OsuPrefix\": \"web/\"}"; }
created() { create "$@" | json "it['SnapshotExportTask']['TaskId']"; }
id='snap-export-[0-9a-f]{8}'

shows 'osc-cli: snapshots' snap-0a1b2c3d osc ReadSnapshots
shows 'osc-cli: snapshots by a filter' 'web server' osc ReadSnapshots --Filters.SnapshotIds '[snap-0a1b2c3d]'
refuses 'osc-cli: a wrong key' 'status = 401, code = 1' osc ReadSnapshots --profile wrong
refuses 'osc-cli: an unknown snapshot' 'code = 5054' create snap-00000000 qcow2 demo
refuses 'osc-cli: a format that is no longer made' 'Supported values: qcow2, raw' create snap-0a1b2c3d vmdk demo
refuses 'osc-cli: an upper-case bucket' 'must be lowercase' create snap-0a1b2c3d qcow2 Demo

# An export by osc-cli: seen by osc-cli, then by us.
gives 'osc-cli: an export starts' "$id" created snap-0a1b2c3d qcow2 demo
task=$given
shows 'osc-cli: it is listed' "$task" osc ReadSnapshotExportTasks
shows 'snapexport status: the export of osc-cli' '"bucket":"demo"' snapexport status "$task" -o json
shows 'snapexport export: adopts the export of osc-cli' '"adopted":true' snapexport export outscale snap-0a1b2c3d --bucket demo --prefix web/ -o json
becomes 'osc-cli: it completes' completed task "$task" State
key=web/snap-0a1b2c3d-${task##*-}.qcow2.gz
shows 'snapexport wait: the export of osc-cli, and where it lies' "s3://demo/$key" snapexport wait "$task" -o json

# One that is cancelled: this snapshot's never leaves the state in which that is possible. And one that fails.
gives 'osc-cli: an export that stays pending' "$id" created snap-57a11ed0 raw demo
shows 'osc-cli: it can be cancelled' RequestId osc DeleteExportTask --ExportTaskId "$given"
gives 'osc-cli: it is cancelled' cancelled task "$given" State
refuses 'osc-cli: what does not exist cannot' 'code = 5058' osc DeleteExportTask --ExportTaskId snap-export-00000000
gives 'osc-cli: an export that fails starts' "$id" created snap-deadbeef raw demo
becomes 'osc-cli: it fails with its reason' 'Input/output error' task "$given" Comment
refuses 'snapexport wait: with the same reason' 'Input/output error' snapexport wait "$given"

# An export by us: seen by osc-cli.
gives 'snapexport export' "$id" snapexport export outscale snap-1b2c3d4e --bucket backups
task=$given
shows 'osc-cli: the export of snapexport' snap-1b2c3d4e tasks "$task"
shows 'snapexport wait' "s3://backups/snap-1b2c3d4e-${task##*-}.qcow2.gz" snapexport wait "$task" -o json
gives 'osc-cli: the export of snapexport is completed' completed task "$task" State

# curl signs as well, in either way.
if curl --help all | grep -q aws-sigv4; then
    signed() { curl -sS --fail-with-body --aws-sigv4 "$1:$OSC_REGION:api" -u "$OSC_ACCESS_KEY:$2" -H 'Content-Type: application/json' -d '{"ResultsPerPage": 1}' "$OSC_ENDPOINT_API/ReadSnapshotExportTasks"; }
    shows 'curl: OSC4' NextPageToken signed osc:osc "$OSC_SECRET_KEY"
    shows 'curl: AWS4' NextPageToken signed aws:amz "$OSC_SECRET_KEY"
    refuses 'curl: a wrong key' AccessDenied signed osc:osc wrong
fi

# The object store.
shows 'aws s3api: buckets' '"demo"' s3 s3api list-buckets --query 'Buckets[].Name'
works 'aws s3api: a bucket' s3 s3api head-bucket --bucket demo
refuses 'aws s3api: a bucket that is not there' '(404)' s3 s3api head-bucket --bucket nowhere
refuses 'aws s3api: a bucket of others' '(403)' s3 s3api head-bucket --bucket partner
secret=wrong refuses 'aws s3api: a wrong secret' '(SignatureDoesNotMatch)' s3 s3api list-buckets
gives 'aws s3api: the object, after the second page' "$key" s3 s3api list-objects-v2 --bucket demo --prefix web/ --page-size 1 --query "Contents[?Key=='$key'].Key | [0]"
gives 'aws s3api: the object, in the older list' "$key" s3 s3api list-objects --bucket demo --page-size 1 --query "Contents[?Key=='$key'].Key | [0]"
shows 'aws s3 ls: folders' 'PRE web/' s3 s3 ls s3://demo
shows 'aws s3 ls: inside one' "${key#web/}" s3 s3 ls s3://demo/web/
shows 'aws s3api: the object arrives' '"ContentLength"' s3 s3api get-object --bucket demo --key "$key" got.qcow2.gz
works 'aws s3 cp: the object arrives' s3 s3 cp "s3://demo/$key" copied.qcow2.gz
works 'both are the same' cmp got.qcow2.gz copied.qcow2.gz
gives 'aws s3api: a range of it arrives' 'bytes 9-99/[0-9]+' s3 s3api get-object --bucket demo --key "$key" --range bytes=9-99 range.qcow2.gz --query ContentRange
works 'it is that part' cmp -n 91 -i 0:9 range.qcow2.gz got.qcow2.gz
works 'it is gzip' gunzip got.qcow2.gz
is_image 'it is a disk image' qcow2 QFI got.qcow2
refuses 'aws s3api: an object that is not there' '(NoSuchKey)' s3 s3api get-object --bucket demo --key nothing nothing
