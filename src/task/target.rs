//! Where an export goes and what it made, in words that its cloud defines.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where an export goes.
//
// An object as JSON shows it: `kind`, then what its cloud needs. Only that cloud knows more of it, by a type of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Map<String, Value>", into = "Map<String, Value>")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "Map<String, Value>"))]
pub struct Target(Box<str>);

impl From<Map<String, Value>> for Target {
    fn from(members: Map<String, Value>) -> Self {
        Target(Value::Object(members).to_string().into())
    }
}

impl From<Target> for Map<String, Value> {
    fn from(target: Target) -> Self {
        target.members()
    }
}

impl Target {
    /// From a cloud's own type, which must be written as an object.
    pub fn new(own: &impl Serialize) -> Self {
        match serde_json::to_value(own) {
            Ok(Value::Object(members)) => members.into(),
            _ => Map::new().into(),
        }
    }

    /// What is kept as text, which takes a tenth of the memory.
    fn members(&self) -> Map<String, Value> {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// As a cloud's own type; `None` for another cloud's target.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.0).ok()
    }

    /// As the journal compares targets: text in which an empty member is as good as none.
    pub fn identity(&self) -> String {
        let mut members = self.members();
        for (_, value) in &mut members {
            if value.as_str() == Some("") {
                *value = Value::Null;
            }
        }
        Value::Object(members).to_string()
    }

    /// Whether it says something else than another target. What a cloud leaves out contradicts nothing.
    pub fn contradicts(&self, other: &Target) -> bool {
        let is_said = |value: &Value| !value.is_null() && value.as_str() != Some("");
        let (own, other) = (self.members(), other.members());
        let mut said = own.iter().filter(|(_, value)| is_said(value));
        said.any(|(name, value)| other.get(name) != Some(value))
    }

    /// Whether two exports would write to the same place in the same form.
    pub fn is_same_place(&self, other: &Target) -> bool {
        self.identity() == other.identity()
    }
}

/// Kinds of artifacts, by their words in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArtifactKind(String);

impl ArtifactKind {
    /// From a cloud's own type, which must be written as a word.
    pub fn new(own: &impl Serialize) -> Self {
        match serde_json::to_value(own) {
            Ok(Value::String(word)) => ArtifactKind(word),
            _ => ArtifactKind(String::new()),
        }
    }

    /// As a cloud's own type; `None` for a kind of another cloud.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_value(Value::from(self.0.as_str())).ok()
    }
}
