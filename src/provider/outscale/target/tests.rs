use super::*;
use crate::task::Target;

fn target(prefix: Option<&str>) -> Target {
    Target::new(&Destination::Oos {
        bucket: "backups".into(),
        prefix: prefix.map(str::to_owned),
        format: "raw".into(),
    })
}

#[test]
fn a_target_is_written_as_journals_have_it() {
    let written = r#"{"kind":"oos","bucket":"backups","prefix":null,"format":"raw"}"#;
    assert_eq!(target(None).identity(), written);
    assert_eq!(target(Some("")).identity(), written);
    let read: Target = serde_json::from_str(written).expect("a target");
    assert_eq!(read, target(None));
    assert!(read.is_same_place(&target(Some(""))));
    assert!(!read.is_same_place(&target(Some("web/"))));
}

#[test]
fn what_is_no_target_of_this_cloud_is_not_read() {
    for text in [
        r#"{"kind":"ec2"}"#,
        r#"{"kind":"oos","bucket":"backups"}"#,
        r#"{"kind":"oos","bucket":7,"prefix":null,"format":"raw"}"#,
        "{}",
    ] {
        let target: Target = serde_json::from_str(text).expect("an object");
        assert_eq!(target.read::<Destination>(), None, "{text}");
    }
}
