//! Which user, key or token, region and endpoints to use, and where each came from.

use std::path::{Path, PathBuf};

use reqwest::Url;

use super::Profile;
use super::identity::{IdentityUrl, Version};
use crate::context::{Sources, profile_secret, warn_if_open};
use crate::error::{Error, Kind, Result};
use crate::provider::http::Http;
use crate::secret::{Secret, clean, redact_url};

/// Where Rackspace's users log in (docs-cloud-identity). UK accounts have a host of their own.
const IDENTITY: &str = "https://identity.api.rackspacecloud.com/v2.0";
/// The regions of Rackspace's public cloud.
const REGIONS: [&str; 6] = ["DFW", "IAD", "ORD", "LON", "SYD", "HKG"];
/// The file that pyrax, ansible and others read, below the home directory.
const CREDENTIALS_FILE: &str = ".rackspace_cloud_credentials";
/// Names for the path of that file.
const FILE_VARIABLES: [&str; 2] = ["RAX_CREDS_FILE", "RAX_CREDENTIALS"];
/// Pairs of token and image endpoint: the names of Rackspace's guide, then those of the glance client.
const TOKEN_PAIRS: [(&str, &str); 2] = [
    ("AUTH_TOKEN", "API_ENDPOINT"),
    ("OS_AUTH_TOKEN", "OS_IMAGE_URL"),
];

/// Everything a session needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who asks.
    pub access: Access,
    /// Where to log in, or to ask for a token's catalogue.
    pub identity: IdentityUrl,
    /// Whether somebody chose that place; the default must not see tokens of other clouds.
    pub is_identity_chosen: bool,
    /// The region, if it was said. In the catalogue's spelling as far as that is known.
    pub region: Option<String>,
    /// Instead of the catalogue's endpoint of images.
    pub images: Option<Url>,
    /// Instead of the catalogue's endpoint of Cloud Files.
    pub files: Option<Url>,
}

/// A token that is used as it is, or a login.
#[derive(Clone, Debug)]
pub enum Access {
    /// A token from elsewhere, and its tenant if that is known.
    Token(Secret, Option<String>),
    /// User name and secret.
    Login(Login),
}

/// What to log in with.
#[derive(Clone, Debug)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The user's secret.
    pub proof: Proof,
    /// The tenant or project, where one was named.
    pub tenant: Option<Tenant>,
    /// The Keystone domain of user and project, where one was named.
    pub domain: Option<String>,
}

/// A secret and what it is.
#[derive(Clone, Debug)]
pub enum Proof {
    /// An API key; Keystone v3 takes it as a password.
    ApiKey(Secret),
    /// A password.
    Password(Secret),
    /// Either: clients with `OS_AUTH_SYSTEM=rackspace` keep the API key in `OS_PASSWORD`.
    Either(Secret),
}

impl Proof {
    /// The secret, whatever it is.
    pub fn secret(&self) -> &Secret {
        match self {
            Proof::ApiKey(secret) | Proof::Password(secret) | Proof::Either(secret) => secret,
        }
    }
}

/// A tenant (Keystone: project), by id or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tenant {
    /// Its id.
    Id(String),
    /// Its name.
    Name(String),
}

impl Tenant {
    /// The id or the name.
    pub fn as_str(&self) -> &str {
        match self {
            Tenant::Id(text) | Tenant::Name(text) => text,
        }
    }
}

/// An access with the endpoint and region that belong to it.
struct Found {
    access: Access,
    origin: String,
    images: Option<(String, String)>,
    auth_url: Option<String>,
    region: Option<(String, String)>,
}

