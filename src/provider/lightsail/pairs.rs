//! The keys of a profile that stands in both of the AWS tools' files: all from one of the two.
//!
//! The AWS crates lay the files over each other line by line, and would join the id of one with the secret of the
//! other, or a lasting pair with the other's session token. The tools themselves take what the credentials file says
//! of keys, and only where it says nothing what the other does.

use std::collections::HashSet;

const PAIR: [&str; 2] = ["aws_access_key_id", "aws_secret_access_key"];
const TOKEN: &str = "aws_session_token";

/// Config and credentials, each without the keys that do not count beside the other's. `None` where all do.
pub(super) fn of_one_file(config: &str, credentials: &str) -> Option<(String, String)> {
    let with_keys: HashSet<&str> = lines(credentials, false)
        .filter(|line| PAIR.contains(&line.setting.as_str()) && line.has_value())
        .filter_map(|line| line.profile)
        .collect();
    let sifted = (
        without_keys(config, true, |profile| with_keys.contains(profile)),
        without_keys(credentials, false, |profile| !with_keys.contains(profile)),
    );
    match sifted {
        (None, None) => None,
        (kept_config, kept_credentials) => Some((
            kept_config.unwrap_or_else(|| config.to_owned()),
            kept_credentials.unwrap_or_else(|| credentials.to_owned()),
        )),
    }
}

/// A line, with what it says or continues.
struct Line<'t> {
    text: &'t str,
    profile: Option<&'t str>,
    setting: String,
}

impl Line<'_> {
    fn has_value(&self) -> bool {
        let value = self.text.split_once('=').map(|(_, value)| value.trim());
        value.is_some_and(|value| !value.is_empty())
    }
}

fn lines(text: &str, is_config: bool) -> impl Iterator<Item = Line<'_>> {
    let (mut profile, mut setting) = (None, String::new());
    text.lines().map(move |line| {
        if line.starts_with('[') {
            profile = heading(line, is_config);
            setting.clear();
        } else if !line.starts_with([' ', '\t', '#', ';'])
            && let Some((name, _)) = line.split_once('=')
        {
            setting = name.trim().to_ascii_lowercase();
        }
        Line {
            text: line,
            profile,
            setting: setting.clone(),
        }
    })
}

/// The profile that a heading begins: `[profile NAME]` or `[default]` in config, `[NAME]` in credentials.
fn heading(line: &str, is_config: bool) -> Option<&str> {
    let inner = line.split(['#', ';']).next()?.trim();
    let inner = inner.strip_prefix('[')?.strip_suffix(']')?;
    let words: Vec<&str> = inner.split_whitespace().collect();
    match words.as_slice() {
        ["profile", name] if is_config => Some(name),
        ["default"] => Some("default"),
        [name] if !is_config => Some(name),
        _ => None,
    }
}

/// The text with the keys of these profiles left out, line for line: messages name the lines. `None` where nothing goes.
fn without_keys(text: &str, is_config: bool, is_void: impl Fn(&str) -> bool) -> Option<String> {
    let mut has_dropped = false;
    let mut kept = String::with_capacity(text.len());
    for line in lines(text, is_config) {
        let is_key = line.setting == TOKEN || PAIR.contains(&line.setting.as_str());
        if is_key && line.profile.is_some_and(&is_void) {
            has_dropped = true;
        } else {
            kept += line.text;
        }
        kept.push('\n');
    }
    has_dropped.then_some(kept)
}

#[cfg(test)]
mod tests;
