//! What `doctor` looks at on this machine, whatever the cloud: the journal, files that others may read.

use std::path::{Path, PathBuf};

use crate::commands::context::Context;
use crate::error::{Command, Hint};
use crate::journal::{Health, Journal, is_writable_directory, trial};
use crate::provider::check::Check;
use crate::settings::open_file_warning;
use crate::text;

/// Every check that concerns no cloud. Changes nothing; a write on trial beside the journal is taken back.
pub(super) fn checks(context: &Context) -> Vec<Check> {
    let mut checks = Vec::new();
    if context.is_sandbox() {
        checks.push(Check::ok(
            "sandbox",
            "simulated clouds: nothing above says anything about real ones",
        ));
    }
    checks.push(configuration(context));
    checks.push(journal(context));
    checks.push(files(context));
    checks
}

fn configuration(context: &Context) -> Check {
    const NAME: &str = "configuration";
    let profiles = context.sources.config.profiles.keys();
    let profiles: Vec<&str> = profiles.map(String::as_str).collect();
    match &context.config_path {
        _ if context.is_sandbox() => Check::ok(NAME, "not used in the sandbox"),
        None => Check::unknown(NAME, "there is no place for a configuration file"),
        Some(path) if !path.exists() => {
            Check::ok(NAME, format!("none; it would be {}", path.display()))
        }
        Some(path) if profiles.is_empty() => {
            Check::ok(NAME, format!("{} has no profiles", path.display()))
        }
        Some(path) => Check::ok(
            NAME,
            format!(
                "{} has the profiles {}",
                path.display(),
                profiles.join(", ")
            ),
        ),
    }
}

fn journal(context: &Context) -> Check {
    const NAME: &str = "journal";
    let Some(path) = context.journal_path.as_deref() else {
        return Check::ok(NAME, "not used");
    };
    if let Err(error) = context.believe_journal() {
        return Check::failed(NAME, &error);
    }
    if let Err(error) = path.try_exists() {
        return Check::warning(NAME, format!("{} cannot be looked at: {error}", path.display()))
            .hint("what is started now may not be remembered; check the owner and permissions of its directory");
    }
    if !path.exists() {
        return match nearest_directory(path) {
            Some(directory) if !is_writable_directory(&directory) => Check::warning(
                NAME,
                format!(
                    "none yet, and {} cannot be written; exports work, but are not remembered",
                    directory.display()
                ),
            )
            .hint("SNAPEXPORT_STATE_DIR names another place"),
            _ => Check::ok(NAME, format!("none yet; it will be {}", path.display())),
        };
    }
    match Journal::inspect(path) {
        Ok(health) => judged(path, health),
        Err(error) => {
            let meanwhile = Hint::run("snapexport status --remote").and(format!(
                " still shows your exports; {} stays where it is, unless it is damaged: then the next command moves it aside",
                path.display()
            ));
            Check::failed(NAME, &error).hint(meanwhile)
        }
    }
}

fn judged(path: &Path, health: Health) -> Check {
    const NAME: &str = "journal";
    let tasks = usize::try_from(health.tasks).unwrap_or(usize::MAX);
    let message = format!(
        "{} is whole: {}, {}",
        path.display(),
        text::count(tasks, "task"),
        text::bytes(health.size)
    );
    if !health.is_writable {
        let message = format!("{message}; it cannot be written");
        return Check::warning(NAME, message)
            .hint("what is started now is not remembered; check its owner and permissions");
    }
    if let Some(problem) = trial(path) {
        return Check::warning(
            NAME,
            format!("{message}; a write on trial failed: {problem}"),
        )
        .hint("what is started now is not remembered; SNAPEXPORT_STATE_DIR names another place");
    }
    match health.open_starts {
        0 => Check::ok(NAME, message),
        open => {
            let starts = text::count(usize::try_from(open).unwrap_or(usize::MAX), "start");
            let message = format!("{message}; {starts} under way or of unknown outcome");
            Check::warning(NAME, message)
                .hint(Hint::run("snapexport status").and(" finds out what became of them"))
        }
    }
}

/// The nearest directory above a path that exists.
fn nearest_directory(path: &Path) -> Option<PathBuf> {
    let found = path.ancestors().skip(1).find(|above| above.exists())?;
    Some(found.to_owned())
}

/// The configuration where it holds secrets, and the tokens that are kept.
fn files(context: &Context) -> Check {
    const NAME: &str = "files";
    let config = context
        .config_path
        .iter()
        .filter(|_| context.is_config_secret)
        .cloned();
    let tokens = context.sources.cache_dir.iter().flat_map(|directory| {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
    });
    let mut closed = 0;
    let mut open = Vec::new();
    for path in config.chain(tokens) {
        match open_file_warning(&path) {
            Some(_) => open.push(path.display().to_string()),
            None => closed += 1,
        }
    }
    match (&open[..], closed) {
        ([], 0) => Check::ok(NAME, "no configuration with secrets, no kept tokens"),
        ([], closed) => Check::ok(
            NAME,
            format!(
                "only you can read {} with secrets",
                text::count(closed, "file")
            ),
        ),
        (open, _) => Check::warning(NAME, format!("others may read {}", open.join(", ")))
            .hint(Hint::run(Command::from("chmod 600").args(open))),
    }
}
