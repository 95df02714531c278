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
mod tests;
