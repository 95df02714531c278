//! Tests of [`super`].

use super::super::origins::CREDENTIALS_FILE;
use super::*;
use crate::context::{Config, Env, ProfileChoice};
use crate::error::Kind;

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
    let hints = error.details.hints.join("\n");
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
        config: toml::from_str::<Config>(text).expect("a configuration"),
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
    let path = home.path().join(CREDENTIALS_FILE);
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
