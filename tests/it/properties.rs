//! What holds for every input, tried on many.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use snapexport::commands::reference::{resolve, typed_form};
use snapexport::pace::{Pace, Seen, pause};
use snapexport::provider;
use snapexport::secret::{clean, clean_lines, escape_json, redact_json, redact_text, secrets_in};
use snapexport::task::{Task, TaskId};
use url::Url;

/// What must not be seen again.
const SECRET: &str = "hunter2+/&=\"x";

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    }
}

fn seconds(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
    range.prop_map(Duration::from_secs)
}

fn seen() -> impl Strategy<Value = Seen> {
    (
        any::<u32>(),
        any::<u32>(),
        proptest::option::of(seconds(0..4000)),
        proptest::option::of(seconds(0..u64::MAX)),
    )
        .prop_map(|(idle_looks, misses, retry_after, remaining)| Seen {
            idle_looks,
            misses,
            retry_after,
            remaining,
        })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_pace_stays_between_its_bounds_and_never_under_what_was_asked(
        min in seconds(1..60), more in seconds(0..600), seen in seen(), jitter in -1.0..2.0f64,
    ) {
        let max = min + more;
        let pause = pause(Pace::Between(min, max), seen, jitter);
        let asked = seen.retry_after.unwrap_or_default();
        prop_assert!(pause >= asked);
        prop_assert!(pause >= min.mul_f64(0.899));
        prop_assert!(pause <= max.mul_f64(1.101).max(asked));
    }

    #[test]
    fn the_pace_only_slows_down_with_patience_and_with_misses(
        min in seconds(1..60), more in seconds(0..600), seen in seen(), jitter in 0.0..1.0f64,
    ) {
        let pace = Pace::Between(min, min + more);
        let more_idle = Seen { idle_looks: seen.idle_looks.saturating_add(1), ..seen };
        let more_missed = Seen { misses: seen.misses.saturating_add(1), ..seen };
        prop_assert!(pause(pace, more_idle, jitter) >= pause(pace, seen, jitter));
        if seen.misses > 0 {
            prop_assert!(pause(pace, more_missed, jitter) >= pause(pace, seen, jitter));
        }
    }

    #[test]
    fn no_text_breaks_the_resolution_of_references(text in any::<String>()) {
        for text in [text.clone(), format!("outscale/{text}"), format!("{text}/rackspace")] {
            if let Ok(named) = resolve(&text, None) {
                prop_assert!(text.contains(named.id.as_str()));
            }
        }
    }

    #[test]
    fn what_is_printed_for_a_task_can_be_typed_again(
        index in 0..3usize,
        hex in "[0-9a-f]{8}",
        uuid in "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        is_record in any::<bool>(),
    ) {
        let entry = provider::clouds().nth(index).expect("one of three");
        let id = match entry.id.0 {
            "outscale" => format!("snap-export-{hex}"),
            "lightsail" if is_record => format!("ExportSnapshotRecord-{uuid}"),
            _ => uuid,
        };
        let task = Task::unseen(entry.id, "somewhere", TaskId(id.clone()));
        for form in [typed_form(&task, false), task.qualified()] {
            let named = resolve(&form, None).expect("it was printed");
            prop_assert_eq!((named.entry.id, named.id.as_str()), (entry.id, id.as_str()));
        }
    }
}

fn secret_name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("SecretKey"),
        Just("secret_access_key"),
        Just("password"),
        Just("apiKey"),
        Just("x-auth-token"),
        Just("sessionToken"),
        Just("RAX-KSKEY:apiKey"),
        Just("X-Amz-Signature"),
        Just("temp_url_sig"),
    ]
    .prop_map(str::to_owned)
}

fn secret_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(SECRET)),
        Just(json!([SECRET, 1])),
        Just(json!([[SECRET], {"note": "shown", "password": SECRET}])),
    ]
}

