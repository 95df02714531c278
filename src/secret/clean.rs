//! Text that came from elsewhere made safe to print.

/// Text from a server, made safe for a terminal or a pipe: control characters become spaces,
/// marks that reorder or hide text are dropped, runs of white space shrink to one.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text) {
        if c == ' ' && (out.is_empty() || out.ends_with(' ')) {
            continue;
        }
        out.push(c);
    }
    out.truncate(out.trim_end_matches(' ').len());
    out
}

/// Text of several lines, made safe in the same way; its lines and its spaces stay.
pub fn clean_lines(text: &str) -> String {
    text.split_inclusive('\n')
        .flat_map(|line| {
            let (line, end) = match line.strip_suffix('\n') {
                Some(line) => (line, "\n"),
                None => (line, ""),
            };
            visible(line).chain(end.chars())
        })
        .collect()
}

/// JSON text in which nothing can drive a terminal either: what [`clean`] would change is written as `\uXXXX`.
///
/// JSON has such characters only inside strings, where the escape means the same.
pub fn escape_json(json: String) -> String {
    // The writer has escaped what is below U+0020; most JSON is plain ASCII.
    if json.bytes().all(|byte| byte.is_ascii() && byte != 0x7f) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        let is_layout = c == '\n';
        if !is_layout && (is_control(c) || is_hidden_mark(c)) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

fn visible(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(|c| !is_hidden_mark(*c))
        .map(|c| if is_control(c) { ' ' } else { c })
}

/// C0, DEL and C1, and the two separators that some programs take for line ends.
pub(super) fn is_control(c: char) -> bool {
    c.is_control() || c == '\u{2028}' || c == '\u{2029}'
}

/// Marks that change the direction of the text around them (Unicode UAX 9), and invisible ones.
pub(super) fn is_hidden_mark(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests;
