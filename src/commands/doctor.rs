//! `snapexport doctor`: what would be used, where it came from, and whether it works. It changes nothing.

mod places;

use futures_util::future::join_all;

pub(crate) use self::places::Places;

use super::{Ending, Tally, checkup, list, nobody_to_ask, not_asked};
use crate::commands::context::{Context, with_near_profile};
use crate::error::{Error, Hint, Kind, Reason, Result};
use crate::options::{Asking, Output};
use crate::provider::check::{self, Check, CheckRequest, Sheet};
use crate::provider::{self, Entry};

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  snapexport doctor
  snapexport doctor outscale --bucket backups
  snapexport doctor -o json | jq 'select(.ok | not)'

Exits 0 where no problem was found, else 4. Nothing is started or changed; only a Rackspace token
is kept for the next command, as every command does.")]
pub struct Args {
    /// The clouds; without any, those with credentials
    #[arg(value_name = "PROVIDER", value_parser = list::provider_names())]
    pub providers: Vec<String>,
    /// Where exports are to go.
    #[command(flatten)]
    pub places: Places,
    /// How long it may take.
    #[command(flatten)]
    pub asking: Asking,
}

/// Runs `doctor`.
pub(crate) async fn run(context: &Context, args: Args) -> Result<Ending> {
    let is_named = !args.providers.is_empty();
    let looks = provider::clouds()
        .filter(|entry| !is_named || args.providers.iter().any(|name| name == entry.id.0))
        .map(|entry| examine(context, entry, &args));
    let mut printer = context.printer(Output::Table);
    let mut sheets = Vec::new();
    let (mut absent, mut unchosen) = (Vec::new(), Vec::new());
    for found in join_all(looks).await {
        match found {
            Examined::Absent(entry, error)
                if !is_named && !error.is_because(Reason::NoneChosen) =>
            {
                absent.push((entry.id, error));
            }
            // There are some, and none is chosen: that is worth a line, and no problem to who uses other clouds.
            Examined::Absent(entry, error) if !is_named => unchosen.push(Sheet {
                provider: Some(entry.id),
                settings: Vec::new(),
                checks: vec![Check::failed("credentials", &error).as_warning()],
            }),
            Examined::Absent(entry, error) => sheets.push(Sheet {
                provider: Some(entry.id),
                settings: Vec::new(),
                checks: vec![Check::failed("credentials", &error)],
            }),
            Examined::Sheet(sheet) => sheets.push(sheet),
        }
    }
    let has_any = !sheets.is_empty();
    sheets.append(&mut unchosen);
    let nobody = (!has_any).then(|| {
        let names = provider::names().join(", ");
        let hint = Hint::run("snapexport doctor")
            .and(format!(" with one of {names} says what to set; "))
            .and_run("snapexport --sandbox doctor")
            .and(" tries it without an account");
        nobody_to_ask(context, &absent, hint)
    });
    sheets.push(Sheet {
        provider: None,
        settings: Vec::new(),
        checks: checkup::checks(context),
    });
    printer.sheets(&sheets);
    not_asked(context, &printer, &absent);
    for word in args.places.words() {
        let is_seen = sheets
            .iter()
            .any(|sheet| sheet.checks.iter().any(|done| done.name == word));
        if !is_seen {
            printer.warn(format!(
                "--{word} is of no use to the clouds that were asked"
            ));
        }
    }
    let mut tally = Tally::default();
    if let Some(error) = verdict(&sheets, nobody) {
        printer.error(&if has_any && printer.output() == Output::Table {
            // The sheet has said the rest.
            Error::new(error.kind, error.message.clone())
        } else {
            error.clone()
        });
        tally.add(error);
    }
    Ok(tally.close(&printer))
}

/// What came of looking at a cloud.
enum Examined {
    /// Nothing is configured for it.
    Absent(&'static Entry, Error),
    /// What was found.
    Sheet(Sheet),
}

/// Looks at one cloud, with a client of its own: what a reply tells beside its content concerns this cloud alone.
async fn examine(context: &Context, entry: &'static Entry, args: &Args) -> Examined {
    let sources = &context.sources;
    let asked = CheckRequest {
        sources,
        place: args.places.get(entry.place),
    };
    let (settings, mut checks) = match entry.client(sources, context.new_client()).await {
        Err(error) if error.is_absence() => {
            return Examined::Absent(entry, with_near_profile(sources, error));
        }
        Err(error) => (Vec::new(), vec![unusable(&error)]),
        Ok(provider) => {
            // Some settings are known only once the cloud has answered.
            let checks = provider.check(&asked).await;
            (provider.settings(), checks)
        }
    };
    checks.extend((entry.rivals)(sources));
    checks.push(check::files(&(entry.secret_files)(sources)));
    Examined::Sheet(Sheet {
        provider: Some(entry.id),
        settings,
        checks,
    })
}

/// Settings that lead nowhere, as a check named after what is wrong with them.
fn unusable(error: &Error) -> Check {
    let name = match error.kind {
        Kind::Credentials => "credentials",
        _ => error.details.about.unwrap_or("settings"),
    };
    let check = Check::failed(name, error);
    // Nothing was asked of a cloud yet, so there is nothing more to see of it.
    let is_local = matches!(error.kind, Kind::Usage | Kind::Credentials | Kind::Internal);
    if is_local && error.details.hints.is_empty() && error.details.code.is_none() {
        return check.hint("correct what is named there, or name another file or profile");
    }
    check
}

/// The error of the whole run: its kind is one whose exit code is 4. `None` where no problem was found.
///
/// `nobody` is the error where no cloud can be asked.
fn verdict(sheets: &[Sheet], nobody: Option<Error>) -> Option<Error> {
    let has_any = nobody.is_none();
    let mut error = nobody.unwrap_or_else(|| Error::new(Kind::Credentials, ""));
    let mut places = Vec::new();
    for sheet in sheets {
        for check in sheet.problems() {
            let place = sheet.provider.map_or("this machine", |id| id.0);
            places.push(format!("{place}: {}", check.name));
            error = error.cause(format!("{place}: {}: {}", check.name, check.message));
            if let Some(hint) = &check.hint {
                error = error.hint(hint);
            }
        }
    }
    if has_any {
        let named = places.join(", ");
        error.message = match places.len() {
            0 => return None,
            1 => format!("A problem was found: {named}"),
            count => format!("{count} problems were found: {named}"),
        };
    }
    Some(error)
}
