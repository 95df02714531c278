//! The contract of the provider trait, held against every cloud on the sandbox and against the fake.

use std::sync::Arc;
use std::time::Duration;

use snapexport::error::Kind;
use snapexport::http::Http;
use snapexport::provider::{Entry, Provider, TaskFilter, lightsail, outscale, rackspace};
use snapexport::settings::Sources;
use snapexport::task::{ExportRequest, State, Target, Task, TaskId};
use snapexport_sandbox::{Options, Sandbox};

use crate::fake::{self, Fake};
use crate::single::{checked, located};

/// How long an export takes here.
const DURATION: Duration = Duration::from_millis(600);
/// How long it takes where it must not be far when it is cancelled.
const UNHURRIED: Duration = Duration::from_secs(3600);

/// A provider and what it can be tried with.
struct Subject {
    provider: Arc<dyn Provider>,
    /// Succeeds.
    good: ExportRequest,
    /// Passes every check and fails in the cloud.
    failing: ExportRequest,
    /// Names a source that does not exist.
    missing: ExportRequest,
    /// Is refused before anything is sent.
    invalid: ExportRequest,
    unknown_task: TaskId,
    can_cancel: bool,
    /// The clouds, if they are simulated.
    sandbox: Option<Sandbox>,
}

fn request(snapshot: &str, target: &Target) -> ExportRequest {
    ExportRequest::new(snapshot, target.clone())
}

async fn subject(
    entry: &Entry,
    target: Target,
    snapshots: [&str; 4],
    unknown_task: &str,
    duration: Duration,
) -> Subject {
    let options = Options {
        duration,
        ..Options::default()
    };
    let sandbox = Sandbox::start(options).await.expect("the sandbox starts");
    let sources = Sources {
        env: sandbox.variables().into_iter().collect(),
        ..Sources::default()
    };
    let provider = (entry.connect)(&sources, Http::new(false))
        .await
        .expect("it connects");
    let [good, failing, missing, invalid] = snapshots.map(|snapshot| request(snapshot, &target));
    Subject {
        provider,
        good,
        failing,
        missing,
        invalid,
        unknown_task: unknown_task.into(),
        can_cancel: entry.no_cancel.is_none(),
        sandbox: Some(sandbox),
    }
}

async fn on_outscale(duration: Duration) -> Subject {
    let target = Target::new(&outscale::Destination::Oos {
        bucket: "demo".into(),
        prefix: Some("web/".into()),
        format: "qcow2".into(),
    });
    let snapshots = ["snap-0a1b2c3d", "snap-deadbeef", "snap-00000000", "web"];
    subject(
        &outscale::ENTRY,
        target,
        snapshots,
        "snap-export-00000000",
        duration,
    )
    .await
}

async fn on_lightsail(duration: Duration) -> Subject {
    let unknown = "00000000-0000-4000-8000-000000000000";
    subject(
        &lightsail::ENTRY,
        Target::new(&lightsail::Destination::Ec2),
        ["web-1", "broken-1", "nothing-1", ""],
        unknown,
        duration,
    )
    .await
}

async fn on_rackspace(duration: Duration) -> Subject {
    let target = Target::new(&rackspace::Destination::CloudFiles {
        container: "exports".into(),
    });
    let unknown = "00000000-0000-4000-8000-000000000000";
    let snapshots = [
        "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21",
        "deadbeef-0bad-4dad-8bad-c0ffee000bad",
        unknown,
        "web-1",
    ];
    subject(&rackspace::ENTRY, target, snapshots, unknown, duration).await
}

async fn on_fake(_duration: Duration) -> Subject {
    let [good, failing, missing, invalid] =
        ["disk-1", "broken", "missing", ""].map(|snapshot| request(snapshot, &fake::target()));
    let provider = Arc::new(Fake::default());
    Subject {
        provider,
        good,
        failing,
        missing,
        invalid,
        unknown_task: "t-unknown".into(),
        can_cancel: true,
        sandbox: None,
    }
}

