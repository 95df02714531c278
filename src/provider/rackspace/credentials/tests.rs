//! Tests of [`super`].

use std::path::Path;

use super::*;
use crate::error::{Hint, Kind};
use crate::settings::{Config, Env, ProfileChoice};

fn sources(variables: &[(&str, &str)]) -> Sources {
    Sources {
        env: variables.iter().copied().collect::<Env>(),
        ..Sources::default()
    }
}

fn resolved(variables: &[(&str, &str)]) -> Result<Settings> {
    resolve(&sources(variables), &Http::new(false))
}

fn user_of(settings: &Settings) -> &str {
    match &settings.access {
        Access::Login(login) => &login.user,
        Access::Token(..) => "(token)",
    }
}

#[test]
fn a_token_wins_then_rackspaces_names_then_openstacks() {
    let rax = [("RAX_USERNAME", "r"), ("RAX_API_KEY", "k")];
    let os = [("OS_USERNAME", "o"), ("OS_PASSWORD", "p")];
    let token = [
        ("AUTH_TOKEN", "t"),
        (
            "API_ENDPOINT",
            "https://dfw.images.api.rackspacecloud.com/v2",
        ),
    ];
    for (variables, user, region) in [
        ([&rax[..], &os].concat(), "r", None),
        (os.to_vec(), "o", None),
        ([&token[..], &rax].concat(), "(token)", Some("DFW")),
        (
            [&rax[..], &[("RAX_REGION", "dfw")]].concat(),
            "r",
            Some("DFW"),
        ),
        (
            [&os[..], &[("OS_REGION_NAME", "RegionOne")]].concat(),
            "o",
            Some("RegionOne"),
        ),
        (
            [&rax[..], &[("AUTH_TOKEN", "of something else")]].concat(),
            "r",
            None,
        ),
    ] {
        let settings = resolved(&variables).expect("complete");
        assert_eq!(user_of(&settings), user, "{variables:?}");
        assert_eq!(settings.region.as_deref(), region, "{variables:?}");
    }
}

#[test]
fn half_a_pair_is_refused_by_the_name_of_the_other_half() {
    for (variables, missing) in [
        (&[("RAX_USERNAME", "r")][..], "RAX_API_KEY"),
        (&[("RAX_API_KEY", "k")], "RAX_USERNAME"),
        (&[("OS_USERNAME", "o")], "OS_API_KEY or OS_PASSWORD"),
        (&[("AUTH_TOKEN", "t")], "API_ENDPOINT"),
        (&[("OS_AUTH_TOKEN", "t")], "OS_IMAGE_URL"),
        (
            &[
                ("RAX_USERNAME", "r"),
                ("OS_USERNAME", "o"),
                ("OS_PASSWORD", "p"),
            ],
            "RAX_API_KEY",
        ),
    ] {
        let error = resolved(variables).expect_err("half a pair");
        assert_eq!(error.kind, Kind::Credentials, "{variables:?}");
        assert!(error.message.ends_with(missing), "{}", error.message);
    }
}

#[test]
fn without_any_credentials_the_error_lists_what_to_set() {
    let error = resolved(&[]).expect_err("nothing is set");
    assert_eq!(error.kind, Kind::Credentials);
    let hints: Vec<String> = error.details.hints.iter().map(Hint::to_string).collect();
    let hints = hints.join("\n");
    for part in ["RAX_USERNAME and RAX_API_KEY", "clouds.yaml", "--sandbox"] {
        assert!(hints.contains(part), "{part}: {hints}");
    }
}

