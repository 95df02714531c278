//! Tables for people: no frame; on a terminal too narrow for a row a line, each thing becomes a few lines.

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;

use super::link::link_in;
use super::stage;
use super::terminal::Terminal;
use super::wrap::hanging;
use crate::error::words;
use crate::provider;
use crate::secret::clean;
use crate::task::{Source, Task};
use crate::text;

/// Columns between two cells.
const GAP: u16 = 2;
/// Before what belongs to the line above it.
const INDENT: &str = "  ";

/// Rows that are laid out at once: of a hundred thousand, not all are held as text.
const AT_ONCE: usize = 1000;

/// Tasks, one a row; where the terminal opens links, the id and the result lead to the provider's console. Gives the text to
/// `print`, some rows at a time.
pub(super) fn tasks(
    tasks: &[Task],
    now: Timestamp,
    terminal: Terminal,
    mut print: impl FnMut(&str),
) {
    let header = [
        "PROVIDER", "TASK", "SNAPSHOT", "STATE", "PROGRESS", "AGE", "RESULT",
    ];
    let mut widths = header.map(console::measure_text_width);
    for task in tasks {
        for (width, cell) in widths.iter_mut().zip(row(task, now)) {
            *width = console::measure_text_width(&cell).max(*width);
        }
    }
    let width = terminal.stdout_width.map(usize::from);
    let whole = widths.iter().sum::<usize>() + usize::from(GAP) * (widths.len() - 1);
    let is_table = width.is_none_or(|width| whole <= width);
    // Each part is as wide as the whole, by its header.
    let padded = |(name, width): (&&str, &usize)| format!("{name:<width$}", width = *width);
    let header: Vec<String> = header.iter().zip(&widths).map(padded).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    for (part, tasks) in tasks.chunks(AT_ONCE).enumerate() {
        let rows: Vec<Vec<String>> = tasks.iter().map(|task| row(task, now).into()).collect();
        let mut lines = Vec::new();
        if is_table {
            let mut table = render(&header, &rows).into_iter();
            lines.extend(table.next().filter(|_| part == 0));
            let linked = tasks.iter().zip(&rows).zip(table);
            lines.extend(
                linked.map(|((task, row), line)| linked_in(&line, task, &row[1], terminal)),
            );
        } else {
            for (task, row) in tasks.iter().zip(&rows) {
                let block = broken(&block_of(row), width);
                let linked = block
                    .iter()
                    .map(|line| linked_in(line, task, &row[1], terminal));
                lines.extend(linked);
            }
        }
        print(&lines.join("\n"));
    }
}

fn row(task: &Task, now: Timestamp) -> [String; 7] {
    [
        task.provider.to_string(),
        clean(task.id.as_str()),
        or_dash(task.snapshot.as_deref()),
        task.state.to_string(),
        stage::percent(task).unwrap_or_else(|| clean(&task.provider_state)),
        task.created_at
            .map_or_else(|| "-".into(), |then| text::age(then, now)),
        result(task),
    ]
    .map(words)
}

fn block_of(row: &[String]) -> Vec<String> {
    vec![
        format!("{} {}", row[0], row[1]),
        format!("{}: {}, {}, {}", row[2], row[3], row[4], row[5]),
        row[6].clone(),
    ]
}

/// A line about a task, with links where the terminal opens them.
fn linked_in(line: &str, task: &Task, id: &str, terminal: Terminal) -> String {
    let console = provider::console_url(task).filter(|_| terminal.stdout_links);
    let line = link_in(line, id, console.as_ref());
    match &task.artifact {
        Some(artifact) => link_in(&line, &clean(&artifact.uri), console.as_ref()),
        None => line,
    }
}

/// Where it went, why it failed, or where it is going.
fn result(task: &Task) -> String {
    if let Some(error) = &task.error {
        return clean(&error.message);
    }
    match (&task.artifact, provider::goal(task)) {
        (Some(artifact), _) if artifact.exact => clean(&artifact.uri),
        (Some(artifact), _) => format!("{} (expected)", clean(&artifact.uri)),
        (None, Some(goal)) => format!("→ {}", clean(&goal.words)),
        (None, None) => "-".into(),
    }
}

/// Sources: the first of these forms that fits. The reasons in the rows; below them; below shorter rows; blocks.
pub(super) fn sources(sources: &[Source], now: Timestamp, terminal: Terminal) -> String {
    let width = terminal.stdout_width.map(usize::from);
    let (header, rows) = grid(sources, now, false);
    let below = |table| reasons_below(sources, table, width);
    let (short_header, short_rows) = grid(sources, now, true);
    fitting(&header, &with_reasons(sources, &rows), width)
        .or_else(|| fitting(&header, &rows, width).map(below))
        .or_else(|| fitting(&short_header, &short_rows, width).map(below))
        .unwrap_or_else(|| {
            let blocks = sources.iter().zip(&rows);
            blocks
                .flat_map(|(source, row)| broken(&block(source, row), width))
                .collect()
        })
        .join("\n")
}

