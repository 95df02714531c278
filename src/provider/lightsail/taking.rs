//! What an export made in EC2, as disks that can be read.

use super::Lightsail;
use super::ebs::Ebs;
use super::target::Made;
use crate::error::{Error, Kind, Result};
use crate::provider::{Image, Object, Sums};
use crate::task::Task;

impl Lightsail {
    /// The disks of a completed task: all of an AMI, by their devices, or the one of a disk snapshot.
    pub(super) async fn take(&self, task: &Task) -> Result<Image> {
        let nothing = || {
            let sentence = format!("No export record says what {} made", task.id);
            Error::new(Kind::NotFound, sentence)
        };
        let (Some(ec2), Some(ebs)) = (&self.ec2, &self.ebs) else {
            let sentence =
                "Where EC2 and EBS are is not known: only Lightsail has an address of its own";
            return Err(Error::usage(sentence)
                .hint("set AWS_ENDPOINT_URL_EC2 and AWS_ENDPOINT_URL_EBS as well"));
        };
        let artifact = match &task.artifact {
            Some(artifact) => artifact.clone(),
            None => {
                let found = self.artifacts_of(std::slice::from_ref(task)).await;
                found.into_iter().next().ok_or_else(nothing)??
            }
        };
        let id = artifact.id.clone().ok_or_else(nothing)?;
        let name = task.snapshot.clone().unwrap_or_else(|| id.clone());
        let snapshots: Vec<(Option<String>, String)> = match artifact.kind.read() {
            Some(Made::EbsSnapshot) => vec![(None, id)],
            _ => {
                let images = ec2.images(std::slice::from_ref(&id)).await?;
                let gone = || Error::new(Kind::NotFound, format!("EC2 has no image {id}"));
                let image = images.get(&id).ok_or_else(gone)?;
                let devices = image.devices.iter().cloned().map(Some);
                devices.zip(image.snapshot_ids.iter().cloned()).collect()
            }
        };
        if snapshots.is_empty() {
            return Err(nothing());
        }
        let are_several = snapshots.len() > 1;
        let mut disks = Vec::with_capacity(snapshots.len());
        for (device, snapshot) in snapshots {
            let device = device.filter(|_| are_several);
            disks.push(disk(ebs, &self.region, &name, device, &snapshot).await?);
        }
        let mut names: Vec<&str> = disks.iter().map(|disk| disk.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let sentence = format!("{} has two disks that would be {}", artifact.uri, twice[0]);
            return Err(Error::new(Kind::Provider, sentence));
        }
        Ok(Image {
            uri: artifact.uri,
            name,
            disks,
            // EBS direct APIs and EC2 data transfer, on-demand prices of us-east-1, 2026.
            price: Some("Reading costs about 0.003 USD for each thousand blocks of 512 KiB, and outside AWS about 0.09 USD for each GB that leaves it".to_owned()),
        })
    }
}

async fn disk(
    ebs: &Ebs,
    region: &str,
    name: &str,
    device: Option<String>,
    snapshot: &str,
) -> Result<Object> {
    let disk = ebs.open(snapshot).await?;
    // `/dev/sda1` becomes `sda1`.
    let end = device
        .as_deref()
        .map(|device| device.rsplit('/').next().unwrap_or_default());
    Ok(Object {
        uri: format!("arn:aws:ec2:{region}::snapshot/{snapshot}"),
        name: match end {
            Some(end) => format!("{}-{}.raw", plain(name), plain(end)),
            None => format!("{}.raw", plain(name)),
        },
        device,
        size: disk.size,
        // A snapshot never changes.
        etag: None,
        format: Some("raw".to_owned()),
        sums: Sums::Blocks,
        hashes: Vec::new(),
        disk_size: None,
        requests: disk.requests.clone(),
        reader: Box::new(disk),
    })
}

/// What can stand in a file's name of what a cloud says.
fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let plain: String = text
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    match plain.trim_start_matches('.') {
        "" => "disk".to_owned(),
        plain => plain.to_owned(),
    }
}
