//! Masked by value: a server may repeat what it was sent, in whatever place and form.

use std::borrow::Cow;

use serde_json::Value;

use super::MASK;

/// Secrets whose values are known, to be taken out of what others say.
#[derive(Clone, Default)]
pub struct Known {
    forms: Vec<String>,
}

/// A secret, or the beginning of one at the end of a text that was cut, of fewer bytes is not looked for: it would be found
/// in innocent words.
const SHORTEST: usize = 4;

impl Known {
    /// These secrets but for those that are too short.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let secrets = secrets.into_iter();
        let long = secrets.filter(|secret| secret.len() >= SHORTEST);
        let mut forms: Vec<String> = long.flat_map(forms_of).collect();
        forms.sort();
        forms.dedup();
        // What holds another one goes first.
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        Known { forms }
    }

    /// The text with every one of them masked, also one that a text which was cut (`…`) ends in the middle of.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut masked = Cow::Borrowed(text);
        for form in &self.forms {
            if masked.contains(form) {
                masked = masked.replace(form, MASK).into();
            }
            if let Some(head) = Self::cut_within(form, &masked) {
                masked = format!("{head}{MASK}…").into();
            }
        }
        masked
    }

    /// What stands before the beginning of a secret with which a cut text ends.
    fn cut_within<'t>(form: &str, text: &'t str) -> Option<&'t str> {
        let head = text.strip_suffix('…')?;
        let starts = form.char_indices().rev().map(|(end, _)| &form[..end]);
        let mut starts = starts.take_while(|start| start.len() >= SHORTEST);
        starts.find_map(|start| head.strip_suffix(start))
    }
}

/// A secret as it is, as JSON writes it in a string, and in a string that quotes JSON, as a URL does, and encoded.
fn forms_of(secret: &str) -> Vec<String> {
    let json = in_json(secret);
    let base64 = aws_smithy_types::base64::encode(secret);
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    vec![
        secret.to_owned(),
        in_json(&json),
        json,
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        base64.trim_end_matches('=').to_owned(),
        hex.to_uppercase(),
        hex,
    ]
}

/// The text as it stands between the quotes of a JSON string.
fn in_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

#[cfg(test)]
mod tests;
