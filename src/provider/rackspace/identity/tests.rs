//! How to log in.

use super::*;

#[test]
fn identity_urls_are_accepted_in_every_form_people_write() {
    for (written, prefers_v3, base, version) in [
        ("https://h/v2.0", false, "https://h/v2.0", Version::V2),
        ("https://h/v2.0/", false, "https://h/v2.0", Version::V2),
        (
            "https://h/v2.0/tokens",
            false,
            "https://h/v2.0",
            Version::V2,
        ),
        ("https://h", false, "https://h/v2.0", Version::V2),
        ("https://h/", true, "https://h/v3", Version::V3),
        ("https://h/v3", false, "https://h/v3", Version::V3),
        (
            "https://h/identity/v3/auth/tokens",
            false,
            "https://h/identity/v3",
            Version::V3,
        ),
    ] {
        let url = IdentityUrl::normalise(Url::parse(written).expect("a URL"), prefers_v3);
        assert_eq!(
            (url.base.as_str(), url.version),
            (base, version),
            "{written}"
        );
    }
}
