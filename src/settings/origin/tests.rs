use super::*;

#[test]
fn each_origin_has_the_words_a_person_reads() {
    let section = || Origin::Section {
        profile: "work".into(),
        cloud: "outscale",
    };
    let entry = Origin::entry(
        "cloud",
        "rax\u{1b}",
        Path::new("/etc/openstack/clouds.yaml"),
    );
    let url = || Origin::Variable("OS_AUTH_URL");
    for (origin, words) in [
        (Origin::Flag("--region"), "--region"),
        (Origin::Task, "the task"),
        (Origin::Pair("A_KEY", "A_SECRET"), "A_KEY and A_SECRET"),
        (
            Origin::Assignment("OSC_PROFILE", "x".into()),
            "OSC_PROFILE=x",
        ),
        (section(), "[profile.work.outscale]"),
        (entry, "cloud 'rax' of /etc/openstack/clouds.yaml"),
        (
            Origin::File("/a".into()).chosen_by(Origin::Flag("--profile")),
            "/a (--profile)",
        ),
        (url().over(None), "OS_AUTH_URL"),
        (
            url().over(Some(Origin::Rule("the default"))),
            "OS_AUTH_URL, which overrides the default",
        ),
        (
            url().over(Some(section())),
            "OS_AUTH_URL, which overrides that of [profile.work.outscale]",
        ),
    ] {
        assert_eq!(origin.to_string(), words);
    }
    let whole = format!("{:#}", url().over(Some(section())));
    assert!(
        whole.ends_with("[profile.work.outscale] of config.toml"),
        "{whole}"
    );
}
