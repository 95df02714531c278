//! Masked by value: a server may repeat what it was sent, in whatever place and spelling.

use std::borrow::Cow;
use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::MASK;
use super::plain::{self, Plain};

/// Secrets whose values are known, to be taken out of what others say.
#[derive(Clone, Default)]
pub struct Known {
    secrets: Vec<String>,
    /// Names of users, which may be words of every day.
    names: Option<AhoCorasick>,
    /// Good for one request alone: they are looked for as they are.
    passing: Option<AhoCorasick>,
    /// What is looked for in the text as it stands.
    written: Option<AhoCorasick>,
    views: Vec<Sought>,
}

/// A secret, or the beginning of one at the end of a text that was cut, of fewer bytes is not looked for: it would be found
/// in innocent words.
const SHORTEST: usize = 4;
/// Encoded pieces of fewer bytes are not looked for either.
const SHORTEST_CODE: usize = 6;
/// So much of a view is searched at once. Nine times as much memory is needed for it.
const WINDOW: usize = 1024;
/// What repeats secrets so often says nothing else.
const MOST: usize = 100_000;

impl Known {
    /// These secrets but for those that are too short.
    pub fn new<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let secrets = secrets.into_iter();
        let mut secrets: Vec<String> = secrets.map(str::to_owned).collect();
        secrets.retain(|secret| secret.len() >= SHORTEST);
        secrets.sort();
        secrets.dedup();
        let all = |forms: fn(&str) -> Vec<Vec<u8>>| secrets.iter().flat_map(|s| forms(s)).collect();
        let views = [
            (View::Plain, all(plain_forms)),
            (View::Hex, all(hex_forms)),
            (View::Base64, all(base64_forms)),
        ];
        Known {
            written: finder(&secrets),
            views: views
                .into_iter()
                .filter_map(|(view, forms)| Sought::new(view, forms))
                .collect(),
            secrets,
            names: None,
            passing: None,
        }
    }

    /// With these names of users: they are masked where they stand as words of their own, but not as the whole of a JSON
    /// string, which may be the same name of another thing.
    #[must_use]
    pub fn and_names<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let names = names.into_iter().filter(|name| name.len() >= SHORTEST);
        self.names = finder(&names.collect::<Vec<_>>());
        self
    }

    /// With these secrets, which are worth nothing in another request: they are masked where they stand as they are.
    #[must_use]
    pub fn and_passing<'s>(mut self, secrets: impl IntoIterator<Item = &'s str>) -> Self {
        self.passing = finder(&secrets.into_iter().collect::<Vec<_>>());
        self
    }

    /// The text with every one of them masked, also one that a text which was cut (`…`) ends in the middle of.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let masked = match self.mask_bytes(text.as_bytes()) {
            Some(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
            None => Cow::Borrowed(text),
        };
        let cut = self
            .secrets
            .iter()
            .find_map(|secret| cut_within(secret, &masked));
        match cut.map(|head| format!("{head}{MASK}…")) {
            Some(cut) => cut.into(),
            None => masked,
        }
    }

    /// The bytes with every one of them masked, whatever its spelling; `None` where there is none.
    pub fn mask_bytes(&self, text: &[u8]) -> Option<Vec<u8>> {
        let mut found = self.find(text);
        if found.is_empty() {
            return None;
        }
        if found.len() > MOST {
            return Some(MASK.into());
        }
        found.sort_by_key(|range| range.start);
        let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
        for Range { start, end } in found {
            // What overlaps is one.
            if start >= at {
                out.extend_from_slice(&text[at..start]);
                out.extend_from_slice(MASK.as_bytes());
            }
            at = at.max(end);
        }
        out.extend_from_slice(&text[at..]);
        Some(out)
    }

    /// Where they stand.
    fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for written in self.written.iter().chain(&self.passing) {
            let matches = written.find_iter(text).take(MOST + 1);
            found.extend(matches.map(|found| found.range()));
        }
        let mut windows: Vec<Window> = self.views.iter().map(Window::of).collect();
        if !windows.is_empty() {
            plain::read(text, |batch| {
                if found.len() <= MOST {
                    windows
                        .iter_mut()
                        .for_each(|window| window.take(batch, &mut found));
                }
            });
            windows
                .iter_mut()
                .for_each(|window| window.search(&mut found));
        }
        if let Some(names) = &self.names {
            let matches = names.find_iter(text).map(|found| found.range());
            found.extend(matches.filter(|range| is_word(text, range)).take(MOST + 1));
        }
        found
    }
}

/// Whether nothing stands beside it with which it would be another word, or a whole JSON string.
fn is_word(text: &[u8], range: &Range<usize>) -> bool {
    let before = range.start.checked_sub(1).map(|at| text[at]);
    let after = text.get(range.end).copied();
    let is_part = |byte: Option<u8>| {
        byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    let is_string = before == Some(b'"') && after == Some(b'"');
    // The end of a sentence is no part of the word.
    let follows = match after {
        Some(b'.') => text.get(range.end + 1).copied(),
        after => after,
    };
    !is_part(before) && !is_part(follows) && !is_string
}

/// What stands before the beginning of a secret with which a cut text ends.
fn cut_within<'t>(secret: &str, text: &'t str) -> Option<&'t str> {
    let head = text.strip_suffix('…')?;
    let starts = secret.char_indices().rev().map(|(end, _)| &secret[..end]);
    let mut starts = starts.take_while(|start| start.len() >= SHORTEST);
    starts.find_map(|start| head.strip_suffix(start))
}

