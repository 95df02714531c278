//! Which account a key or a resource is of, without asking.

/// What keys the journal: the account of a key whose id tells it, else the text itself.
///
/// An access key's id has the number of its account in it, so that the keys of one session after another, which differ,
/// lead to the same tasks. AWS does not promise that: where it does not hold, an account is a key.
pub(super) fn of_key(text: &str) -> String {
    let encoded = match text.split_at_checked(4) {
        Some(("AKIA" | "ASIA", rest)) if rest.len() == 16 => rest,
        _ => return text.to_owned(),
    };
    // Base32; the first ten characters are 50 bits: one of no meaning, 40 of the account, and nine of the key.
    let bits = encoded.bytes().take(10).try_fold(0u64, |bits, byte| {
        let five = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        Some(bits << 5 | u64::from(five))
    });
    match bits {
        Some(bits) => format!("{:012}", bits >> 9 & 0xff_ffff_ffff),
        None => text.to_owned(),
    }
}

/// The number in an ARN (`arn:PARTITION:SERVICE:REGION:NUMBER:…`).
pub(super) fn of_arn(arn: &str) -> Option<&str> {
    let number = arn.split(':').nth(4)?;
    let is_number = number.len() == 12 && number.bytes().all(|byte| byte.is_ascii_digit());
    Some(number).filter(|_| is_number)
}

#[cfg(test)]
mod tests;
