//! A table in the room that there is: columns move closer, then the least
//! important ones are left out.
//!
//! Owns alignment and what gives way. Must not know what is in a column.

use super::style::Style;
use super::text::{left, right, width};

/// The width that is enough for a table: a wider one moves closer together first,
/// however wide the terminal is.
const ENOUGH: usize = 100;

/// One column: its head, its cells, how they are aligned.
#[derive(Debug)]
pub(super) struct Column {
    head: &'static str,
    cells: Vec<String>,
    to_left: bool,
    /// None: it is always shown. The highest is left out first.
    spare: Option<u8>,
}

impl Column {
    pub fn of(head: &'static str, cells: Vec<String>) -> Self {
        Self {
            head,
            cells,
            to_left: false,
            spare: None,
        }
    }

    pub fn aligned_left(self) -> Self {
        Self {
            to_left: true,
            ..self
        }
    }

    /// It may be left out, columns of a higher number before it.
    pub fn spare(self, order: u8) -> Self {
        Self {
            spare: Some(order),
            ..self
        }
    }

    pub fn head(&self) -> &'static str {
        self.head
    }

    /// The head in one line, or in two where it has several words.
    fn heads(&self, stacked: bool) -> [&'static str; 2] {
        match self.head.rsplit_once(' ') {
            Some((first, last)) if stacked => [first, last],
            _ => ["", self.head],
        }
    }

    fn width(&self, stacked: bool) -> usize {
        let heads = self.heads(stacked);
        let texts = heads
            .into_iter()
            .chain(self.cells.iter().map(String::as_str));
        texts.map(width).max().unwrap_or(0)
    }

    fn align(&self, text: &str, form: Form) -> String {
        let columns = self.width(form.stacked);
        match self.to_left {
            true => format!("  {}", left(text, columns)),
            false => format!("{}{}", " ".repeat(form.gap), right(text, columns)),
        }
    }

    fn takes(&self, form: Form) -> usize {
        let gap = if self.to_left { 2 } else { form.gap };
        gap + self.width(form.stacked)
    }
}

/// How close columns stand.
#[derive(Debug, Clone, Copy)]
struct Form {
    gap: usize,
    /// Heads of several words take two lines.
    stacked: bool,
}

const FORMS: [Form; 3] = [
    Form {
        gap: 3,
        stacked: false,
    },
    Form {
        gap: 2,
        stacked: false,
    },
    Form {
        gap: 2,
        stacked: true,
    },
];

/// A table as it was laid out.
#[derive(Debug)]
pub(super) struct Grid {
    /// Head and rows, a line each.
    pub lines: Vec<String>,
    /// Heads of the columns for which there was no room.
    pub left_out: Vec<&'static str>,
    /// Columns of the names in front of the rows, gaps included.
    pub indent: usize,
}

impl Grid {
    /// Rows begin with their names.
    pub fn of(names: &[String], mut columns: Vec<Column>, room: usize, style: Style) -> Self {
        let widest = names.iter().map(|name| width(name)).max().unwrap_or(0);
        let indent = 1 + widest.min((room / 3).max(12)) + 1;
        let mut left_out = Vec::new();
        loop {
            let takes = |form: &Form| {
                let columns = columns.iter().map(|column| column.takes(*form));
                indent + columns.sum::<usize>()
            };
            let fits = |most: usize| FORMS.into_iter().find(|form| takes(form) <= most);
            if let Some(form) = fits(room.min(ENOUGH)).or_else(|| fits(room)) {
                return Self::laid(names, &columns, form, indent, left_out, style);
            }
            let spare = (0..columns.len()).filter(|at| columns[*at].spare.is_some());
            match spare.max_by_key(|at| columns[*at].spare) {
                Some(at) => left_out.push(columns.remove(at).head),
                None => return Self::laid(names, &columns, FORMS[2], indent, left_out, style),
            }
        }
    }

    fn laid(
        names: &[String],
        columns: &[Column],
        form: Form,
        indent: usize,
        left_out: Vec<&'static str>,
        style: Style,
    ) -> Self {
        let mut lines = Vec::new();
        for line in 0..2 {
            let cells = columns.iter();
            let head: String = cells
                .map(|column| column.align(column.heads(form.stacked)[line], form))
                .collect();
            if !head.trim().is_empty() {
                lines.push(format!(
                    "{}{}",
                    " ".repeat(indent),
                    style.bold(head.trim_end())
                ));
            }
        }
        for (row, name) in names.iter().enumerate() {
            let cells = columns.iter();
            let cells: String = cells
                .map(|column| column.align(&column.cells[row], form))
                .collect();
            let name = left(name, indent - 2);
            lines.push(format!(" {name} {}", cells.trim_end()));
        }
        Self {
            lines,
            left_out,
            indent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(room: usize) -> String {
        let cells = |cell: &str| vec![cell.to_owned()];
        let columns = vec![
            Column::of("resolved", cells("41/60 68 %")).aligned_left(),
            Column::of("errors in calls", cells("1.2")).spare(2),
            Column::of("tokens", cells("31 k")).spare(1),
        ];
        let grid = Grid::of(&["loop · demo-1".into()], columns, room, Style::PLAIN);
        let mut lines = grid.lines;
        lines.push(format!("without {:?}", grid.left_out));
        lines.join("\n")
    }

    #[test]
    fn columns_move_closer_before_one_is_left_out() {
        insta::assert_snapshot!(text(80), @r"
                         resolved     errors in calls   tokens
         loop · demo-1   41/60 68 %               1.2     31 k
        without []
        ");
        insta::assert_snapshot!(text(49), @r"
                                     errors in
                         resolved        calls  tokens
         loop · demo-1   41/60 68 %        1.2    31 k
        without []
        ");
        insta::assert_snapshot!(text(40), @r#"
                         resolved     tokens
         loop · demo-1   41/60 68 %     31 k
        without ["errors in calls"]
        "#);
        insta::assert_snapshot!(text(20), @r#"
                        resolved
         loop · demo…   41/60 68 %
        without ["errors in calls", "tokens"]
        "#);
    }
}
