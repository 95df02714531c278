# Lightsail by the AWS CLI, whose own paginators and error parser are at work here.
. "$(dirname "$0")/checks.sh"

lightsail() { timeout 60 aws lightsail "$@" --output json; }
own_record="max_by(exportSnapshotRecords[?sourceInfo.name=='web-1'], &createdAt)"

shows 'aws: all pages of instance snapshots' broken-1 lightsail get-instance-snapshots --query 'instanceSnapshots[].name'
gives 'aws: an instance snapshot' available lightsail get-instance-snapshot --instance-snapshot-name web-1 --query instanceSnapshot.state
shows 'aws: disk snapshots' data-1 lightsail get-disk-snapshots --query 'diskSnapshots[].name'
gives 'aws: a disk snapshot' completed lightsail get-disk-snapshot --disk-snapshot-name data-1 --query diskSnapshot.state
refuses 'aws: an unknown instance snapshot' '(NotFoundException)' lightsail get-instance-snapshot --instance-snapshot-name nowhere
refuses 'aws: an unknown disk snapshot' '(NotFoundException)' lightsail get-disk-snapshot --disk-snapshot-name web-1
refuses 'aws: a wrong secret' '(InvalidSignatureException)' env AWS_SECRET_ACCESS_KEY=wrong aws lightsail get-instance-snapshots
refuses 'aws: a wrong key' '(UnrecognizedClientException)' env AWS_ACCESS_KEY_ID=AKIAWRONG aws lightsail get-instance-snapshots
refuses 'aws: another region' '(InvalidSignatureException)' lightsail get-instance-snapshots --region us-east-1

# An export by aws: seen by aws, then by us.
refuses 'aws: the export of an unknown snapshot' '(NotFoundException)' lightsail export-snapshot --source-snapshot-name nowhere
refuses 'aws: an unknown operation' '(NotFoundException)' lightsail get-operation --operation-id 00000000-0000-4000-8000-000000000000
gives 'aws: an export starts' '[0-9a-f-]{36}' lightsail export-snapshot --source-snapshot-name web-1 --query 'operations[0].id'
operation=$given
gives 'aws: its operation is under way' false lightsail get-operation --operation-id "$operation" --query operation.isTerminal
shows 'snapexport status: the export of aws is running' '"state":"running"' snapexport status "lightsail/$operation" -o json
shows 'snapexport export: adopts the export of aws' '"adopted":true' snapexport export lightsail web-1 -o json
shows 'aws: it is among the operations' "$operation" lightsail get-operations --query 'operations[].id'
shows 'aws: it is among the operations of its snapshot' "$operation" lightsail get-operations-for-resource --resource-name web-1 --query 'operations[].id'
becomes 'aws: its operation ends' true lightsail get-operation --operation-id "$operation" --query operation.isTerminal
gives 'aws: successfully' Succeeded lightsail get-operation --operation-id "$operation" --query operation.status
becomes 'aws: its record ends' Succeeded lightsail get-export-snapshot-records --query "$own_record.state"
gives 'aws: all pages of records tell the AMI' 'ami-[0-9a-f]{17}' lightsail get-export-snapshot-records --query "$own_record.destinationInfo.id"
shows 'snapexport wait: the export of aws made the same AMI' "image/${given:-no AMI}" snapexport wait "lightsail/$operation" -o json
refuses 'aws: a page token of nowhere' '(InvalidInputException)' lightsail get-operations --page-token nowhere --no-paginate

# One that fails.
gives 'aws: the export of a broken snapshot starts' '[0-9a-f-]{36}' lightsail export-snapshot --source-snapshot-name broken-1 --query 'operations[0].id'
becomes 'aws: it fails with its reason' 'could not be exported' lightsail get-operation --operation-id "$given" --query operation.errorDetails
refuses 'snapexport wait: it failed with that reason' 'could not be exported' snapexport wait "lightsail/$given"

# An export by us: seen by aws.
gives 'snapexport export' '[0-9a-f-]{36}' snapexport export lightsail data-1
operation=$given
gives 'aws: the export of snapexport is under way' Started lightsail get-operation --operation-id "$operation" --query operation.status
shows 'snapexport wait' snap- snapexport wait "lightsail/$operation" -o json
shows 'aws: the export of snapexport made a snapshot' '"snap-' lightsail get-export-snapshot-records --query "max_by(exportSnapshotRecords[?sourceInfo.name=='data-1'], &createdAt).destinationInfo"

# EC2, where the exports have arrived.
gives 'aws: the id of the EBS snapshot' 'snap-[0-9a-f]{17}' lightsail get-export-snapshot-records --query "max_by(exportSnapshotRecords[?sourceInfo.name=='data-1'], &createdAt).destinationInfo.id"
shows 'aws ec2: its snapshot is whole' completed aws ec2 describe-snapshots --snapshot-ids "$given" --query 'Snapshots[].State'
gives 'aws: the id of the AMI' 'ami-[0-9a-f]{17}' lightsail get-export-snapshot-records --query "$own_record.destinationInfo.id"
image=$given
shows 'aws ec2: the image of web-1 is there' available aws ec2 describe-images --image-ids "$image" --query 'Images[].State'
works 'aws ec2: the wait that is told to people ends' aws ec2 wait image-available --image-ids "$image"
refuses 'aws ec2: an unknown image' '(InvalidAMIID.NotFound)' aws ec2 describe-images --image-ids ami-00000000000000000
refuses 'aws ec2: a wrong secret' '(SignatureDoesNotMatch)' env AWS_SECRET_ACCESS_KEY=wrong aws ec2 describe-images --image-ids "$image"

# EBS direct APIs, from where the disks can be fetched. The first page is a short one, the second one empty.
gives 'aws ec2: the EBS snapshot of the image' 'snap-[0-9a-f]{17}' aws ec2 describe-images --image-ids "$image" --query 'Images[].BlockDeviceMappings[].Ebs.SnapshotId' --output text
disk=$given
blocks() { aws ebs list-snapshot-blocks --snapshot-id "$disk" --max-results 100 --output text "$@"; }
gives 'aws ebs: the first page of its blocks, and that more follow' $'5\t[A-Za-z0-9+/=]+' blocks --query '[length(Blocks), NextToken]'
gives 'aws ebs: the second page' $'0\t[A-Za-z0-9+/=]+' blocks --next-token "${given#*$'\t'}" --query '[length(Blocks), NextToken]'
gives 'aws ebs: the last page' $'2\tNone' blocks --next-token "${given#*$'\t'}" --query '[length(Blocks), NextToken]'
refuses 'aws ebs: a page token of nowhere' '(ValidationException)' blocks --next-token nowhere
gives 'aws ebs: the token of a block' '[A-Za-z0-9+/=]+' aws ebs list-snapshot-blocks --snapshot-id "$disk" --starting-block-index 9 --query 'Blocks[0].BlockToken' --output text
token=$given
gives 'aws ebs: the block arrives' '[A-Za-z0-9+/]{43}=' aws ebs get-snapshot-block --snapshot-id "$disk" --block-index 9 --block-token "$token" block --query Checksum
shows 'it has that SHA-256' "$given" python3 -c 'import base64, hashlib; print(base64.b64encode(hashlib.sha256(open("block", "rb").read()).digest()).decode())'
refuses 'aws ebs: another block by that token' '(ValidationException)' aws ebs get-snapshot-block --snapshot-id "$disk" --block-index 8 --block-token "$token" block
refuses 'aws ebs: an unknown snapshot' '(ResourceNotFoundException)' aws ebs list-snapshot-blocks --snapshot-id snap-00000000000000000
