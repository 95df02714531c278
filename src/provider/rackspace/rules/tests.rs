//! What is refused before anything is sent.

use super::*;
use crate::error::Kind;

#[test]
fn container_names_are_refused_with_the_rule() {
    for (name, rule) in [
        ("exports", None),
        ("my exports-2_b~", None),
        ("größe", None),
        ("", Some("empty")),
        ("a/b", Some("'/', '?' or '.'")),
        ("a?b", Some("'/', '?' or '.'")),
        ("v1.2", Some("'/', '?' or '.'")),
        ("..", Some("'/', '?' or '.'")),
        ("a\nb", Some("control character")),
        (&"x".repeat(256), None),
        (&"x".repeat(257), Some("256")),
        (&"ü".repeat(43), Some("258 bytes long once encoded")),
    ] {
        let problem = container_problem(name);
        assert_eq!(problem.is_some(), rule.is_some(), "{name}");
        if let (Some(problem), Some(rule)) = (problem, rule) {
            assert_eq!(problem.kind, Kind::Usage, "{name}");
            assert!(problem.message.contains(rule), "{problem}");
        }
    }
}
