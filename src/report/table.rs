//! Tables for people: no frame; on a terminal too narrow for a row a line, each thing becomes a few lines.

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;

use super::Terminal;
use crate::secret::clean;
use crate::task::{Source, Task};
use crate::text;

/// Columns between two cells, and of the indent of a block's further lines.
const GAP: u16 = 2;

/// Tasks, one a row.
pub fn tasks(tasks: &[Task], now: Timestamp, terminal: Terminal) -> String {
    let header = [
        "PROVIDER", "TASK", "SNAPSHOT", "STATE", "PROGRESS", "AGE", "RESULT",
    ];
    let rows: Vec<Vec<String>> = tasks
        .iter()
        .map(|task| {
            vec![
                task.provider.to_string(),
                clean(task.id.as_str()),
                or_dash(task.snapshot.as_deref()),
                if task.is_stalled() {
                    "stalled".into()
                } else {
                    task.state.to_string()
                },
                task.percent().map_or_else(
                    || clean(&task.provider_state),
                    |percent| format!("{percent} %"),
                ),
                task.created_at
                    .map_or_else(|| "-".into(), |then| text::age(then, now)),
                result(task),
            ]
        })
        .collect();
    fit(&header, &rows, terminal, |row| {
        vec![
            format!("{} {}", row[0], row[1]),
            format!("{}: {}, {}, {}", row[2], row[3], row[4], row[5]),
            row[6].clone(),
        ]
    })
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
    let header = ["ID", "NAME", "KIND", "STATE", "SIZE", "CREATED", "EXPORT"];
    let rows: Vec<Vec<String>> = sources
        .iter()
        .map(|source| {
            vec![
                clean(&source.id),
                or_dash(source.name.as_deref().filter(|name| *name != source.id)),
                source.kind.as_str().to_owned(),
                clean(&source.provider_state),
                source.size_bytes.map_or_else(|| "-".into(), text::bytes),
                source
                    .created_at
                    .map_or_else(|| "-".into(), |then| created(then, now)),
                match &source.reason {
                    None if source.exportable => "yes".to_owned(),
                    None => "no".to_owned(),
                    Some(reason) if source.exportable => format!("yes, but {}", clean(reason)),
                    Some(reason) => format!("no: {}", clean(reason)),
                },
            ]
        })
        .collect();
    fit(&header, &rows, terminal, |row| {
        vec![
            row[0].clone(),
            format!("{}, {}, {}, {}, {}", row[1], row[2], row[3], row[4], row[5]),
            format!("export: {}", row[6]),
        ]
    })
}

/// `2026-01-10 (12d)`: the day to tell snapshots apart, the age to judge them.
fn created(then: Timestamp, now: Timestamp) -> String {
    format!("{} ({})", then.strftime("%Y-%m-%d"), text::age(then, now))
}

/// A table where it fits, else a block of lines for each row.
fn fit(
    header: &[&str],
    rows: &[Vec<String>],
    terminal: Terminal,
    block: impl Fn(&[String]) -> Vec<String>,
) -> String {
    let table = render(header, rows);
    let Some(width) = terminal.stdout_width.map(usize::from) else {
        return table;
    };
    if table
        .lines()
        .all(|line| console::measure_text_width(line) <= width)
    {
        return table;
    }
    let indent = " ".repeat(usize::from(GAP));
    rows.iter()
        .map(|row| block(row).join(&format!("\n{indent}")))
        .collect::<Vec<_>>()
        .join("\n")
}

fn render(header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.to_vec());
    table.add_rows(rows.to_vec());
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    // Without the spaces that only pad the last column.
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

fn or_dash(text: Option<&str>) -> String {
    text.map_or_else(|| "-".into(), clean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{ProviderId, State, TaskId};

    fn seen(width: Option<u16>) -> String {
        let mut task = Task::unseen(
            ProviderId("lightsail"),
            "eu-west-3",
            TaskId::from("5a1c2b3d"),
        );
        task.snapshot = Some("web-1".into());
        task.state = State::Running;
        task.provider_state = "Started".into();
        let terminal = Terminal {
            stdout_width: width,
            is_stderr_capable: false,
            stdout_color: false,
            stderr_color: false,
        };
        tasks(&[task], Timestamp::UNIX_EPOCH, terminal)
    }

    #[test]
    fn a_row_is_a_line_where_it_fits_and_a_block_where_not() {
        let table = "PROVIDER   TASK      SNAPSHOT  STATE    PROGRESS  AGE  RESULT\n\
                     lightsail  5a1c2b3d  web-1     running  Started   -    -";
        assert_eq!(seen(None), table);
        assert_eq!(seen(Some(80)), table);
        assert_eq!(
            seen(Some(40)),
            "lightsail 5a1c2b3d\n  web-1: running, Started, -\n  -"
        );
    }
}