/// The header and the cells. A column that would say nothing of any, or the same kind of all, is left out; of short rows also the
/// state, because what can be exported is whole and the reason tells of the rest.
fn grid(
    sources: &[Source],
    now: Timestamp,
    is_short: bool,
) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let each = |cell: &dyn Fn(&Source) -> String| sources.iter().map(cell).collect();
    let name = |source: &Source| or_dash(source.name.as_deref().filter(|name| *name != source.id));
    let size = |source: &Source| source.size_bytes.map_or_else(|| "-".into(), text::bytes);
    let made = |source: &Source| match source.created_at {
        None => "-".into(),
        Some(then) if is_short => day(then),
        Some(then) => format!("{} ({})", day(then), text::age(then, now)),
    };
    let export = |source: &Source| if source.exportable { "yes" } else { "no" }.to_owned();
    let mut columns: Vec<(&str, Vec<String>)> = vec![
        ("ID", each(&|source| clean(&source.id))),
        ("NAME", each(&name)),
        ("KIND", each(&|source| source.kind.as_str().to_owned())),
        ("STATE", each(&|source| clean(&source.provider_state))),
        ("SIZE", each(&size)),
        ("CREATED", each(&made)),
        ("EXPORT", each(&export)),
    ];
    columns.retain(|(name, cells)| match *name {
        "NAME" => cells.iter().any(|cell| cell != "-"),
        "KIND" => cells.iter().any(|cell| *cell != cells[0]),
        "STATE" => !is_short,
        _ => true,
    });
    let mut rows = vec![Vec::new(); sources.len()];
    let mut header = Vec::new();
    for (name, cells) in columns {
        header.push(name);
        for (row, cell) in rows.iter_mut().zip(cells) {
            row.push(cell);
        }
    }
    (header, rows)
}

/// Why it cannot be exported, or with what reservation it can.
fn reason(source: &Source) -> Option<String> {
    match (source.reason.as_deref().map(clean), source.exportable) {
        (Some(reason), true) => Some(format!("but {reason}")),
        (Some(reason), false) => Some(reason),
        (None, true) => None,
        (None, false) => Some(format!("it is {}", clean(&source.provider_state))),
    }
}

fn with_reasons(sources: &[Source], rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let mut rows = rows.to_vec();
    for (source, row) in sources.iter().zip(&mut rows) {
        if let (Some(reason), Some(last)) = (reason(source), row.last_mut()) {
            last.push_str(if source.exportable { ", " } else { ": " });
            last.push_str(&reason);
        }
    }
    rows
}

/// The table with each reason below its row.
fn reasons_below(sources: &[Source], table: Vec<String>, width: Option<usize>) -> Vec<String> {
    let mut lines = table;
    for (line, source) in lines.iter_mut().skip(1).zip(sources) {
        if let Some(reason) = reason(source) {
            *line = format!("{line}\n{}", hanging(INDENT, &reason, width));
        }
    }
    lines
}

fn block(source: &Source, row: &[String]) -> Vec<String> {
    let details: Vec<&str> = row[1..row.len() - 1]
        .iter()
        .map(String::as_str)
        .filter(|cell| *cell != "-")
        .collect();
    let mut lines = vec![row[0].clone(), details.join(", ")];
    // That it can be exported is nothing to say of each.
    lines.extend(reason(source).map(|reason| match source.exportable {
        true => format!("can be exported, {reason}"),
        false => format!("cannot be exported: {reason}"),
    }));
    lines
}

fn day(then: Timestamp) -> String {
    then.strftime("%Y-%m-%d").to_string()
}

/// The lines of a table, the header first, if none of them is wider.
fn fitting(header: &[&str], rows: &[Vec<String>], width: Option<usize>) -> Option<Vec<String>> {
    let lines = render(header, rows);
    let fits = |line: &String| width.is_none_or(|width| console::measure_text_width(line) <= width);
    lines.iter().all(fits).then_some(lines)
}

/// A block: its first line as it is, the others indented and broken between words.
fn broken(block: &[String], width: Option<usize>) -> Vec<String> {
    let lines = block.iter().enumerate().flat_map(|(index, line)| {
        let text = match index {
            0 => line.clone(),
            _ => hanging(INDENT, line, width),
        };
        text.split('\n').map(str::to_owned).collect::<Vec<_>>()
    });
    lines.collect()
}

fn render(header: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.to_vec());
    // What is wider than it can count is no table.
    table.add_rows(rows.iter().map(|row| row.iter().map(words)));
    for column in table.column_iter_mut() {
        column.set_padding((0, GAP));
    }
    // Without the spaces that only pad the last column.
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

fn or_dash(text: Option<&str>) -> String {
    text.map_or_else(|| "-".into(), clean)
}

#[cfg(test)]
mod tests;
