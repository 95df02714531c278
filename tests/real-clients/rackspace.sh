# Rackspace: images and tasks by glance and openstack, containers by swift. They log in with Keystone v3.
. "$(dirname "$0")/checks.sh"

origin=${OS_AUTH_URL%/v2.0}
web=7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21
large=2f1d3c5b-7a69-4e80-b1c2-d3e4f5061728
broken=deadbeef-0bad-4dad-8bad-c0ffee000bad
nothing=00000000-0000-4000-8000-000000000000
uuid='[0-9a-f-]{36}'

# In their own variables, so that ours stay as the sandbox set them.
client() {
    timeout 60 env OS_AUTH_URL="$origin/v3" OS_IDENTITY_API_VERSION=3 OS_USERNAME="$RAX_USERNAME" OS_PASSWORD="${password:-$RAX_API_KEY}" \
        OS_USER_DOMAIN_NAME=rackspace_cloud_domain OS_PROJECT_ID="${project:-}" OS_REGION_NAME="$RAX_REGION" "$@"
}
# With a token alone, at an image endpoint with or without its version.
by_token() { timeout 60 env -u OS_AUTH_URL glance --os-auth-token "$1" --os-image-url "$2" "${@:3}"; }
input() { printf '{"image_uuid": "%s", "receiving_swift_container": "%s"}' "$1" "$2"; }
# The id in a table of glance.
id_of() { awk '$2 == "id" { print $4 }'; }
started() { client glance task-create --type export --input "$(input "$@")" | id_of; }
started_by_token() { by_token "$token" "$origin" task-create --type export --input "$(input "$@")" | id_of; }

# The other clients do not log in without a project.
gives 'openstack: the project' '[0-9]+' client openstack token issue -f value -c project_id
project=$given

shows 'glance: images' "$web" client glance image-list
shows 'glance: an image' '| web-1 ' client glance image-show $web
refuses 'glance: an unknown image' 'HTTP 404' client glance image-show $nothing
password=wrong refuses 'glance: a wrong password' 'HTTP 401' client glance image-list

# Exports by glance: seen by all, then by us.
gives 'glance: an export starts' "$uuid" started $web exports
task=$given
gives 'glance: the export of a large image starts' "$uuid" started $large exports
second=$given
shows 'snapexport status: the export of glance' '"is_terminal":false' snapexport status "rackspace/$task" -o json
shows 'snapexport export: adopts the export of glance' '"adopted":true' snapexport export rackspace $web --container exports -o json
shows 'glance: it is listed' "$task" client glance task-list
becomes 'glance: it succeeds' '| success ' client glance task-show "$task"
shows 'glance: where it lies' "exports/$web.vhd" client glance task-show "$task"
shows 'snapexport wait: the export of glance, and where it lies' "/exports/$web.vhd\"" snapexport wait "rackspace/$task" -o json
shows 'openstack: tasks' "$task" client openstack image task list
gives 'openstack: a task' success client openstack image task show "$task" -f value -c status
refuses 'openstack: an unknown task' 404 client openstack image task show $nothing
shows 'openstack: images' "$web" client openstack image list
gives 'openstack: a token' '[0-9a-f]{32}' client openstack token issue -f value -c id
token=$given

# With that token and no login.
for endpoint in "$origin" "$origin/v2"; do
    shows "glance: images by token at ${endpoint#"$origin"}/" "$web" by_token "$token" "$endpoint" image-list
    shows "glance: tasks by token at ${endpoint#"$origin"}/" "$task" by_token "$token" "$endpoint" task-list
done
gives 'glance: an export by token starts' "$uuid" started_by_token $broken exports
failing=$given
refuses 'glance: a wrong token' 'Invalid OpenStack Identity credentials' by_token wrong "$origin" task-list

# Exports that fail.
becomes 'glance: it fails' '| failure ' by_token "$token" "$origin" task-show "$failing"
shows 'glance: with its reason' 'Unknown error occurred during image export' by_token "$token" "$origin" task-show "$failing"
refuses 'snapexport wait: with the same reason' 'Unknown error occurred during image export' snapexport wait "rackspace/$failing"
gives 'glance: an export to no container starts' "$uuid" started $web nowhere
becomes 'glance: it fails with its reason' 'Container not found. Container: nowhere' client glance task-show "$given"

# An export by us: seen by glance and openstack.
gives 'snapexport export' "$uuid" snapexport export rackspace $web --container demo
task=$given
shows 'glance: the export of snapexport' "$web" client glance task-show "$task"
shows 'snapexport wait' "/demo/$web.vhd\"" snapexport wait "$task" -o json
gives 'openstack: the export of snapexport has succeeded' success client openstack image task show "$task" -f value -c status

# The objects. The large one is a manifest and segments, which arrive as one.
becomes 'glance: the large export succeeds' '| success ' client glance task-show "$second"
gives 'swift: containers, to their end' $'demo\nexports' client swift list
shows 'swift: a container' 'X-Storage-Policy' client swift stat exports
shows 'swift: what is in it' "$large.vhd-00001" client swift list exports
shows 'swift: an object' 'Content Length: 135168' client swift stat exports $web.vhd
shows 'swift: a large object' "Manifest: exports/$large.vhd-" client swift stat exports $large.vhd
refuses 'swift: a container that is not there' "'nowhere' not found" client swift stat nowhere
password=wrong refuses 'swift: a wrong password' Unauthorized client swift list
shows 'swift: the object arrives' "$web.vhd" client swift download exports $web.vhd -o plain.vhd
is_image 'it is a disk image' vpc conectix plain.vhd
shows 'swift: the large object arrives' "$large.vhd" client swift download exports $large.vhd -o large.vhd
is_image 'it is a disk image, too' vpc conectix large.vhd
