//! The strings of a JSON reply, cut while it is read: what is shown of one is far shorter, and every step after this would
//! hold another copy of it.

/// Cuts long strings. Whatever the pieces in which it gets the text: escapes and characters stay whole.
pub(super) struct Words {
    /// Bytes of a string that are kept, give or take a character.
    longest: usize,
    is_json: Option<bool>,
    /// Bytes of the string until here; `None` outside of strings.
    string: Option<usize>,
    escape: Escape,
    is_cutting: bool,
}

/// Where in an escape the text is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    None,
    /// Behind the backslash.
    Begun,
    /// Behind so many digits of `\uXXXX`, which say this.
    Digits(u8, u16),
    /// Behind the first half of a character of two: the other must follow.
    Half,
    /// In the second half.
    Rest(u8),
}

impl Words {
    pub(super) fn new(longest: usize) -> Self {
        Words {
            longest,
            is_json: None,
            string: None,
            escape: Escape::None,
            is_cutting: false,
        }
    }

    /// Appends what is kept of the next piece of the text.
    pub(super) fn push(&mut self, piece: &[u8], kept: &mut Vec<u8>) {
        kept.reserve(piece.len());
        for byte in piece {
            if self.is_json.is_none() && !byte.is_ascii_whitespace() {
                self.is_json = Some(matches!(byte, b'{' | b'['));
            }
            if self.is_json != Some(true) || self.keeps(*byte) {
                kept.push(*byte);
            }
        }
    }

    fn keeps(&mut self, byte: u8) -> bool {
        let Some(length) = self.string else {
            if byte == b'"' {
                (self.string, self.is_cutting) = (Some(0), false);
            }
            return true;
        };
        if self.escape == Escape::None && byte == b'"' {
            self.string = None;
            return true;
        }
        // Once it is cut it stays so, to its end.
        let begins = self.escape == Escape::None && byte & 0xc0 != 0x80;
        self.is_cutting |= begins && length >= self.longest;
        self.string = Some(length + 1);
        self.escape = self.escape.behind(byte);
        !self.is_cutting
    }
}

impl Escape {
    fn behind(self, byte: u8) -> Self {
        let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u16;
        match (self, byte) {
            (Escape::None, b'\\') => Escape::Begun,
            (Escape::Begun, b'u') => Escape::Digits(0, 0),
            (Escape::Digits(3, code), _) => match (code << 4) | digit(byte) {
                0xd800..=0xdbff => Escape::Half,
                _ => Escape::None,
            },
            (Escape::Digits(count, code), _) => {
                Escape::Digits(count + 1, (code << 4) | digit(byte))
            }
            (Escape::Half, b'\\') => Escape::Rest(5),
            (Escape::Rest(left @ 2..), _) => Escape::Rest(left - 1),
            _ => Escape::None,
        }
    }
}

#[cfg(test)]
mod tests;
