//! What came of looking at one thing.

use std::io;

use serde::{Deserialize, Serialize};

/// One thing that was looked at, or could not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "FileCheck"))]
pub struct Check {
    /// What was looked at, such as `size` or `sha256`.
    pub name: String,
    /// What came of it.
    pub result: Outcome,
    /// What was compared, what is wrong, or why it could not be looked at.
    pub detail: String,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is as it must be.
    Passed,
    /// It is wrong.
    Failed,
    /// It could not be looked at.
    NotPossible,
}

/// What an image says of itself, and whether that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Structure {
    /// The size of the disk in it; `None` where its header cannot be read.
    pub virtual_size: Option<u64>,
    /// What was looked at.
    pub checks: Vec<Check>,
}

impl Outcome {
    /// The word used in JSON and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::NotPossible => "not_possible",
        }
    }
}

impl Check {
    /// It is as it must be.
    pub fn passed(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Check::new(name, Outcome::Passed, detail)
    }

    /// It is wrong.
    pub fn failed(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Check::new(name, Outcome::Failed, detail)
    }

    /// It could not be looked at.
    pub fn not_possible(name: impl Into<String>, why: impl Into<String>) -> Self {
        Check::new(name, Outcome::NotPossible, why)
    }

    fn new(name: impl Into<String>, result: Outcome, detail: impl Into<String>) -> Self {
        Check {
            name: name.into(),
            result,
            detail: detail.into(),
        }
    }

    /// Whether it could not be made.
    pub fn is_open(&self) -> bool {
        self.result == Outcome::NotPossible
    }

    /// Whether it found something wrong.
    pub fn is_failure(&self) -> bool {
        self.result == Outcome::Failed
    }
}

impl Structure {
    /// Of an image whose first part is wrong, by which all others are found.
    pub(super) fn unreadable(part: &str, error: io::Error) -> io::Result<Structure> {
        Ok(Structure {
            virtual_size: None,
            checks: vec![checked(part, Err(error))?],
        })
    }
}

/// A check of what was found. A flaw of the file is a failure; that the file cannot be read is an error.
pub(super) fn checked(name: &str, found: io::Result<String>) -> io::Result<Check> {
    match found {
        Ok(detail) => Ok(Check::passed(name, detail)),
        Err(error) if is_flaw(&error) => Ok(Check::failed(name, error.to_string())),
        Err(error) => Err(error),
    }
}

/// Whether it is the data that is wrong.
pub(super) fn is_flaw(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}
