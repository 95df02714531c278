//! Where a value came from.

use std::fmt;
use std::path::{Path, PathBuf};

use super::text;
use crate::secret::clean;

/// Where a value came from. Displayed, it is what a person reads; `{:#}` also says which file a section is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An option of the command line, such as `--region`.
    Flag(&'static str),
    /// A variable.
    Variable(&'static str),
    /// Two variables that belong together.
    Pair(&'static str, &'static str),
    /// A variable with its value, where that matters: `OSC_PROFILE=work`.
    Assignment(&'static str, String),
    /// `[profile.NAME.CLOUD]` of config.toml.
    Section {
        /// The name of the profile.
        profile: String,
        /// The word for the cloud.
        cloud: &'static str,
    },
    /// A file of a cloud's own tools.
    File(PathBuf),
    /// An entry in such files: `profile 'work' of /home/me/.aws/config`.
    Entry {
        /// What the file calls its entries.
        kind: &'static str,
        /// The name of this one.
        name: String,
        /// The files that it is in.
        files: Vec<PathBuf>,
    },
    /// What is known of the task.
    Task,
    /// A rule, such as "the default".
    Rule(&'static str),
    /// The first, because the second chose it.
    Chosen(Box<Origin>, Box<Origin>),
    /// The first, which wins over the second.
    Override(Box<Origin>, Box<Origin>),
}

impl Origin {
    /// An entry of one file.
    pub fn entry(kind: &'static str, name: &str, file: &Path) -> Self {
        Origin::Entry {
            kind,
            name: name.to_owned(),
            files: vec![file.to_owned()],
        }
    }

    /// Where a value of this name stands, for a message: with the line, where it is in a file.
    pub(crate) fn of_value(&self, key: &str) -> String {
        let (name, files) = match self {
            Origin::Entry { name, files, .. } => (Some(name.as_str()), files.as_slice()),
            Origin::File(path) => (None, std::slice::from_ref(path)),
            Origin::Chosen(origin, _) | Origin::Override(origin, _) => return origin.of_value(key),
            _ => (None, [].as_slice()),
        };
        let words: Vec<&str> = name.into_iter().chain([key]).collect();
        let line = files.iter().find_map(|path| {
            let text = text::read_file(path).ok()??;
            Some((text::line_of(&text, &words)?, path))
        });
        match line {
            Some((line, path)) => format!("{key} in line {line} of {}", path.display()),
            None => format!("{key} from {self:#}"),
        }
    }

    /// This one, chosen by another.
    #[must_use]
    pub fn chosen_by(self, other: Origin) -> Self {
        Origin::Chosen(Box::new(self), Box::new(other))
    }

    /// This one, and the other that it overrides, if there is one.
    #[must_use]
    pub fn over(self, other: Option<Origin>) -> Self {
        match other {
            Some(other) => Origin::Override(Box::new(self), Box::new(other)),
            None => self,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Flag(name) | Origin::Variable(name) | Origin::Rule(name) => f.write_str(name),
            Origin::Pair(one, other) => write!(f, "{one} and {other}"),
            Origin::Assignment(name, value) => write!(f, "{name}={}", clean(value)),
            Origin::Section { profile, cloud } => {
                write!(f, "[profile.{}.{cloud}]", clean(profile))?;
                f.write_str(if f.alternate() { " of config.toml" } else { "" })
            }
            Origin::File(path) => write!(f, "{}", path.display()),
            Origin::Entry { kind, name, files } => {
                let files: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
                write!(f, "{kind} '{}' of {}", clean(name), files.join(" and "))
            }
            Origin::Task => f.write_str("the task"),
            Origin::Chosen(what, by) => write!(f, "{what} ({by})"),
            Origin::Override(one, other) => match (f.alternate(), &**other) {
                (_, Origin::Rule(rule)) => write!(f, "{one}, which overrides {rule}"),
                (true, other) => write!(f, "{one}, which overrides that of {other:#}"),
                (false, other) => write!(f, "{one}, which overrides that of {other}"),
            },
        }
    }
}

#[cfg(test)]
mod tests;
