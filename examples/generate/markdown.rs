//! Markdown as our documents use it, made into what `man` reads: headings, paragraphs, lists, tables and code.

use clap_mangen::roff::{Inline, Roff, bold, italic, line_break, roman};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// Adds a document to a page. What stands below its title, a heading of the first level, is the page's description.
pub(crate) fn write(roff: &mut Roff, text: &str) {
    let mut writer = Writer {
        roff,
        line: Vec::new(),
        font: roman,
        link: None,
        lists: Vec::new(),
        header: Vec::new(),
        row: Vec::new(),
    };
    Parser::new_ext(text, Options::ENABLE_TABLES).for_each(|event| writer.event(event));
}

/// Adds lines that are shown as they are, indented.
pub(crate) fn literal<'l>(roff: &mut Roff, lines: impl Iterator<Item = &'l str>) {
    for request in ["PP", "RS", "EX"] {
        roff.control(request, []);
    }
    lines.for_each(|line| {
        roff.text([roman(line)]);
    });
    roff.control("EE", []);
    roff.control("RE", []);
}

struct Writer<'r> {
    roff: &'r mut Roff,
    /// What was read of the line, heading, cell or code that is not yet ended.
    line: Vec<Inline>,
    font: fn(String) -> Inline,
    /// The address of the link that is read, where it is one that can be opened from a manual.
    link: Option<String>,
    /// The number of the next item of each list that is read, where it has numbers.
    lists: Vec<Option<u64>>,
    /// The cells of the table's header, and of the row that is read.
    header: Vec<Vec<Inline>>,
    row: Vec<Vec<Inline>>,
}

impl Writer<'_> {
    fn event(&mut self, event: Event) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.line.push((self.font)(text.into_string())),
            Event::Code(text) => self.line.push(bold(text)),
            Event::SoftBreak => self.line.push(roman(" ")),
            other => panic!("the manual has no form for {other:?}"),
        }
    }

    fn start(&mut self, tag: Tag) {
        match tag {
            Tag::Paragraph if self.lists.is_empty() => {
                self.roff.control("PP", []);
            }
            Tag::List(first) => self.lists.push(first),
            Tag::Item => match self.lists.last_mut() {
                Some(Some(number)) => {
                    self.roff.control("IP", [&*format!("{number}."), "4"]);
                    *number += 1;
                }
                _ => {
                    self.roff.control("IP", ["\\(bu", "2"]);
                }
            },
            Tag::Strong => self.font = bold,
            Tag::Emphasis => self.font = italic,
            Tag::Link { dest_url, .. } if dest_url.starts_with("http") => {
                self.link = Some(dest_url.into_string());
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => self.heading(level),
            TagEnd::Paragraph | TagEnd::Item if !self.line.is_empty() => {
                self.roff.text(std::mem::take(&mut self.line));
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::CodeBlock => {
                let code = self.plain();
                literal(self.roff, code.lines());
            }
            TagEnd::Strong | TagEnd::Emphasis => self.font = roman,
            TagEnd::Link => {
                let address = self.link.take();
                let address = address.map(|address| roman(format!(" ({address})")));
                self.line.extend(address);
            }
            TagEnd::TableCell => self.row.push(std::mem::take(&mut self.line)),
            TagEnd::TableHead => self.header = std::mem::take(&mut self.row),
            TagEnd::TableRow => self.row(),
            _ => {}
        }
    }

    /// What was read, without its fonts.
    fn plain(&mut self) -> String {
        let text = |part| match part {
            Inline::Roman(text) | Inline::Italic(text) | Inline::Bold(text) => text,
            Inline::LineBreak => String::new(),
        };
        self.line.drain(..).map(text).collect()
    }

    fn heading(&mut self, level: HeadingLevel) {
        // The arguments of a request are not escaped.
        let text = self.plain().replace('-', "\\-");
        match level {
            HeadingLevel::H1 => self.roff.control("SH", ["DESCRIPTION"]),
            HeadingLevel::H2 => self.roff.control("SH", [&*text.to_uppercase()]),
            _ => self.roff.control("SS", [&*text]),
        };
    }

    /// A row below its first cell; of more than two columns, the others bear their headers.
    fn row(&mut self) {
        let bears_headers = self.header.len() > 2;
        let mut cells = std::mem::take(&mut self.row).into_iter();
        self.roff.control("TP", []);
        self.roff.text(cells.next().unwrap_or_default());
        let mut text = Vec::new();
        for (cell, header) in cells.zip(&self.header[1..]) {
            if cell.is_empty() {
                continue;
            }
            if !text.is_empty() {
                text.push(line_break());
            }
            if bears_headers {
                text.extend(header.iter().cloned().chain([roman(": ")]));
            }
            text.extend(cell);
        }
        self.roff.text(text);
    }
}
