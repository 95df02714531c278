//! Records that a list lacks. The next list may have them, so absence alone tells something only after a while.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::pace::limit;
use crate::task::TaskId;

/// Polls that must have missed a record before nothing more is expected of it,
const POLLS: u32 = 3;
/// and for how long, by a clock that nobody sets.
const SPAN: Duration = Duration::from_secs(30);

/// What the polls of this process have seen of the records of tasks.
#[derive(Default)]
pub(super) struct Absences(Mutex<HashMap<TaskId, Absence>>);

enum Absence {
    /// It was there once: it is not gone because a list lacks it.
    WasThere,
    Since(Instant, u32),
}

impl Absences {
    /// Notes that a task's record was seen.
    pub(super) fn seen(&self, id: &TaskId) {
        self.lock().insert(id.clone(), Absence::WasThere);
    }

    /// Notes that a list lacks it. True where it never was in one, for several polls and long enough.
    pub(super) fn missed(&self, id: &TaskId) -> bool {
        let mut all = self.lock();
        let absence = all.entry(id.clone());
        match absence.or_insert_with(|| Absence::Since(Instant::now(), 0)) {
            Absence::WasThere => false,
            Absence::Since(since, polls) => {
                *polls += 1;
                *polls >= POLLS && since.elapsed() >= limit(SPAN)
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TaskId, Absence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
