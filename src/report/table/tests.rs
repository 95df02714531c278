use super::*;
use crate::task::{ProviderId, SourceKind, State, TaskId};

fn seen(width: Option<u16>) -> String {
    let mut task = Task::unseen(
        ProviderId("lightsail"),
        "eu-west-3",
        TaskId::from("5a1c2b3d"),
    );
    task.snapshot = Some("web-1".into());
    task.state = State::Running;
    task.provider_state = "Started".into();
    let terminal = Terminal {
        stdout_width: width,
        ..Terminal::default()
    };
    let mut text = String::new();
    tasks(&[task], Timestamp::UNIX_EPOCH, terminal, |part| {
        text += part
    });
    text
}

#[test]
fn a_row_is_a_line_where_it_fits_and_a_block_where_not() {
    let table = "PROVIDER   TASK      SNAPSHOT  STATE    PROGRESS  AGE  RESULT\n\
                 lightsail  5a1c2b3d  web-1     running  Started   -    -";
    assert_eq!(seen(None), table);
    assert_eq!(seen(Some(80)), table);
    assert_eq!(
        seen(Some(40)),
        "lightsail 5a1c2b3d\n  web-1: running, Started, -\n  -"
    );
}

fn source(id: &str, reason: Option<&str>) -> Source {
    Source {
        schema: 1,
        provider: ProviderId("outscale"),
        region: "eu-west-2".into(),
        id: id.into(),
        name: None,
        kind: SourceKind::VolumeSnapshot,
        state: "completed".into(),
        provider_state: "completed".into(),
        size_bytes: Some(1 << 30),
        created_at: None,
        exportable: reason.is_none(),
        reason: reason.map(str::to_owned),
        tags: Default::default(),
    }
}

fn listed(width: Option<u16>) -> String {
    let long = "it has not got a copy in this region yet; one is made within a day";
    let terminal = Terminal {
        stdout_width: width,
        ..Terminal::default()
    };
    let both = [source("snap-1", None), source("snap-2", Some(long))];
    sources(&both, Timestamp::UNIX_EPOCH, terminal)
}

#[test]
fn a_reason_stands_in_the_row_below_it_or_in_a_block_and_a_shared_kind_nowhere() {
    assert_eq!(
        listed(None),
        "ID      STATE      SIZE   CREATED  EXPORT\n\
         snap-1  completed  1 GiB  -        yes\n\
         snap-2  completed  1 GiB  -        no: it has not got a copy in this region yet; \
         one is made within a day"
    );
    assert_eq!(
        listed(Some(60)),
        "ID      STATE      SIZE   CREATED  EXPORT\n\
         snap-1  completed  1 GiB  -        yes\n\
         snap-2  completed  1 GiB  -        no\n\
         \u{20} it has not got a copy in this region yet; one is made\n\
         \u{20} within a day"
    );
    assert_eq!(
        listed(Some(36)),
        "ID      SIZE   CREATED  EXPORT\n\
         snap-1  1 GiB  -        yes\n\
         snap-2  1 GiB  -        no\n\
         \u{20} it has not got a copy in this\n\
         \u{20} region yet; one is made within a\n\
         \u{20} day"
    );
    assert_eq!(
        listed(Some(29)),
        "snap-1\n\
         \u{20} completed, 1 GiB\n\
         snap-2\n\
         \u{20} completed, 1 GiB\n\
         \u{20} cannot be exported: it has\n\
         \u{20} not got a copy in this\n\
         \u{20} region yet; one is made\n\
         \u{20} within a day"
    );
}
