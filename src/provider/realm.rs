//! Whose exports credentials lead to, by what the cloud itself says. Keys change; the account stays.

use serde::{Deserialize, Serialize};

/// Where an account is and what its cloud calls it, as far as that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Realm {
    /// The address that is asked, without the path.
    pub endpoint: Option<String>,
    /// The cloud's own number or name of the account or project.
    pub account: Option<String>,
    /// A mark of the key, where nothing names the account: the same key is the same account, and another may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Realm {
    /// Whether another is surely not the same. What is not known contradicts nothing: to look at too much starts nothing twice.
    pub fn is_surely_not(&self, other: &Realm) -> bool {
        match (&self.account, &other.account) {
            // One cloud has many addresses.
            (Some(one), Some(other)) => one != other,
            _ => {
                let addresses = self.endpoint.as_ref().zip(other.endpoint.as_ref());
                addresses.is_some_and(|(one, other)| one != other)
            }
        }
    }

    /// Whether another is surely the same.
    pub fn is_surely(&self, other: &Realm) -> bool {
        let is_one = |one: &Option<String>, other| one.is_some() && one == other;
        is_one(&self.account, &other.account) || is_one(&self.key, &other.key)
    }
}

#[cfg(test)]
mod tests;
