//! From what was typed for a task to whom to ask about it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::near;
use super::start::Windows;
use crate::commands::context::Context;
use crate::error::{Command, Error, Hint, Kind, Result, shell_word};
use crate::journal::{Entry as Known, Journal};
use crate::provider::{self, Entry, Provider, Shape};
use crate::secret::clean;
use crate::task::{Task, TaskId};

/// A task that was named, and what the journal knows of it.
#[derive(Clone)]
pub struct Named {
    /// The cloud it is of.
    pub entry: &'static Entry,
    /// The provider's id.
    pub id: TaskId,
    /// The journal's entry.
    pub known: Option<Known>,
}

/// Finds out which provider's task is meant: by its qualifier, by the journal, by its shape.
pub fn resolve(text: &str, journal: Option<&Journal>) -> Result<Named> {
    if text.trim().is_empty() {
        return Err(Error::usage("A task id is empty"));
    }
    let (entry, id) = match text.split_once('/') {
        Some((name, id)) => (Some(provider::by_name(name)?), id),
        None => (None, text),
    };
    let id = id.trim();
    if id.is_empty()
        || id.len() > 256
        || id
            .chars()
            .any(|c| c.is_control() || c.is_whitespace() || c == '/')
    {
        return Err(Error::usage(format!("'{}' is no task id", clean(text))));
    }
    let mut known = match journal {
        Some(journal) => journal.find(id, entry.map(|entry| entry.id.0))?,
        None => Vec::new(),
    };
    let entry = match (entry, &known[..]) {
        (Some(entry), _) => entry,
        (None, [one]) => provider::by_name(one.task.provider.0)?,
        (None, [first, rest @ ..])
            if rest
                .iter()
                .all(|other| other.task.provider == first.task.provider) =>
        {
            provider::by_name(first.task.provider.0)?
        }
        (None, [_, ..]) => {
            return Err(ambiguous(
                id,
                known.iter().map(|known| known.task.provider.0),
            ));
        }
        (None, []) => by_shape(id).map_err(|error| near::with_exports_of(journal, id, error))?,
    };
    let known = known.pop();
    let spelled = known.as_ref().map(|known| known.task.id.clone());
    Ok(Named {
        entry,
        id: spelled.unwrap_or_else(|| TaskId::from(id)),
        known,
    })
}

/// Resolves several, each task once however it is named. A journal that cannot be read is given up, and the words must do without.
pub fn resolve_all(
    words: &[String],
    context: &Context,
    journal: &mut Option<Journal>,
) -> Result<Vec<Named>> {
    match (each_once(words, journal.as_ref()), journal.take()) {
        // Any other kind is about the words.
        (Err(error), Some(unreadable))
            if matches!(error.kind, Kind::Internal | Kind::Unavailable) =>
        {
            context.give_up_journal(&unreadable, &error);
            each_once(words, None)
        }
        (result, taken) => {
            *journal = taken;
            result
        }
    }
}

fn each_once(words: &[String], journal: Option<&Journal>) -> Result<Vec<Named>> {
    let mut all: Vec<Named> = Vec::new();
    let mut seen = HashSet::new();
    for word in words {
        let named = resolve(word, journal)?;
        if seen.insert((named.entry.id, named.id.clone())) {
            all.push(named);
        }
    }
    Ok(all)
}

fn by_shape(id: &str) -> Result<&'static Entry> {
    if let Some(entry) = provider::clouds().find(|entry| (entry.shape)(id) == Shape::Sure) {
        return Ok(entry);
    }
    let possible: Vec<&Entry> = provider::clouds()
        .filter(|entry| (entry.shape)(id) == Shape::Possible)
        .collect();
    match possible[..] {
        [one] => Ok(one),
        [] => Err(Error::usage(format!(
            "'{}' has the form of no provider's task id",
            clean(id)
        ))
        .hint(
            Hint::run("snapexport status")
                .and(" shows the tasks you started; ")
                .and_run("snapexport status --remote")
                .and(" what the clouds have"),
        )),
        _ => Err(ambiguous(id, possible.iter().map(|entry| entry.id.0))),
    }
}

fn ambiguous<'a>(id: &str, providers: impl Iterator<Item = &'a str>) -> Error {
    let forms: Vec<String> = providers
        .map(|provider| shell_word(&format!("{provider}/{id}")).into_owned())
        .collect();
    Error::usage(format!(
        "The task id '{id}' may be of more than one provider"
    ))
    .hint(format!("say which: {}", forms.join(" or ")))
}

