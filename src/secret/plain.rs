//! Text in its plain spelling: every escape undone, however often it was applied, and nothing that cannot be seen.

use super::clean::{is_control, is_hidden_mark};

/// A byte of the plain text, and what it stands for in the original: `from..to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plain {
    pub byte: u8,
    pub from: usize,
    pub to: usize,
}

/// The longest spelling of one byte: `\uD83D\uDE00`. What stands further back is settled.
const LONGEST_ESCAPE: usize = 12;
/// So many bytes are handed on at once.
const BATCH: usize = 1024;

/// Named entities of what stands in secrets, and of what hides in them.
const ENTITIES: [(&str, &str); 44] = [
    ("ApplyFunction", ""),
    ("amp", "&"),
    ("apos", "'"),
    ("ast", "*"),
    ("bsol", "\\"),
    ("colon", ":"),
    ("comma", ","),
    ("commat", "@"),
    ("dollar", "$"),
    ("equals", "="),
    ("excl", "!"),
    ("grave", "`"),
    ("InvisibleComma", ""),
    ("InvisibleTimes", ""),
    ("NewLine", ""),
    ("NoBreak", ""),
    ("Tab", ""),
    ("gt", ">"),
    ("GT", ">"),
    ("Hat", "^"),
    ("lbrace", "{"),
    ("lbrack", "["),
    ("lcub", "{"),
    ("lowbar", "_"),
    ("lpar", "("),
    ("lsqb", "["),
    ("lt", "<"),
    ("LT", "<"),
    ("num", "#"),
    ("percnt", "%"),
    ("period", "."),
    ("plus", "+"),
    ("quest", "?"),
    ("quot", "\""),
    ("rcub", "}"),
    ("rpar", ")"),
    ("rsqb", "]"),
    ("semi", ";"),
    ("shy", ""),
    ("sol", "/"),
    ("verbar", "|"),
    ("zwj", ""),
    ("zwnj", ""),
    ("ZeroWidthSpace", ""),
];
const LONGEST_ENTITY: usize = 16;

/// Hands on the plain spelling of a text, batch by batch, so that a large one needs no memory of its own.
pub(super) fn read(text: &[u8], mut take: impl FnMut(&[Plain])) {
    let kept = LONGEST_ESCAPE.max(LONGEST_ENTITY + 2);
    let mut tail: Vec<Plain> = Vec::with_capacity(BATCH + kept + 4);
    for (at, byte) in text.iter().enumerate() {
        let (byte, from, to) = (*byte, at, at + 1);
        tail.push(Plain { byte, from, to });
        while undo(&mut tail) {}
        if tail.len() >= BATCH + kept {
            take(&tail[..BATCH]);
            tail.drain(..BATCH);
        }
    }
    take(&tail);
}

/// The plain spelling of a text, such as a part of a URL.
pub fn plain(text: &str) -> String {
    String::from_utf8_lossy(&spelling(text)).into_owned()
}

pub(super) fn spelling(text: &str) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    read(text.as_bytes(), |batch| {
        plain.extend(batch.iter().map(|plain| plain.byte))
    });
    plain
}

/// Undoes the escape with which the text ends, if it does. What comes of that may end another one.
fn undo(tail: &mut Vec<Plain>) -> bool {
    let Some(last) = tail.last() else {
        return false;
    };
    let before = |back: usize| tail.len().checked_sub(back + 1).map(|at| tail[at].byte);
    match last.byte {
        byte if byte < 0x20 || byte == 0x7f => {
            tail.pop();
            false
        }
        b'}' => undo_braces(tail),
        byte @ (b'/' | b'"' | b'\\' | b'\'') if before(1) == Some(b'\\') => {
            replace(tail, 2, &[byte])
        }
        b'b' | b'f' | b'n' | b'r' | b't' if before(1) == Some(b'\\') => replace(tail, 2, &[]),
        byte if byte.is_ascii_hexdigit() => undo_number(tail) || undo_open_entity(tail),
        b';' => undo_entity(tail),
        0x80..=0xbf => undo_mark(tail),
        _ => undo_open_entity(tail),
    }
}

/// `%2f`, `\x2f`, `\057`, `\u002f`, `%u002f`, `\U0000002f`; two of `\u` and `%u` where it takes two.
fn undo_number(tail: &mut Vec<Plain>) -> bool {
    let ends = |back: usize, head: [u8; 2]| {
        let start = tail.len().checked_sub(back);
        start.is_some_and(|start| tail[start].byte == head[0] && tail[start + 1].byte == head[1])
    };
    if tail.len() >= 3 && tail[tail.len() - 3].byte == b'%' {
        return number(tail, 2).is_some_and(|byte| replace(tail, 3, &[byte as u8]));
    }
    if ends(4, *b"\\x") {
        return number(tail, 2).is_some_and(|byte| replace(tail, 4, &[byte as u8]));
    }
    if ends(10, *b"\\U") {
        let code = number(tail, 8).and_then(char::from_u32);
        return code.is_some_and(|c| replace_by(tail, 10, c));
    }
    if let [
        ..,
        b'\\',
        high @ b'0'..=b'3',
        middle @ b'0'..=b'7',
        low @ b'0'..=b'7',
    ] = last(tail)
    {
        let byte = (high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0');
        return replace(tail, 4, &[byte]);
    }
    if !ends(6, *b"\\u") && !ends(6, *b"%u") {
        return false;
    }
    let Some(unit) = number(tail, 4) else {
        return false;
    };
    let first = tail.len() - 6;
    let pair = (0xdc00..0xe000)
        .contains(&unit)
        .then(|| number(&tail[..first], 4))
        .flatten();
    let (length, code) = match pair {
        Some(high) if (0xd800..0xdc00).contains(&high) && first >= 6 => {
            (12, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00))
        }
        _ => (6, unit),
    };
    char::from_u32(code).is_some_and(|c| replace_by(tail, length, c))
}

