//! What can be known without asking anyone: for completion. Says nothing, makes nothing, fails at nothing.

use std::path::PathBuf;

use crate::commands::context::INSIDE;
use crate::journal::believe;
use crate::settings::{Config, Env, Places, Sources, Us, text};

/// What is at hand on this machine.
#[derive(Debug, Default)]
pub(super) struct Glance {
    /// Configuration and environment.
    pub sources: Sources,
    /// Where the journal would be.
    pub journal: Option<PathBuf>,
}

impl Glance {
    /// From a command line that is still being typed, and the environment.
    pub(super) fn new(words: &[String], env: Env) -> Self {
        // What says neither is an error to every command, and nothing is known of what was meant.
        let is_set = |name: &str| env.switch(name).unwrap_or(true);
        let has = |flag: &str| words.iter().any(|word| word == flag);
        let value_of = |flag: &str| {
            let attached = format!("{flag}=");
            words.iter().enumerate().rev().find_map(|(index, word)| {
                let next = || words.get(index + 1).filter(|_| word == flag);
                word.strip_prefix(&attached)
                    .or_else(|| next().map(String::as_str))
            })
        };
        let places = Places::of(&env);
        let is_sandbox = has("--sandbox") || is_set("SNAPEXPORT_SANDBOX");
        let has_journal = !has("--no-journal") && !is_set("SNAPEXPORT_NO_JOURNAL");
        let state = match places.state {
            // Simulated tasks have a journal of their own.
            Some(state) if is_sandbox && !is_set(INSIDE) => Some(state.join("sandbox")),
            state => state,
        };
        let journal = state
            .filter(|_| has_journal)
            .map(|state| state.join("journal.db"))
            .filter(|path| Us::of(&env).is_ok_and(|us| believe(path, &us).is_ok()));
        if is_sandbox {
            // The simulated clouds have no profiles.
            return Glance {
                sources: Sources::default(),
                journal,
            };
        }
        let home = places.home.as_deref();
        let typed = value_of("--config").and_then(|path| text::path(path.as_ref(), home).ok());
        let file = typed
            .or_else(|| env.path("SNAPEXPORT_CONFIG", home))
            .or_else(|| Some(places.config?.join("config.toml")));
        let config = file.and_then(|path| Config::read(&path).ok());
        Glance {
            sources: Sources {
                home: places.home,
                config: config.unwrap_or_default(),
                env,
                ..Sources::default()
            },
            journal,
        }
    }
}
