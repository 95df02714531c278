use std::path::Path;

use super::*;
use crate::settings::{Config, ProfileChoice};

const ID: &str = "AKIDEXAMPLE0000000AK";
const SECRET: &str = "SKEXAMPLE00000000000000000000000000000SK";

fn sources(env: &[(&str, &str)]) -> Sources {
    Sources {
        env: env.iter().copied().collect(),
        ..Sources::default()
    }
}

fn with_keys(more: &[(&str, &str)]) -> Sources {
    sources(&[&[("OSC_ACCESS_KEY", ID), ("OSC_SECRET_KEY", SECRET)], more].concat())
}

/// A home whose `.osc/config.json` is this text.
fn home(text: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(home.path().join(".osc")).expect("made");
    std::fs::write(home.path().join(".osc/config.json"), text).expect("written");
    home
}

fn resolve(sources: &Sources) -> Result<Account> {
    Account::resolve(sources, &Http::new(false))
}

fn asked(region: &str) -> Option<(String, Origin)> {
    Some((region.to_owned(), Origin::Flag("--region")))
}

fn choose(sources: &mut Sources, name: &str, is_explicit: bool) {
    sources.profile = Some(ProfileChoice {
        name: name.into(),
        is_explicit,
    });
}

fn own_profile(sources: &mut Sources, name: &str, access_key: &str) {
    let text = format!(
        "[profile.{name}.outscale]\nregion = \"us-east-2\"\naccess_key = \"{access_key}\"\n\
         secret_key = \"{SECRET}\"\nendpoint = \"https://private.example.com\"\n"
    );
    sources.config = Config::parse(text, Path::new("config.toml")).expect("a configuration");
}

#[test]
fn endpoints_come_with_or_without_scheme_and_version() {
    for (variable, expected) in [
        (None, "https://api.eu-west-2.outscale.com/api/v1"),
        (
            Some("api.x.example.com"),
            "https://api.x.example.com/api/v1",
        ),
        (
            Some("https://api.x.example.com/"),
            "https://api.x.example.com/api/v1",
        ),
        (
            Some("https://api.x.example.com/api/latest"),
            "https://api.x.example.com/api/latest",
        ),
        (
            Some("http://127.0.0.1:8000"),
            "http://127.0.0.1:8000/api/v1",
        ),
    ] {
        let more: Vec<_> = variable
            .map(|v| ("OSC_ENDPOINT_API", v))
            .into_iter()
            .collect();
        let account = resolve(&with_keys(&more)).expect("resolves");
        assert_eq!(account.api.as_str(), expected, "{variable:?}");
        assert_eq!(
            account.objects.as_str(),
            "https://oos.eu-west-2.outscale.com/"
        );
    }
}

#[test]
fn half_a_pair_and_none_are_told_apart() {
    for (env, kind, part) in [
        (
            &[("OSC_ACCESS_KEY", ID)][..],
            Kind::Credentials,
            "lacks the secret key",
        ),
        (
            &[("OSC_SECRET_KEY", SECRET)],
            Kind::Credentials,
            "lacks the access key",
        ),
        (
            &[("OSC_SECRET_KEY", "")],
            Kind::Credentials,
            "no credentials",
        ),
        (
            &[
                ("OSC_ACCESS_KEY", ID),
                ("OSC_SECRET_KEY", SECRET),
                ("OSU_ACCESS_KEY", ID),
            ],
            Kind::Usage,
            "OSU_SECRET_KEY is not",
        ),
        (
            &[
                ("OSC_ACCESS_KEY", ID),
                ("OSC_SECRET_KEY", SECRET),
                ("OSU_SECRET_KEY", "s"),
            ],
            Kind::Usage,
            "OSU_ACCESS_KEY is not",
        ),
    ] {
        let error = resolve(&sources(env)).expect_err("incomplete");
        assert_eq!(error.kind, kind, "{env:?}");
        assert!(error.message.contains(part), "{}", error.message);
        assert!(!format!("{error:?}").contains(SECRET));
    }
    let hints = resolve(&sources(&[])).expect_err("none").details.hints;
    assert!(
        hints
            .iter()
            .any(|hint| hint.to_string().contains("--sandbox")),
        "{hints:?}"
    );
}