/// Resolves everything. Reads files and may run a profile's command; sends nothing.
///
/// Order: a profile that was asked for, the environment, the default profile, the provider's own file.
pub fn resolve(sources: &Sources, http: &Http) -> Result<Settings> {
    let found = match find(sources)? {
        Some(found) => found,
        None => return Err(missing()),
    };
    tracing::info!("rackspace: credentials from {}", found.origin);
    let endpoint = |pair: Option<(String, String)>| -> Result<Option<Url>> {
        let Some((text, origin)) = pair else {
            return Ok(None);
        };
        let url = http.endpoint(&text, &origin)?;
        tracing::info!("rackspace: endpoint {} from {origin}", redact_url(&url));
        Ok(Some(url))
    };
    let override_of = |name: &str| Some((sources.var(name)?.to_owned(), name.to_owned()));
    let images = endpoint(found.images.or_else(|| override_of("OS_IMAGE_URL")))?;
    let files = endpoint(override_of("OS_OBJECT_STORE_URL"))?;
    let chosen = override_of("OS_AUTH_URL")
        .or_else(|| Some((found.auth_url?, format!("{} (auth_url)", found.origin))));
    let is_identity_chosen = chosen.is_some();
    let (text, origin) = chosen.unwrap_or_else(|| (IDENTITY.into(), "the default".into()));
    let prefers_v3 = sources.var("OS_IDENTITY_API_VERSION") == Some("3");
    let identity = IdentityUrl::normalise(http.endpoint(&text, &origin)?, prefers_v3);
    tracing::info!("rackspace: identity at {} from {origin}", identity.base);
    let is_token = matches!(found.access, Access::Token(..));
    let region = region(sources, found.region, images.as_ref().filter(|_| is_token))?;
    if let Some(region) = &region {
        refuse_zone(region, identity.version)?;
    }
    Ok(Settings {
        access: found.access,
        identity,
        is_identity_chosen,
        region,
        images,
        files,
    })
}

fn find(sources: &Sources) -> Result<Option<Found>> {
    let own = sources
        .own_profile()
        .and_then(|profile| profile.rackspace.as_ref());
    let name = sources.profile.as_ref().map_or("", |choice| &choice.name);
    if sources.is_profile_explicit() {
        let Some(profile) = own else {
            return Err(Error::new(
                Kind::Credentials,
                format!("There is no profile '{}' for Rackspace", clean(name)),
            )
            .cause(format!(
                "config.toml has no [profile.{name}.rackspace], and clouds.yaml is not read by this version"
            ))
            .hint("set RAX_USERNAME and RAX_API_KEY instead"));
        };
        return from_profile(profile, name).map(Some);
    }
    if let Some(found) = from_environment(sources)? {
        return Ok(Some(found));
    }
    match own {
        Some(profile) => from_profile(profile, name).map(Some),
        None => from_file(sources),
    }
}

fn missing() -> Error {
    Error::new(Kind::Credentials, "There are no credentials for Rackspace")
        .absence()
        .cause("set RAX_USERNAME and RAX_API_KEY; or OS_USERNAME and OS_API_KEY or OS_PASSWORD; or AUTH_TOKEN and API_ENDPOINT; or a [profile.NAME.rackspace]; or ~/.rackspace_cloud_credentials")
        .hint("to try without an account: add --sandbox")
}

fn half(has: &str, lacks: &str, origin: &str) -> Error {
    Error::new(
        Kind::Credentials,
        format!("Half of the credentials for Rackspace is missing: {lacks}"),
    )
    .cause(format!("{has} is set in {origin}, {lacks} is not"))
    .hint("set both in the same place, or neither")
}

fn from_profile(profile: &Profile, name: &str) -> Result<Found> {
    let origin = format!("[profile.{name}.rackspace]");
    let key = profile_secret(
        "api_key",
        profile.api_key.as_ref(),
        profile.api_key_command.as_deref(),
    )?;
    let password = profile_secret(
        "password",
        profile.password.as_ref(),
        profile.password_command.as_deref(),
    )?;
    let proof = match (key, password) {
        (Some(_), Some(_)) => {
            return Err(Error::usage(format!(
                "The profile {origin} has both an API key and a password; keep one"
            )));
        }
        (Some(key), None) => Some(Proof::ApiKey(key)),
        (None, password) => password.map(Proof::Password),
    };
    let (user, proof) = match (&profile.username, proof) {
        (Some(user), Some(proof)) => (user.clone(), proof),
        (Some(_), None) => return Err(half("username", "api_key or password", &origin)),
        (None, _) => return Err(half("the profile", "username", &origin)),
    };
    let region = profile.region.clone();
    Ok(Found {
        access: Access::Login(Login {
            user,
            proof,
            tenant: None,
            domain: None,
        }),
        images: None,
        auth_url: profile.auth_url.clone(),
        region: region.map(|region| (region, origin.clone())),
        origin,
    })
}