fn finder<F: AsRef<[u8]>>(forms: &[F]) -> Option<AhoCorasick> {
    if forms.is_empty() {
        return None;
    }
    // What is faster in searching takes longer to build than most replies to read. It fails beyond 2³¹ states.
    let builder = &mut AhoCorasick::builder();
    builder
        .kind(Some(AhoCorasickKind::NoncontiguousNFA))
        .match_kind(MatchKind::LeftmostLongest)
        .build(forms)
        .ok()
}

/// Where a byte is from, for texts of up to 4 GiB.
#[derive(Clone, Copy)]
struct Place {
    from: u32,
    to: u32,
}

impl Place {
    fn of(plain: Plain) -> Self {
        let near = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Place {
            from: near(plain.from),
            to: near(plain.to),
        }
    }
}

/// What is left of the plain text before it is searched.
#[derive(Clone, Copy)]
enum View {
    /// All.
    Plain,
    /// Hexadecimal digits without what stands between them (`aa:bb`, `0xaa, 0xbb`) and in lower case.
    Hex,
    /// Both alphabets of base64 as one, without blanks.
    Base64,
}

impl View {
    fn push(self, plain: Plain, bytes: &mut Vec<u8>, places: &mut Vec<Place>) {
        let byte = match (self, plain.byte) {
            (View::Base64, b' ') => return,
            (View::Hex, byte) if !byte.is_ascii_alphanumeric() => return,
            (View::Hex, b'x' | b'X') if bytes.last() == Some(&b'0') => {
                bytes.pop();
                places.pop();
                return;
            }
            (View::Hex, byte) => byte.to_ascii_lowercase(),
            (View::Base64, b'-') => b'+',
            (View::Base64, b'_') => b'/',
            (_, byte) => byte,
        };
        bytes.push(byte);
        places.push(Place::of(plain));
    }
}

/// What is looked for in one view.
#[derive(Clone)]
struct Sought {
    view: View,
    finder: AhoCorasick,
}

impl Sought {
    fn new(view: View, forms: Vec<Vec<u8>>) -> Option<Self> {
        let finder = finder(&forms)?;
        Some(Sought { view, finder })
    }
}

/// A piece of a view, with where its bytes are from.
struct Window<'k> {
    sought: &'k Sought,
    bytes: Vec<u8>,
    places: Vec<Place>,
}

impl<'k> Window<'k> {
    fn of(sought: &'k Sought) -> Self {
        Window {
            sought,
            bytes: Vec::new(),
            places: Vec::new(),
        }
    }

    fn take(&mut self, batch: &[Plain], found: &mut Vec<Range<usize>>) {
        for plain in batch {
            self.sought
                .view
                .push(*plain, &mut self.bytes, &mut self.places);
        }
        let longest = self.sought.finder.max_pattern_len();
        if self.bytes.len() >= WINDOW.max(4 * longest) {
            self.search(found);
            // One may have begun here.
            let settled = self.bytes.len() - longest;
            self.bytes.drain(..settled);
            self.places.drain(..settled);
        }
    }

    fn search(&self, found: &mut Vec<Range<usize>>) {
        let matches = self.sought.finder.find_iter(&self.bytes);
        found.extend(matches.map(|at| {
            let last = &self.places[at.end() - 1];
            self.places[at.start()].from as usize..last.to as usize
        }));
    }
}

/// A secret in the plain spelling; so, too, where its beginning was taken for the end of an escape. Forms write a blank as `+`.
fn plain_forms(secret: &str) -> Vec<Vec<u8>> {
    const SWALLOWED: usize = 5;
    let whole = plain::spelling(secret);
    let mut forms = vec![plain::spelling(&secret.replace(' ', "+"))];
    if whole.len() >= 2 * SWALLOWED {
        forms.push(whole[SWALLOWED..].to_vec());
    }
    forms.push(whole);
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

fn hex_forms(secret: &str) -> Vec<Vec<u8>> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    vec![hex.into_bytes()]
}

/// In base64, alone and inside a longer text, such as `user:secret`: what its neighbours have no part in.
fn base64_forms(secret: &str) -> Vec<Vec<u8>> {
    let inside = (0..3).map(|before| {
        let shifted = [&b"\0\0\0"[..before], secret.as_bytes()].concat();
        let encoded = aws_smithy_types::base64::encode(&shifted);
        let (from, to) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
        encoded.as_bytes()[from..to].to_vec()
    });
    // As RFC 6749 (2.3.1) writes it for Basic authentication.
    let percent: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let percent = aws_smithy_types::base64::encode(percent);
    let alone = aws_smithy_types::base64::encode(secret);
    let [alone, percent] =
        [alone, percent].map(|code| code.trim_end_matches('=').as_bytes().to_vec());
    let mut forms: Vec<Vec<u8>> = inside.chain([alone, percent]).collect();
    forms.retain(|form| form.len() >= SHORTEST_CODE);
    forms
}

#[cfg(test)]
mod tests;
