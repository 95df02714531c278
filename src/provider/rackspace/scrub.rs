//! Our own secrets taken out of errors: a server or proxy may echo the request it got.

use crate::error::Error;
use crate::secret::{MASK, Secret};

/// A secret shorter than this hides nothing, and masking it would garble every sentence.
const SHORTEST: usize = 4;

/// The error with every secret in it masked, wherever it stands.
pub fn scrub(mut error: Error, secrets: &[&Secret]) -> Error {
    error.message = scrubbed(error.message, secrets);
    let details = &mut error.details;
    for text in details
        .causes
        .iter_mut()
        .chain(&mut details.code)
        .chain(&mut details.request_id)
    {
        *text = scrubbed(std::mem::take(text), secrets);
    }
    for hint in &mut details.hints {
        *hint = std::mem::take(hint).map(|text| scrubbed(text, secrets));
    }
    error
}

fn scrubbed(mut text: String, secrets: &[&Secret]) -> String {
    for secret in secrets.iter().map(|secret| secret.expose()) {
        if secret.len() < SHORTEST {
            continue;
        }
        text = text.replace(secret, MASK);
        // As it stands in JSON.
        let quoted = serde_json::Value::from(secret).to_string();
        text = text.replace(quoted.trim_matches('"'), MASK);
        // An excerpt may end in the middle of it.
        let cut = text.strip_suffix('…').and_then(|head| {
            let starts = secret.char_indices().rev().map(|(end, _)| &secret[..end]);
            let mut starts = starts.take_while(|start| start.len() >= SHORTEST);
            starts.find_map(|start| head.strip_suffix(start))
        });
        if let Some(head) = cut {
            text = format!("{head}{MASK}…");
        }
    }
    text
}

#[cfg(test)]
mod tests;
