//! Roles that are assumed with other credentials, by STS; with a code of the user's, where a role asks for one.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as ProvideFuture;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_sts::config::Builder;
use jiff::Timestamp;

use super::chain::Role;
use super::errors::of_sts;
use crate::error::{Error, Kind, Result};
use crate::process;
use crate::secret::clean;

/// Credentials, and the roles that are assumed with them one after the other.
#[derive(Debug)]
pub(super) struct Assumed {
    pub base: SharedCredentialsProvider,
    /// The last one first.
    pub roles: Vec<Role>,
    /// Where STS is asked, and how.
    pub sts: Builder,
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> ProvideFuture<'a>
    where
        Self: 'a,
    {
        ProvideFuture::new(self.credentials())
    }
}

impl Assumed {
    async fn credentials(&self) -> provider::Result {
        let mut credentials = self.base.provide_credentials().await?;
        for role in self.roles.iter().rev() {
            let assumed = self.assume(role, credentials).await;
            credentials = assumed.map_err(CredentialsError::provider_error)?;
        }
        Ok(credentials)
    }

    async fn assume(&self, role: &Role, with: Credentials) -> Result<Credentials> {
        let code = match &role.mfa_serial {
            Some(serial) => Some(code(&role.arn, serial).await?),
            None => None,
        };
        // As the AWS crates name a session that has no name.
        let unnamed = || format!("assume-role-{}", Timestamp::now().as_millisecond());
        let config = self.sts.clone().credentials_provider(with).build();
        let reply = aws_sdk_sts::Client::from_conf(config)
            .assume_role()
            .role_arn(&role.arn)
            .role_session_name(role.session.clone().unwrap_or_else(unnamed))
            .set_external_id(role.external_id.clone())
            .set_duration_seconds(role.duration)
            .set_serial_number(role.mfa_serial.clone())
            .set_token_code(code)
            .send()
            .await
            .map_err(|error| of_sts(&role.arn, &error))?;
        let none = || Error::new(Kind::Credentials, "STS answers without credentials");
        let given = reply.credentials.ok_or_else(none)?;
        let ends_at = given.expiration.try_into().map_err(|_| none())?;
        Ok(Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            Some(ends_at),
            "snapexport",
        ))
    }
}

/// The code of a device, from the user.
async fn code(role: &str, serial: &str) -> Result<String> {
    let (role, serial) = (clean(role), clean(serial));
    let none = |why: &str| {
        Error::new(
            Kind::Credentials,
            format!("The role {role} asks for a code of the MFA device {serial}"),
        )
        .cause(why)
        .hint("run the command on a terminal, or put temporary credentials of the role into AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN (aws sts assume-role)")
    };
    if !process::can_ask() {
        return Err(none("there is no terminal to ask for it"));
    }
    // A question is asked with --quiet, too.
    tracing::error!("type the code of the MFA device {serial} for the role {role}, and Enter");
    let line = process::answer()
        .await
        .map_err(|error| none(&error.to_string()))?;
    let code = line.trim().to_owned();
    if code.is_empty() || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(none("what was typed is not a number"));
    }
    Ok(code)
}
