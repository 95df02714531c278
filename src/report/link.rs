//! Hyperlinks in a terminal (OSC 8). They take no columns.

use url::Url;

/// The text as a link to this address; plain where there is none.
///
/// `text` must be clean already. An address is written by `Url`, which escapes whatever is not printable ASCII.
pub(super) fn link(text: &str, address: Option<&Url>) -> String {
    let printable =
        address.filter(|address| address.as_str().bytes().all(|b| b.is_ascii_graphic()));
    match printable {
        Some(address) => format!("\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\"),
        None => text.to_owned(),
    }
}

/// The line with the first of these words in it as a link.
pub(super) fn link_in(line: &str, word: &str, address: Option<&Url>) -> String {
    match line.find(word).filter(|_| !word.is_empty() && word != "-") {
        Some(start) => {
            let end = start + word.len();
            format!("{}{}{}", &line[..start], link(word, address), &line[end..])
        }
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests;
