//! Starts whose outcome is not known, for whoever starts none of the same: looked up once, and told of.

use std::collections::HashSet;
use std::future::pending;
use std::time::Duration;

use jiff::Timestamp;

use super::start::{Found, Search};
use crate::commands::context::Context;
use crate::journal::{Intent, Journal};
use crate::options::Output;
use crate::provider::{self, Entry};
use crate::secret::clean;
use crate::task::ExportRequest;
use crate::text;

/// Looks up what became of starts that a dead process or a lost reply left open, on this account, but for `except`.
/// Gives those that only other credentials can look up.
pub(super) async fn settle_left(
    context: &Context,
    search: &Search<'_>,
    except: &[ExportRequest],
) -> Vec<Intent> {
    let left = search.left_open().unwrap_or_else(|error| {
        tracing::info!("{}", error.one_line());
        Vec::new()
    });
    let printer = context.printer(Output::Id);
    let (mut ours, mut foreign) = (Vec::new(), Vec::new());
    for left in left {
        let of_whom = match search.is_ours(&left).await {
            true => &mut ours,
            false => &mut foreign,
        };
        of_whom.push(left);
    }
    for left in ours.iter().filter(|left| !except.contains(&left.request)) {
        let subject = format!(
            "The export of {} begun at {}",
            clean(&left.request.snapshot),
            text::moment(left.made_at, Timestamp::now())
        );
        match search.settle_left(left, Duration::ZERO, pending()).await {
            Ok(Found::Task(task)) => printer.note(format!(
                "{subject} was started, although no reply came: {} ({})",
                task.id, task.state
            )),
            Ok(Found::Nothing) => printer.note(format!(
                "{subject} was never started: the cloud does not list it"
            )),
            Ok(Found::Later) => printer.note(format!(
                "{subject}: whether it was started is not known; if the cloud does not list it by {}, it was not",
                text::moment(search.closes_at(left), Timestamp::now())
            )),
            Ok(Found::Elsewhere) => {}
            Err(error) => printer.note(format!(
                "{subject}: whether it was started is still not known: {}",
                error.one_line()
            )),
        }
    }
    foreign
}

/// The same on every account that has any, of the clouds that are wanted; for `status`.
pub(super) async fn settle_everywhere(
    context: &Context,
    journal: &Journal,
    is_wanted: impl Fn(&Entry) -> bool,
) {
    let left = match journal.intents() {
        Ok(left) => left,
        Err(error) => return tracing::info!("{}", error.one_line()),
    };
    let printer = context.printer(Output::Id);
    let mut seen = HashSet::new();
    for left in &left {
        let entry = provider::by_name(left.provider.0).ok();
        let Some(entry) = entry.filter(|entry| is_wanted(entry)) else {
            continue;
        };
        if !seen.insert((entry.id.0, &left.profile, &left.region)) {
            continue;
        }
        match context
            .connect(entry, left.profile.as_deref(), Some(&left.region))
            .await
        {
            Ok(provider) => {
                let search = Search::new(context, provider.as_ref(), Some(journal));
                for foreign in settle_left(context, &search, &[]).await {
                    printer.note(format!(
                        "Whether the export of {} begun at {} was started is not known: it was begun as {}, and these credentials are {}",
                        clean(&foreign.request.snapshot),
                        text::moment(foreign.made_at, Timestamp::now()),
                        clean(&foreign.account),
                        clean(&provider.account())
                    ));
                }
            }
            Err(error) => printer.note(format!(
                "Whether the export of {} was started is not known: {}",
                clean(&left.request.snapshot),
                error.one_line()
            )),
        }
    }
}
