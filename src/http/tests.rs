//! What the client promises.

use super::*;

#[test]
fn endpoints_default_to_https_and_refuse_plain_http_off_loopback() {
    let strict = Http::new(false);
    for (text, expected) in [
        ("api.example.com", Some("https://api.example.com/")),
        (
            "api.example.com/api/v1",
            Some("https://api.example.com/api/v1"),
        ),
        ("http://127.0.0.1:8000", Some("http://127.0.0.1:8000/")),
        ("http://localhost:8000/x", Some("http://localhost:8000/x")),
        ("http://[::1]:1", Some("http://[::1]:1/")),
        ("http://api.example.com", None),
        ("http://127.0.0.1.example.com", None),
        ("ftp://127.0.0.1", None),
        ("https://", None),
        ("https://user:hunter2@api.example.com", None),
        ("http://user:hunter2@[", None),
    ] {
        let url = strict.endpoint(text, "a test").map(|url| url.to_string());
        assert_eq!(url.as_deref().ok(), expected, "{text}");
        if let Err(error) = url {
            assert_eq!(error.kind, Kind::Usage, "{text}");
            assert!(!error.message.contains("hunter2"), "{error}");
        }
    }
    assert!(
        Http::new(true)
            .endpoint("http://api.example.com", "a test")
            .is_ok()
    );
}

#[test]
fn html_becomes_a_sentence() {
    let html = "<html><h1>404 Not Found</h1> It&#x27;s gone.<br /><br />\n</html>";
    assert_eq!(strip_tags(html), "404 Not Found It's gone.");
}

#[test]
fn a_server_has_fifteen_seconds_to_begin_its_reply_and_thirty_to_end_it() {
    let limits = Limits::default().in_this_process();
    let seconds = (limits.first_byte.as_secs(), limits.reply.as_secs());
    assert_eq!(seconds, (15, 30));
}
