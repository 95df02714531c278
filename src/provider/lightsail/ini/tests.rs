use super::*;

fn of<'s>(sections: &'s [Section], heading: &str) -> &'s Section {
    let found = sections.iter().find(|section| section.heading == heading);
    found.unwrap_or_else(|| panic!("no [{heading}]"))
}

#[test]
fn what_python_reads_is_read_alike() {
    let text = "\
  # a note
  [profile a]
  Region: eu-west-1
      output = json
  [profile b] /* s3://x */
\tregion = eu-west-2
\tkey=va=l:ue
; another note

\ts3 =
\t  one = 1

\t  two = 2
[profile c] # see a
region=eu-west-3
  and more
";
    let sections = sections(text);
    let value = |heading: &str, name: &str| of(&sections, heading).settings[name].clone();
    assert_eq!(value("profile a", "region"), "eu-west-1\noutput = json");
    assert_eq!(value("profile b", "region"), "eu-west-2");
    assert_eq!(value("profile b", "key"), "va=l:ue");
    assert_eq!(value("profile b", "s3"), "\none = 1\ntwo = 2");
    assert_eq!(value("profile c", "region"), "eu-west-3\nand more");
    assert!(sections.iter().all(|section| section.flaw.is_none()));
}

#[test]
fn a_line_that_cannot_be_read_is_a_flaw_of_its_section_alone() {
    let text = "stray = 1\n[a]\nx = 1\nno setting\n= nameless\n[b]\ny = 2\n[c\nz = 3\n[]\n";
    let sections = sections(text);
    let flaws: Vec<(&str, Option<usize>)> = sections
        .iter()
        .map(|section| (section.heading.as_str(), section.flaw))
        .collect();
    assert_eq!(
        flaws,
        [
            ("", Some(1)),
            ("a", Some(4)),
            ("b", None),
            ("c", Some(8)),
            ("", Some(10))
        ]
    );
    assert_eq!(of(&sections, "a").settings["x"], "1");
    assert_eq!(of(&sections, "c").settings["z"], "3");
}

#[test]
fn a_heading_has_the_words_that_a_shell_would_see() {
    for (heading, expected) in [
        ("profile work", Some(vec!["profile", "work"])),
        ("profile  'my work'", Some(vec!["profile", "my work"])),
        (
            r#"profile "my \"work\"""#,
            Some(vec!["profile", "my \"work\""]),
        ),
        (r"profile my\ work", Some(vec!["profile", "my work"])),
        ("profile b\u{fc}ro", Some(vec!["profile", "b\u{fc}ro"])),
        ("profile a'b'c", Some(vec!["profile", "abc"])),
        ("profile ''", Some(vec!["profile", ""])),
        ("profile bob's", None),
        ("default", Some(vec!["default"])),
        ("", Some(vec![])),
    ] {
        let expected = expected.map(|words| words.into_iter().map(str::to_owned).collect());
        assert_eq!(words(heading), expected, "{heading}");
    }
}
