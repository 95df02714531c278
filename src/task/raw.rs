//! A cloud's own object, beside what was understood of it.

use serde_json::Value;

/// JSON as text: as a tree of values it would take ten times the memory, and a list has a hundred thousand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Raw(Option<Box<str>>);

impl Raw {
    /// Of an object whose secrets are masked.
    pub fn of(value: &Value) -> Self {
        Raw((!value.is_null()).then(|| value.to_string().into()))
    }

    /// The object; null where there is none.
    pub fn value(&self) -> Value {
        let text = self.0.as_deref();
        text.and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default()
    }

    /// A member of it; null where there is none.
    pub fn member(&self, name: &str) -> Value {
        self.value()
            .get_mut(name)
            .map(Value::take)
            .unwrap_or_default()
    }

    /// Puts a member into it.
    pub fn insert(&mut self, name: &str, member: Value) {
        let mut value = self.value();
        value[name] = member;
        *self = Raw::of(&value);
    }

    /// Of its members, these alone.
    #[must_use]
    pub fn only(&self, names: &[&str]) -> Self {
        let mut value = self.value();
        if let Value::Object(members) = &mut value {
            members.retain(|name, member| names.contains(&name.as_str()) && !member.is_null());
        }
        match value.as_object() {
            Some(members) if !members.is_empty() => Raw::of(&value),
            _ => Raw::default(),
        }
    }
}
