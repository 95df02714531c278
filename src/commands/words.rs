//! Words that stand on the command line or come from standard input.

use std::collections::HashSet;
use std::io::{BufRead, Read};

use tokio::sync::oneshot;
use tokio::time::sleep_until;

use crate::commands::context::Context;
use crate::deadline::Deadline;
use crate::error::{Error, Kind, Result};
use crate::settings::text::{Form, trimmed};

/// The longest line of standard input, in bytes.
const LONGEST_LINE: usize = 4096;
/// How many different words standard input may have.
const MOST_WORDS: usize = 100_000;
/// How many lines it may have, whatever is in them.
const MOST_LINES: usize = 1_000_000;

/// Different words in the order in which they came.
#[derive(Default)]
struct Words {
    all: Vec<String>,
    seen: HashSet<String>,
}

impl Words {
    fn add(&mut self, word: &str) {
        if !self.seen.contains(word) {
            self.seen.insert(word.to_owned());
            self.all.push(word.to_owned());
        }
    }
}

/// Reads what may be `-`: the words given, or one per line from standard input (blank lines and `#` comments skipped).
/// An empty standard input is `None` if that is allowed.
///
/// It is not by default: it is more often a command before the pipe that failed than a day on which there is nothing to do.
pub(super) async fn words_or_none(
    context: &Context,
    words: &[String],
    what: &'static str,
    allow_empty: bool,
) -> Result<Option<Vec<String>>> {
    let all = read_aside(words.to_vec(), what, context.sources.deadline).await?;
    match all.is_empty() {
        false => Ok(Some(all)),
        true if allow_empty => Ok(None),
        true => Err(Error::usage(format!("Standard input named no {what}"))
            .hint("if there may be none, say so with --allow-empty; else look at what should have named them")),
    }
}

/// Reads on a thread of its own, because whoever writes standard input may hang.
async fn read_aside(
    words: Vec<String>,
    what: &'static str,
    deadline: Option<Deadline>,
) -> Result<Vec<String>> {
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        // Nobody waits for it after the deadline.
        let _ = sender.send(read_words(&words, what));
    });
    let cannot = |kind, why: &str| {
        let sentence = format!("The {what}s cannot be read from standard input");
        Err(Error::new(kind, sentence).cause(why))
    };
    let until = async {
        match deadline {
            Some(deadline) => sleep_until(deadline.of_preparations()).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        read = receiver => read.unwrap_or_else(|_| cannot(Kind::Internal, "the reader has gone")),
        () = until => cannot(Kind::Timeout, "it did not end in the time that --timeout gives"),
    }
}

fn read_words(words: &[String], what: &str) -> Result<Vec<String>> {
    let mut all = Words::default();
    let mut has_read = false;
    for word in words {
        if word != "-" {
            all.add(word);
            continue;
        }
        if has_read {
            return Err(Error::usage("Standard input ('-') can be given only once"));
        }
        has_read = true;
        read_lines(std::io::stdin().lock(), what, &mut all)?;
    }
    Ok(all.all)
}

/// Adds the words of an input, or says where it is something else. It is never kept as a whole: it may be without end.
fn read_lines(mut input: impl BufRead, what: &str, words: &mut Words) -> Result<()> {
    let cannot =
        |why: String| Error::usage(format!("Standard input cannot be read as text: {why}"));
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let limit = LONGEST_LINE as u64 + 1;
        let read = input.by_ref().take(limit).read_until(b'\n', &mut line);
        let count = read.map_err(|error| {
            Error::new(
                Kind::Internal,
                format!("The {what}s cannot be read from standard input"),
            )
            .cause(error.to_string())
        })?;
        if count == 0 {
            break;
        }
        if line.len() > LONGEST_LINE && !line.ends_with(b"\n") {
            return Err(cannot(format!("line {number} is longer than 4 KiB")));
        }
        let text = std::str::from_utf8(&line)
            .map_err(|_| cannot(format!("line {number} is not UTF-8")))?;
        let word = trimmed(text);
        let is_new = !word.is_empty() && !word.starts_with('#') && !words.seen.contains(word);
        if is_new {
            if let Some(flaw) = Form::Plain.flaw(word) {
                return Err(cannot(format!("line {number} cannot be used: {flaw}")));
            }
            words.add(word);
        }
        if words.all.len() > MOST_WORDS {
            return Err(Error::usage(format!(
                "Standard input names more than {MOST_WORDS} {what}s"
            )));
        }
        if number > MOST_LINES {
            return Err(Error::usage(format!(
                "Standard input has more than {MOST_LINES} lines"
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
