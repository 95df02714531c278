//! Recorded replies through the parsers, for fuzzing.

use super::super::recorded::{Parsed, Recorded};
use super::api::{accept, take_page};
use super::{CREATE, READ_SNAPSHOTS, READ_TASKS, mapping, objects, started};
use crate::task::{ExportRequest, Target};

const LIST_OBJECTS: &str = "ListObjectsV2";
const REGION: &str = "eu-west-2";

/// Reads a recorded reply as the call it names would.
#[doc(hidden)]
pub fn fuzz_replies(data: &[u8]) -> Parsed {
    let Recorded { call, reply } =
        Recorded::read(data, &[CREATE, READ_TASKS, READ_SNAPSHOTS, LIST_OBJECTS]);
    let mut parsed = Parsed::default();
    if call == LIST_OBJECTS {
        if reply.is_success() {
            parsed.take(objects::read_list(&reply), |_, _| {});
        } else {
            parsed.errors.push(objects::refused(&reply, "backups"));
        }
        return parsed;
    }
    let reply = match accept(reply, "the call") {
        Ok(reply) => reply,
        Err(error) => {
            parsed.errors.push(error);
            return parsed;
        }
    };
    if call == CREATE {
        let request = ExportRequest {
            snapshot: "snap-12345678".into(),
            target: Target::Oos {
                bucket: "backups".into(),
                prefix: None,
                format: "qcow2".into(),
                manifest_url: None,
            },
        };
        parsed.take(started(&reply, &request, REGION), |parsed, task| {
            parsed.tasks.push(task);
        });
        return parsed;
    }
    let (call, member) = if call == READ_SNAPSHOTS {
        (READ_SNAPSHOTS, "Snapshots")
    } else {
        (READ_TASKS, "SnapshotExportTasks")
    };
    let mut items = Vec::new();
    let page = reply
        .json()
        .and_then(|page| take_page(call, member, page, &mut items));
    parsed.take(page, |_, _| {});
    parsed
        .tasks
        .extend(items.iter().filter_map(|item| mapping::task(item, REGION)));
    parsed.sources.extend(
        items
            .iter()
            .filter_map(|item| mapping::source(item, REGION)),
    );
    parsed
}
