//! What a URL shows of itself.

use super::*;

#[test]
fn urls_redact_themselves() {
    for (text, shown) in [
        (
            "https://u:p@h/x?X-Amz-Signature=abc&prefix=a",
            "https://h/x?X-Amz-Signature=***&prefix=a",
        ),
        ("https://h/x#id_token=abc", "https://h/x#***"),
        (
            "https://h/x?prefix=a%2Fb%20c",
            "https://h/x?prefix=a%2Fb%20c",
        ),
    ] {
        let url = Url::parse(text).expect("a URL");
        assert_eq!(url.to_string(), shown);
        assert_eq!(
            format!("{url:?} {:?}", Some(&url)),
            format!("{shown} Some({shown})")
        );
        assert_eq!(url.as_str(), text, "whole for who sends it");
    }
}
