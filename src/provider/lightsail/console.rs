//! Where Amazon's console shows an export, and what it made.

use url::Url;

use super::target::Made;
use crate::task::Task;

/// The image or snapshot in the EC2 console of its region; before there is one, the Lightsail console.
pub(super) fn url(task: &Task) -> Option<Url> {
    of_artifact(task).or_else(|| Url::parse("https://lightsail.aws.amazon.com/").ok())
}

fn of_artifact(task: &Task) -> Option<Url> {
    let artifact = task.artifact.as_ref()?;
    let id = artifact.id.as_deref().filter(|id| is_plain(id))?;
    let region = Some(task.region.as_str()).filter(|region| is_plain(region))?;
    let place = match artifact.kind.read()? {
        Made::Ami => "ImageDetails:imageId",
        Made::EbsSnapshot => "SnapshotDetails:snapshotId",
    };
    let text =
        format!("https://{region}.console.aws.amazon.com/ec2/home?region={region}#{place}={id}");
    Url::parse(&text).ok()
}

/// Ids and regions have no other characters; with others they might lead elsewhere.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
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
}