/// A token with its endpoint, else a login.
fn from_environment(sources: &Sources) -> Result<Option<Found>> {
    let region = sources
        .first_var(&["RAX_REGION", "OS_REGION_NAME"])
        .map(|(name, region)| (region.to_owned(), name.to_owned()));
    for (token, endpoint) in TOKEN_PAIRS {
        if let (Some(secret), Some(url)) = (sources.var(token), sources.var(endpoint)) {
            let tenant = sources.first_var(&["TENANT_ID", "OS_TENANT_ID", "OS_PROJECT_ID"]);
            return Ok(Some(Found {
                access: Access::Token(
                    Secret::new(secret),
                    tenant.map(|(_, tenant)| tenant.to_owned()),
                ),
                origin: format!("{token} and {endpoint}"),
                images: Some((url.to_owned(), endpoint.to_owned())),
                auth_url: None,
                region,
            }));
        }
    }
    if let Some((access, origin)) = login_from_environment(sources)? {
        return Ok(Some(Found {
            access,
            origin,
            images: None,
            auth_url: None,
            region,
        }));
    }
    // Only now: a token's name is so common that it may belong to something else.
    for (token, endpoint) in TOKEN_PAIRS {
        if sources.var(token).is_some() {
            return Err(half(token, endpoint, "the environment"));
        }
    }
    Ok(None)
}

fn login_from_environment(sources: &Sources) -> Result<Option<(Access, String)>> {
    let families: [(&'static str, &[&'static str]); 2] = [
        ("RAX_USERNAME", &["RAX_API_KEY"]),
        ("OS_USERNAME", &["OS_API_KEY", "OS_PASSWORD"]),
    ];
    for (user_name, secret_names) in families {
        let secret = sources.first_var(secret_names);
        let (user, (secret_name, secret)) = match (sources.var(user_name), secret) {
            (Some(user), Some(secret)) => (user, secret),
            (Some(_), None) => {
                return Err(half(
                    user_name,
                    &secret_names.join(" or "),
                    "the environment",
                ));
            }
            (None, Some((secret_name, _))) => {
                return Err(half(secret_name, user_name, "the environment"));
            }
            (None, None) => continue,
        };
        let secret = Secret::new(secret);
        let proof = match secret_name {
            "OS_PASSWORD" if sources.var("OS_AUTH_SYSTEM") == Some("rackspace") => {
                Proof::Either(secret)
            }
            "OS_PASSWORD" => Proof::Password(secret),
            _ => Proof::ApiKey(secret),
        };
        let owned = |(_, text): (&str, &str)| text.to_owned();
        let tenant_id = sources
            .first_var(&["OS_TENANT_ID", "OS_PROJECT_ID"])
            .map(owned);
        let tenant_name = sources
            .first_var(&["OS_TENANT_NAME", "OS_PROJECT_NAME"])
            .map(owned);
        let login = Login {
            user: user.to_owned(),
            proof,
            // Sending both is refused.
            tenant: tenant_id.map(Tenant::Id).or(tenant_name.map(Tenant::Name)),
            domain: sources.var("OS_USER_DOMAIN_NAME").map(str::to_owned),
        };
        return Ok(Some((
            Access::Login(login),
            format!("{user_name} and {secret_name}"),
        )));
    }
    Ok(None)
}

/// The INI file that pyrax introduced. One that is named but missing is an error, the usual one may be absent.
fn from_file(sources: &Sources) -> Result<Option<Found>> {
    let named = sources.first_var(&FILE_VARIABLES);
    let path = match (named, sources.in_home(CREDENTIALS_FILE)) {
        (Some((_, path)), _) => PathBuf::from(path),
        (None, Some(path)) => path,
        (None, None) => return Ok(None),
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(None);
        }
        Err(error) => {
            return Err(Error::new(
                Kind::Credentials,
                format!("The credentials file {} cannot be read", path.display()),
            )
            .cause(error.to_string()));
        }
    };
    warn_if_open(&path);
    let region = sources
        .first_var(&["RAX_REGION", "OS_REGION_NAME"])
        .map(|(name, region)| (region.to_owned(), name.to_owned()));
    Ok(Some(Found {
        access: Access::Login(parse_file(&text, &path)?),
        origin: path.display().to_string(),
        images: None,
        auth_url: None,
        region,
    }))
}

