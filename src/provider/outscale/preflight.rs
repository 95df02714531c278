//! What can be known before a start: whether the snapshot and the bucket are there.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::mapping::{not_exportable, text};
use super::target::Destination;
use super::{Outscale, READ_SNAPSHOTS, api, filter, rules};
use crate::error::{Error, Kind, Reason, Result};
use crate::pace::limit;
use crate::suggest;
use crate::task::ExportRequest;

/// How long to look for the name that was meant, once one does not exist.
const PATIENCE: Duration = Duration::from_secs(5);

/// The snapshots that were looked for: a user may be allowed to export what they may not list.
enum Looked {
    /// Those that are there.
    At(Vec<Value>),
    /// None could be looked at, for this reason.
    Forbidden(String),
}

impl Outscale {
    /// Sentences about what may surprise; an error where the export cannot succeed. The snapshots are looked at in one list,
    /// a bucket once.
    pub(super) async fn warnings(
        &self,
        requests: &[ExportRequest],
    ) -> Result<Vec<Result<Vec<String>>>> {
        let checked = requests.iter().map(rules::validate);
        let checked: Vec<Result<()>> = checked.collect();
        let sound = requests.iter().zip(&checked);
        let sound: Vec<&ExportRequest> = sound
            .filter_map(|(request, checked)| checked.is_ok().then_some(request))
            .collect();
        let looked = self.look_at_snapshots(&sound).await?;
        let mut buckets = BTreeMap::new();
        for request in &sound {
            if let Some(Destination::Oos { bucket, .. }) = request.target.read()
                && !buckets.contains_key(&bucket)
            {
                let checked = self.check_bucket(&bucket).await;
                buckets.insert(bucket, checked);
            }
        }
        let warnings = |request: &ExportRequest| {
            let mut warnings = Vec::new();
            warnings.extend(self.check_snapshot(&request.snapshot, &looked)?);
            if let Some(Destination::Oos {
                bucket,
                prefix,
                format,
            }) = request.target.read()
            {
                warnings.extend(rules::bucket_warning(&bucket));
                warnings.extend(buckets.get(&bucket).cloned().transpose()?.flatten());
                warnings.extend(
                    prefix
                        .as_deref()
                        .map(rules::prefix_warnings)
                        .unwrap_or_default(),
                );
                if !rules::WRITTEN_FORMATS.contains(&format.as_str()) {
                    warnings.push(format!(
                        "OUTSCALE has written only qcow2 and raw since 2020 and will likely refuse {format}"
                    ));
                }
            }
            Ok(warnings)
        };
        let slots = requests.iter().zip(checked);
        Ok(slots
            .map(|(request, checked)| checked.and_then(|()| warnings(request)))
            .collect())
    }

    async fn look_at_snapshots(&self, requests: &[&ExportRequest]) -> Result<Looked> {
        let mut found = Vec::new();
        for chunk in requests.chunks(api::PAGE) {
            let ids = chunk.iter().map(|request| request.snapshot.as_str());
            let what = match chunk {
                [one] => format!("the look at snapshot {}", one.snapshot),
                _ => format!("the look at {} snapshots", chunk.len()),
            };
            let filters = filter("SnapshotIds", ids);
            let list = self
                .api
                .list(READ_SNAPSHOTS, "Snapshots", &filters, &what, |raw| {
                    Ok(Some(raw))
                });
            match list.await {
                Err(error) if error.kind == Kind::Permission => {
                    return Ok(Looked::Forbidden(error.one_line()));
                }
                listed => found.extend(listed?),
            }
        }
        Ok(Looked::At(found))
    }

    /// Whether the snapshot is there and complete.
    fn check_snapshot(&self, id: &str, looked: &Looked) -> Result<Option<String>> {
        let snapshots = match looked {
            Looked::At(snapshots) => snapshots,
            Looked::Forbidden(why) => {
                return Ok(Some(format!(
                    "The snapshot {id} could not be looked at ({why})"
                )));
            }
        };
        let list = rules::what_can_be_exported;
        let snapshot = snapshots
            .iter()
            .find(|snapshot| text(snapshot, "SnapshotId") == Some(id))
            .ok_or_else(|| {
                Error::new(
                    Kind::NotFound,
                    format!(
                        "There is no snapshot {id} in {}, or it is another account's",
                        self.account.region
                    ),
                )
                .because(Reason::NoSource)
                .hint(list())
            })?;
        let state = text(snapshot, "State").unwrap_or("");
        match not_exportable(state) {
            Some(reason) if !state.is_empty() => Err(Error::new(
                Kind::Conflict,
                format!("The snapshot {id} cannot be exported now: {reason}"),
            )
            .hint(list())),
            reason => Ok(reason
                .map(|reason| format!("The snapshot {id} may not be exportable yet: {reason}"))),
        }
    }

    /// Whether the bucket is there: the cloud makes one that is not, so a slip of the pen would make a new bucket.
    async fn check_bucket(&self, bucket: &str) -> Result<Option<String>> {
        let Err(error) = self.objects.list(bucket, "").await else {
            return Ok(None);
        };
        match error.kind {
            Kind::NotFound => {
                let meant = self.meant_bucket(bucket).await;
                Ok(Some(format!(
                    "The bucket {bucket} does not exist; OUTSCALE will create it{}",
                    meant.map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
                )))
            }
            // With a refused pair the task would be accepted and then never end (QA: TINA-6147).
            Kind::Credentials if self.account.bucket_keys.is_some() => Err(error.hint(
                "check OSU_ACCESS_KEY and OSU_SECRET_KEY, or the profile named by --bucket-profile",
            )),
            _ => Ok(Some(format!(
                "The bucket {bucket} could not be looked at ({})",
                error.one_line()
            ))),
        }
    }

    /// The bucket that may have been meant by a name that does not exist. Finding none is no failure.
    async fn meant_bucket(&self, bucket: &str) -> Option<String> {
        let buckets = tokio::time::timeout(limit(PATIENCE), self.objects.buckets()).await;
        let buckets = buckets.ok()?.ok()?;
        suggest::nearest(bucket, buckets.iter().map(String::as_str)).map(str::to_owned)
    }
}
