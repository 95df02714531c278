//! The text of `snapexport-json(7)`, from the schemas.

use serde_json::Value;

use crate::schema::{Document, documents};

/// The whole page.
pub(super) fn text() -> String {
    let mut told = Vec::new();
    let objects: String = documents()
        .iter()
        .map(|document| object(document, &mut told))
        .collect();
    include_str!("json.md").replace("{objects}\n", &objects)
}

/// A kind of line, and the parts of it that were not told of before.
fn object(document: &Document, told: &mut Vec<String>) -> String {
    let schema = document.schema.as_value();
    let mut text = format!("## The {} object\n\n{}\n\n", document.name, said(schema));
    text += &fields(schema);
    let parts = schema["$defs"].as_object();
    for (name, part) in parts.into_iter().flatten() {
        if told.contains(name) {
            continue;
        }
        told.push(name.clone());
        text += &format!("### {name}\n\n{}\n\n", said(part));
        text += &match part["oneOf"].as_array() {
            Some(variants) => variants.iter().map(variant).collect(),
            None => fields(part),
        };
    }
    text
}

/// A word that a value may be, or a form that an object may have.
fn variant(schema: &Value) -> String {
    if let Some(word) = schema["const"].as_str() {
        return row(word, None, &said(schema));
    }
    if let Some(words) = schema["enum"].as_array() {
        return words
            .iter()
            .filter_map(Value::as_str)
            .map(|word| row(word, None, ""))
            .collect();
    }
    let kind = &schema["properties"]["kind"]["const"];
    let kind = kind.as_str().unwrap_or_default();
    format!("**{kind}**: {}\n\n{}", said(schema), fields(schema))
}

fn fields(schema: &Value) -> String {
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, field)| match said(field) {
            // The word that tells the forms of an object apart.
            text if text.is_empty() => row(name, Some(&form(field)), "Always this word."),
            text => row(name, Some(&form(field)), &text),
        })
        .collect()
}

/// A row of a table of its own: they are drawn as a list.
fn row(name: &str, form: Option<&str>, text: &str) -> String {
    let form = form.map_or_else(String::new, |form| format!(" ({form})"));
    format!(
        "| | |\n|---|---|\n| `{name}`{form} | {} |\n\n",
        text.replace('|', "\\|")
    )
}

fn said(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.replace('\n', " ")
}

/// The form of a value, in words.
fn form(field: &Value) -> String {
    if let Some(constant) = field.get("const") {
        return constant.to_string();
    }
    if let Some(words) = field["enum"].as_array() {
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        return words.join(", ");
    }
    if let Some(name) = field["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(forms) = field["anyOf"].as_array() {
        let forms: Vec<String> = forms.iter().map(form).collect();
        return forms.join(" or ");
    }
    let name = |kind: &str| match kind {
        "string" if field["format"] == "date-time" => "time".to_owned(),
        "array" => format!("array of {}", form(&field["items"])),
        kind => kind.to_owned(),
    };
    match &field["type"] {
        Value::String(kind) => name(kind),
        Value::Array(kinds) => {
            let kinds: Vec<String> = kinds.iter().filter_map(Value::as_str).map(name).collect();
            kinds.join(" or ")
        }
        _ => "anything".to_owned(),
    }
}
