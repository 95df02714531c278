//! Markdown as our documents use it, made into what `man` reads: headings, paragraphs, lists, tables and code.

/// Text that `man` shows as it is, also where it begins a line or holds hyphens that are typed.
pub fn escape(text: &str) -> String {
    let text = verbatim(text);
    if text.starts_with('.') {
        format!("\\&{text}")
    } else {
        text
    }
}

/// Typographers' quotes and hyphens are of no use in what is to be typed.
fn verbatim(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\\' => "\\e".to_owned(),
            '-' => "\\-".to_owned(),
            '\'' => "\\(aq".to_owned(),
            '`' => "\\(ga".to_owned(),
            '^' => "\\(ha".to_owned(),
            '~' => "\\(ti".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

/// Lines shown as they are, indented.
pub fn literal(text: &str) -> String {
    let lines: String = text
        .lines()
        .map(|line| format!("{}\n", escape(line)))
        .collect();
    format!(".PP\n.RS\n.EX\n{lines}.EE\n.RE\n")
}

/// A document, from its first heading of the second level on; what stands before it is not for the manual.
pub fn to_roff(text: &str) -> String {
    let mut roff = String::new();
    let mut lines = text
        .lines()
        .skip_while(|line| !line.starts_with("## "))
        .peekable();
    while let Some(line) = lines.next() {
        let mut more = |is_more: fn(&str) -> bool| {
            let mut block = vec![line];
            while let Some(next) = lines.next_if(|next| is_more(next)) {
                block.push(next);
            }
            block
        };
        if let Some(heading) = line.strip_prefix("### ") {
            roff += &format!(".SS {}\n", inline(heading));
        } else if let Some(heading) = line.strip_prefix("## ") {
            roff += &format!(".SH {}\n", inline(heading).to_uppercase());
        } else if line.starts_with("```") {
            let code = more(|next| !next.starts_with("```"));
            roff += &literal(&code[1..].join("\n"));
            lines.next();
        } else if line.starts_with('|') {
            roff += &table(&more(|next| next.starts_with('|')));
        } else if let Some(first) = line.strip_prefix("- ") {
            let rest = more(|next| next.starts_with("  "));
            let item = rest[1..]
                .iter()
                .fold(first.to_owned(), |item, next| item + " " + next.trim());
            roff += &format!(".IP \\(bu 2\n{}\n", inline(&item));
        } else if !line.trim().is_empty() {
            let paragraph = more(|next| {
                !next.trim().is_empty()
                    && !next.starts_with(['#', '|', '`'])
                    && !next.starts_with("- ")
            });
            roff += &format!(".PP\n{}\n", inline(&paragraph.join(" ")));
        }
    }
    roff
}

/// Each row by its first cell; of more than two columns, the others bear their headers.
fn table(lines: &[&str]) -> String {
    let cells = |line: &str| -> Vec<String> {
        // A bar that belongs to the text is written \| there.
        let hidden = line.trim().trim_matches('|').replace("\\|", "\u{0}");
        hidden
            .split('|')
            .map(|cell| cell.trim().replace('\u{0}', "|"))
            .collect()
    };
    let header = lines.first().map(|line| cells(line)).unwrap_or_default();
    let mut roff = String::new();
    for row in lines.iter().skip(2).map(|line| cells(line)) {
        let rest = row.get(1..).unwrap_or_default();
        let texts: Vec<String> = if rest.len() <= 1 {
            rest.iter().map(|cell| inline(cell)).collect()
        } else {
            let named = rest.iter().zip(header.iter().skip(1));
            named
                .filter(|(cell, _)| !cell.is_empty())
                .map(|(cell, name)| format!("{}: {}", inline(name), inline(cell)))
                .collect()
        };
        let first = row.first().map(|cell| inline(cell)).unwrap_or_default();
        roff += &format!(".TP\n{first}\n{}\n", texts.join("\n.br\n"));
    }
    roff
}

/// Code and stress in bold; a link as its text, with the address where that is one.
fn inline(text: &str) -> String {
    let mut roff = String::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            roff += &format!("\\fB{}\\fR", verbatim(part));
        } else {
            roff += &stressed(&without_links(part));
        }
    }
    if roff.starts_with(['.', '\'']) {
        format!("\\&{roff}")
    } else {
        roff
    }
}

fn stressed(text: &str) -> String {
    let parts = text.split("**").enumerate();
    parts
        .map(|(index, part)| {
            let part = part.replace('\\', "\\e");
            if index % 2 == 1 {
                format!("\\fB{part}\\fR")
            } else {
                part
            }
        })
        .collect()
}

fn without_links(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::new();
    while let Some((before, link)) = rest.split_once('[') {
        let Some((name, (address, after))) = link
            .split_once("](")
            .and_then(|(name, rest)| Some((name, rest.split_once(')')?)))
        else {
            break;
        };
        plain += before;
        plain += name;
        if address.starts_with("http") {
            plain += &format!(" ({address})");
        }
        rest = after;
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_what_man_reads() {
        let text = "# Title\n\nnot for the manual\n\n## A head\n\nTwo lines\nof `--code` and [a link](https://x.example) and [here](y.md).\n\n\
            - one\n  more\n- two\n\n| a | b |\n|---|---|\n| `x` | y \\| z |\n\n```sh\n.dot -x \\n\n```\n### Sub\n";
        let expected = ".SH A HEAD\n.PP\nTwo lines of \\fB\\-\\-code\\fR and a link (https://x.example) and here.\n\
            .IP \\(bu 2\none more\n.IP \\(bu 2\ntwo\n.TP\n\\fBx\\fR\ny | z\n\
            .PP\n.RS\n.EX\n\\&.dot \\-x \\en\n.EE\n.RE\n.SS Sub\n";
        assert_eq!(to_roff(text), expected);
    }

    #[test]
    fn a_line_never_becomes_a_request_by_chance() {
        assert_eq!(escape(".x"), "\\&.x");
        assert_eq!(inline("'x"), "\\&'x");
        assert_eq!(escape("'x"), "\\(aqx");
        assert!(to_roff("## A\n\n.so /etc/passwd\n").contains("\\&.so"));
    }
}
