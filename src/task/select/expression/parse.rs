//! From tokens to a tree.
//!
//! ```text
//! any     := all ( "|" all )*
//! all     := one ( "&" one )*
//! one     := "!" one | "(" any ")" | field operator value | field "in" "[" values "]"
//! ```

use std::ops::Range;

use globset::GlobBuilder;

use super::compare::{Order, Test};
use super::tokens::{Placed, Sign, Token, tokens};
use super::{Comparison, DEEPEST, LONGEST, Node};
use crate::diagnose::{Problem, SourceText};

type Result<T> = std::result::Result<T, Box<Problem>>;

/// Reads a whole text.
pub fn parse(source: &SourceText) -> Result<Node> {
    if source.text.len() > LONGEST {
        let message = format!("a filter is at most {LONGEST} bytes long");
        return Err(Box::new(Problem::new(message)));
    }
    let tokens = tokens(&source.text).map_err(|(span, why)| {
        let spot = source.spot(span, why);
        Box::new(Problem::new("this is not a filter").at(spot))
    })?;
    let mut parser = Parser {
        source,
        tokens: &tokens,
        depth: 0,
    };
    let node = parser.any()?;
    match parser.tokens.first() {
        None => Ok(node),
        Some((Token::Sign(Sign::Close), _)) => Err(parser.wrong("nothing is open here")),
        Some(_) => Err(parser.wrong("`&` or `|` comes here")),
    }
}

struct Parser<'a> {
    source: &'a SourceText,
    /// Those that are still to be read.
    tokens: &'a [Placed],
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Node> {
        let mut nodes = vec![self.all()?];
        while self.has(Sign::Or) {
            nodes.push(self.all()?);
        }
        Ok(several(nodes, Node::Any, |node| match node {
            Node::Any(nodes) => nodes,
            other => vec![other],
        }))
    }

    fn all(&mut self) -> Result<Node> {
        let mut nodes = vec![self.one()?];
        while self.has(Sign::And) {
            nodes.push(self.one()?);
        }
        Ok(several(nodes, Node::All, |node| match node {
            Node::All(nodes) => nodes,
            other => vec![other],
        }))
    }

    fn one(&mut self) -> Result<Node> {
        if self.depth > DEEPEST {
            return Err(self.wrong(&format!("at most {DEEPEST} levels")));
        }
        self.depth += 1;
        let node = match self.tokens.first() {
            Some((Token::Sign(Sign::Not), _)) => {
                self.step();
                Node::Not(Box::new(self.one()?))
            }
            Some((Token::Sign(Sign::Open), open)) => {
                self.step();
                let node = self.any()?;
                if !self.has(Sign::Close) {
                    let label = match self.tokens.is_empty() {
                        true => return Err(self.at(open.clone(), "this is not closed")),
                        false => "`&`, `|` or `)` comes here",
                    };
                    return Err(self.wrong(label));
                }
                node
            }
            Some((Token::Word(field), span)) => {
                self.step();
                let test = self.test(field)?;
                Node::Is(Comparison {
                    field: field.clone(),
                    span: span.clone(),
                    test,
                })
            }
            Some((Token::Text(_), _)) => {
                return Err(self.wrong("the name of a field comes here, without quotes"));
            }
            _ => return Err(self.wrong("a comparison comes here, such as repo = \"owner/name\"")),
        };
        self.depth -= 1;
        Ok(node)
    }

    /// What follows the name of a field.
    fn test(&mut self, field: &str) -> Result<Test> {
        const OPERATORS: &str = "=, !=, <, <=, >, >=, ~ or in [\"a\", \"b\"] comes here";
        let sign = match self.tokens.first() {
            Some((Token::Sign(sign), _)) => *sign,
            Some((Token::Word(word), _)) if word == "in" => {
                self.step();
                return self.list();
            }
            Some(_) => return Err(self.wrong(OPERATORS)),
            None => {
                let message = format!("`{field}` is compared with nothing");
                return Err(self.end(&message, OPERATORS));
            }
        };
        let order = match sign {
            Sign::Equal | Sign::Differs | Sign::Like => None,
            Sign::Less => Some(Order::Less),
            Sign::AtMost => Some(Order::AtMost),
            Sign::More => Some(Order::More),
            Sign::AtLeast => Some(Order::AtLeast),
            _ => return Err(self.wrong(OPERATORS)),
        };
        self.step();
        let (value, span) = self.value()?;
        Ok(match (sign, order) {
            (_, Some(order)) => Test::Order(order, value),
            (Sign::Like, _) => {
                let glob = GlobBuilder::new(&value).build();
                let glob = glob.map_err(|error| self.at(span, &error.kind().to_string()))?;
                Test::Like(glob.compile_matcher())
            }
            (Sign::Differs, _) => Test::Differs(value),
            _ => Test::Equal(value),
        })
    }

    fn list(&mut self) -> Result<Test> {
        if !self.has(Sign::OpenList) {
            return Err(self.wrong("a list comes here, such as [\"a\", \"b\"]"));
        }
        let mut values = Vec::new();
        loop {
            if self.has(Sign::CloseList) {
                return Ok(Test::In(values));
            }
            values.push(self.value()?.0);
            if !self.has(Sign::Comma) && !self.is(Sign::CloseList) {
                return Err(self.wrong("`,` or `]` comes here"));
            }
        }
    }

    fn value(&mut self) -> Result<(String, Range<usize>)> {
        match self.tokens.first() {
            Some((Token::Word(text) | Token::Text(text), span)) => {
                self.step();
                Ok((text.clone(), span.clone()))
            }
            _ => Err(self.wrong("a value comes here: a word, or a text in quotes")),
        }
    }

    fn is(&self, sign: Sign) -> bool {
        matches!(self.tokens.first(), Some((Token::Sign(next), _)) if *next == sign)
    }

    /// Goes past a sign if it comes next.
    fn has(&mut self, sign: Sign) -> bool {
        let is = self.is(sign);
        if is {
            self.step();
        }
        is
    }

    fn step(&mut self) {
        self.tokens = self.tokens.get(1..).unwrap_or_default();
    }

    /// The next token is wrong; `label` says what would be right.
    fn wrong(&self, label: &str) -> Box<Problem> {
        match self.tokens.first() {
            Some((_, span)) => self.at(span.clone(), label),
            None => self.end("the filter ends too early", label),
        }
    }

    fn at(&self, span: Range<usize>, label: &str) -> Box<Problem> {
        Box::new(Problem::new("this is not a filter").at(self.source.spot(span, label)))
    }

    fn end(&self, message: &str, label: &str) -> Box<Problem> {
        let end = self.source.text.trim_end().len();
        let spot = self.source.spot(end..end + 1, label);
        Box::new(Problem::new(message).at(spot))
    }
}

/// One node as it is, more of them as one: what is of the same kind is taken apart.
fn several(
    mut nodes: Vec<Node>,
    whole: fn(Vec<Node>) -> Node,
    apart: fn(Node) -> Vec<Node>,
) -> Node {
    match nodes.pop() {
        Some(node) if nodes.is_empty() => node,
        last => whole(nodes.into_iter().chain(last).flat_map(apart).collect()),
    }
}
