//! What the program knows of a cloud before it connects.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use url::Url;

use super::check::Check;
use super::contract::Provider;
use super::export::ExportArguments;
use super::forms::Forms;
use crate::error::{Error, Hint, Result};
use crate::http::Http;
use crate::secret::clean;
use crate::settings::{Section, Sources};
use crate::task::{ProviderId, State, Task};

/// See [`Entry::connect`].
pub type Connect = for<'a> fn(&'a Sources, Http) -> BoxFuture<'a, Result<Arc<dyn Provider>>>;

/// One cloud in the registry.
pub struct Entry {
    /// The word for it on the command line and in JSON.
    pub id: ProviderId,
    /// What people call it.
    pub title: &'static str,
    /// Its arguments of `export`.
    pub export: ExportArguments,
    /// Its types of targets and artifacts.
    pub forms: Forms,
    /// How `doctor` is told where exports are to go; `None` where a person names no place.
    pub place: Option<PlaceOption>,
    /// Whether a word has the shape that only ids of this cloud's snapshots or images have.
    pub is_source: fn(&str) -> bool,
    /// Whether a bare task id has the shape only this cloud uses, or one it shares with another.
    pub shape: fn(&str) -> Shape,
    /// Resolves credentials, region and endpoint and makes the client. Sends at most a login.
    pub connect: Connect,
    /// See `console_url` in `registry.rs`.
    pub console: fn(&Task) -> Option<Url>,
    /// The regions that are known without asking, for completion; others are not refused.
    pub regions: fn() -> Vec<&'static str>,
    /// Reads the cloud's section of a profile of `config.toml`. A mistake in it is a `usage` error that names the line.
    pub section: fn(&Section) -> Result<Configured>,
    /// Every variable that is read for this cloud. In the sandbox they are not set, or lead there.
    pub variables: &'static [&'static str],
    /// Every file of the cloud's own tools that is read, in its usual place: what the documentation has to name.
    pub files: &'static [&'static str],
    /// The profiles in those files, for completion. Empty, where anything goes wrong.
    pub profiles: fn(&Sources) -> Vec<String>,
    /// Whether several places have credentials, which may be of several accounts. Looks on this machine alone.
    pub rivals: fn(&Sources) -> Option<Check>,
    /// The files there are in which a secret of the cloud stands, wherever a variable has put them.
    pub secret_files: fn(&Sources) -> Vec<PathBuf>,
    /// What to say to who wants to cancel an export there; `None` where that can be done.
    pub no_cancel: Option<NoCancel>,
}

/// An option of `doctor`, whose value is a place that exports are to go to.
#[derive(Clone, Copy, Debug)]
pub struct PlaceOption {
    /// What the cloud calls such a place: the option's name, and the check's.
    pub word: &'static str,
    /// The option's help.
    pub help: &'static str,
}

/// What is known of a section of `config.toml` without using it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configured {
    /// The region it names.
    pub region: Option<String>,
    /// Whether a secret stands in it.
    pub has_secret: bool,
}

/// Why an export cannot be cancelled.
#[derive(Clone, Copy, Debug)]
pub struct NoCancel {
    /// Completes "the export … cannot be cancelled: ".
    pub why: &'static str,
    /// How to get rid of what the export makes, with what is known of the task.
    pub instead: fn(Option<&Task>) -> Hint,
}

impl NoCancel {
    /// The refusal for a task. `typed` is how its id is typed, `known` what was last seen of it.
    pub fn refusal(&self, typed: &str, known: Option<&Task>) -> Error {
        let typed = clean(typed);
        let instead = (self.instead)(known);
        if let Some(ended) = known.filter(|task| task.state.is_terminal()) {
            let sentence = format!(
                "The export {typed} cannot be cancelled any more: it is {}",
                ended.state
            );
            return match ended.state {
                State::Completed => Error::usage(sentence).hint(instead),
                _ => Error::usage(sentence),
            };
        }
        Error::usage(format!(
            "The export {typed} cannot be cancelled: {}",
            self.why
        ))
        .hint(Hint::say("after its end, ").and_hint(instead))
    }
}

/// How a bare task id fits a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No other cloud's ids look like this.
    Sure,
    /// It may be one of this cloud's, or another's.
    Possible,
    /// It cannot be one of this cloud's.
    No,
}

impl Entry {
    /// A client, unless a variable that it is made of cannot be used: then that is the error, and nothing is sent.
    pub async fn client(&self, sources: &Sources, http: Http) -> Result<Arc<dyn Provider>> {
        let sources = Sources {
            env: sources.env.anew(),
            ..sources.clone()
        };
        let client = (self.connect)(&sources, http).await;
        sources.env.check()?;
        client
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id.0)
    }
}
