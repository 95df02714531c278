use super::*;
use serde_json::json;

fn value(text: &str) -> Value {
    parse(text).expect("YAML").value
}

#[test]
fn a_scalar_is_the_text_that_stands_there() {
    for text in [
        "0123456789",
        "00000000000000000000000000000000",
        "0008",
        "5e12",
        "5e12abc",
        "0x1F",
        "1_000",
        "1.10",
        "true",
        "no",
        ".nan",
        "2026-01-02",
        "12:30:45",
        "+1",
        "é",
    ] {
        assert_eq!(value(&format!("a: {text}")), json!({"a": text}));
        assert_eq!(value(&format!("a: !!int {text}")), json!({"a": text}));
    }
    assert_eq!(
        value("a: ~\nb: null\nc:\nd: ''\ne: 'null'\nf: \"~\""),
        json!({"a": null, "b": null, "c": null, "d": "", "e": "null", "f": "~"})
    );
}

#[test]
fn of_two_keys_the_last_one_counts_and_both_are_told() {
    let document = parse("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n").expect("YAML");
    assert_eq!(document.value, json!({"a": "3", "b": {"c": "2"}}));
    assert_eq!(document.twice, [("c".to_owned(), 4), ("a".to_owned(), 5)]);
}

#[test]
fn anchors_aliases_and_merge_keys_are_followed() {
    let text = "base: &b {x: 1, y: 2}\none:\n  <<: *b\n  y: 3\ntwo: [*b, {z: 0}]\n";
    let expected = json!({
        "base": {"x": "1", "y": "2"},
        "one": {"x": "1", "y": "3"},
        "two": [{"x": "1", "y": "2"}, {"z": "0"}],
    });
    assert_eq!(value(text), expected);
    assert_eq!(parse(text).expect("YAML").twice, []);
    let json = r#"{"clouds": {"a": {"n": 1, "l": [true]}}}"#;
    assert_eq!(
        value(json),
        json!({"clouds": {"a": {"n": "1", "l": ["true"]}}})
    );
}

#[test]
fn what_is_no_yaml_or_too_much_of_it_is_told_by_its_line() {
    assert_eq!(
        parse("a: 1\nb: [1\n").err().map(|line| line > 1),
        Some(true)
    );
    assert_eq!(parse("a: *none\n").err(), Some(1));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..10 {
        let last = n - 1;
        let items = vec![format!("*a{last}"); 10].join(", ");
        bomb.push_str(&format!("a{n}: &a{n} [{items}]\n"));
    }
    assert!(parse(&bomb).is_err());
    assert!(parse(&"[".repeat(10_000)).is_err());
}
