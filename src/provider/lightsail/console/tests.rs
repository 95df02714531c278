use super::*;
use crate::task::{Artifact, ArtifactKind, ProviderId, TaskId};

fn address(region: &str, kind: Made, id: &str) -> String {
    let mut task = Task::unseen(ProviderId("lightsail"), region, TaskId::from("op"));
    task.artifact = Some(Artifact {
        kind: ArtifactKind::new(&kind),
        uri: String::new(),
        id: Some(id.to_owned()),
        format: None,
        size_bytes: None,
        snapshots: Vec::new(),
        modified_at: None,
        exact: true,
    });
    url(&task).expect("an address").into()
}

#[test]
fn an_artifact_is_linked_to_in_the_console_of_its_region() {
    assert_eq!(
        address("eu-west-3", Made::Ami, "ami-0a1b"),
        "https://eu-west-3.console.aws.amazon.com/ec2/home?region=eu-west-3#ImageDetails:imageId=ami-0a1b"
    );
    assert_eq!(
        address("eu-west-3", Made::EbsSnapshot, "snap-0a1b"),
        "https://eu-west-3.console.aws.amazon.com/ec2/home?region=eu-west-3#SnapshotDetails:snapshotId=snap-0a1b"
    );
}

#[test]
fn an_odd_region_or_id_leads_nowhere_else() {
    for (region, id) in [
        ("evil.example/", "ami-1"),
        ("eu-west-3", "ami-1/../x"),
        ("", ""),
    ] {
        let address = address(region, Made::Ami, id);
        assert_eq!(
            address, "https://lightsail.aws.amazon.com/",
            "{region} {id}"
        );
    }
}
