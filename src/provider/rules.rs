//! Rules for names and ids that several clouds share.

use crate::error::Error;

/// Whether the text has the form of a UUID (8-4-4-4-12 hex digits).
pub fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.len() == 5
        && groups
            .iter()
            .zip([8, 4, 4, 4, 12])
            .all(|(group, len)| group.len() == len && group.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Why an empty or over-long name is refused; `None` for one that can be sent.
pub fn name_problem(what: &str, name: &str, longest: usize) -> Option<Error> {
    if name.trim().is_empty() {
        return Some(Error::usage(format!("The {what} is empty")));
    }
    if name.len() > longest {
        return Some(Error::usage(format!(
            "The {what} is {} bytes long; the longest allowed is {longest}",
            name.len()
        )));
    }
    if name.chars().any(char::is_control) {
        return Some(Error::usage(format!(
            "The {what} has a control character in it"
        )));
    }
    None
}
