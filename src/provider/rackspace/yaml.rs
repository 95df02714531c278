//! YAML in which every scalar is the text that stands there: to a password of digits, and to `0008`, a number would do harm.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// The most values of a file, those that aliases repeat among them.
const MOST_VALUES: usize = 100_000;
/// The key whose value stands in for what a mapping does not say itself.
const MERGE_KEY: &str = "<<";
/// The deepest nesting.
const DEEPEST: usize = 64;

/// What stands in a file.
#[derive(Debug)]
pub(super) struct Document {
    /// Objects, arrays, strings, and null for nothing.
    pub value: Value,
    /// Keys that stand twice in one mapping, of which the last one counts, each with its line.
    pub twice: Vec<(String, usize)>,
}

/// Reads a document. The error is the line of what is no YAML; what stands there may be a secret.
pub(super) fn parse(text: &str) -> Result<Document, usize> {
    let mut reader = Reader::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| error.marker().line())?;
        let line = span.start.line();
        reader.take(event, line).ok_or(line)?;
        if reader.is_over {
            break;
        }
    }
    Ok(Document {
        value: reader.root,
        twice: reader.twice,
    })
}

/// A collection that is not closed yet.
enum Open {
    List(Vec<Value>, usize),
    /// With the key whose value is next.
    Map(Map<String, Value>, Option<String>, usize),
}

#[derive(Default)]
struct Reader {
    open: Vec<Open>,
    anchors: HashMap<usize, Value>,
    root: Value,
    values: usize,
    twice: Vec<(String, usize)>,
    is_over: bool,
}

impl Reader {
    /// `None` where it cannot go on.
    fn take(&mut self, event: Event<'_>, line: usize) -> Option<()> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let is_nothing = matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = match style {
                    ScalarStyle::Plain if is_nothing => Value::Null,
                    _ => Value::String(text.into_owned()),
                };
                self.add(value, anchor, line)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(Open::List(Vec::new(), anchor)),
            Event::MappingStart(_, anchor, _) => self.begin(Open::Map(Map::new(), None, anchor)),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop()? {
                Open::List(list, anchor) => self.add(Value::Array(list), anchor, line),
                Open::Map(mut map, _, anchor) => {
                    if let Some(from) = map.shift_remove(MERGE_KEY) {
                        merge(&mut map, from);
                    }
                    self.add(Value::Object(map), anchor, line)
                }
            },
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor)?.clone();
                self.values += size(&value);
                self.add(value, 0, line)
            }
            Event::DocumentEnd => {
                self.is_over = true;
                Some(())
            }
            _ => Some(()),
        }
    }

    fn begin(&mut self, open: Open) -> Option<()> {
        self.open.push(open);
        (self.open.len() <= DEEPEST).then_some(())
    }

    fn add(&mut self, value: Value, anchor: usize, line: usize) -> Option<()> {
        self.values += 1;
        if self.values > MOST_VALUES {
            return None;
        }
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        match self.open.last_mut() {
            None => self.root = value,
            Some(Open::List(list, _)) => list.push(value),
            Some(Open::Map(_, key @ None, _)) => {
                *key = Some(match value {
                    Value::String(text) => text,
                    // Nobody asks for such a key.
                    other => other.to_string(),
                });
            }
            Some(Open::Map(map, key, _)) => {
                let key = key.take()?;
                if map.insert(key.clone(), value).is_some() {
                    self.twice.push((key, line));
                }
            }
        }
        Some(())
    }
}

/// What is named there stands in for what is not said.
fn merge(map: &mut Map<String, Value>, from: Value) {
    match from {
        Value::Object(more) => {
            for (key, value) in more {
                map.entry(key).or_insert(value);
            }
        }
        Value::Array(all) => all.into_iter().for_each(|one| merge(map, one)),
        _ => {}
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(size).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
