//! Where an export is.

use super::*;

#[test]
fn the_expected_object_wins_then_the_only_one() {
    let object = |key: &str| Object {
        key: key.into(),
        size: Some(1),
        modified_at: None,
    };
    for (keys, expected) in [
        (&[][..], Ok(None)),
        (&["s.raw.gz"], Ok(Some("s.raw.gz"))),
        (&["s.manifest", "s.qcow2.gz"], Ok(Some("s.qcow2.gz"))),
        (&["s.a", "s.b"], Err(Kind::Provider)),
    ] {
        let objects: Vec<Object> = keys.iter().map(|key| object(key)).collect();
        let chosen = choose(&objects, "s", "qcow2")
            .map(|object| object.map(|object| object.key.as_str()))
            .map_err(|error| error.kind);
        assert_eq!(chosen, expected, "{keys:?}");
    }
}