/// JSON with secrets in it, at any depth.
fn body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        (secret_name(), secret_value()).prop_map(|(name, value)| json!({name: value})),
        Just(json!({"token": {"id": SECRET, "expires": "2026"}})),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner.clone(), 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
            (secret_name(), inner).prop_map(|(name, value)| json!({name: {"inner": value}})),
        ]
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_secret_survives_redaction_however_deep_it_stands(body in body(), cut in 0.0..1.0f64) {
        let written = json!(SECRET).to_string();
        let written = written.trim_matches('"');
        let text = body.to_string();
        let holds = text.contains(written);
        let redacted = redact_json(&body);
        prop_assert!(!redacted.to_string().contains("hunter2"), "{redacted}");
        prop_assert_eq!(&redact_json(&redacted), &redacted, "once is enough");
        prop_assert_eq!(secrets_in(&body).contains(&SECRET), holds);
        // Cut anywhere, and inside another string.
        let mut end = (text.len() as f64 * cut) as usize;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        // Lists under a secret name are beyond what text alone tells.
        if !text.contains('[') {
            let shown = redact_text(&text[..end]);
            prop_assert!(!shown.contains("hunter2"), "{shown}");
            let quoted = json!({"message": text}).to_string();
            let shown = redact_text(&quoted);
            prop_assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn no_secret_survives_in_a_url(
        name in secret_name(), other in "[a-h]{1,8}", value in any::<String>(), has_user in any::<bool>(),
    ) {
        let mut url = Url::parse("https://host:8443/path").expect("a URL");
        if has_user {
            url.set_username("user").expect("it may have one");
            url.set_password(Some("hunter2")).expect("it may have one");
        }
        let free = format!("q{other}");
        url.query_pairs_mut().append_pair(&free, &value).append_pair(&name, "hunter2");
        url.set_fragment(Some("access_token=hunter2"));
        let shown = snapexport::secret::Url::from(url.clone()).to_string();
        prop_assert!(!shown.contains("hunter2") || value.contains("hunter2"), "{shown}");
        let again = Url::parse(&shown).expect("still a URL");
        let kept = again.query_pairs().any(|(k, v)| k == free.as_str() && v == value.as_str());
        prop_assert!(kept, "{shown}");
        let whole = redact_json(&json!({"link": url.as_str()}));
        prop_assert_eq!(&whole["link"], &json!(shown));
    }
}

/// Text rich in what must not reach a terminal.
fn hostile_text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        3 => any::<char>(),
        2 => proptest::char::range('\0', '\u{a0}'),
        2 => proptest::char::range('\u{2000}', '\u{2070}'),
        1 => proptest::char::range('\u{e0000}', '\u{e0080}'),
        1 => Just('\u{feff}'),
        2 => Just(' '),
    ];
    proptest::collection::vec(character, 0..60).prop_map(|chars| chars.into_iter().collect())
}

/// Written apart from the program's own list, from Unicode's: Bidi_Control, and what is invisible by definition.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}"
            .contains(c)
        || "\u{200b}\u{2060}\u{feff}\u{2028}\u{2029}".contains(c)
        || ('\u{e0000}'..='\u{e007f}').contains(&c)
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn cleaned_text_drives_no_terminal_and_keeps_what_is_visible(text in hostile_text()) {
        let cleaned = clean(&text);
        prop_assert!(!cleaned.contains(is_dangerous), "{cleaned:?}");
        prop_assert_eq!(letters(&cleaned), letters(&text));
        prop_assert_eq!(&clean(&cleaned), &cleaned, "once is enough");
        let lines = clean_lines(&text);
        prop_assert!(!lines.replace('\n', "").contains(is_dangerous), "{lines:?}");
        prop_assert_eq!(lines.matches('\n').count(), text.matches('\n').count());
        prop_assert_eq!(letters(&lines), letters(&text));
    }

    #[test]
    fn json_shows_nothing_dangerous_and_means_the_same(text in hostile_text()) {
        let value = json!({text.clone(): [text]});
        let escaped = escape_json(value.to_string());
        prop_assert!(!escaped.contains(is_dangerous), "{escaped:?}");
        prop_assert_eq!(serde_json::from_str::<Value>(&escaped).expect("JSON"), value);
    }
}
