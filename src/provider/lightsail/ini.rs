//! The form of the AWS tools' files, read as the AWS CLI does, which goes by Python's `RawConfigParser`: settings and whole
//! files may be indented, `name: value` is a setting, and what follows a heading's bracket is nobody's business. A line that
//! cannot be read is a flaw of its section and of no other.

use std::collections::BTreeMap;

use crate::settings::text::{is_blank, trimmed};

/// A section of a file.
#[derive(Default)]
pub(super) struct Section {
    /// What stands between the brackets; empty for what comes before the first heading.
    pub heading: String,
    /// Names in small letters. A value of several lines has line breaks.
    pub settings: BTreeMap<String, String>,
    /// The first line that cannot be read.
    pub flaw: Option<usize>,
}

/// The sections of a file, in order.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    // The setting that deeper lines continue, and how deep it stands.
    let (mut open, mut depth) = (None, 0);
    for (number, line) in (1..).zip(text.lines()) {
        let said = trimmed(line);
        if said.is_empty() || said.starts_with(['#', ';']) {
            continue;
        }
        let indent = line.chars().take_while(|c| is_blank(*c)).count();
        if let Some(section) = sections.last_mut()
            && let Some(value) = open
                .as_ref()
                .and_then(|name| section.settings.get_mut(name))
            && indent > depth
        {
            *value += "\n";
            *value += said;
            continue;
        }
        depth = indent;
        if let Some(rest) = said.strip_prefix('[') {
            open = None;
            let heading = rest.split(']').next().unwrap_or_default();
            let is_whole = heading.len() < rest.len() && !trimmed(heading).is_empty();
            sections.push(Section {
                heading: trimmed(heading).to_owned(),
                flaw: (!is_whole).then_some(number),
                ..Section::default()
            });
            continue;
        }
        if sections.is_empty() {
            sections.push(Section::default());
        }
        let Some(section) = sections.last_mut() else {
            continue;
        };
        match said.split_once(['=', ':']) {
            Some((name, value)) if !name.is_empty() && !section.heading.is_empty() => {
                let name = trimmed(name).to_lowercase();
                section
                    .settings
                    .insert(name.clone(), trimmed(value).to_owned());
                open = Some(name);
            }
            _ => {
                section.flaw.get_or_insert(number);
            }
        }
    }
    sections
}

/// The words of a heading as a shell reads them, whose quotes and backslashes the AWS tools know there; `None` where a
/// quote is not closed.
pub(super) fn words(heading: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = heading.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(letters.next()?),
            '\'' | '"' => word
                .get_or_insert_default()
                .push_str(&quoted(&mut letters, letter)?),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    Some(words)
}

/// What stands before the closing quote. In double quotes a backslash escapes.
fn quoted(letters: &mut impl Iterator<Item = char>, quote: char) -> Option<String> {
    let mut said = String::new();
    loop {
        match letters.next()? {
            letter if letter == quote => return Some(said),
            '\\' if quote == '"' => match letters.next()? {
                letter @ ('"' | '\\') => said.push(letter),
                letter => said.extend(['\\', letter]),
            },
            letter => said.push(letter),
        }
    }
}

#[cfg(test)]
mod tests;