async fn look_one(provider: &dyn Provider, id: &TaskId) -> Task {
    let mut slots = provider
        .look(std::slice::from_ref(id))
        .await
        .expect("an answer");
    assert_eq!(slots.len(), 1);
    slots.remove(0).expect("a task")
}

/// Looks until the task ends; states only ever move forward, and nothing terminal comes before the end.
async fn follow(provider: &dyn Provider, id: &TaskId) -> Task {
    let rank = |state: State| match state {
        State::Pending => 0,
        State::Running => 1,
        _ => 2,
    };
    let mut last = 0;
    for _ in 0..200 {
        let task = look_one(provider, id).await;
        assert_eq!(&task.id, id);
        assert_eq!(task.provider, provider.id());
        assert!(
            rank(task.state) >= last,
            "{} went back to {}",
            task.id,
            task.state
        );
        last = rank(task.state);
        if task.state.is_terminal() {
            return task;
        }
        tokio::time::sleep(DURATION / 20).await;
    }
    panic!("{id} never ended");
}

/// An export that succeeds says so, tells where its artifact is, and is listed.
async fn a_good_export_completes(subject: &Subject) {
    let provider = subject.provider.as_ref();
    provider.validate(&subject.good).expect("valid");
    checked(provider, &subject.good)
        .await
        .expect("can be exported");
    let started = provider.start(&subject.good).await.expect("starts");
    assert!(!started.state.is_terminal(), "{}", started.state);
    let listed = provider
        .tasks(&TaskFilter {
            snapshots: vec![subject.good.snapshot.clone()],
            with_completed: false,
            since: None,
        })
        .await
        .expect("a list");
    assert!(
        listed.iter().any(|task| task.id == started.id),
        "{} is not listed",
        started.id
    );
    let ended = follow(provider, &started.id).await;
    assert_eq!(ended.state, State::Completed, "{:?}", ended.error);
    assert_eq!(ended.error, None);
    let artifact = located(provider, &ended).await.expect("its artifact");
    assert!(artifact.exact);
    assert!(
        artifact.uri.contains("://") || artifact.uri.starts_with("arn:"),
        "{}",
        artifact.uri
    );
    let derived = ended.artifact.expect("where it went");
    assert_eq!(derived.uri, artifact.uri, "the rule and the look disagree");
}

/// An export that fails says so, and why.
async fn a_failing_export_fails_with_a_reason(subject: &Subject) {
    let provider = subject.provider.as_ref();
    checked(provider, &subject.failing)
        .await
        .expect("nothing shows before");
    let started = provider.start(&subject.failing).await.expect("starts");
    let ended = follow(provider, &started.id).await;
    assert_eq!(ended.state, State::Failed);
    let error = ended.error.expect("a reason");
    assert_eq!(error.kind, Kind::TaskFailed);
    assert!(!error.message.is_empty());
    assert_eq!(ended.artifact, None);
}

/// Many ids are answered slot by slot, in order, the unknown ones as not found.
async fn looks_answer_slot_by_slot(subject: &Subject) {
    let provider = subject.provider.as_ref();
    let first = provider.start(&subject.good).await.expect("starts").id;
    let second = provider.start(&subject.failing).await.expect("starts").id;
    let ids = [second.clone(), subject.unknown_task.clone(), first.clone()];
    let slots = provider.look(&ids).await.expect("an answer");
    let seen: Vec<Result<TaskId, Kind>> = slots
        .into_iter()
        .map(|slot| slot.map(|task| task.id).map_err(|error| error.kind))
        .collect();
    assert_eq!(seen, [Ok(second), Err(Kind::NotFound), Ok(first)]);
    assert!(provider.look(&[]).await.expect("nothing asked").is_empty());
}

/// What cannot be is refused before it is sent, and what is not there is not found.
async fn bad_requests_are_refused_early(subject: &Subject) {
    let provider = subject.provider.as_ref();
    let refused = provider.validate(&subject.invalid).expect_err("invalid");
    assert_eq!(refused.kind, Kind::Usage);
    let missing = checked(provider, &subject.missing)
        .await
        .expect_err("not there");
    assert_eq!(missing.kind, Kind::NotFound);
    assert!(
        missing.message.contains(&subject.missing.snapshot),
        "{missing}"
    );
}

