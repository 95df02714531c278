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
        .chain(&mut details.hints)
        .chain(&mut details.code)
        .chain(&mut details.request_id)
    {
        *text = scrubbed(std::mem::take(text), secrets);
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
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn a_secret_is_masked_whole_quoted_or_cut() {
        let secrets = [Secret::new("t0ken\"secret"), Secret::new("abc")];
        let secrets: Vec<&Secret> = secrets.iter().collect();
        for (text, expected) in [
            ("nothing here", "nothing here"),
            ("a t0ken\"secret b", "a *** b"),
            (r#"{"k":"t0ken\"secret"}"#, r#"{"k":"***"}"#),
            ("k: t0ken\"sec…", "k: ***…"),
            ("k: t0k…", "k: t0k…"),
            ("abc is too short to hide", "abc is too short to hide"),
        ] {
            let error = Error::new(Kind::Provider, text).cause(text).hint(text);
            let clean = scrub(error.code(text).request_id(Some(text.into())), &secrets);
            assert_eq!(clean.message, expected);
            assert_eq!(clean.details.causes, [expected]);
            assert_eq!(clean.details.hints, [expected]);
            assert_eq!(clean.details.code.as_deref(), Some(expected));
            assert_eq!(clean.details.request_id.as_deref(), Some(expected));
        }
    }
}
