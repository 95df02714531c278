//! `snapexport status --remote`: what the clouds have.

use std::collections::HashMap;

use jiff::Timestamp;

use super::reference::typed_form;
use super::status::Args;
use super::{Ending, Tally, nobody_to_ask, not_asked};
use crate::commands::context::Context;
use crate::error::{Hint, Result};
use crate::journal::Entry as Known;
use crate::options::Output;
use crate::provider::{self, TaskFilter};
use crate::task::Task;

/// Asks every cloud with credentials, names the others; of clouds that were named, these.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Ending> {
    let mut printer = context.printer(Output::Table);
    let mut asked = Vec::new();
    let mut without = Vec::new();
    let mut tally = Tally::default();
    for entry in provider::clouds().filter(|entry| args.is_of(entry)) {
        match context.connect(entry, None, None).await {
            Ok(provider) => asked.push(provider),
            Err(error) if error.is_absence() && args.provider.is_empty() => {
                without.push((entry.id, error));
            }
            Err(error) => {
                printer.error(&error);
                tally.add(error);
            }
        }
    }
    if asked.is_empty() && tally.0.is_empty() {
        let hint =
            Hint::run("snapexport --sandbox status --remote").and(" asks the simulated clouds");
        return Err(nobody_to_ask(context, &without, hint));
    }
    not_asked(context, &printer, &without);
    let filter = TaskFilter {
        snapshots: Vec::new(),
        with_completed: false,
        since: args.filter.newer_than.map(|then| then.at(Timestamp::now())),
    };
    let answers =
        futures_util::future::join_all(asked.iter().map(|provider| provider.tasks(&filter))).await;
    let mut tasks = Vec::new();
    let mut errors = Vec::new();
    for answer in answers {
        match answer {
            // Not moved one by one: there may be a hundred thousand.
            Ok(listed) if tasks.is_empty() => tasks = listed,
            Ok(listed) => tasks.extend(listed),
            Err(error) => errors.push(error),
        }
    }
    remember(context, &mut tasks);
    let tasks = args
        .filter
        .sift(tasks, |task| args.has_state(task), &printer);
    for task in &tasks {
        printer.task(task, &typed_form(task, false));
    }
    for error in errors {
        // One cause for many clouds is said once.
        if !tally.0.contains(&error) {
            printer.error(&error);
        }
        tally.add(error);
    }
    printer.table(&tasks, Timestamp::now());
    Ok(tally.close(&printer))
}

/// Adds what the journal knows of tasks that were started from here, such as when: OUTSCALE does not say.
fn remember(context: &Context, tasks: &mut [Task]) {
    let Some(journal) = context.existing_journal() else {
        return;
    };
    let known = journal.started(None).unwrap_or_else(|error| {
        context.give_up_journal(&journal, &error);
        Vec::new()
    });
    let known: HashMap<String, &Known> = known
        .iter()
        .map(|known| (known.task.qualified(), known))
        .collect();
    for task in tasks {
        if let Some(known) = known.get(&task.qualified()) {
            if provider::stays_complete(task, &known.task) {
                *task = known.task.clone();
                continue;
            }
            task.inherit(&known.task);
            task.created_at = task.created_at.or(known.started_at);
        }
    }
}