#[test]
fn a_region_is_no_zone_and_must_not_contradict_the_endpoint() {
    let rax = [("RAX_USERNAME", "r"), ("RAX_API_KEY", "k")];
    let zone = resolved(&[&rax[..], &[("RAX_REGION", "dfw1")]].concat()).expect_err("a zone");
    assert_eq!(zone.kind, Kind::Usage);
    assert!(zone.message.ends_with("the region is DFW"), "{zone}");
    let flex = [
        ("RAX_REGION", "dfw3"),
        (
            "OS_AUTH_URL",
            "https://keystone.api.dfw3.rackspacecloud.com/v3",
        ),
    ];
    let flex = resolved(&[&rax[..], &flex].concat()).expect("a region of Flex");
    assert_eq!(flex.region.as_deref(), Some("DFW3"));
    let token = resolved(&[
        ("AUTH_TOKEN", "t"),
        (
            "API_ENDPOINT",
            "https://ord.images.api.rackspacecloud.com/v2",
        ),
        ("RAX_REGION", "DFW"),
    ]);
    assert_eq!(token.expect_err("ORD is not DFW").kind, Kind::Usage);
}

#[test]
fn a_profile_that_was_asked_for_wins_over_the_environment() {
    let text = "[profile.work.rackspace]\nusername = \"ops\"\napi_key_command = [\"echo\", \"k\"]\nregion = \"iad\"\n";
    let with = |name: &str, is_explicit| Sources {
        config: Config::parse(text, Path::new("config.toml")).expect("a configuration"),
        profile: Some(ProfileChoice {
            name: name.into(),
            is_explicit,
        }),
        ..sources(&[
            ("RAX_USERNAME", "r"),
            ("RAX_API_KEY", "k"),
            ("RAX_REGION", "ord"),
        ])
    };
    let http = Http::new(false);
    let asked = resolve(&with("work", true), &http).expect("complete");
    assert_eq!(
        (user_of(&asked), asked.region.as_deref()),
        ("ops", Some("IAD"))
    );
    let default = resolve(&with("work", false), &http).expect("complete");
    assert_eq!(
        (user_of(&default), default.region.as_deref()),
        ("r", Some("ORD"))
    );
    let unknown = resolve(&with("play", true), &http).expect_err("no such profile");
    assert_eq!(unknown.kind, Kind::Credentials);
    let said = unknown.one_line();
    assert!(
        said.contains("[profile.play.rackspace]") && said.contains("clouds.yaml"),
        "{said}"
    );
}

#[test]
fn the_credentials_file_is_read_last() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join(".rackspace_cloud_credentials");
    std::fs::write(
        &path,
        "[other]\nusername = x\n[rackspace_cloud]\nusername = file\napi_key = s3\n",
    )
    .expect("written");
    let at_home = Sources {
        home: Some(home.path().into()),
        ..Sources::default()
    };
    let settings = resolve(&at_home, &Http::new(false)).expect("complete");
    assert_eq!(user_of(&settings), "file");
    assert!(
        !format!("{settings:?}").contains("s3"),
        "no secret in Debug"
    );
    let named = resolved(&[("RAX_CREDS_FILE", path.to_str().expect("text"))]).expect("named");
    assert_eq!(user_of(&named), "file");
    let lost = resolved(&[("RAX_CREDENTIALS", "/nonexistent/file")]).expect_err("no file");
    assert_eq!(lost.kind, Kind::Credentials);
}

/// Where a setting is from.
fn origin<'s>(settings: &'s Settings, name: &str) -> &'s str {
    let said = settings.said.iter().find(|said| said.name == name);
    said.map_or("nowhere", |said| &said.origin)
}

fn with_profile(text: &str, variables: &[(&str, &str)]) -> Settings {
    let sources = Sources {
        config: Config::parse(text, Path::new("config.toml")).expect("a configuration"),
        profile: Some(ProfileChoice {
            name: "work".into(),
            is_explicit: true,
        }),
        ..sources(variables)
    };
    resolve(&sources, &Http::new(false)).expect("complete")
}

const PROFILE: &str = "[profile.work.rackspace]\nusername = \"ops\"\napi_key = \"k\"\n";
const FOREIGN: [(&str, &str); 8] = [
    ("OS_AUTH_URL", "https://keystone.private.example:5000/v3"),
    ("OS_USERNAME", "fred"),
    ("OS_PASSWORD", "p"),
    ("OS_PROJECT_NAME", "web"),
    ("OS_USER_DOMAIN_NAME", "Default"),
    ("OS_REGION_NAME", "RegionOne"),
    ("OS_IMAGE_URL", "https://glance.private.example"),
    ("OS_OBJECT_STORE_URL", "https://swift.private.example"),
];