#[test]
fn regions_that_cannot_be_are_refused_and_new_ones_are_not() {
    for (region, refused) in [
        ("eu-west-2", None),
        ("cloudgouv-eu-west-1", None),
        ("mars-north-7", None),
        ("eu-west-2a", Some("subregion")),
        ("EU West", Some("no OUTSCALE region")),
        ("eu-west-2.example.com/", Some("no OUTSCALE region")),
        ("é2é", Some("no OUTSCALE region")),
    ] {
        let mut sources = with_keys(&[]);
        sources.region = asked(region);
        match (resolve(&sources), refused) {
            (Ok(account), None) => assert_eq!(account.region, region),
            (Err(error), Some(part)) => {
                assert_eq!(error.kind, Kind::Usage);
                assert!(error.message.contains(part), "{}", error.message);
            }
            (outcome, _) => panic!("{region}: {outcome:?}"),
        }
    }
}

#[test]
fn the_order_is_explicit_profile_environment_default_profile_file() {
    let home = home(&format!(
        r#"{{"default": {{"access_key": "AKFILE", "secret_key": "{SECRET}", "region": "us-west-1"}}}}"#
    ));
    let mut all = with_keys(&[("OSC_REGION", "ap-northeast-1")]);
    all.home = Some(home.path().to_owned());
    own_profile(&mut all, "work", "AKOWN");

    choose(&mut all, "work", true);
    let account = resolve(&all).expect("the profile");
    assert_eq!(
        (account.keys.id.as_str(), account.region.as_str()),
        ("AKOWN", "us-east-2")
    );
    assert_eq!(account.api.as_str(), "https://private.example.com/api/v1");

    choose(&mut all, "work", false);
    let account = resolve(&all).expect("the environment");
    assert_eq!(
        (account.keys.id.as_str(), account.region.as_str()),
        (ID, "ap-northeast-1")
    );
    assert_eq!(
        account.api.as_str(),
        "https://api.ap-northeast-1.outscale.com/api/v1"
    );

    all.env = [("OSC_REGION", "ap-northeast-1")].into_iter().collect();
    let account = resolve(&all).expect("the default profile");
    assert_eq!(
        (account.keys.id.as_str(), account.region.as_str()),
        ("AKOWN", "us-east-2")
    );

    all.config = Config::default();
    let account = resolve(&all).expect("the file");
    assert_eq!(
        (account.keys.id.as_str(), account.region.as_str()),
        ("AKFILE", "us-west-1")
    );

    all.home = None;
    assert_eq!(
        resolve(&all).expect_err("no file is read").kind,
        Kind::Credentials
    );
}

#[test]
fn an_explicit_profile_that_is_nowhere_names_both_places() {
    let mut sources = with_keys(&[]);
    choose(&mut sources, "nope", true);
    let error = resolve(&sources).expect_err("no such profile");
    assert_eq!(error.kind, Kind::Credentials);
    for place in ["[profile.nope.outscale]", "~/.osc/config.json"] {
        assert!(error.message.contains(place), "{}", error.message);
    }
}

#[test]
fn another_region_does_not_use_the_endpoint_of_the_profile() {
    let mut sources = sources(&[]);
    own_profile(&mut sources, "work", ID);
    choose(&mut sources, "work", true);
    sources.region = asked("eu-west-2");
    let account = resolve(&sources).expect("resolves");
    assert_eq!(
        account.api.as_str(),
        "https://api.eu-west-2.outscale.com/api/v1"
    );
    sources.env = [("OSC_ENDPOINT_API", "over.example.com")]
        .into_iter()
        .collect();
    let account = resolve(&sources).expect("resolves");
    assert_eq!(account.api.as_str(), "https://over.example.com/api/v1");
}

