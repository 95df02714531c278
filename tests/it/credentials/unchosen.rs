//! Files with several accounts, of which none is taken unasked: that is not the same as no credentials.

use crate::program::User;

fn with_file(path: &str, text: &str) -> User {
    let user = User::new();
    let path = user.home.path().join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(&path, text).expect("written");
    user
}

/// The cloud, its file, what stands in it, and what has to be said.
const FILES: [(&str, &str, &str, [&str; 3]); 3] = [
    (
        "outscale",
        ".osc/config.json",
        r#"{"eu2": {"access_key": "AK", "secret_key": "SK", "region": "eu-west-2"}}"#,
        [
            "No profile is chosen for OUTSCALE",
            ".osc/config.json has eu2",
            "--profile eu2, or OSC_PROFILE=eu2",
        ],
    ),
    (
        "lightsail",
        ".aws/credentials",
        "[work]\naws_access_key_id = AK\naws_secret_access_key = SK\nregion = eu-west-3\n",
        [
            "No AWS profile is chosen for Lightsail",
            ".aws/credentials has work",
            "--profile work, or AWS_PROFILE=work",
        ],
    ),
    (
        "rackspace",
        ".config/openstack/clouds.yaml",
        "clouds:\n  one: {profile: rackspace, auth: {username: a, api_key: b}}\n  two: {profile: rackspace, auth: {username: c, api_key: d}}\n",
        [
            "No cloud is chosen for Rackspace",
            "clouds.yaml has one, two",
            "--profile one, or OS_CLOUD=one",
        ],
    ),
];

#[test]
fn a_file_of_which_nothing_is_chosen_is_named_with_what_it_has() {
    for (cloud, path, text, said) in FILES {
        let ran = with_file(path, text).run(&["list", cloud]);
        assert_eq!(ran.code, Some(4), "{}", ran.all());
        for words in said {
            assert!(ran.stderr.contains(words), "{words}: {}", ran.all());
        }
    }
}

#[test]
fn doctor_says_what_it_could_choose_from() {
    for (_, path, text, said) in FILES {
        let ran = with_file(path, text).run(&["doctor"]);
        assert_eq!(ran.code, Some(4), "{}", ran.all());
        // A line for people may be broken anywhere.
        let sheet = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            sheet.contains(said[0]) && sheet.contains(said[1]),
            "{}",
            ran.all()
        );
    }
}
