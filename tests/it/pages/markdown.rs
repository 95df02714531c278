//! As much of Markdown as the pages use: fenced blocks and tables.

/// A page.
pub struct Page {
    pub path: String,
    pub blocks: Vec<Block>,
    pub tables: Vec<Table>,
}

/// A fenced block.
pub struct Block {
    /// The line of its fence.
    pub line: usize,
    /// What stands behind the fence, as in `sh norun`.
    pub info: String,
    pub text: String,
    /// The first line of text behind it.
    pub after: String,
}

/// A table.
pub struct Table {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Whether its rows are commands with the exit codes that they end with.
    pub fn is_run(&self) -> bool {
        ["command", "exit code"]
            .iter()
            .all(|name| self.head.iter().any(|head| head == name))
            && self.head.last().is_some_and(|last| last != "test")
    }

    /// The cell of a row in the column of this name.
    pub fn cell<'r>(&self, row: &'r [String], name: &str) -> Option<&'r str> {
        let index = self.head.iter().position(|head| head == name)?;
        Some(&row[index])
    }
}

impl Page {
    pub fn parse(path: &str, text: &str) -> Page {
        let lines: Vec<&str> = text.lines().collect();
        let (mut blocks, mut tables) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at < lines.len() {
            if let Some(info) = lines[at].strip_prefix("```") {
                let length = lines[at + 1..]
                    .iter()
                    .take_while(|line| !line.starts_with("```"));
                let end = at + 1 + length.count();
                let after = lines.iter().skip(end + 1).find(|line| !line.is_empty());
                blocks.push(Block {
                    line: at + 1,
                    info: info.to_owned(),
                    text: lines[at + 1..end].join("\n") + "\n",
                    after: after.map_or(String::new(), |line| (*line).to_owned()),
                });
                at = end + 1;
            } else if lines[at].starts_with('|') {
                let rows = lines[at..].iter().take_while(|line| line.starts_with('|'));
                let mut rows: Vec<Vec<String>> = rows.map(|line| cells(line)).collect();
                at += rows.len();
                let body = rows.split_off(2);
                tables.push(Table {
                    head: rows.swap_remove(0),
                    rows: body,
                });
            } else {
                at += 1;
            }
        }
        Page {
            path: path.to_owned(),
            blocks,
            tables,
        }
    }
}

/// The cells of a row; `\|` is no border.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_matches('|').replace("\\|", "\u{0}");
    inner
        .split('|')
        .map(|cell| cell.trim().replace('\u{0}', "|"))
        .collect()
}

/// What stands between backticks in a cell, each.
pub fn codes(cell: &str) -> Vec<String> {
    let parts = cell.split('`').skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

/// The one thing between backticks in a cell.
pub fn code(cell: &str) -> String {
    match &codes(cell)[..] {
        [one] => one.clone(),
        other => panic!("not one command: {cell}: {other:?}"),
    }
}
