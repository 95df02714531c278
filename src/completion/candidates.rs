//! What may be typed for a value: tasks and snapshots from the journal, profiles and regions from the configuration.

use std::collections::BTreeSet;
use std::sync::Arc;

use clap_complete::CompletionCandidate;

use super::glance::Glance;
use crate::journal;
use crate::provider::{self, Entry};
use crate::report::stage;
use crate::task::Task;

/// Nobody reads more of them; who types a letter or two finds the others.
const MOST_TASKS: u32 = 200;
/// Snapshots, buckets and containers are those of so many tasks.
const MOST_READ: u32 = 1000;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A task: the id, qualified where it would be ambiguous.
    Task,
    /// A snapshot or image that was exported or listed before.
    Snapshot,
    /// A profile of `config.toml` or of a cloud's own configuration.
    Profile,
    /// A region.
    Region,
    /// A place that was exported to before, by its clouds' word for it: a bucket, a container.
    Place(&'static str),
}

/// What is known, for the words that stand on the line.
#[derive(Clone)]
pub(super) struct Candidates(Arc<Known>);

struct Known {
    glance: Glance,
    words: Vec<String>,
}

impl Candidates {
    /// From what is at hand.
    pub(super) fn new(glance: Glance, words: Vec<String>) -> Self {
        Candidates(Arc::new(Known { glance, words }))
    }

    /// What begins with what was typed, most likely first.
    pub(super) fn of(&self, what: What, typed: &str) -> Vec<CompletionCandidate> {
        let known = &self.0;
        let mut candidates = match what {
            What::Task => known.tasks(typed),
            What::Snapshot => known.snapshots(),
            What::Place(word) => known.places(word),
            What::Profile => known.profiles(),
            What::Region => known.regions(),
        };
        // What stands on the line already is not meant again, but for the word that is being typed.
        candidates.retain(|(word, _)| {
            let is_new = word == typed || !known.words.contains(word);
            word.starts_with(typed) && is_plain(word) && is_new
        });
        candidates
            .into_iter()
            .enumerate()
            .map(|(place, (word, note))| {
                let help = Some(note).filter(|note| !note.is_empty());
                CompletionCandidate::new(word)
                    .help(help.map(|note| crate::secret::clean(&note).into()))
                    .display_order(Some(place))
            })
            .collect()
    }
}

impl Known {
    /// The cloud that the line names, if it does.
    fn named(&self) -> Option<&'static Entry> {
        provider::clouds().find(|entry| self.words.iter().any(|word| word == entry.id.0))
    }

    fn clouds(&self) -> impl Iterator<Item = &'static Entry> {
        let named = self.named();
        provider::clouds().filter(move |entry| named.is_none_or(|named| named.id == entry.id))
    }

    fn seen(&self, prefix: &str, most: u32) -> Vec<Task> {
        let path = self.glance.journal.as_deref();
        path.map_or_else(Vec::new, |path| journal::glance(path, prefix, most))
    }

    fn tasks(&self, typed: &str) -> Vec<(String, String)> {
        let (qualifier, prefix) = match typed.split_once('/') {
            Some((qualifier, prefix)) => (Some(qualifier), prefix),
            None => (None, typed),
        };
        let tasks = self.seen(prefix, MOST_TASKS);
        let is_ambiguous = |task: &Task| {
            tasks
                .iter()
                .any(|other| other.id == task.id && other.provider != task.provider)
        };
        tasks
            .iter()
            .map(|task| {
                let word = if qualifier.is_some() || is_ambiguous(task) {
                    task.qualified()
                } else {
                    task.id.to_string()
                };
                let percent =
                    stage::percent(task).map_or_else(String::new, |percent| format!(" {percent}"));
                let snapshot = task.snapshot.as_deref().unwrap_or("export");
                (word, format!("{snapshot}, {}{percent}", task.state))
            })
            .collect()
    }

    fn told_by_tasks(
        &self,
        pick: impl Fn(&Task) -> Option<(String, String)>,
    ) -> Vec<(String, String)> {
        let named = self.named();
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        for task in self.seen("", MOST_READ) {
            if named.is_none_or(|named| named.id == task.provider)
                && let Some((word, note)) = pick(&task)
                && seen.insert(word.clone())
            {
                found.push((word, note));
            }
        }
        found
    }

    fn places(&self, word: &str) -> Vec<(String, String)> {
        let has_word = |entry: &&Entry| entry.place.is_some_and(|place| place.word == word);
        let clouds: Vec<_> = self
            .clouds()
            .filter(has_word)
            .map(|cloud| cloud.id)
            .collect();
        self.told_by_tasks(|task| {
            let goal = provider::goal(task).filter(|_| clouds.contains(&task.provider))?;
            Some((goal.place?, String::new()))
        })
    }

    /// Those that were exported before, then those that were listed.
    fn snapshots(&self) -> Vec<(String, String)> {
        let mut found = self.told_by_tasks(|task| {
            let note = format!("{}, {}", task.provider, task.state);
            Some((task.snapshot.clone()?, note))
        });
        let named = self.named().map(|entry| entry.id);
        let path = self.glance.journal.as_deref();
        let listed = path.map_or_else(Vec::new, |path| journal::glance_at_sources(path, named));
        let exported: BTreeSet<String> = found.iter().map(|(word, _)| word.clone()).collect();
        found.extend(
            listed
                .into_iter()
                .filter(|(word, _)| !exported.contains(word)),
        );
        found
    }

    fn profiles(&self) -> Vec<(String, String)> {
        let sources = &self.glance.sources;
        let own = sources.config.profiles.keys().cloned();
        let mut words: BTreeSet<String> = own.collect();
        words.extend(self.clouds().flat_map(|cloud| (cloud.profiles)(sources)));
        words
            .into_iter()
            .map(|word| (word, String::new()))
            .collect()
    }

    fn regions(&self) -> Vec<(String, String)> {
        let seen =
            self.told_by_tasks(|task| Some((task.region.clone(), task.provider.to_string())));
        let configured = self.clouds().flat_map(|cloud| {
            let profiles = self.glance.sources.config.profiles.values();
            let sections = profiles.filter_map(|profile| profile.section(cloud.id.0));
            let regions = sections.filter_map(|section| (cloud.section)(section).ok()?.region);
            regions.map(|region| (region, cloud.id.to_string()))
        });
        let usual = self.clouds().flat_map(|cloud| {
            let regions = (cloud.regions)().into_iter();
            regions.map(|region| (region.to_owned(), cloud.id.to_string()))
        });
        let mut words = BTreeSet::new();
        seen.into_iter()
            .chain(configured)
            .chain(usual)
            .filter(|(word, _)| words.insert(word.clone()))
            .collect()
    }
}

/// Whether a shell takes the word as it is. Others are not offered: shells insert a candidate unquoted, and a name
/// that came from elsewhere must not become a command.
fn is_plain(word: &str) -> bool {
    !word.is_empty()
        && !word.starts_with('-')
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || "-_./:@+,%".contains(c))
}