/// The last four bytes.
fn last(tail: &[Plain]) -> [u8; 4] {
    let mut bytes = [0; 4];
    for (byte, plain) in bytes.iter_mut().rev().zip(tail.iter().rev()) {
        *byte = plain.byte;
    }
    bytes
}

/// `\u{2f}`.
fn undo_braces(tail: &mut Vec<Plain>) -> bool {
    let inner = tail.len() - 1;
    let digits = tail[..inner].iter().rev().take(6);
    let count = digits
        .take_while(|plain| plain.byte.is_ascii_hexdigit())
        .count();
    let head = &tail[..inner - count];
    let is_escape = head.len() >= 3
        && head[head.len() - 3..]
            .iter()
            .map(|plain| plain.byte)
            .eq(*b"\\u{");
    let code = number(&tail[..inner], count).filter(|_| is_escape && count > 0);
    let code = code.and_then(char::from_u32);
    code.is_some_and(|c| replace_by(tail, count + 4, c))
}

/// `&#47` without its semicolon, now that the byte behind it is no digit.
fn undo_open_entity(tail: &mut Vec<Plain>) -> bool {
    let Some((behind, before)) = tail.split_last() else {
        return false;
    };
    let count = |is_digit: fn(&u8) -> bool| {
        let digits = before.iter().rev().map(|plain| plain.byte).take(7);
        digits.take_while(is_digit).count()
    };
    let opens = |count: usize, head: &[u8]| {
        let start = before.len().checked_sub(count + head.len());
        start.filter(|start| {
            let found = before[*start..before.len() - count].iter();
            count > 0 && found.map(|plain| plain.byte).eq(head.iter().copied())
        })
    };
    let (decimal, hex) = (count(u8::is_ascii_digit), count(u8::is_ascii_hexdigit));
    let (start, code) = if let Some(start) = opens(decimal, b"&#") {
        if behind.byte.is_ascii_digit() {
            return false;
        }
        let digits = before[before.len() - decimal..].iter();
        (
            start,
            digits.fold(0, |code, digit| code * 10 + u32::from(digit.byte - b'0')),
        )
    } else if let Some(start) = opens(hex, b"&#x").or_else(|| opens(hex, b"&#X")) {
        if behind.byte.is_ascii_hexdigit() {
            return false;
        }
        (start, number(before, hex).unwrap_or(0))
    } else {
        return false;
    };
    let Some(c) = char::from_u32(code) else {
        return false;
    };
    let behind = *behind;
    tail.pop();
    let length = tail.len() - start;
    replace_by(tail, length, c);
    tail.push(behind);
    true
}

/// The number that the last so many hexadecimal digits write.
fn number(tail: &[Plain], digits: usize) -> Option<u32> {
    let digits = &tail[tail.len().checked_sub(digits)?..];
    digits.iter().try_fold(0, |number, digit| {
        Some(number * 16 + char::from(digit.byte).to_digit(16)?)
    })
}

/// `&sol;`, `&#47;`, `&#x2f;`.
fn undo_entity(tail: &mut Vec<Plain>) -> bool {
    let inner = tail.len() - 1;
    let longest = &tail[inner.saturating_sub(LONGEST_ENTITY)..inner];
    let Some(back) = longest.iter().rev().position(|plain| plain.byte == b'&') else {
        return false;
    };
    let name: Vec<u8> = tail[inner - back..inner]
        .iter()
        .map(|plain| plain.byte)
        .collect();
    let Ok(name) = String::from_utf8(name) else {
        return false;
    };
    let length = back + 2;
    let Some(number) = name.strip_prefix('#') else {
        let known = ENTITIES.iter().find(|(known, _)| *known == name);
        return known.is_some_and(|(_, text)| replace(tail, length, text.as_bytes()));
    };
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    let c = code.ok().and_then(char::from_u32);
    c.is_some_and(|c| replace_by(tail, length, c))
}

/// Drops a character that cannot be seen, now that its last byte is there.
fn undo_mark(tail: &mut Vec<Plain>) -> bool {
    for length in 2..=tail.len().min(4) {
        let bytes: Vec<u8> = tail[tail.len() - length..]
            .iter()
            .map(|plain| plain.byte)
            .collect();
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        if text.chars().any(is_unseen) {
            tail.truncate(tail.len() - length);
        }
        return false;
    }
    false
}

/// Variations of the character before, which need not have any, are among them.
fn is_unseen(c: char) -> bool {
    is_control(c)
        || is_hidden_mark(c)
        || matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
        // Blanks that are not the blank, and marks of music.
        || matches!(c, '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{2800}' | '\u{3000}' | '\u{1d173}'..='\u{1d17a}')
}

fn replace_by(tail: &mut Vec<Plain>, length: usize, c: char) -> bool {
    if is_unseen(c) {
        return replace(tail, length, &[]);
    }
    replace(tail, length, c.encode_utf8(&mut [0; 4]).as_bytes())
}

/// Puts what an escape stands for in its place.
fn replace(tail: &mut Vec<Plain>, length: usize, bytes: &[u8]) -> bool {
    let start = tail.len() - length;
    let (from, to) = (tail[start].from, tail[tail.len() - 1].to);
    tail.truncate(start);
    tail.extend(bytes.iter().map(|byte| Plain {
        byte: *byte,
        from,
        to,
    }));
    !bytes.is_empty()
}

#[cfg(test)]
mod tests;
