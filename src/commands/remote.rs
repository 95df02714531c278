//! `snapexport status --remote`: what the clouds have.

use jiff::Timestamp;

use super::status::{Args, show};
use super::{Ending, Tally};
use crate::cli::Output;
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::provider::{REGISTRY, TaskFilter};

/// Asks every cloud with credentials, names the others.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Ending> {
    let mut printer = context.printer(Output::Table);
    let mut asked = Vec::new();
    let mut without = Vec::new();
    let mut tally = Tally::default();
    for entry in &REGISTRY {
        match context.connect(entry, None, None).await {
            Ok(provider) => asked.push(provider),
            Err(error) if error.details.is_absence => without.push((entry.id, error)),
            Err(error) => {
                printer.error(&error);
                tally.add(error);
            }
        }
    }
    if asked.is_empty() && tally.0.is_empty() {
        let error = Error::new(
            Kind::Credentials,
            "No cloud can be asked: there are no credentials for any",
        )
        .hint("snapexport --sandbox status --remote asks the simulated clouds");
        let error = without.iter().fold(error, |error, (id, why)| {
            error.cause(format!("{id}: {}", why.message))
        });
        return Err(error);
    }
    let absent: Vec<_> = without.iter().map(|(id, _)| *id).collect();
    super::doctor::not_asked(&printer, &absent);
    let filter = TaskFilter {
        snapshot: None,
        since: args.filter.newer_than.map(|then| then.at(Timestamp::now())),
    };
    let answers =
        futures_util::future::join_all(asked.iter().map(|provider| provider.tasks(&filter))).await;
    let mut tasks = Vec::new();
    let mut sights = Vec::new();
    for answer in answers {
        match answer {
            Ok(listed) => tasks.extend(listed),
            Err(error) => sights.push(Err(error)),
        }
    }
    let wanted = args
        .filter
        .sift(tasks, |task| args.has_state(task), &printer);
    sights.splice(0..0, wanted.into_iter().map(Ok));
    let first = tally.worst().cloned();
    let ending = show(
        &mut printer,
        sights.into_iter().enumerate(),
        |_| None,
        false,
    );
    Ok(match (first, ending) {
        (Some(error), Ending::Code(0)) => {
            printer.last_error(&error);
            Ending::Code(error.kind.exit_code())
        }
        (_, ending) => ending,
    })
}
