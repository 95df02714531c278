//! What references promise.

use super::*;

#[test]
fn references_are_resolved_by_qualifier_and_shape() {
    for (text, expected) in [
        ("snap-export-12345678", Ok("outscale")),
        ("outscale/snap-export-12345678", Ok("outscale")),
        (
            "lightsail/5a1c2b3d-0000-4000-8000-000000000000",
            Ok("lightsail"),
        ),
        (
            "rackspace/7bdc8ede-0000-4000-8000-000000000000",
            Ok("rackspace"),
        ),
        (
            "5a1c2b3d-0000-4000-8000-000000000000",
            Err("more than one provider"),
        ),
        ("nonsense", Err("the form of no provider's")),
        ("azure/1", Err("no provider 'azure'")),
        ("outscale/", Err("is no task id")),
        ("outscale/a/b", Err("is no task id")),
        ("outscale/a b", Err("is no task id")),
        ("", Err("empty")),
    ] {
        match (resolve(text, None), expected) {
            (Ok(named), Ok(provider)) => assert_eq!(named.entry.id.0, provider, "{text}"),
            (Err(error), Err(part)) => assert!(error.message.contains(part), "{text}: {error}"),
            (Ok(named), Err(_)) => panic!("{text} was taken for one of {}", named.entry.id),
            (Err(error), Ok(_)) => panic!("{text}: {error}"),
        }
    }
}
