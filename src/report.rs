//! The one place that prints: results on standard output, everything else on standard error.

mod bars;
mod board;
mod canvas;
mod doctor;
pub(crate) mod leave;
mod lines;
mod link;
pub mod panic;
mod reporter;
pub(crate) mod stage;
mod standing;
mod table;
mod taskbar;
mod terminal;
pub(crate) mod trace;
mod transfer;
mod verified;
mod wrap;

pub(crate) use self::board::Board;
pub(crate) use self::reporter::Reporter;
pub(crate) use self::terminal::Terminal;
pub(crate) use self::transfer::Transfer;
pub(crate) use self::wrap::stderr_width;

use std::io::{self, Write};
use std::path::PathBuf;

use console::Style;
use jiff::Timestamp;

use self::wrap::{cleaned, hanging};
use crate::error::{Error, Hint, Kind, Result};
use crate::fetch::Evidence;
use crate::options::{Output, When};
use crate::provider::Preview;
use crate::provider::check::Sheet;
use crate::schema::{DoctorObject, ErrorObject, PreviewObject, VerifiedObject};
use crate::secret::{clean, clean_lines, escape_json};
use crate::task::{Source, Task, TaskObject};

/// Writes results, notes and errors in the form that was asked for.
#[derive(Debug)]
pub(crate) struct Printer {
    output: Output,
    is_quiet: bool,
    with_raw: bool,
    progress: When,
    is_verbose: bool,
    terminal: Terminal,
    is_stdout_closed: bool,
    output_error: Option<String>,
    /// The commands of hints are to lead to the simulated clouds.
    is_simulated: bool,
}

impl Printer {
    /// A printer; see [`crate::commands::context::Context::printer`] for where its settings come from.
    pub(crate) fn new(
        output: Output,
        is_quiet: bool,
        with_raw: bool,
        progress: When,
        is_verbose: bool,
        terminal: Terminal,
    ) -> Self {
        Printer {
            output,
            is_quiet,
            with_raw,
            progress,
            is_verbose,
            terminal,
            is_stdout_closed: false,
            output_error: None,
            is_simulated: false,
        }
    }

    /// The same for commands that use the simulated clouds.
    #[must_use]
    pub(crate) fn simulated(self) -> Self {
        Printer {
            is_simulated: true,
            ..self
        }
    }

    /// A hint whose commands lead to the clouds that are used here.
    fn leading_here(&self, hint: impl Into<Hint>) -> Hint {
        let hint = hint.into();
        if self.is_simulated {
            hint.in_sandbox()
        } else {
            hint
        }
    }

    /// A printer for errors that come before anything is resolved.
    pub(crate) fn plain(output: Output) -> Self {
        Printer::new(
            output,
            false,
            false,
            When::Never,
            false,
            Terminal {
                stderr_width: stderr_width(),
                ..Terminal::default()
            },
        )
    }

    /// The form of standard output.
    pub(crate) fn output(&self) -> Output {
        self.output
    }

    /// Progress on this board, drawn as this terminal and these wishes call for.
    pub(crate) fn reporter(&self, board: Board) -> Reporter {
        let choice = reporter::choose(
            self.progress,
            self.is_quiet,
            self.terminal.is_stderr_capable,
            self.is_verbose,
        );
        Reporter::new(board, choice, self.terminal)
    }

    /// Progress of bytes, drawn as this terminal and these wishes call for.
    pub(crate) fn transfer(&self, name: &str, size: u64) -> Transfer {
        let choice = reporter::choose(
            self.progress,
            self.is_quiet,
            self.terminal.is_stderr_capable,
            self.is_verbose,
        );
        Transfer::new(name, size, choice, self.terminal)
    }

    /// Why results could not be written, if that is not just a reader that has gone.
    pub(crate) fn output_error(&self) -> Option<Error> {
        self.output_error.as_deref().map(unwritten)
    }

