# The checks, and what all of them share. Each prints `ok NAME`, or `FAIL NAME` and what the command printed.
set -u

snapexport() { timeout 60 "$SNAPEXPORT" "$@"; }

# Evaluates an expression about the JSON on standard input, which is `it`.
json() { python3 -c 'import json, sys; it = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }

ok() { echo "ok $1"; }
fail() { printf 'FAIL %s\n' "$1"; sed 's/^/    /' <<<"$2"; }

# Runs a command; says how it ended in $status and what it printed in $output.
attempt() { status=0; output=$("$@" 2>&1) || status=$?; }

# Prints the outcome of a check. An empty text, say the id of something that never started, is in no output.
judge() { # NAME TEXT, then the condition
    local name=$1 text=$2
    shift 2
    if "$@" && [ -n "$text" ] && [[ $output == *"$text"* ]]; then ok "$name"; else fail "$name" "exit $status, not '$text': $output"; fi
}

# works NAME COMMAND...: the command succeeds, whatever it prints.
works() { attempt "${@:2}"; if [ "$status" -eq 0 ]; then ok "$1"; else fail "$1" "exit $status: $output"; fi; }

# shows NAME TEXT COMMAND...: the command succeeds, and prints this text.
shows() { attempt "${@:3}"; judge "$1" "$2" [ "$status" -eq 0 ]; }

# refuses NAME TEXT COMMAND...: the command fails, and prints this text. 124 is the end of its time, and no refusal.
refuses() { attempt "${@:3}"; judge "$1" "$2" [ $((status % 124)) -ne 0 ]; }

# becomes NAME TEXT COMMAND...: the command succeeds and prints this text before an export could have ended three times.
becomes() {
    local until=$((SECONDS + 3 * EXPORT_SECONDS + 3))
    while attempt "${@:3}"; [[ $output != *"$2"* ]] && [ $SECONDS -lt $until ]; do sleep 0.3; done
    judge "$1" "$2" [ "$status" -eq 0 ]
}

# gives NAME PATTERN COMMAND...: all of the command's standard output, less quotes, matches; it is in $given then.
gives() {
    local name=$1 pattern=$2 status=0
    shift 2
    given=$("$@" 2>errors | tr -d '"'; exit "${PIPESTATUS[0]}") || status=$?
    if [ "$status" -eq 0 ] && [[ $given =~ ^($pattern)$ ]]; then ok "$name"; else fail "$name" "exit $status, not $pattern: $given $(cat errors)"; fi
}

# is_image NAME FORMAT MAGIC FILE: a disk image of this format, to qemu where it is installed, else by what stands in it.
is_image() {
    if command -v qemu-img >/dev/null; then shows "$1" "file format: $2" qemu-img info "$4"; else works "$1" grep -qa "$3" "$4"; fi
}

# The AWS CLI at OUTSCALE's object store. Checksums that S3 alone knows are left out, as with the real one.
s3() {
    printf '[default]\ns3 =\n    addressing_style = path\n' >"$HOME/s3"
    timeout 60 env -u AWS_ENDPOINT_URL_LIGHTSAIL AWS_ACCESS_KEY_ID="$OSC_ACCESS_KEY" AWS_SECRET_ACCESS_KEY="${secret:-$OSC_SECRET_KEY}" \
        AWS_REGION="$OSC_REGION" AWS_DEFAULT_REGION="$OSC_REGION" AWS_ENDPOINT_URL_S3="$OSC_ENDPOINT_OOS" AWS_CONFIG_FILE="$HOME/s3" \
        AWS_REQUEST_CHECKSUM_CALCULATION=when_required AWS_RESPONSE_CHECKSUM_VALIDATION=when_required aws --output json "$@"
}
