# What `fetch` brings home, held byte for byte against what other clients bring from the same stores.
. "$(dirname "$0")/checks.sh"

# Large objects in one sandbox; a plain one, and one with a static manifest, in another.
if [ $# -eq 0 ]; then
    "$SNAPEXPORT" sandbox --duration 1s --object-size 24MiB -- bash "$0" large &&
        "$SNAPEXPORT" sandbox --duration 1s --slo -- bash "$0" small
    exit
fi

# The other clouds' files have the same names.
mkdir "$HOME/fetch-$1" && cd "$HOME/fetch-$1"

has() { command -v "$1" >/dev/null || { echo "skipped: $1 is not installed"; false; }; }
# Exports, and waits for the end; $task is the task, $uri where it went.
export_to() {
    gives "snapexport export $1 $2" '[a-z0-9-]+' snapexport export "$@"
    task=$1/$given
    gives 'where it went' '.+' finished
    uri=$given
}
finished() { snapexport wait "$task" -o json | json "it['artifact']['uri']"; }
fetched() { works "snapexport fetch to $1" snapexport fetch "$task" --to "$1"; }

swift_has_the_same() { # NAME IMAGE
    export_to rackspace "$2" --container demo
    fetched "$1.vhd"
    curl -sf -o login -H 'Content-Type: application/json' "$OS_AUTH_URL/tokens" \
        -d "{\"auth\": {\"RAX-KSKEY:apiKeyCredentials\": {\"username\": \"$RAX_USERNAME\", \"apiKey\": \"$RAX_API_KEY\"}}}"
    gives 'a token' '[0-9a-f]{32}' json "it['access']['token']['id']" <login
    works 'swift download' swift --os-auth-token "$given" --os-storage-url "${uri%/demo/*}" download demo "${uri##*/}" -o swift.vhd
    works "$1: both are the same" cmp "$1.vhd" swift.vhd
    is_image 'it is a disk image' vpc conectix "$1.vhd"
}
web=7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21
database=2f1d3c5b-7a69-4e80-b1c2-d3e4f5061728

if [ "$1" = small ]; then
    swift_has_the_same plain $web
    swift_has_the_same static $database
    exit
fi
swift_has_the_same dynamic $database

export_to outscale snap-0a1b2c3d --bucket demo --prefix web/
fetched ours.qcow2.gz
works 'aws s3 cp' s3 s3 cp "$uri" aws.qcow2.gz
works 'both are the same' cmp ours.qcow2.gz aws.qcow2.gz
if has s5cmd; then
    works 's5cmd cp' env AWS_ACCESS_KEY_ID="$OSC_ACCESS_KEY" AWS_SECRET_ACCESS_KEY="$OSC_SECRET_KEY" AWS_REGION="$OSC_REGION" \
        s5cmd --endpoint-url "$OSC_ENDPOINT_OOS" cp "$uri" s5cmd.qcow2.gz
    works 'both are the same' cmp ours.qcow2.gz s5cmd.qcow2.gz
fi
fetched ours.qcow2
works 'gunzip makes the same' cmp ours.qcow2 <(gunzip -c aws.qcow2.gz)
is_image 'it is a disk image' qcow2 QFI ours.qcow2
if has qemu-img; then works 'qemu-img check' qemu-img check -q ours.qcow2; fi

export_to lightsail data-1
fetched ours.raw
# Of a raw disk only a boot sector tells.
works 'it has a boot sector' grep -qa "$(printf 'U\252')" <(head -c 512 ours.raw | tail -c 2)
if has qemu-img; then shows 'it is a disk' 'virtual size: 8 GiB' qemu-img info -f raw ours.raw; fi
if has coldsnap; then
    works 'coldsnap download' coldsnap download --no-progress "${uri##*/}" coldsnap.raw
    works 'both are the same' cmp ours.raw coldsnap.raw
    room() { du -k "$1" | cut -f 1; }
    works 'ours takes no more room' [ "$(room ours.raw)" -le "$(room coldsnap.raw)" ]
fi
