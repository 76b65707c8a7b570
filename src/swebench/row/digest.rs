//! The digest of a row: one number for all that an instance is.

use sha2::{Digest as _, Sha256};

use super::Row;
use crate::record::hex;

/// Begins what is hashed for a row.
const ROW: &[u8] = b"proofyard/row/1\n";
/// Begins what is hashed for a data set.
pub const DATA_SET: &[u8] = b"proofyard/rows/1\n";

impl Row {
    /// SHA-256 in hexadecimal over everything that decides what an instance asks, where
    /// it runs and how it is judged. Hashed are, after a first line that names this
    /// form, the fields in a fixed order: of a text its length in bytes, as 8 bytes
    /// little-endian, and the text; of a list its length likewise and its texts; of
    /// what may be absent as if it were empty.
    ///
    /// What only files an instance (`created_at`, `difficulty`, `split`, `datasets`,
    /// and fields that have no meaning here) takes no part, so that two files which
    /// hold the same instances in different forms have one digest.
    pub fn digest(&self) -> String {
        hex(&of_row(self))
    }
}

/// As [`Row::digest`], in bytes.
pub fn of_row(row: &Row) -> [u8; 32] {
    let mut hash = Fields(Sha256::new());
    hash.0.update(ROW);
    hash.text(&row.instance_id);
    hash.text(&row.repo);
    hash.optional(&row.base_commit);
    hash.text(&row.patch);
    hash.0.update([u8::from(row.reversed)]);
    hash.text(&row.test_patch);
    hash.text(&row.problem_statement);
    hash.optional(&row.hints_text);
    hash.optional(&row.version);
    hash.list(&row.fail_to_pass);
    hash.list(&row.pass_to_pass);
    hash.optional(&row.environment_setup_commit);
    hash.optional(&row.image);
    hash.optional(&row.eval_script);
    hash.optional(&row.log_parser);
    hash.optional(&row.eval_type);
    hash.list(&row.test_cmds);
    hash.list(&row.rebuild_cmds);
    hash.list(&row.print_cmds);
    hash.length(row.image_assets.len());
    for (field, assets) in &row.image_assets {
        hash.text(field);
        hash.length(assets.len());
        for asset in assets {
            hash.optional(&asset.path);
            hash.optional(&asset.url);
        }
    }
    hash.0.finalize().into()
}

struct Fields(Sha256);

impl Fields {
    fn length(&mut self, length: usize) {
        self.0.update((length as u64).to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.0.update(text);
    }

    fn optional(&mut self, text: &Option<String>) {
        self.text(text.as_deref().unwrap_or_default());
    }

    fn list(&mut self, texts: &[String]) {
        self.length(texts.len());
        for text in texts {
            self.text(text);
        }
    }
}
