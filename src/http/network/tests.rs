//! Which way leads to a server.

use super::*;

fn through(env: &[(&str, &str)], url: &str) -> Option<(String, String)> {
    let network = Network::of(&env.iter().copied().collect(), None);
    let proxy = network.proxy(&Url::parse(url).expect("a URL"))?;
    Some((proxy.value, proxy.origin))
}

#[test]
fn the_proxy_is_the_one_of_the_usual_variables() {
    let url = "https://api.example.com/x";
    for (env, origin) in [
        (vec![("HTTPS_PROXY", "http://p:1")], Some("HTTPS_PROXY")),
        (vec![("https_proxy", "p:1")], Some("https_proxy")),
        (vec![("ALL_PROXY", "http://p:1")], Some("ALL_PROXY")),
        (
            vec![("https_proxy", "http://p:1"), ("HTTPS_PROXY", "http://q:1")],
            Some("https_proxy"),
        ),
        (vec![("HTTP_PROXY", "http://p:1")], None),
        (vec![], None),
    ] {
        let found = through(&env, url);
        let expected = origin.map(|origin| ("http://p:1/".to_owned(), origin.to_owned()));
        assert_eq!(found, expected, "{env:?}");
    }
    let socks = through(&[("ALL_PROXY", "socks5h://u:hunter2@p:1")], url);
    assert_eq!(socks.expect("a proxy").0, "socks5h://p:1");
    let cgi = [("HTTP_PROXY", "http://p:1"), ("REQUEST_METHOD", "GET")];
    assert_eq!(through(&cgi, "http://api.example.com/"), None);
}

#[test]
fn exempt_hosts_and_this_machine_are_reached_directly() {
    for (exempt, url, is_direct) in [
        ("", "https://api.example.com/", false),
        ("example.com", "https://api.example.com/", true),
        (".example.com", "https://api.example.com/", true),
        (
            "other.com, api.example.com",
            "https://api.example.com/",
            true,
        ),
        ("ample.com", "https://api.example.com/", false),
        ("*", "https://api.example.com/", true),
        ("10.0.0.0/8", "https://10.1.2.3/", true),
        ("", "https://127.0.0.1/", true),
        ("", "https://localhost:8443/", true),
        ("", "http://169.254.169.254/", true),
    ] {
        let proxy = [("ALL_PROXY", "http://p:1"), ("NO_PROXY", exempt)];
        assert_eq!(through(&proxy, url).is_none(), is_direct, "{exempt} {url}");
    }
}

#[test]
fn what_is_no_proxy_or_no_certificate_is_refused_by_its_variable() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let path = file.path().to_str().expect("text");
    for (name, value, said) in [
        ("HTTPS_PROXY", "ftp://hunter2@p", "HTTPS_PROXY"),
        ("SSL_CERT_FILE", "/nonexistent.pem", "/nonexistent.pem"),
        ("SSL_CERT_FILE", path, "SSL_CERT_FILE"),
    ] {
        let network = Network::of(&[(name, value)].into_iter().collect(), None);
        let error = network.apply(reqwest::Client::builder()).expect_err(name);
        assert!(error.message.contains(said), "{}", error.message);
        assert!(!format!("{error:?}{network:?}").contains("hunter2"));
    }
}
