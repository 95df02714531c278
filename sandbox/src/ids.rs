//! Ids as the clouds make and check them.

/// Random lower-case hex digits.
pub(crate) fn random_hex(digits: usize) -> String {
    use ring::rand::SecureRandom;
    let mut bytes = vec![0u8; digits.div_ceil(2)];
    // The system's random source does not fail after boot; zeros would still be a valid id.
    let _ = ring::rand::SystemRandom::new().fill(&mut bytes);
    let mut hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    hex.truncate(digits);
    hex
}

/// A random UUID (version 4).
pub(crate) fn random_uuid() -> String {
    let hex = random_hex(30);
    let variant = ["8", "9", "a", "b"][usize::from(hex.as_bytes()[0] % 4)];
    format!(
        "{}-{}-4{}-{variant}{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..15],
        &hex[15..18],
        &hex[18..30]
    )
}

/// Whether the text is a UUID: 36 characters, hex digits but for four hyphens.
pub(crate) fn is_uuid(text: &str) -> bool {
    let is_good = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(is_good)
}

#[cfg(test)]
mod tests;
