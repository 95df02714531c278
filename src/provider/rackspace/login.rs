//! Who logs in, and with what: what a place of credentials gives.

use std::fmt::Display;

use super::openrc::Kin;
use crate::error::{Error, Kind, Result};
use crate::provider::absence::no_credentials;
use crate::provider::place;
use crate::secret::Secret;
use crate::settings::Origin;
use crate::settings::text::Form;

/// A place where an access stands.
pub(super) type Place<'s> = place::Place<'s, Found>;

/// A token that is used as it is, or a login.
#[derive(Clone, Debug)]
pub(super) enum Access {
    /// A token from elsewhere, and its tenant if that is known.
    Token(Secret, Option<String>),
    /// User name and secret.
    Login(Login),
}

impl Access {
    /// What nobody else may see.
    pub(super) fn secret(&self) -> &Secret {
        match self {
            Access::Token(token, _) => token,
            Access::Login(login) => login.proof.secret(),
        }
    }

    /// Who asks, for people: never the secret, and nothing of a token.
    pub(super) fn shown(&self) -> String {
        match self {
            Access::Login(login) => match &login.tenant {
                Some(tenant) => format!("{} of {}", login.user, tenant.as_str()),
                None => login.user.clone(),
            },
            Access::Token(_, Some(tenant)) => format!("a token of {tenant}"),
            Access::Token(_, None) => "a token".to_owned(),
        }
    }
}

/// What to log in with.
#[derive(Clone, Debug)]
pub(super) struct Login {
    /// The user's name.
    pub user: String,
    /// The user's secret.
    pub proof: Proof,
    /// The tenant or project, where one was named.
    pub tenant: Option<IdOrName>,
    /// The Keystone domain of the user, where one was named.
    pub domain: Option<IdOrName>,
    /// That of the project, where it is another.
    pub project_domain: Option<IdOrName>,
}

impl Login {
    /// Whether nothing says which project it is for; an application credential is bound to one.
    pub(super) fn names_no_project(&self) -> bool {
        self.tenant.is_none() && !matches!(self.proof, Proof::Application { .. })
    }

    /// A login that names neither project nor domain.
    pub(super) fn of(user: String, proof: Proof) -> Self {
        Login {
            user,
            proof,
            tenant: None,
            domain: None,
            project_domain: None,
        }
    }
}

/// An access with what belongs to it, each part with where it is from.
pub(super) struct Found {
    /// Who asks.
    pub access: Access,
    /// Where that is from.
    pub origin: Origin,
    /// What that is a kind of.
    pub kin: Kin,
    /// The endpoint of images that belongs to a token.
    pub images: Option<(String, Origin)>,
    /// The endpoint of images, where no variable names another.
    pub usual_images: Option<(String, Origin)>,
    /// The endpoint of Cloud Files, where no variable names another.
    pub usual_files: Option<(String, Origin)>,
    /// Where to log in, whatever else is set.
    pub own_auth_url: Option<(String, Origin)>,
    /// Where to log in, where no variable names another place.
    pub auth_url: Option<(String, Origin)>,
    /// Whether an address without a version means Keystone v3.
    pub prefers_v3: bool,
    /// The region.
    pub region: Option<(String, Origin)>,
    /// `public` or `internal`: which address of Cloud Files.
    pub interface: Option<(String, Origin)>,
    /// A file of certificate authorities to trust.
    pub authorities: Option<(String, Origin)>,
    /// Files of a client certificate and its key.
    pub certificate: Option<(String, Option<String>)>,
}

impl Found {
    /// An access of a profile or a file, to which nothing else belongs.
    pub(super) fn new(access: Access, origin: Origin) -> Self {
        Found {
            access,
            origin,
            kin: Kin::File,
            images: None,
            usual_images: None,
            usual_files: None,
            own_auth_url: None,
            auth_url: None,
            prefers_v3: false,
            region: None,
            interface: None,
            authorities: None,
            certificate: None,
        }
    }
}

impl Found {
    /// Refuses a user or a secret that cannot be used, by where it stands.
    pub(super) fn check(&self) -> Result<()> {
        let Access::Login(login) = &self.access else {
            // Variables, which have been looked at.
            return Ok(());
        };
        let proof = match &login.proof {
            Proof::ApiKey(_) => "api_key",
            Proof::Password(_) | Proof::Either(_) => "password",
            Proof::Token(_) => "token",
            Proof::Application { .. } => "application_credential_secret",
        };
        let secret = login.proof.secret().expose();
        for (key, value) in [("username", login.user.as_str()), (proof, secret)] {
            if let Some(flaw) = Form::of(key).flaw(value) {
                return Err(Form::of(key).refusal(self.origin.of_value(key), flaw));
            }
        }
        Ok(())
    }
}

/// A secret and what it is.
#[derive(Clone, Debug)]
pub(super) enum Proof {
    /// An API key; Keystone v3 takes it as a password.
    ApiKey(Secret),
    /// A password.
    Password(Secret),
    /// Either: clients with `OS_AUTH_SYSTEM=rackspace` keep the API key in `OS_PASSWORD`.
    Either(Secret),
    /// A token from elsewhere, exchanged for one with a catalogue.
    Token(Secret),
    /// A Keystone v3 application credential. With its name it belongs to the user, without it the user is its id.
    Application {
        /// Its secret.
        secret: Secret,
        /// Its name.
        name: Option<String>,
    },
}

impl Proof {
    /// The secret, whatever it is.
    pub(super) fn secret(&self) -> &Secret {
        match self {
            Proof::ApiKey(secret)
            | Proof::Password(secret)
            | Proof::Either(secret)
            | Proof::Token(secret)
            | Proof::Application { secret, .. } => secret,
        }
    }
}

/// A tenant (Keystone: project) or a domain, by id or by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum IdOrName {
    /// Its id.
    Id(String),
    /// Its name.
    Name(String),
}

impl IdOrName {
    /// The id or the name.
    pub(super) fn as_str(&self) -> &str {
        match self {
            IdOrName::Id(text) | IdOrName::Name(text) => text,
        }
    }
}

/// What to set, where nothing is.
pub(super) fn missing() -> Error {
    no_credentials(
        "Rackspace",
        &[
            "set RAX_USERNAME and RAX_API_KEY, or OS_USERNAME and OS_PASSWORD, or AUTH_TOKEN and API_ENDPOINT",
            "or write ~/.rackspace_cloud_credentials, a clouds.yaml, or a [profile.NAME.rackspace] in config.toml",
        ],
    )
}

pub(super) fn half(has: &str, lacks: &str, origin: impl Display) -> Error {
    Error::new(
        Kind::Credentials,
        format!("Half of the credentials for Rackspace is missing: {lacks}"),
    )
    .cause(format!("{has} is set in {origin}, {lacks} is not"))
    .hint("set both in the same place, or neither")
}
