//! The JSON contract: every object that is printed as JSON, and its JSON Schema, derived from the very types that are written.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Error;
use crate::provider::check::{Check, Sheet};
use crate::provider::{Preview, REGISTRY, Setting};
use crate::task::{Fault, SCHEMA, Source, TaskObject};

/// How a command failed: with `-o json`, the last line of standard error when the exit code is not 0.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub struct ErrorObject {
    /// The version of this form: 1.
    #[schemars(extend("const" = SCHEMA))]
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
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Preview")]
pub struct PreviewObject<'p> {
    /// The version of this form: 1.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: u32,
    /// Always true: nothing was started.
    #[schemars(extend("const" = true))]
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
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Sandbox")]
pub struct SandboxObject<'v> {
    /// The version of this form: 1.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: u32,
    /// The variables by name. Their credentials open nothing but the simulated clouds.
    pub variables: BTreeMap<&'v str, &'v str>,
}

/// What was found about a cloud, or about this machine: one line of `doctor -o json`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Doctor")]
pub struct DoctorObject<'s> {
    /// The version of this form: 1.
    #[schemars(extend("const" = SCHEMA))]
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

/// The schema of one kind of line.
pub struct Document {
    /// Its file in `schema/`, without the ending.
    pub name: &'static str,
    /// JSON Schema, draft 2020-12. It lets fields be added, as later versions may.
    pub schema: Schema,
}

impl Document {
    fn of<T: JsonSchema>(name: &'static str) -> Self {
        let mut schema = SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator()
            .into_root_schema_for::<T>();
        // The types know no registry: the words for the clouds are filled in here.
        if let Some(provider) = schema.pointer_mut("/properties/provider")
            && provider["type"] == "string"
        {
            let words: Vec<&str> = REGISTRY.iter().map(|entry| entry.id.0).collect();
            provider["enum"] = json!(words);
        }
        Document { name, schema }
    }

    /// The text of its file.
    pub fn text(&self) -> String {
        let text = serde_json::to_string_pretty(&self.schema).unwrap_or_default();
        format!("{text}\n")
    }
}

/// Everything that is printed as JSON.
pub fn documents() -> Vec<Document> {
    vec![
        Document::of::<TaskObject>("task"),
        Document::of::<Source>("source"),
        Document::of::<PreviewObject<'_>>("preview"),
        Document::of::<ErrorObject>("error"),
        Document::of::<DoctorObject<'_>>("doctor"),
        Document::of::<SandboxObject<'_>>("sandbox"),
    ]
}
