//! The one list of names whose values are secrets.

/// How the names of secrets end, without case and punctuation.
const ENDINGS: [&str; 13] = [
    "apikey",
    "authkey",
    "authorization",
    "cookie",
    "credential",
    "passcode",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "sig",
    "signature",
    "token",
];

/// What looks like one and only says where a list goes on.
const PAGES: [&str; 3] = ["nextpagetoken", "pagetoken", "nexttoken"];

/// Whether a JSON member, a query parameter or a header of this name holds a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name = letters.collect::<String>().to_ascii_lowercase();
    let is_one = name.contains("secret") || ENDINGS.iter().any(|ending| name.ends_with(ending));
    is_one && !PAGES.contains(&name.as_str())
}

#[cfg(test)]
mod tests;
