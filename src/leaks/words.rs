//! Bytes → shingles: the hash of each run of eight words, as the bytes go by.
//!
//! Owns what a word is. Must not know files: it takes any bytes, of text or not, so
//! that texts inside compiled files are seen as well.

/// Words of a shingle.
pub const WIDTH: usize = 8;

/// Different words without which a shingle says nothing (`0 0 0 0 0 0 0 1`).
const DIFFERENT: usize = 4;
/// Letters of all words of a shingle without which it says nothing (`a b c d …`).
const LETTERS: usize = 16;

/// Base of the polynomial over the words' hashes, any odd number without a pattern.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The base to the power of all words but one.
const TOP: u64 = {
    let (mut power, mut n) = (1u64, 1);
    while n < WIDTH {
        power = power.wrapping_mul(BASE);
        n += 1;
    }
    power
};

const WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let sign = byte as u8;
        table[byte] = sign.is_ascii_alphanumeric() || sign == b'_' || sign >= 0x80;
        byte += 1;
    }
    table
};

/// Words that go by, and the shingles that they make.
#[derive(Debug, Clone)]
pub struct Shingler {
    /// Hash and length of the last words; `next` is the oldest.
    window: [(u64, u32); WIDTH],
    next: usize,
    filled: usize,
    rolling: u64,
    word: u64,
    length: u32,
    /// Whether the byte before was a backslash.
    escaped: bool,
}

impl Default for Shingler {
    fn default() -> Self {
        Self {
            window: [(0, 0); WIDTH],
            next: 0,
            filled: 0,
            rolling: 0,
            word: OFFSET,
            length: 0,
            escaped: false,
        }
    }
}

impl Shingler {
    /// Takes bytes; each shingle that they complete is told, with itself for
    /// [`Self::says_something`].
    pub fn feed(&mut self, bytes: &[u8], mut told: impl FnMut(u64, &Self)) {
        for &byte in bytes {
            if WORD[usize::from(byte)] && !(self.escaped && matches!(byte, b'n' | b'r' | b't')) {
                self.word = (self.word ^ u64::from(byte)).wrapping_mul(PRIME);
                self.length += 1;
                self.escaped = false;
                continue;
            }
            // `\n` of a string is a line's end, however often it was escaped.
            self.escaped = byte == b'\\';
            if self.length > 0 {
                self.end_word(&mut told);
            }
        }
    }

    /// The end of a text: what comes next is another.
    pub fn end(&mut self, mut told: impl FnMut(u64, &Self)) {
        if self.length > 0 {
            self.end_word(&mut told);
        }
        *self = Self::default();
    }

    fn end_word(&mut self, told: &mut impl FnMut(u64, &Self)) {
        let hash = mixed(self.word);
        let (oldest, _) = self.window[self.next];
        self.window[self.next] = (hash, self.length);
        self.next = (self.next + 1) % WIDTH;
        let rest = self.rolling.wrapping_sub(oldest.wrapping_mul(TOP));
        self.rolling = rest.wrapping_mul(BASE).wrapping_add(hash);
        (self.word, self.length) = (OFFSET, 0);
        self.filled += 1;
        if self.filled >= WIDTH {
            told(mixed(self.rolling), self);
        }
    }

    /// Whether the last shingle has enough different words, and letters in them.
    pub fn says_something(&self) -> bool {
        let mut hashes = self.window.map(|(hash, _)| hash);
        hashes.sort_unstable();
        let different = 1 + hashes.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let letters: usize = self.window.iter().map(|(_, length)| *length as usize).sum();
        different >= DIFFERENT && letters >= LETTERS
    }
}

/// The shingles of a text that say something, each once, in their order.
pub fn telling(text: &[u8]) -> Vec<u64> {
    let mut seen = std::collections::HashSet::new();
    let mut found = Vec::new();
    let mut shingler = Shingler::default();
    let mut told = |hash, at: &Shingler| {
        if at.says_something() && seen.insert(hash) {
            found.push(hash);
        }
    };
    shingler.feed(text, &mut told);
    shingler.end(&mut told);
    found
}

/// Every bit depends on all others (the last steps of splitmix64).
fn mixed(mut hash: u64) -> u64 {
    hash ^= hash >> 30;
    hash = hash.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash ^= hash >> 27;
    hash = hash.wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CODE: &str = "def merge(spans):\n    out = []\n    for start, end in sorted(spans):\n        if out and start <= out[-1].end:\n            out[-1] = Span(out[-1].start, end)\n";

    #[test]
    fn form_makes_no_difference() {
        let plain = telling(CODE.as_bytes());
        assert!(plain.len() > 10);
        let added: String = CODE.lines().map(|line| format!("+{line}\r\n")).collect();
        let quoted = serde_json::to_string(CODE).unwrap();
        let twice = serde_json::to_string(&quoted).unwrap();
        for other in [added, quoted, twice, CODE.replace("    ", "\t")] {
            assert_eq!(telling(other.as_bytes()), plain, "{other}");
        }
        assert_ne!(telling(CODE.to_uppercase().as_bytes()), plain);
    }

    #[test]
    fn what_says_nothing_is_no_shingle() {
        assert!(telling(b"one two three four five six seven").is_empty());
        assert_eq!(telling(b"one two three four five six seven eight").len(), 1);
        assert!(telling(&b"0 ".repeat(100)).is_empty());
        assert!(telling(b"a b c d e f g h i j k l m n o p").is_empty());
    }

    #[test]
    fn a_text_inside_other_bytes_is_seen() {
        let mut file = vec![0, 1, 0xff, b'x', 0];
        file.extend_from_slice(CODE.as_bytes());
        file.extend_from_slice(&[0, 0xe3, 0]);
        let inside = telling(&file);
        assert!(
            telling(CODE.as_bytes())
                .iter()
                .all(|hash| inside.contains(hash))
        );
    }

    proptest! {
        #[test]
        fn pieces_give_what_the_whole_gives(
            text in proptest::collection::vec(prop::sample::select(b"ab_1 \\n\n\"x-".to_vec()), 0..300),
            size in 1usize..40,
        ) {
            let all = |size: usize| {
                let (mut found, mut shingler) = (Vec::new(), Shingler::default());
                for piece in text.chunks(size) {
                    shingler.feed(piece, |hash, _| found.push(hash));
                }
                shingler.end(|hash, _| found.push(hash));
                found
            };
            prop_assert_eq!(all(size), all(1000));
        }
    }
}
