//! Whether what an export made is there. Lightsail calls an export done when EC2 may still be copying, so EC2 is asked
//! where the caller may read it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::Lightsail;
use super::ec2::{Image, Snapshot};
use super::target::Made;
use crate::error::{Command, Error, Kind, Result};
use crate::task::{Fault, Progress, State, Task};

/// How long after its record EC2 may not list what an export made; later it has been deleted.
const EC2_GRACE: SignedDuration = SignedDuration::from_mins(10);

/// What EC2 says of what some exports made.
struct Told {
    images: BTreeMap<String, Image>,
    snapshots: BTreeMap<String, Snapshot>,
}

impl Lightsail {
    /// Makes tasks that are complete by their records what they are by EC2's word. Where EC2 cannot be read they stay
    /// as they are, and have no `raw.ec2`. An error is passing: the tasks are not known.
    pub(super) async fn arrived(&self, tasks: &mut [&mut Task]) -> Result<()> {
        let Some(ec2) = &self.ec2 else { return Ok(()) };
        let told = async {
            let images = ec2.images(&ids_of(tasks, Made::Ami)).await?;
            let mut snapshots = ids_of(tasks, Made::EbsSnapshot);
            snapshots.extend(images.values().flat_map(behind).map(str::to_owned));
            let snapshots = ec2.snapshots(&snapshots).await?;
            Ok::<_, Error>(Told { images, snapshots })
        };
        match told.await {
            Ok(told) => tasks.iter_mut().for_each(|task| told.apply(task)),
            Err(error) if error.kind.is_transient() && !ec2.is_out_of_reach(&error) => {
                return Err(error);
            }
            Err(error) => tracing::info!("{}", error.one_line()),
        }
        Ok(())
    }
}

impl Told {
    fn apply(&self, task: &mut Task) {
        if task.state != State::Completed {
            return;
        }
        let (image, snapshots) = match made(task) {
            Some((Made::Ami, id)) => {
                let image = self.images.get(id);
                let ids = image.into_iter().flat_map(behind);
                (image, ids.filter_map(|id| self.snapshots.get(id)).collect())
            }
            Some((Made::EbsSnapshot, id)) => (None, self.snapshots.get(id).into_iter().collect()),
            None => return,
        };
        let snapshots: Vec<&Snapshot> = snapshots;
        let word = match image {
            Some(image) => Some(image.image_state.as_str()),
            None => snapshots.first().map(|snapshot| snapshot.state.as_str()),
        };
        let (state, why) = state(word, task.updated_at);
        task.raw
            .insert("ec2", json!({"image": image, "snapshots": snapshots}));
        if let (Some(image), Some(artifact)) = (image, &mut task.artifact) {
            artifact.snapshots.clone_from(&image.snapshot_ids);
        }
        if state == State::Completed {
            let ended = snapshots
                .iter()
                .filter_map(|snapshot| snapshot.completion_time);
            task.finished_at = ended.chain(task.finished_at).max();
            return;
        }
        task.state = state;
        task.provider_state = word.unwrap_or_default().to_owned();
        task.message = Some(why.to_owned());
        task.finished_at = None;
        if state == State::Failed {
            let reason = image.and_then(|image| image.state_reason.clone());
            let message = snapshots.iter().find_map(|one| one.state_message.clone());
            task.error = Some(Fault {
                kind: Kind::TaskFailed,
                code: None,
                message: reason
                    .or(message)
                    .unwrap_or_else(|| "EC2 gives no reason".to_owned()),
                request_id: None,
            });
        } else if let Some(percent) = percent(&snapshots) {
            task.progress = Progress::Percent(percent);
        }
    }
}

/// What to say once where nobody could look whether EC2 has it whole.
pub(super) fn may_be_copying(task: &Task, id: &str, is_image: bool) -> String {
    if !task.raw.member("ec2").is_null() {
        return String::new();
    }
    let wait = match is_image {
        true => Command::from("aws ec2 wait image-available --image-ids"),
        false => Command::from("aws ec2 wait snapshot-completed --snapshot-ids"),
    };
    format!(
        "EC2 could not be asked and may still be copying: {} waits for it. ",
        wait.arg(id)
    )
}

/// Where an export stands by the word for its image or snapshot (EC2's `ImageState` and `SnapshotState`), which may be
/// missing. What was there once and went since, such as `deregistered`, is not undone.
fn state(word: Option<&str>, changed_at: Option<Timestamp>) -> (State, &'static str) {
    match word {
        Some("failed" | "error" | "invalid") => (State::Failed, "EC2 could not copy it"),
        Some("pending" | "transient") => (State::Running, "EC2 is copying it"),
        None if changed_at.is_some_and(|at| Timestamp::now().duration_since(at) < EC2_GRACE) => {
            (State::Running, "EC2 does not list it yet")
        }
        _ => (State::Completed, ""),
    }
}

/// Whole percent of all snapshots together; `None` unless each says its own.
fn percent(snapshots: &[&Snapshot]) -> Option<u8> {
    let percents = snapshots.iter().map(|snapshot| {
        let digits = snapshot.progress.as_deref()?.strip_suffix('%')?;
        digits.parse::<u64>().ok().map(|percent| percent.min(100))
    });
    let percents: Option<Vec<u64>> = percents.collect();
    let percents = percents.filter(|percents| !percents.is_empty())?;
    u8::try_from(percents.iter().sum::<u64>() / percents.len() as u64).ok()
}

fn behind(image: &Image) -> impl Iterator<Item = &str> {
    image.snapshot_ids.iter().map(String::as_str)
}

/// What complete tasks made of a kind.
fn ids_of(tasks: &[&mut Task], kind: Made) -> Vec<String> {
    let complete = tasks.iter().filter(|task| task.state == State::Completed);
    let made = complete.filter_map(|task| made(task));
    let of_kind = made.filter(|(of, _)| *of == kind);
    of_kind.map(|(_, id)| id.to_owned()).collect()
}

/// What a task made, by its record.
fn made(task: &Task) -> Option<(Made, &str)> {
    let artifact = task.artifact.as_ref()?;
    Some((artifact.kind.read()?, artifact.id.as_deref()?))
}
