//! Why the sandbox does not work here.

use std::fmt;
use std::path::PathBuf;

/// What the sandbox, or a file of faults, cannot be used for. Display gives the sentence, without the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What failed.
    pub failure: Failure,
    /// Why, in the words of whatever refused.
    pub cause: String,
}

/// What can fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A file of faults that cannot be read, or holds something else: the user's to mend.
    FaultFile(PathBuf),
    /// The port cannot be had.
    Port(u16),
    /// The state cannot be read or written.
    State(PathBuf),
}

impl Failure {
    pub(crate) fn because(self, cause: impl fmt::Display) -> Error {
        Error {
            failure: self,
            cause: cause.to_string(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.failure {
            Failure::FaultFile(path) => {
                write!(f, "The fault file {} cannot be used", path.display())
            }
            Failure::Port(port) => write!(f, "The sandbox cannot listen on 127.0.0.1:{port}"),
            Failure::State(path) => {
                let path = path.display();
                write!(f, "The sandbox cannot keep its state in {path}")
            }
        }
    }
}

impl std::error::Error for Error {}
