//! How a problem looks. The only place that knows the crate that draws it.

use std::ops::Range;

use codespan_reporting::diagnostic::{Diagnostic, Label};
use codespan_reporting::files::{Error, Files, SimpleFiles};
use codespan_reporting::term::termcolor::{Ansi, NoColor, WriteColor};
use codespan_reporting::term::{self, Config, StylesWriter};

use super::{Problem, Spot, printable};

/// One line of a file, at the place where it stands in it.
struct OneLine<'a>(&'a Spot);

impl<'a> Files<'a> for OneLine<'_> {
    type FileId = ();
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, (): ()) -> Result<&'a str, Error> {
        Ok(&self.0.file)
    }

    fn source(&'a self, (): ()) -> Result<&'a str, Error> {
        Ok(&self.0.excerpt)
    }

    fn line_index(&'a self, (): (), _: usize) -> Result<usize, Error> {
        Ok(0)
    }

    fn line_number(&'a self, (): (), _: usize) -> Result<usize, Error> {
        Ok(self.0.line)
    }

    fn column_number(&'a self, (): (), _: usize, _: usize) -> Result<usize, Error> {
        Ok(self.0.column)
    }

    fn line_range(&'a self, (): (), _: usize) -> Result<Range<usize>, Error> {
        Ok(0..self.0.excerpt.len())
    }
}

/// A block of lines that ends with a newline.
pub fn problem(problem: &Problem, colour: bool) -> String {
    let drawn = if colour {
        let mut out = Ansi::new(Vec::new());
        draw(problem, &mut out).map(|()| out.into_inner())
    } else {
        let mut out = NoColor::new(Vec::new());
        draw(problem, &mut out).map(|()| out.into_inner())
    };
    let mut text = match drawn {
        Ok(bytes) => String::from_utf8_lossy(&bytes).trim_end().to_string(),
        // Drawing into memory fails for no reason that a user can do anything
        // about; the message itself is what matters.
        Err(_) => format!("error: {}", printable(&problem.message)),
    };
    text.push('\n');
    if problem.spot.is_none() {
        for note in &problem.notes {
            text.push_str(&format!("  {}\n", printable(note)));
        }
    }
    text
}

fn draw(problem: &Problem, out: &mut impl WriteColor) -> Result<(), Error> {
    let message = printable(&problem.message);
    let config = Config::default();
    let styles = term::Styles::default();
    let mut out = StylesWriter::new(out, &styles);
    let Some(spot) = &problem.spot else {
        let no_files = SimpleFiles::<&str, &str>::new();
        let diagnostic = Diagnostic::error().with_message(message);
        return term::emit_to_write_style(&mut out, &config, &no_files, &diagnostic);
    };
    let label = Label::primary((), spot.marked.clone()).with_message(&spot.label);
    let diagnostic = Diagnostic::error()
        .with_message(message)
        .with_label(label)
        .with_notes(problem.notes.iter().map(|note| printable(note)).collect());
    term::emit_to_write_style(&mut out, &config, &OneLine(spot), &diagnostic)
}