#[test]
fn another_clouds_openrc_gets_no_secret_that_is_not_its_own() {
    let own_url = format!("{PROFILE}auth_url = \"https://lon.identity.api.rackspacecloud.com\"\n");
    let rax = [("RAX_USERNAME", "r"), ("RAX_API_KEY", "k")];
    for (settings, user, base, place) in [
        (
            with_profile(PROFILE, &FOREIGN),
            "ops",
            IDENTITY,
            "the default",
        ),
        (
            with_profile(&own_url, &FOREIGN),
            "ops",
            "https://lon.identity.api.rackspacecloud.com/v2.0",
            "[profile.work.rackspace]",
        ),
        (
            resolved(&[&rax[..], &FOREIGN].concat()).expect("complete"),
            "r",
            IDENTITY,
            "the default",
        ),
    ] {
        assert_eq!(user_of(&settings), user);
        assert_eq!(settings.identity.base.as_str(), base);
        assert_eq!(origin(&settings, "identity endpoint"), place);
        // Nor do its project, its region and its addresses go with them.
        let Access::Login(login) = &settings.access else {
            panic!("no login");
        };
        assert_eq!((&login.tenant, &login.domain), (&None, &None));
        assert_eq!(settings.region, None);
        assert_eq!((&settings.images, &settings.files), (&None, &None));
    }
    let its_own = resolved(&FOREIGN).expect("complete");
    assert_eq!(user_of(&its_own), "fred");
    assert_eq!(origin(&its_own, "identity endpoint"), "OS_AUTH_URL");
    assert_eq!(its_own.region.as_deref(), Some("RegionOne"));
}

#[test]
fn an_address_without_a_user_overrides_and_that_is_said() {
    let default = "OS_AUTH_URL, which overrides the default";
    for (url, more) in [
        ("https://keystone.private.example/v3", None),
        ("http://127.0.0.1:1/v2.0", Some(("OS_USERNAME", "fred"))),
        (
            "https://lon.identity.api.rackspacecloud.com/v2.0",
            Some(("OS_USERNAME", "fred")),
        ),
    ] {
        let variables: Vec<_> = [("OS_AUTH_URL", url)].into_iter().chain(more).collect();
        let settings = with_profile(PROFILE, &variables);
        assert_eq!(settings.identity.base.as_str(), url);
        assert_eq!(origin(&settings, "identity endpoint"), default);
    }
}

#[test]
fn a_region_in_the_environment_counts_where_a_profile_names_none() {
    for variable in ["RAX_REGION", "OS_REGION_NAME"] {
        let settings = with_profile(PROFILE, &[(variable, "iad")]);
        assert_eq!(settings.region.as_deref(), Some("IAD"));
        assert_eq!(origin(&settings, "region"), variable);
    }
}

#[test]
fn an_address_of_images_says_what_it_overrides() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("clouds.yaml");
    let text = "clouds:\n  rax:\n    profile: rackspace\n    image_endpoint_override: https://a.example\n    object_store_endpoint_override: https://b.example\n    auth: {username: u, api_key: k}\n";
    std::fs::write(&path, text).expect("written");
    let settings = resolved(&[
        ("OS_CLIENT_CONFIG_FILE", path.to_str().expect("text")),
        ("OS_CLOUD", "rax"),
        ("OS_IMAGE_URL", "https://c.example"),
        ("OS_OBJECT_STORE_URL", "https://d.example"),
    ])
    .expect("complete");
    let other = format!("which overrides that of cloud 'rax' of {}", path.display());
    for (name, variable) in [
        ("endpoint", "OS_IMAGE_URL"),
        ("object endpoint", "OS_OBJECT_STORE_URL"),
    ] {
        assert_eq!(origin(&settings, name), format!("{variable}, {other}"));
    }
}