    /// A line of results, flushed at once. A reader that has gone is no error: later lines are dropped.
    pub(crate) fn result(&mut self, line: &str) {
        if self.is_stdout_closed {
            return;
        }
        if let Err(error) = write_bytes(format!("{line}\n").as_bytes()) {
            self.is_stdout_closed = true;
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.output_error = Some(error.to_string());
            }
        }
    }

    /// A task, as JSON or as its `id`; a table is printed for all of them at the end, by [`Printer::table`].
    pub(crate) fn task(&mut self, task: &Task, id: &str) {
        match self.output {
            Output::Table => {}
            Output::Json => self.result(&self.task_json(task)),
            Output::Id => self.result(&clean(id)),
        }
    }

    /// An item that failed, where lines of JSON are asked for.
    pub(crate) fn failed_item(&mut self, mut item: TaskObject) {
        if self.output == Output::Json {
            item.raw = self.with_raw.then_some(item.raw.unwrap_or_default());
            self.object(&item);
        }
    }

    /// The table of tasks, if tables are asked for.
    pub(crate) fn table(&mut self, tasks: &[Task], now: Timestamp) {
        if self.output == Output::Table && !tasks.is_empty() {
            let terminal = self.terminal;
            table::tasks(tasks, now, terminal, |text| self.result(text));
        }
    }

    /// A task as a line of JSON.
    pub(crate) fn task_json(&self, task: &Task) -> String {
        let mut object = TaskObject::from(task);
        if self.with_raw {
            object.raw = Some(task.raw.value());
        }
        to_line(&object)
    }

    /// Sources, in the form that was asked for.
    pub(crate) fn sources(&mut self, sources: &[Source], now: Timestamp) {
        match self.output {
            Output::Table if sources.is_empty() => self.note("There is nothing to export."),
            Output::Table => {
                let text = table::sources(sources, now, self.terminal);
                self.result(&text);
            }
            Output::Json => {
                for source in sources {
                    self.object(source);
                }
            }
            Output::Id => {
                for source in sources {
                    self.result(&clean(&source.id));
                }
            }
        }
    }

    /// An object of the JSON contract.
    pub(crate) fn object(&mut self, object: &impl serde::Serialize) {
        self.result(&to_line(object));
    }

    /// What `doctor` found; as ids, the clouds that work.
    pub(crate) fn sheets(&mut self, sheets: &[Sheet]) {
        let mut sheets = sheets.to_vec();
        for check in sheets.iter_mut().flat_map(|sheet| &mut sheet.checks) {
            check.hint = check.hint.take().map(|hint| self.leading_here(hint));
        }
        match self.output {
            Output::Table => {
                let text = doctor::text(&sheets, self.terminal);
                self.result(&text);
            }
            Output::Json => {
                for sheet in &sheets {
                    self.object(&DoctorObject::from(sheet));
                }
            }
            Output::Id => {
                let works = |sheet: &&Sheet| sheet.is_ok();
                for id in sheets
                    .iter()
                    .filter(works)
                    .filter_map(|sheet| sheet.provider)
                {
                    self.result(id.0);
                }
            }
        }
    }

    /// What was verified of a file; as ids, the files that are right.
    pub(crate) fn verified(&mut self, object: &VerifiedObject<'_>) {
        match self.output {
            // Of one that could not be verified, the error says it all.
            Output::Table if object.checks.is_empty() => {}
            Output::Table => self.result(&verified::text(object, self.terminal)),
            Output::Json => self.object(object),
            Output::Id if object.ok => self.result(&clean(&object.path)),
            Output::Id => {}
        }
    }

    /// What was fetched: its evidence as JSON, else where it is; as a table with what was verified.
    pub(crate) fn fetched(&mut self, paths: &[PathBuf], evidence: &Evidence) {
        match self.output {
            Output::Json => self.object(evidence),
            Output::Id => {
                for path in paths {
                    self.result(&clean(&path.to_string_lossy()));
                }
            }
            Output::Table => {
                let names: Vec<String> = paths
                    .iter()
                    .map(|path| path.display().to_string())
                    .collect();
                let name = PathBuf::from(names.join(", "));
                let object = VerifiedObject::new(&name, &evidence.checks, None);
                self.result(&verified::text(&object, self.terminal));
            }
        }
    }

    /// What was fetched beside something else: its evidence as JSON, else a note.
    pub(crate) fn brought(&mut self, paths: &[PathBuf], evidence: &Evidence) {
        if self.output == Output::Json {
            return self.object(evidence);
        }
        let open = evidence.checks.iter().filter(|check| check.is_open());
        let open: Vec<&str> = open.map(|check| check.name.as_str()).collect();
        let but = match open.is_empty() {
            true => String::new(),
            false => format!("; not verified: {}", open.join(", ")),
        };
        for path in paths {
            self.note(format!("{}: fetched, and right{but}", path.display()));
        }
    }

    /// What a dry run would have sent.
    pub(crate) fn preview(&mut self, preview: &Preview) {
        if self.output == Output::Json {
            self.object(&PreviewObject::from(preview));
        } else {
            let (call, method, url) = (preview.call, preview.method, clean(&preview.url));
            self.result(&format!("{call}: {method} {url}"));
            let body = serde_json::to_string_pretty(&preview.body).unwrap_or_default();
            self.result(&escape_json(body));
        }
    }

    /// A sentence for people, on standard error.
    pub(crate) fn note(&self, text: impl Into<Hint>) {
        if !self.is_quiet {
            let text = cleaned(self.leading_here(text));
            self.stderr(&hanging("", text, self.width()));
        }
    }

    /// Lines somebody asked for in the middle of it all, on standard error; so also with `--quiet`.
    pub(crate) fn answer(&self, lines: &[String]) {
        lines.iter().for_each(|line| self.stderr(&clean(line)));
    }

    /// A line of what a command of the user's printed, on standard error as it is.
    pub(crate) fn passed_on(&self, line: &[u8]) {
        let mut err = io::stderr().lock();
        let _ = err.write_all(&[line, b"\n"].concat());
    }

    /// A warning for people, on standard error.
    pub(crate) fn warn(&self, text: impl Into<Hint>) {
        if !self.is_quiet {
            let label = self.style(Style::new().yellow().bold(), "warning:");
            let head = format!("{label} ");
            let text = cleaned(self.leading_here(text));
            self.stderr(&hanging(&head, text, self.width()));
        }
    }

    /// An error: the sentence, its causes, its hints.
    pub(crate) fn error(&self, error: &Error) {
        let width = self.width();
        let line = |head: &str, text: &str| self.stderr(&hanging(head, clean(text), width));
        let label = self.style(Style::new().red().bold(), "error:");
        line(&format!("{label} "), &error.message);
        let details = &error.details;
        let code = details.code.as_deref().map(|code| format!("code {code}"));
        let request = details
            .request_id
            .as_deref()
            .map(|id| format!("request {id}"));
        let origin: Vec<String> = [code, request].into_iter().flatten().collect();
        for cause in &details.causes {
            line("  ", cause);
        }
        if !origin.is_empty() {
            line("  ", &format!("({})", origin.join(", ")));
        }
        for hint in &details.hints {
            let label = self.style(Style::new().cyan(), "hint:");
            let hint = cleaned(self.leading_here(hint));
            self.stderr(&hanging(&format!("  {label} "), hint, width));
        }
    }

    /// With JSON output, the error object that is the last line of standard error.
    pub(crate) fn last_error(&self, error: &Error) {
        if self.output == Output::Json {
            self.stderr(&error_line(error));
        }
    }

    fn width(&self) -> Option<usize> {
        self.terminal.stderr_width.map(usize::from)
    }

    fn style(&self, style: Style, text: &str) -> String {
        let style = style.for_stderr().force_styling(self.terminal.stderr_color);
        style.apply_to(text).to_string()
    }

    fn stderr(&self, line: &str) {
        // Nobody to tell when this fails.
        let _ = writeln!(io::stderr().lock(), "{line}");
    }
}

