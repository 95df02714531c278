//! JSON Schema of every object that is printed, derived from the very types that are written.

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::json;
use snapexport::fetch::Evidence;
use snapexport::provider;
use snapexport::schema::{DoctorObject, ErrorObject, PreviewObject, SandboxObject, VerifiedObject};
use snapexport::task::{Source, TaskObject};

/// The schema of one kind of line.
pub(crate) struct Document {
    /// Its file in `schema/`, without the ending.
    pub name: &'static str,
    /// JSON Schema, draft 2020-12. It lets fields be added, as later versions may.
    pub schema: Schema,
}

impl Document {
    fn of<T: JsonSchema>(name: &'static str) -> Self {
        let mut generator = SchemaSettings::draft2020_12()
            .for_serialize()
            .into_generator();
        let mut schema = generator.root_schema_for::<T>();
        // The types know no registry: what the clouds define is filled in here.
        if let Some(provider) = schema.pointer_mut("/properties/provider")
            && provider["type"] == "string"
        {
            provider["enum"] = json!(provider::names());
        }
        for (at, name) in ["Target", "ArtifactKind"].into_iter().enumerate() {
            if let Some(form) = schema.pointer_mut(&format!("/$defs/{name}")) {
                let forms = provider::clouds().flat_map(|entry| {
                    let own = (entry.forms.schemas)(&mut generator)[at]
                        .get("oneOf")
                        .cloned();
                    own.and_then(|own| own.as_array().cloned())
                        .unwrap_or_default()
                });
                *form =
                    json!({"description": form["description"], "oneOf": forms.collect::<Vec<_>>()});
            }
        }
        Document { name, schema }
    }

    /// The text of its file.
    pub(crate) fn text(&self) -> String {
        let text = serde_json::to_string_pretty(&self.schema).unwrap_or_default();
        format!("{text}\n")
    }
}

/// Everything that is printed as JSON.
pub(crate) fn documents() -> Vec<Document> {
    vec![
        Document::of::<TaskObject>("task"),
        Document::of::<Source>("source"),
        Document::of::<PreviewObject<'_>>("preview"),
        Document::of::<ErrorObject>("error"),
        Document::of::<DoctorObject<'_>>("doctor"),
        Document::of::<SandboxObject<'_>>("sandbox"),
        Document::of::<Evidence>("evidence"),
        Document::of::<VerifiedObject<'_>>("verified"),
    ]
}
