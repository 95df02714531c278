//! Where calls go.

use super::*;

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

#[test]
fn image_endpoints_have_exactly_one_version() {
    for (given, expected) in [
        ("https://h/v2", "https://h/v2"),
        ("https://h/v2/", "https://h/v2"),
        ("https://h/v2/12345", "https://h/v2/12345"),
        ("https://h", "https://h/v2"),
        ("https://h/image/", "https://h/image/v2"),
    ] {
        assert_eq!(with_version(url(given)).as_str(), expected, "{given}");
    }
}

#[test]
fn links_are_followed_on_their_own_host_only() {
    let base = url("https://h:8443/v2/12345");
    for (link, expected) in [
        (
            "/v2/tasks?marker=a",
            Some("https://h:8443/v2/tasks?marker=a"),
        ),
        ("https://h:8443/v2/tasks", Some("https://h:8443/v2/tasks")),
        ("http://h:8443/v2/tasks", Some("https://h:8443/v2/tasks")),
        ("https://other/v2/tasks", None),
        ("//other/v2/tasks", None),
    ] {
        let followed = follow(&base, link).map(|url| url.to_string());
        assert_eq!(followed.as_deref().ok(), expected, "{link}");
    }
}

#[test]
fn names_are_encoded_in_urls() {
    let files = url("https://h/v1/a/");
    assert_eq!(
        below(&files, &["my box", "ü#.vhd"]).as_str(),
        "https://h/v1/a/my%20box/%C3%BC%23.vhd"
    );
}

#[test]
fn the_tenant_of_an_address_is_what_follows_its_version() {
    for (url, tenant) in [
        ("https://dfw.images.api.rackspacecloud.com/v2", None),
        (
            "https://dfw.images.api.rackspacecloud.com/v2/981977/",
            Some("981977"),
        ),
        (
            "https://storage.example/v1/MossoCloudFS_9c24",
            Some("MossoCloudFS_9c24"),
        ),
        ("https://images.example", None),
        ("https://images.example/v2.1", None),
    ] {
        let url = Url::parse(url).expect("a URL");
        assert_eq!(tenant_of(&url).as_deref(), tenant, "{url}");
    }
}
