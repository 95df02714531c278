//! Tables for people. Their width follows the terminal; without one there is no frame and no limit.

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;

use super::Terminal;
use crate::secret::clean;
use crate::task::{Source, Task};
use crate::text;

/// Tasks, one a row.
pub fn tasks(tasks: &[Task], now: Timestamp, terminal: Terminal) -> String {
    let mut table = new_table(
        terminal,
        &[
            "PROVIDER", "TASK", "SNAPSHOT", "STATE", "PROGRESS", "AGE", "RESULT",
        ],
    );
    for task in tasks {
        table.add_row([
            task.provider.to_string(),
            clean(task.id.as_str()),
            or_dash(task.snapshot.as_deref()),
            task.state.to_string(),
            task.percent().map_or_else(
                || clean(&task.provider_state),
                |percent| format!("{percent} %"),
            ),
            task.created_at
                .map_or_else(|| "-".into(), |then| text::age(then, now)),
            result(task),
        ]);
    }
    render(&table)
}

/// Where it went, why it failed, or where it is going.
fn result(task: &Task) -> String {
    if let Some(error) = &task.error {
        return clean(&error.message);
    }
    match (&task.artifact, &task.target) {
        (Some(artifact), _) if artifact.exact => clean(&artifact.uri),
        (Some(artifact), _) => format!("{} (expected)", clean(&artifact.uri)),
        (None, Some(target)) => format!("→ {}", clean(&target.to_string())),
        (None, None) => "-".into(),
    }
}

/// Sources, one a row.
pub fn sources(sources: &[Source], now: Timestamp, terminal: Terminal) -> String {
    let mut table = new_table(
        terminal,
        &["ID", "NAME", "KIND", "STATE", "SIZE", "AGE", "EXPORT"],
    );
    for source in sources {
        table.add_row([
            clean(&source.id),
            or_dash(source.name.as_deref()),
            source.kind.as_str().to_owned(),
            clean(&source.provider_state),
            source.size_bytes.map_or_else(|| "-".into(), text::bytes),
            source
                .created_at
                .map_or_else(|| "-".into(), |then| text::age(then, now)),
            match &source.reason {
                None if source.exportable => "yes".to_owned(),
                None => "no".to_owned(),
                Some(reason) if source.exportable => format!("yes, but {}", clean(reason)),
                Some(reason) => format!("no: {}", clean(reason)),
            },
        ]);
    }
    render(&table)
}

fn new_table(terminal: Terminal, header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    match terminal.stdout_width {
        Some(width) => {
            table.load_style(presets::UTF8_HORIZONTAL_ONLY);
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table.set_header(header);
    table
}

/// Without the spaces that only pad the last column.
fn render(table: &Table) -> String {
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

fn or_dash(text: Option<&str>) -> String {
    text.map_or_else(|| "-".into(), clean)
}