fn parse_file(text: &str, path: &Path) -> Result<Login> {
    let mut is_ours = false;
    let (mut user, mut key, mut password) = (None, None, None);
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            is_ours = section.trim() == "rackspace_cloud";
        }
        let Some((name, value)) = line.split_once(['=', ':']).filter(|_| is_ours) else {
            continue;
        };
        let value = Some(value.trim().to_owned()).filter(|value| !value.is_empty());
        match name.trim() {
            "username" => user = value,
            "api_key" => key = value.map(|key| Proof::ApiKey(Secret::new(key))),
            "password" => password = value.map(|word| Proof::Password(Secret::new(word))),
            _ => {}
        }
    }
    let origin = format!("[rackspace_cloud] of {}", path.display());
    match (user, key.or(password)) {
        (Some(user), Some(proof)) => Ok(Login {
            user,
            proof,
            tenant: None,
            domain: None,
        }),
        (Some(_), None) => Err(half("username", "api_key or password", &origin)),
        (None, Some(_)) => Err(half("the secret", "username", &origin)),
        (None, None) => Err(Error::new(
            Kind::Credentials,
            format!(
                "The credentials file {} has no username and api_key",
                path.display()
            ),
        )
        .hint("they stand in a section [rackspace_cloud]")),
    }
}

/// The region by flag, by what belongs to the credentials, or by the host of a token's endpoint.
fn region(
    sources: &Sources,
    found: Option<(String, String)>,
    token_endpoint: Option<&Url>,
) -> Result<Option<String>> {
    let said = match &sources.region {
        Some(region) => Some((region.clone(), "the flag or SNAPEXPORT_REGION".to_owned())),
        None => found,
    }
    .map(|(region, origin)| (canonical(&region), origin));
    let host = token_endpoint.and_then(region_of_host);
    match (said, host) {
        (Some((said, origin)), Some(host)) if said != host => Err(Error::usage(format!(
            "The token's endpoint is in the region {host}, but {origin} says '{}'",
            clean(&said)
        ))),
        (Some((region, origin)), _) => {
            tracing::info!("rackspace: region {region} from {origin}");
            Ok(Some(region))
        }
        (None, Some(region)) => {
            tracing::info!("rackspace: region {region} from the endpoint's host");
            Ok(Some(region))
        }
        (None, None) => Ok(None),
    }
}

/// `DFW` of `dfw.images.api.rackspacecloud.com`.
fn region_of_host(url: &Url) -> Option<String> {
    let label = url
        .host_str()?
        .strip_suffix(".images.api.rackspacecloud.com")?;
    Some(canonical(label))
}

/// Rackspace writes its regions in capitals; a longer name is another cloud's, and stays as it is.
fn canonical(region: &str) -> String {
    if region.len() <= 4 {
        region.to_ascii_uppercase()
    } else {
        region.to_owned()
    }
}

/// Refuses `DFW1` and `dfw-a` where only `DFW` can be meant.
fn refuse_zone(region: &str, version: Version) -> Result<()> {
    let upper = region.to_ascii_uppercase();
    let base = REGIONS
        .iter()
        .find(|known| upper.len() > known.len() && upper.starts_with(**known));
    match base {
        // Rackspace's OpenStack Flex does have regions such as DFW3.
        Some(base) if version == Version::V2 => Err(Error::usage(format!(
            "'{}' is a part of a region; the region is {base}",
            clean(region)
        ))
        .hint(format!("use --region {base}"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::{Config, Env, ProfileChoice};

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
        assert!(error.one_line().contains("RAX_USERNAME and RAX_API_KEY"));
        assert!(error.details.hints[0].contains("--sandbox"));
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
}