/// The last line of standard error with JSON output.
pub(crate) fn error_line(error: &Error) -> String {
    to_line(&ErrorObject::from(error))
}

/// An object of the JSON contract, as one line that drives no terminal.
fn to_line(object: &impl serde::Serialize) -> String {
    escape_json(serde_json::to_string(object).unwrap_or_default())
}

/// Prints what clap has to say about the command line, or its help.
pub(crate) fn usage(text: &str, is_error: bool) {
    // What was typed is quoted there, and may come from elsewhere.
    let text = clean_lines(text);
    // As with every other output, a closed pipe is no error.
    let _ = if is_error {
        write!(io::stderr().lock(), "{text}")
    } else {
        write!(io::stdout().lock(), "{text}").and_then(|()| io::stdout().flush())
    };
}

/// Prints a text that was made for standard output as it is, such as a script or a manual page.
pub(crate) fn document(text: &str) -> Result<()> {
    match write_bytes(text.as_bytes()) {
        // As with every other output, a closed pipe is no error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(unwritten(&error.to_string()))
        }
        _ => Ok(()),
    }
}

/// Writes bytes to standard output as they are. One that was closed when the process was started is an error, although by
/// now nothing is lost more quietly than what is written there.
pub(crate) fn write_bytes(bytes: &[u8]) -> io::Result<()> {
    if snapexport_startup::is_stdout_closed() {
        return Err(io::Error::other("it is closed"));
    }
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush())
}

fn unwritten(why: &str) -> Error {
    Error::new(
        Kind::Internal,
        "The results could not be written to standard output",
    )
    .cause(why)
}
