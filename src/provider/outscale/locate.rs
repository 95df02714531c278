//! Where the object of an export lies: the API does not say, so the bucket is looked at.

use super::mapping;
use super::objects::{Object, ObjectStore};
use super::target::Destination;
use crate::error::{Command, Error, Hint, Kind, Result};
use crate::task::{Artifact, Task};

/// Looks at the object of a completed task.
pub(super) async fn locate(store: &ObjectStore, task: &Task) -> Result<Artifact> {
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
    let stem = mapping::key_stem(task).ok_or_else(|| unknown("which snapshot"))?;
    // The rule of today, then the one that old documentation gave.
    let old_stem = format!("{}{}", prefix.as_deref().unwrap_or(""), task.id);
    for stem in [&stem, &old_stem] {
        let objects = store.list(&bucket, stem).await?;
        if let Some(object) = choose(&objects, stem, &format)? {
            return Ok(Artifact {
                size_bytes: object.size,
                modified_at: object.modified_at,
                exact: true,
                ..mapping::artifact(&bucket, &object.key, &format)
            });
        }
    }
    Err(Error::new(
        Kind::NotFound,
        format!(
            "There is no object {stem}… of {} in the bucket {bucket}",
            task.id
        ),
    )
    .hint(
        Hint::run(Command::from("snapexport status").arg(&task.id))
            .and(" shows whether it is complete"),
    ))
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