#[test]
fn the_endpoints_of_a_profile_without_a_region_are_those_of_the_usual_one() {
    let home = home(&format!(
        r#"{{"old": {{"access_key": "AK1", "secret_key": "{SECRET}", "host": "cloud.example"}},
            "go": {{"access_key": "AK2", "secret_key": "{SECRET}", "endpoints": {{"api": "api.go.example"}}}}}}"#
    ));
    for (profile, variable, option, region, api) in [
        (
            "old",
            None,
            None,
            "eu-west-2",
            "api.eu-west-2.cloud.example",
        ),
        (
            "old",
            Some("us-east-2"),
            None,
            "us-east-2",
            "api.us-east-2.cloud.example",
        ),
        (
            "old",
            None,
            Some("us-east-2"),
            "us-east-2",
            "api.us-east-2.cloud.example",
        ),
        ("go", None, None, "eu-west-2", "api.go.example"),
        ("go", None, Some("eu-west-2"), "eu-west-2", "api.go.example"),
        (
            "go",
            None,
            Some("us-east-2"),
            "us-east-2",
            "api.us-east-2.outscale.com",
        ),
        ("go", Some("us-east-2"), None, "us-east-2", "api.go.example"),
        // As for a task that was started so.
        (
            "go",
            Some("us-east-2"),
            Some("us-east-2"),
            "us-east-2",
            "api.go.example",
        ),
    ] {
        let env: Vec<_> = variable
            .map(|name| ("OSC_REGION", name))
            .into_iter()
            .collect();
        let mut sources = sources(&env);
        sources.home = Some(home.path().to_owned());
        sources.region = option.and_then(asked);
        choose(&mut sources, profile, true);
        let account = resolve(&sources).expect("resolves");
        assert_eq!(account.region, region);
        let case = format!("{profile} {variable:?} {option:?}");
        assert_eq!(account.api.host_str(), Some(api), "{case}");
    }
}

#[test]
fn the_variable_of_a_profile_comes_before_the_default_profile() {
    let home = home(&format!(
        r#"{{"prod": {{"access_key": "AKPROD", "secret_key": "{SECRET}"}}}}"#
    ));
    let mut sources = sources(&[("OSC_PROFILE", "prod")]);
    sources.home = Some(home.path().to_owned());
    own_profile(&mut sources, "work", "AKOWN");
    choose(&mut sources, "work", false);
    assert_eq!(resolve(&sources).expect("the variable's").keys.id, "AKPROD");
    choose(&mut sources, "work", true);
    assert_eq!(resolve(&sources).expect("the option's").keys.id, "AKOWN");
    choose(&mut sources, "work", false);
    sources.env = [("OSC_PROFILE", "nope")].into_iter().collect();
    let error = resolve(&sources).expect_err("as with AWS_PROFILE");
    assert!(error.message.contains("(OSC_PROFILE)"), "{}", error.message);
    assert_eq!(error.details.reason, None);
}

#[test]
fn files_of_every_tool_are_read() {
    let home = home(&format!(
        r#"{{
            "legacy": {{"access_key": "AK1", "secret_key": "{SECRET}", "region_name": "us-east-2",
                        "host": "outscale.example", "https": true, "method": "POST", "ssl_verify": 7}},
            "c": {{"access_key": "AK2", "secret_key": "{SECRET}", "region": "eu-west-2", "endpoint": "api.c.example"}},
            "go": {{"access_key": "AK3", "secret_key": "{SECRET}", "default": true,
                    "endpoints": {{"api": "https://api.go.example/api/v1", "oos": "oos.go.example"}}}},
            "half": {{"access_key": "AK4"}},
            "odd": 5
        }}"#
    ));
    for (name, id, region, api, objects) in [
        (
            Some("legacy"),
            "AK1",
            "us-east-2",
            "https://api.us-east-2.outscale.example/api/v1",
            "https://oos.us-east-2.outscale.example/",
        ),
        (
            Some("c"),
            "AK2",
            "eu-west-2",
            "https://api.c.example/api/v1",
            "https://oos.eu-west-2.outscale.com/",
        ),
        (
            None,
            "AK3",
            "eu-west-2",
            "https://api.go.example/api/v1",
            "https://oos.go.example/",
        ),
    ] {
        let env: Vec<_> = name.map(|name| ("OSC_PROFILE", name)).into_iter().collect();
        let mut sources = sources(&env);
        sources.home = Some(home.path().to_owned());
        let account = resolve(&sources).expect("resolves");
        let found = (
            account.keys.id.as_str(),
            account.region.as_str(),
            account.api.as_str(),
            account.objects.as_str(),
        );
        assert_eq!(found, (id, region, api, objects));
    }
    for (name, part) in [("half", "lacks the secret"), ("odd", "no profile 'odd'")] {
        let mut sources = sources(&[("OSC_PROFILE", name)]);
        sources.home = Some(home.path().to_owned());
        let error = resolve(&sources).expect_err("incomplete");
        assert_eq!(error.kind, Kind::Credentials);
        assert!(error.message.contains(part), "{}", error.message);
    }
}

