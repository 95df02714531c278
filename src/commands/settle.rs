//! Starts whose outcome is not known, for whoever starts none of the same: looked up once, and told of.

use std::future::pending;
use std::time::Duration;

use super::start::{Found, Search};
use crate::commands::context::Context;
use crate::journal::{Intent, Journal};
use crate::options::Output;
use crate::provider::{self, Entry, Provider};
use crate::secret::clean;
use crate::task::ExportRequest;

/// Looks up what became of starts that a dead process or a lost reply left open, on this account, but for `except`.
pub async fn settle_left(
    context: &Context,
    journal: &Journal,
    provider: &dyn Provider,
    except: &[ExportRequest],
) {
    let left = match journal.intents() {
        Ok(left) => left,
        Err(error) => return tracing::info!("{}", error.one_line()),
    };
    let printer = context.printer(Output::Id);
    let search = Search::new(context, provider, Some(journal));
    for intent in left
        .iter()
        .filter(|intent| is_of(intent, provider) && !except.contains(&intent.request))
    {
        let subject = subject(intent);
        match search.settle_left(intent, Duration::ZERO, pending()).await {
            Ok(Found::Task(task)) => {
                printer.note(&format!(
                    "{subject} was started, although no reply came: {} ({})",
                    task.id, task.state
                ));
            }
            Ok(Found::Nothing) => printer.note(&format!(
                "{subject} was never started: the cloud does not list it"
            )),
            Ok(Found::Later) => printer.note(&format!(
                "{subject}: whether it was started is not known; if the cloud does not list it by {}, it was not",
                search.windows.closes_at(intent).strftime("%H:%M:%S UTC")
            )),
            Ok(Found::Elsewhere) => {}
            Err(error) => printer.note(&format!(
                "{subject}: whether it was started is still not known: {}",
                error.one_line()
            )),
        }
    }
}

/// The same on every account that has any, of the clouds that are wanted; for `status`.
pub async fn settle_everywhere(
    context: &Context,
    journal: &Journal,
    is_wanted: impl Fn(&Entry) -> bool,
) {
    let left = match journal.intents() {
        Ok(left) => left,
        Err(error) => return tracing::info!("{}", error.one_line()),
    };
    let mut accounts: Vec<&Intent> = Vec::new();
    for intent in &left {
        let is_same = |other: &&Intent| {
            other.provider == intent.provider
                && other.profile == intent.profile
                && other.region == intent.region
        };
        if !accounts.iter().any(is_same) {
            accounts.push(intent);
        }
    }
    for intent in accounts {
        let Ok(entry) = provider::by_name(intent.provider.0) else {
            continue;
        };
        if !is_wanted(entry) {
            continue;
        }
        match context
            .connect(entry, intent.profile.as_deref(), Some(&intent.region))
            .await
        {
            Ok(provider) => {
                settle_left(context, journal, provider.as_ref(), &[]).await;
                name_foreign(context, provider.as_ref(), &left);
            }
            Err(error) => context.printer(Output::Id).note(&format!(
                "Whether the export of {} was started is not known: {}",
                clean(&intent.request.snapshot),
                error.one_line()
            )),
        }
    }
}

/// Names the starts that only the credentials they were sent with can look up.
fn name_foreign(context: &Context, provider: &dyn Provider, left: &[Intent]) {
    let is_foreign = |intent: &&Intent| {
        intent.provider == provider.id()
            && intent.region == provider.region()
            && intent.account != provider.account()
    };
    for intent in left.iter().filter(is_foreign) {
        context.printer(Output::Id).note(&format!(
            "Whether the export of {} begun at {} was started is not known: it was begun as {}, and these credentials are {}",
            clean(&intent.request.snapshot),
            intent.made_at.strftime("%H:%M UTC"),
            clean(&intent.account),
            clean(&provider.account())
        ));
    }
}

fn is_of(intent: &Intent, provider: &dyn Provider) -> bool {
    intent.provider == provider.id()
        && intent.account == provider.account()
        && intent.region == provider.region()
}

/// Which start is meant.
fn subject(intent: &Intent) -> String {
    format!(
        "The export of {} begun at {}",
        clean(&intent.request.snapshot),
        intent.made_at.strftime("%H:%M UTC")
    )
}
