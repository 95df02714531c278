//! Where the object of an export lies: the API does not say, so the bucket is looked at.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};

use super::mapping;
use super::objects::{Object, ObjectStore};
use super::target::Destination;
use crate::error::{Command, Error, Hint, Kind, Result};
use crate::provider;
use crate::provider::belief::is_id;
use crate::task::{Artifact, Task};

/// Requests under way at once.
const PARALLEL: usize = 4;

/// Looks at the objects of completed tasks: one list for all that lie under the same prefix.
pub(super) async fn locate(store: &ObjectStore, tasks: &[Task]) -> Vec<Result<Artifact>> {
    let places: Vec<Result<Place<'_>>> = tasks.iter().map(Place::of).collect();
    let mut folders: BTreeMap<(&str, &str), Vec<&Place<'_>>> = BTreeMap::new();
    for place in places.iter().flatten() {
        let folder = folders.entry(place.folder()).or_default();
        folder.push(place);
    }
    let mut listed = BTreeMap::new();
    for (folder, places) in folders.into_iter().filter(|(_, places)| places.len() > 1) {
        listed.insert(folder, list_for(store, folder, &places).await);
    }
    let looks: Vec<_> = places
        .iter()
        .map(|place| look(store, place, &listed))
        .collect();
    stream::iter(looks).buffered(PARALLEL).collect().await
}

/// The object of a completed task, as the store describes it now. `disk_size` is that of the volume, as far as it is known.
pub(super) async fn open(
    store: &ObjectStore,
    task: &Task,
    disk_size: Option<u64>,
) -> Result<provider::Object> {
    let place = Place::of(task);
    let artifact = look(store, &place, &BTreeMap::new()).await?;
    let place = place?;
    let key = artifact.id.unwrap_or_default();
    let seen = store.head(&place.bucket, &key).await?;
    Ok(provider::Object {
        uri: artifact.uri,
        name: key.rsplit('/').next().unwrap_or_default().to_owned(),
        size: seen.size,
        sums: seen.sums,
        hashes: seen.hashes,
        disk_size,
        requests: seen.requests,
        device: None,
        format: artifact.format,
        reader: Box::new(store.reader(&place.bucket, &key, seen.etag.clone())),
        etag: seen.etag,
    })
}

/// What is known of where an object lies.
struct Place<'t> {
    task: &'t Task,
    bucket: String,
    prefix: String,
    format: String,
    /// How its key may begin: by the rule of today, and by the one that old documentation gave.
    stems: [String; 2],
}

impl<'t> Place<'t> {
    fn of(task: &'t Task) -> Result<Self> {
        let unknown = |what: &str| {
            Error::new(
                Kind::NotFound,
                format!("OUTSCALE does not say {what} {} exports", task.id),
            )
        };
        let Some(Destination::Oos {
            bucket,
            prefix,
            format,
        }) = task.destination()
        else {
            return Err(unknown("where"));
        };
        let prefix = prefix.unwrap_or_default();
        let stem = mapping::key_stem(task).ok_or_else(|| unknown("which snapshot"))?;
        Ok(Place {
            stems: [stem, format!("{prefix}{}", task.id)],
            task,
            bucket,
            prefix,
            format,
        })
    }

    /// Bucket and prefix.
    fn folder(&self) -> (&str, &str) {
        (&self.bucket, &self.prefix)
    }
}

/// What one list says of the objects under a prefix, and whether it is whole.
type Listed = Result<(Vec<Object>, bool)>;

/// Lists what lies between the first and the last object that is looked for; no more pages than it would take to ask for each.
async fn list_for(store: &ObjectStore, folder: (&str, &str), places: &[&Place<'_>]) -> Listed {
    let stems = || places.iter().flat_map(|place| &place.stems);
    let (Some(first), Some(last)) = (stems().min(), stems().max()) else {
        return Ok((Vec::new(), true));
    };
    // A stem is before its object, and this is behind all that begin with the last one.
    let behind = format!("{last}~");
    store.between(folder, (first, &behind), places.len()).await
}

/// Looks at one object: in the list of its folder, or where there is none or not all of it, in a list of its own.
async fn look(
    store: &ObjectStore,
    place: &Result<Place<'_>>,
    listed: &BTreeMap<(&str, &str), Listed>,
) -> Result<Artifact> {
    let place = place.as_ref().map_err(Clone::clone)?;
    let (bucket, format) = (&place.bucket, &place.format);
    let listed = match listed.get(&place.folder()) {
        Some(Ok((objects, is_whole))) => Some((objects, *is_whole)),
        Some(Err(error)) => return Err(error.clone()),
        None => None,
    };
    for stem in &place.stems {
        let mut objects = Vec::new();
        if let Some((all, _)) = listed {
            objects.extend(all.iter().filter(|object| is_of(object, stem)).cloned());
        }
        if objects.is_empty() && !matches!(listed, Some((_, true))) {
            objects = store.list(bucket, stem).await?;
        }
        objects.retain(|object| is_of(object, stem));
        if let Some(object) = choose(&objects, stem, format)? {
            return Ok(Artifact {
                size_bytes: object.size,
                snapshots: Vec::new(),
                modified_at: object.modified_at,
                exact: true,
                ..mapping::artifact(bucket, &object.key, format)
            });
        }
    }
    let (id, stem) = (&place.task.id, &place.stems[0]);
    Err(Error::new(
        Kind::NotFound,
        format!("There is no object {stem}… of {id} in the bucket {bucket}"),
    )
    .hint(
        Hint::run(Command::from("snapexport status").arg(id)).and(" shows whether it is complete"),
    ))
}

/// Whether an object can be what an export wrote: its key begins so, and ends as a name does.
fn is_of(object: &Object, stem: &str) -> bool {
    let rest = object.key.strip_prefix(stem);
    let is_end = |rest: &str| is_id(rest.trim_start_matches(['.', '-']));
    rest.is_some_and(|rest| rest.is_empty() || is_end(rest))
}

/// The object of an export among those whose keys begin alike: the expected one, else the only one.
fn choose<'o>(objects: &'o [Object], stem: &str, format: &str) -> Result<Option<&'o Object>> {
    let expected = format!("{stem}.{format}.gz");
    if let Some(object) = objects.iter().find(|object| object.key == expected) {
        return Ok(Some(object));
    }
    match objects {
        [] => Ok(None),
        [only] => Ok(Some(only)),
        several => Err(Error::new(
            Kind::Provider,
            format!("Several objects begin with {stem}, and none is {expected}"),
        )
        .cause(
            several
                .iter()
                .map(|o| o.key.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        )),
    }
}

#[cfg(test)]
mod tests;
