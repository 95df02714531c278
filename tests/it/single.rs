//! Questions to a provider about one export, which the trait asks about many.

use snapexport::error::Result;
use snapexport::provider::Provider;
use snapexport::task::{Artifact, ExportRequest, Task};

/// What speaks against an export.
pub async fn checked(provider: &dyn Provider, request: &ExportRequest) -> Result<Vec<String>> {
    let slots = provider.preflight(std::slice::from_ref(request)).await?;
    let [slot] = <[_; 1]>::try_from(slots).expect("one slot");
    slot
}

/// Where a task's artifact lies.
pub async fn located(provider: &dyn Provider, task: &Task) -> Result<Artifact> {
    let slots = provider.locate(std::slice::from_ref(task)).await;
    let [slot] = <[_; 1]>::try_from(slots).expect("one slot");
    slot
}