#[test]
fn a_malformed_file_is_named_and_not_quoted() {
    let home = home(&format!("{{\"default\": {SECRET}}}"));
    let mut sources = sources(&[]);
    sources.home = Some(home.path().to_owned());
    let error = resolve(&sources).expect_err("malformed");
    assert_eq!(error.kind, Kind::Credentials);
    assert!(
        error.message.contains(".osc/config.json"),
        "{}",
        error.message
    );
    assert!(!format!("{error:?}").contains(SECRET));
}

#[test]
fn a_bucket_profile_wins_over_the_variables() {
    let mut sources = with_keys(&[("OSU_ACCESS_KEY", "AKENV"), ("OSU_SECRET_KEY", SECRET)]);
    let pair = resolve(&sources).expect("resolves").bucket_keys;
    assert_eq!(pair.expect("a pair").id, "AKENV");
    own_profile(&mut sources, "partner", "AKPARTNER");
    sources.target_profile = Some("partner".into());
    let account = resolve(&sources).expect("resolves");
    assert_eq!(account.bucket_keys.expect("a pair").id, "AKPARTNER");
    assert_eq!(
        (account.keys.id.as_str(), account.region.as_str()),
        (ID, "eu-west-2")
    );
}

const OTHER: &str = "AKIDEXAMPLE0000000V2";

fn in_home(text: &str, env: &[(&str, &str)]) -> (tempfile::TempDir, Sources) {
    let home = home(text);
    let sources = Sources {
        home: Some(home.path().to_owned()),
        ..sources(env)
    };
    (home, sources)
}

#[test]
fn a_newer_pair_is_used_for_the_services_that_are_named() {
    let newer = [("OSC_ACCESS_KEY_V2", OTHER), ("OSC_SECRET_KEY_V2", SECRET)];
    for (services, api, objects) in [
        ("", ID, ID),
        ("oos", ID, OTHER),
        ("API, oos", OTHER, OTHER),
        ("fcu,oks", ID, ID),
    ] {
        let sources = with_keys(&[&newer[..], &[("OSC_IAM_V2_SERVICES", services)]].concat());
        let account = resolve(&sources).expect("resolves");
        let ids = (&*account.keys.id, &*account.object_keys.id);
        assert_eq!(ids, (api, objects), "{services}");
        let list: Vec<&str> = services.split(',').map(str::trim).collect();
        let profile = serde_json::json!({"default": {"access_key": ID, "secret_key": SECRET,
            "access_key_v2": OTHER, "secret_key_v2": SECRET, "iam_v2_services": list}});
        let (_home, sources) = in_home(&profile.to_string(), &[]);
        let account = resolve(&sources).expect("resolves");
        let ids = (&*account.keys.id, &*account.object_keys.id);
        assert_eq!(ids, (api, objects), "{services}");
    }
    let half = with_keys(&[("OSC_IAM_V2_SERVICES", "oos"), ("OSC_ACCESS_KEY_V2", OTHER)]);
    let error = resolve(&half).expect_err("half a pair");
    assert_eq!(error.kind, Kind::Credentials);
    assert!(error.message.contains("lacks secret_key_v2"), "{error}");
}

#[test]
fn the_region_may_stand_in_an_address() {
    let address = "https://api.{region}.private.example/api/v1";
    let more = [("OSC_REGION", "us-east-2"), ("OSC_ENDPOINT_API", address)];
    let account = resolve(&with_keys(&more)).expect("resolves");
    let expected = "https://api.us-east-2.private.example/api/v1";
    assert_eq!(account.api.as_str(), expected);
    let profile = serde_json::json!({"default": {"access_key": ID, "secret_key": SECRET,
        "region": "us-west-1", "endpoints": {"oos": "oos-{region}.private.example"}}});
    let (_home, sources) = in_home(&profile.to_string(), &[]);
    let account = resolve(&sources).expect("resolves");
    let expected = "https://oos-us-west-1.private.example/";
    assert_eq!(account.objects.as_str(), expected);
}

#[test]
fn a_region_that_was_not_set_is_the_one_of_a_profile_with_the_same_key() {
    let profile = serde_json::json!({
        "other": {"access_key": OTHER, "secret_key": SECRET, "region": "us-west-1"},
        "mine": {"access_key": ID, "secret_key": SECRET, "region": "us-east-2"},
    });
    let keys = [("OSC_ACCESS_KEY", ID), ("OSC_SECRET_KEY", SECRET)];
    let (_home, sources) = in_home(&profile.to_string(), &keys);
    let account = resolve(&sources).expect("resolves");
    assert_eq!(account.region, "us-east-2");
    let set = account.settings.iter().find(|set| set.name == "region");
    let origin = &set.expect("shown").origin;
    assert!(origin.contains("profile 'mine'"), "{origin}");
    // What is set counts.
    let set = [&keys[..], &[("OSC_REGION", "eu-west-2")]].concat();
    let (_home, sources) = in_home(&profile.to_string(), &set);
    assert_eq!(resolve(&sources).expect("resolves").region, "eu-west-2");
    // A profile of ours tells it too.
    let mut sources = with_keys(&[]);
    own_profile(&mut sources, "work", ID);
    assert_eq!(resolve(&sources).expect("resolves").region, "us-east-2");
}

