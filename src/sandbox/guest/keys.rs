//! Names of keys, as a terminal multiplexer has them, → what a terminal sends.
//!
//! Plain functions. Must not know when keys are typed.

/// What is sent for a word: that of the key which it names, else itself.
pub fn bytes_of(word: &str) -> Vec<u8> {
    named(word).unwrap_or_else(|| word.as_bytes().to_vec())
}

fn named(word: &str) -> Option<Vec<u8>> {
    if let Some(rest) = word.strip_prefix("M-") {
        let rest = named(rest).or_else(|| only_sign(rest))?;
        return Some([vec![0x1b], rest].concat());
    }
    let control = word.strip_prefix("C-").or_else(|| word.strip_prefix('^'));
    if let Some(sign) = control.filter(|sign| !sign.is_empty()) {
        return of_control(sign);
    }
    let sent: &[u8] = match word {
        "Enter" | "KPEnter" => b"\r",
        "Escape" => b"\x1b",
        "Space" => b" ",
        "Tab" => b"\t",
        "BTab" => b"\x1b[Z",
        "BSpace" => b"\x7f",
        "Up" => b"\x1b[A",
        "Down" => b"\x1b[B",
        "Right" => b"\x1b[C",
        "Left" => b"\x1b[D",
        "Home" => b"\x1b[1~",
        "IC" | "Insert" => b"\x1b[2~",
        "DC" | "Delete" => b"\x1b[3~",
        "End" => b"\x1b[4~",
        "PPage" | "PageUp" | "PgUp" => b"\x1b[5~",
        "NPage" | "PageDown" | "PgDn" => b"\x1b[6~",
        "F1" => b"\x1bOP",
        "F2" => b"\x1bOQ",
        "F3" => b"\x1bOR",
        "F4" => b"\x1bOS",
        "F5" => b"\x1b[15~",
        "F6" => b"\x1b[17~",
        "F7" => b"\x1b[18~",
        "F8" => b"\x1b[19~",
        "F9" => b"\x1b[20~",
        "F10" => b"\x1b[21~",
        "F11" => b"\x1b[23~",
        "F12" => b"\x1b[24~",
        _ => return None,
    };
    Some(sent.to_vec())
}

fn only_sign(word: &str) -> Option<Vec<u8>> {
    (word.chars().count() == 1).then(|| word.as_bytes().to_vec())
}

fn of_control(sign: &str) -> Option<Vec<u8>> {
    match sign {
        "Space" => return Some(vec![0]),
        "?" => return Some(vec![0x7f]),
        _ => {}
    }
    let [byte] = sign.as_bytes() else {
        return None;
    };
    let upper = byte.to_ascii_uppercase();
    (b'@'..=b'_').contains(&upper).then(|| vec![upper & 0x1f])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_key_and_everything_else_is_itself() {
        let of = |word: &str| bytes_of(word);
        assert_eq!(of("C-c"), [3]);
        assert_eq!(of("^D"), [4]);
        assert_eq!(of("C-["), [0x1b]);
        assert_eq!(of("M-x"), b"\x1bx");
        assert_eq!(of("M-Left"), b"\x1b\x1b[D");
        assert_eq!(of("Escape"), [0x1b]);
        assert_eq!(of("Enter"), b"\r");
        for plain in ["escape", "C-", "^", "C-xy", ":wq", "Enter Enter", "é", ""] {
            assert_eq!(of(plain), plain.as_bytes(), "{plain}");
        }
    }
}
