//! Log lines of this crate on standard error: warnings always, the rest with `-v`.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::secret::clean;

/// Starts logging. Only our own lines: other crates log whole requests.
pub(crate) fn start(verbosity: u8, is_quiet: bool) {
    let level = match verbosity {
        0 if is_quiet => Level::ERROR,
        0 => Level::WARN,
        1 => Level::INFO,
        2 => Level::DEBUG,
        _ => Level::TRACE,
    };
    let filter = tracing_subscriber::filter::Targets::new().with_target("snapexport", level);
    let subscriber = tracing_subscriber::registry().with(Lines.with_filter(filter));
    // Fails only if there is one already, as in tests.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

struct Lines;

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Message(String::new());
        event.record(&mut text);
        let label = if *event.metadata().level() <= Level::WARN {
            "warning:"
        } else {
            "·"
        };
        let _ = writeln!(std::io::stderr().lock(), "{label} {}", clean(&text.0));
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}
