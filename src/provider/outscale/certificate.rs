//! A certificate that the client shows beside its keys: API access rules can ask for one.

use std::path::PathBuf;

use reqwest::Identity;

use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::settings::{Origin, Sources};

/// A certificate with its key, as a profile or the environment names them.
#[derive(Debug, Default)]
pub(super) struct Certificate {
    /// The certificate and those it is signed with; its key may stand there too.
    pub chain: Option<Part>,
    /// Its key.
    pub key: Option<Part>,
}

/// PEM in a file or in the setting itself.
#[derive(Debug)]
pub(super) enum Part {
    /// A path: from the home directory after `~/`, else from where the program is run.
    File(PathBuf),
    /// PEM, once more in base64.
    Base64(Secret),
}

impl Part {
    /// What a pair of variables says; the content wins over a path.
    pub(super) fn of_variables(sources: &Sources, file: &str, base64: &str) -> Option<Part> {
        let content = sources
            .var(base64)
            .map(|text| Part::Base64(Secret::new(text)));
        content.or_else(|| sources.file_of(file).map(Part::File))
    }

    fn read(&self, sources: &Sources) -> std::result::Result<Vec<u8>, String> {
        match self {
            Part::File(path) => {
                let place = sources.path(path);
                std::fs::read(&place).map_err(|error| format!("{}: {error}", place.display()))
            }
            // GNU's base64 breaks its lines.
            Part::Base64(text) => {
                let text: String = text.expose().split_whitespace().collect();
                aws_smithy_types::base64::decode(text).map_err(|_| "it is not base64".to_owned())
            }
        }
    }

    fn shown(&self) -> String {
        match self {
            Part::File(path) => path.display().to_string(),
            Part::Base64(_) => "given in base64".to_owned(),
        }
    }
}

impl Certificate {
    /// Reads it; `None` where there is none. Half of one, or what is none, is kind `credentials`.
    pub(super) fn load(
        &self,
        sources: &Sources,
        origin: &Origin,
    ) -> Result<Option<(Identity, String)>> {
        let unusable = |why: String| {
            Error::new(
                Kind::Credentials,
                format!("The client certificate from {origin} cannot be used"),
            )
            .cause(why)
            .hint("it takes a certificate and its key (x509_client_cert, x509_client_key), both in PEM form")
        };
        let chain = match (&self.chain, &self.key) {
            (Some(chain), _) => chain,
            (None, Some(_)) => return Err(unusable("there is a key, but no certificate".into())),
            (None, None) => return Ok(None),
        };
        let mut pem = chain.read(sources).map_err(unusable)?;
        if let Some(key) = &self.key {
            pem.push(b'\n');
            pem.extend(key.read(sources).map_err(unusable)?);
        }
        let identity =
            Identity::from_pem(&pem).map_err(|error| unusable(crate::http::chain(&error)))?;
        Ok(Some((identity, chain.shown())))
    }
}