/// Tasks of one account, with their place among all that were named.
pub struct Asked {
    /// Who is asked.
    pub provider: Arc<dyn Provider>,
    /// How long a new task may be missing from its answers.
    pub may_be_missing: Duration,
    /// Their places and what is known of them.
    pub tasks: Vec<(usize, Named)>,
}

/// Groups named tasks by account and connects to each. A group that cannot be connected is an error for each of its tasks.
pub async fn connect(context: &Context, named: Vec<Named>) -> (Vec<Asked>, Vec<(usize, Error)>) {
    type Key = (&'static str, Option<String>, Option<String>);
    let mut groups: Vec<(Key, Vec<(usize, Named)>)> = Vec::new();
    for (index, one) in named.into_iter().enumerate() {
        let known = one.known.as_ref();
        let key = (
            one.entry.id.0,
            known.and_then(|known| known.profile.clone()),
            known.map(|known| known.task.region.clone()),
        );
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, tasks)) => tasks.push((index, one)),
            None => groups.push((key, vec![(index, one)])),
        }
    }
    let (mut asked, mut errors) = (Vec::new(), Vec::new());
    for ((_, profile, region), tasks) in groups {
        match context
            .connect(tasks[0].1.entry, profile.as_deref(), region.as_deref())
            .await
        {
            Ok(provider) => asked.push(Asked {
                may_be_missing: Windows::of(context, provider.as_ref()).may_be_missing,
                provider,
                tasks,
            }),
            Err(error) => errors.extend(tasks.iter().map(|(index, _)| (*index, error.clone()))),
        }
    }
    (asked, errors)
}

/// What to print for a task so that it can be typed again: the bare id, qualified only where that would be ambiguous.
pub fn typed_form(task: &Task, is_journaled: bool) -> String {
    let is_plain = is_journaled
        || provider::by_name(task.provider.0)
            .is_ok_and(|entry| (entry.shape)(task.id.as_str()) == Shape::Sure);
    if is_plain {
        task.id.to_string()
    } else {
        task.qualified()
    }
}

/// How the program is called for the same tasks again, up to its command. Without a journal it must say itself which account they are in.
pub fn program(context: &Context, is_journaled: bool) -> Command {
    let mut program = Command::from("snapexport");
    if context.is_sandbox() {
        program = program.and("--sandbox");
    }
    if !is_journaled {
        program = context.with_account(program);
    }
    program
}

/// The command that waits for these tasks again.
pub fn resume_command<'t>(
    context: &Context,
    tasks: impl Iterator<Item = &'t Task>,
    is_journaled: bool,
) -> Command {
    const MOST: usize = 8;
    let program = program(context, is_journaled);
    let ids: Vec<String> = tasks.map(|task| clean(&typed_form(task, false))).collect();
    if ids.len() > MOST && is_journaled {
        let list = program.clone().and("status --running -q |");
        list.and_command(&program).and("wait -")
    } else {
        program.and("wait").args(ids)
    }
}

impl Named {
    /// What is known before the first look.
    pub fn task(&self, provider: &dyn Provider) -> Task {
        self.remembered(provider.region())
    }

    /// The same; of a task that nobody has seen, in this region.
    pub fn remembered(&self, region: &str) -> Task {
        match &self.known {
            Some(known) => {
                let mut task = known.task.clone();
                task.created_at = task.created_at.or(known.started_at);
                task
            }
            None => Task::unseen(self.entry.id, region, self.id.clone()),
        }
    }

    /// Adds to an error that the task is not known when it was started from here: a cloud may be late.
    pub fn may_be_late(&self, error: Error) -> Error {
        let error = match &self.known {
            Some(known) => known_before(known, error),
            None => error,
        };
        match self.known.as_ref().and_then(|known| known.started_at) {
            Some(at) => error.hint(format!(
                "it was started from here at {}; a cloud that is late may list it yet",
                at.strftime("%Y-%m-%d %H:%M UTC")
            )),
            None => error,
        }
    }

    /// The task as the journal saw it end, if it did.
    pub fn ended(&self) -> Option<&Task> {
        self.known
            .as_ref()
            .map(|known| &known.task)
            .filter(|task| task.state.is_terminal())
    }
}

/// Adds to an error that a task is missing as what it was seen before, and when.
pub fn known_before(known: &Known, error: Error) -> Error {
    match known.seen_at {
        Some(at) if !known.task.provider_state.is_empty() => error.cause(format!(
            "it was {} when it was last seen, at {}; it is missing now",
            known.task.state,
            at.strftime("%Y-%m-%d %H:%M:%S UTC")
        )),
        _ => error,
    }
}

#[cfg(test)]
mod tests;