#[test]
fn the_place_from_before_is_read_where_the_other_is_missing() {
    let text = serde_json::json!({"default": {"access_key": ID, "secret_key": SECRET}});
    let (home, sources) = in_home(&text.to_string(), &[]);
    let former = home.path().join(".osc_sdk");
    std::fs::rename(home.path().join(".osc"), former).expect("moved");
    let account = resolve(&sources).expect("resolves");
    let origin = &account.settings[0].origin;
    assert!(origin.contains(".osc_sdk/config.json"), "{origin}");
}

#[test]
fn a_profile_without_a_key_counts_as_none_and_says_to_make_one() {
    for (profile, why) in [
        (serde_json::json!({}), "no access key"),
        (
            serde_json::json!({"login": "me@example.com", "password": "hunter2"}),
            "only has a login",
        ),
        (serde_json::json!({"region": "eu-west-2"}), "no access key"),
    ] {
        let text = serde_json::json!({"default": profile}).to_string();
        let (_home, mut sources) = in_home(&text, &[]);
        let error = resolve(&sources).expect_err("no keys");
        assert!(error.is_absence(), "{error}");
        let told = format!("{:?}", error.details.hints);
        assert!(told.contains("make an access key"), "{told}");
        // One that is asked for has to have some.
        choose(&mut sources, "default", true);
        let error = resolve(&sources).expect_err("no keys");
        assert_eq!(error.kind, Kind::Credentials);
        let told = format!("{} {:?}", error.message, error.details.hints);
        assert!(told.contains("make an access key"), "{told}");
        assert!(told.contains(why), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[test]
fn names_from_before_are_told_what_they_are_called_now() {
    for (former, now) in FORMER {
        let error = resolve(&sources(&[(former, "some-value")])).expect_err("not used");
        assert_eq!(error.kind, Kind::Credentials);
        let told = format!("{:?}", error.details.hints);
        let sentence = format!("{former} is not used: its name is {now} now");
        assert!(told.contains(&sentence), "{told}");
        assert!(!told.contains("some-value"), "{told}");
    }
}

#[test]
fn a_newer_pair_for_other_services_leaves_the_keys_to_the_file() {
    let profile = serde_json::json!({"default": {"access_key": ID, "secret_key": SECRET}});
    let newer = [("OSC_ACCESS_KEY_V2", OTHER), ("OSC_SECRET_KEY_V2", SECRET)];
    for (services, id) in [("", ID), ("oks", ID), ("api,oos", OTHER)] {
        let env = [&newer[..], &[("OSC_IAM_V2_SERVICES", services)]].concat();
        let (_home, sources) = in_home(&profile.to_string(), &env);
        assert_eq!(
            resolve(&sources).expect("resolves").keys.id,
            id,
            "{services}"
        );
    }
}

#[test]
fn a_bucket_profile_and_a_region_go_by_the_newer_pair_too() {
    let profile = serde_json::json!({"partner": {"access_key": "AKPARTNER", "secret_key": SECRET,
        "access_key_v2": OTHER, "secret_key_v2": SECRET, "iam_v2_services": ["oos"],
        "region": "us-east-2"}});
    let keys = [("OSC_ACCESS_KEY", ID), ("OSC_SECRET_KEY", SECRET)];
    let (_home, mut sources) = in_home(&profile.to_string(), &keys);
    sources.target_profile = Some("partner".into());
    let account = resolve(&sources).expect("resolves");
    assert_eq!(account.bucket_keys.expect("a pair").id, OTHER);
    let keys = [("OSC_ACCESS_KEY", OTHER), ("OSC_SECRET_KEY", SECRET)];
    let (_home, sources) = in_home(&profile.to_string(), &keys);
    assert_eq!(resolve(&sources).expect("resolves").region, "us-east-2");
}
