//! The JSON contract: the objects that are printed as JSON, beside the task and the source.
//!
//! Their JSON Schema is derived from these very types, with the feature `schema`, by `examples/generate`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::error::Error;
use crate::image;
use crate::provider::check::{Check, Sheet};
use crate::provider::{Preview, Setting};
use crate::task::{Fault, SCHEMA};

/// How a command failed: with `-o json`, the last line of standard error when the exit code is not 0.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Error"))]
pub struct ErrorObject {
    /// The version of this form: 1.
    #[cfg_attr(feature = "schema", schemars(extend("const" = SCHEMA)))]
    pub schema: u32,
    /// What went wrong; of several tasks, the worst.
    pub error: Fault,
}

impl From<&Error> for ErrorObject {
    fn from(error: &Error) -> Self {
        ErrorObject {
            schema: SCHEMA,
            error: Fault::from(error),
        }
    }
}

/// A request that was not sent: one line of `export --dry-run -o json`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Preview"))]
pub struct PreviewObject<'p> {
    /// The version of this form: 1.
    #[cfg_attr(feature = "schema", schemars(extend("const" = SCHEMA)))]
    pub schema: u32,
    /// Always true: nothing was started.
    #[cfg_attr(feature = "schema", schemars(extend("const" = true)))]
    pub dry_run: bool,
    /// The API's name of the call.
    pub call: &'p str,
    /// The HTTP method.
    pub method: &'p str,
    /// Where the request would go.
    pub url: &'p str,
    /// What it would say, secrets masked; its form is the provider's.
    pub body: &'p Value,
}

impl<'p> From<&'p Preview> for PreviewObject<'p> {
    fn from(preview: &'p Preview) -> Self {
        PreviewObject {
            schema: SCHEMA,
            dry_run: true,
            call: preview.call,
            method: preview.method,
            url: &preview.url,
            body: &preview.body,
        }
    }
}

/// The variables that lead clients to the simulated clouds: the line of `sandbox -o json`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Sandbox"))]
pub struct SandboxObject<'v> {
    /// The version of this form: 1.
    #[cfg_attr(feature = "schema", schemars(extend("const" = SCHEMA)))]
    pub schema: u32,
    /// The variables by name. Their credentials open nothing but the simulated clouds.
    pub variables: BTreeMap<&'v str, &'v str>,
}

/// What was found about a cloud, or about this machine: one line of `doctor -o json`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Doctor"))]
pub struct DoctorObject<'s> {
    /// The version of this form: 1.
    #[cfg_attr(feature = "schema", schemars(extend("const" = SCHEMA)))]
    pub schema: u32,
    /// The cloud; null for what concerns this machine.
    pub provider: Option<&'s str>,
    /// Whether no check is a problem.
    pub ok: bool,
    /// What is used to reach the cloud.
    pub settings: &'s [Setting],
    /// What was looked at.
    pub checks: &'s [Check],
}

impl<'s> From<&'s Sheet> for DoctorObject<'s> {
    fn from(sheet: &'s Sheet) -> Self {
        DoctorObject {
            schema: SCHEMA,
            provider: sheet.provider.map(|id| id.0),
            ok: sheet.is_ok(),
            settings: &sheet.settings,
            checks: &sheet.checks,
        }
    }
}

/// Whether a fetched file is right: one line of `verify -o json`.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Verified"))]
pub struct VerifiedObject<'c> {
    /// The version of this form: 1.
    #[cfg_attr(feature = "schema", schemars(extend("const" = SCHEMA)))]
    pub schema: u32,
    /// The file, as it was typed.
    pub path: String,
    /// Whether it was verified and no check failed.
    pub ok: bool,
    /// What was looked at; none where there is nothing to verify it against.
    pub checks: &'c [image::Check],
    /// Why it is not right, or could not be verified.
    pub error: Option<Fault>,
}

impl<'c> VerifiedObject<'c> {
    /// What came of a file.
    pub fn new(path: &Path, checks: &'c [image::Check], error: Option<&Error>) -> Self {
        VerifiedObject {
            schema: SCHEMA,
            path: path.to_string_lossy().into_owned(),
            ok: error.is_none(),
            checks,
            error: error.map(Fault::from),
        }
    }
}