/// What `list` shows can be exported.
async fn sources_are_listed(subject: &Subject) {
    let sources = subject.provider.exportable().await.expect("a list");
    let good = sources
        .iter()
        .find(|source| source.id == subject.good.snapshot)
        .expect("the good one");
    assert!(good.exportable, "{:?}", good.reason);
    for source in sources.iter().filter(|source| !source.exportable) {
        assert!(
            source.reason.is_some(),
            "{} does not say why not",
            source.id
        );
    }
}

/// A preview has no secret in it and sends nothing.
async fn previews_are_harmless(subject: &Subject) {
    let provider = subject.provider.as_ref();
    let before = provider
        .tasks(&TaskFilter::default())
        .await
        .expect("a list")
        .len();
    let preview = provider.preview(&subject.good);
    assert!(!preview.call.is_empty() && preview.url.contains("://"));
    assert!(preview.body.to_string().contains(&subject.good.snapshot));
    let after = provider
        .tasks(&TaskFilter::default())
        .await
        .expect("a list")
        .len();
    assert_eq!(before, after);
}

/// A cloud that can cancel ends what has just begun, however often it is asked; one that cannot says so and changes nothing.
async fn a_new_export_is_cancelled_or_that_is_refused(subject: &Subject) {
    let provider = subject.provider.as_ref();
    let id = provider.start(&subject.good).await.expect("starts").id;
    if subject.can_cancel {
        for _ in 0..2 {
            provider.cancel(&id).await.expect("it has hardly begun");
            assert_eq!(look_one(provider, &id).await.state, State::Cancelled);
        }
        let unknown = provider.cancel(&subject.unknown_task).await;
        assert_eq!(unknown.expect_err("nobody's").kind, Kind::NotFound);
    } else {
        let refused = provider.cancel(&id).await.expect_err("it cannot");
        assert_eq!(refused.kind, Kind::Usage);
        assert!(refused.message.contains(id.as_str()), "{refused}");
        assert!(!refused.details.hints.is_empty(), "what to do instead");
        assert!(!look_one(provider, &id).await.state.is_terminal());
    }
}

/// Time that the sandbox lets pass ends an export at once, and no signature is refused for it.
async fn an_export_goes_by_the_clock_of_its_cloud(subject: &Subject) {
    let Some(sandbox) = &subject.sandbox else {
        return;
    };
    let provider = subject.provider.as_ref();
    let id = provider.start(&subject.good).await.expect("starts").id;
    assert!(!look_one(provider, &id).await.state.is_terminal());
    sandbox.advance(UNHURRIED);
    let ended = look_one(provider, &id).await;
    assert_eq!(ended.state, State::Completed);
    located(provider, &ended).await.expect("its artifact");
}

async fn conforms(make: impl AsyncFn(Duration) -> Subject) {
    a_good_export_completes(&make(DURATION).await).await;
    a_failing_export_fails_with_a_reason(&make(DURATION).await).await;
    looks_answer_slot_by_slot(&make(DURATION).await).await;
    bad_requests_are_refused_early(&make(DURATION).await).await;
    sources_are_listed(&make(DURATION).await).await;
    previews_are_harmless(&make(DURATION).await).await;
    a_new_export_is_cancelled_or_that_is_refused(&make(UNHURRIED).await).await;
    an_export_goes_by_the_clock_of_its_cloud(&make(UNHURRIED).await).await;
}

#[tokio::test]
async fn outscale_keeps_the_contract() {
    conforms(on_outscale).await;
}

#[tokio::test]
async fn lightsail_keeps_the_contract() {
    conforms(on_lightsail).await;
}

#[tokio::test]
async fn rackspace_keeps_the_contract() {
    conforms(on_rackspace).await;
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    conforms(on_fake).await;
}
