//! From the text of a YAML file to a tree of nodes with places.
//!
//! Aliases and merge keys are resolved here, under bounds, so that nobody below
//! meets them. Must not know what any file means.

use std::collections::{HashMap, HashSet};
use std::ops::{AddAssign, Range};

use granit_parser::{Event, Parser, ScalarStyle, Tag, options};

use super::{Problem, SourceText};

/// Deepest node; aliases count as what they stand for.
const DEEPEST: usize = 64;
/// Most nodes, after aliases are resolved.
const MOST_NODES: usize = 100_000;
/// Most bytes of text in nodes, after aliases are resolved.
const MOST_BYTES: usize = 8 << 20;

/// A value and its place, bytes of the file.
#[derive(Debug, Clone)]
pub struct Node {
    pub span: Range<usize>,
    pub value: Value,
}

#[derive(Debug, Clone)]
pub enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A word, number or text; `null` too.
#[derive(Debug, Clone)]
pub struct Scalar {
    pub text: String,
    /// Written without quotes: its type is what it looks like.
    pub plain: bool,
}

/// A key and what it stands for.
#[derive(Debug, Clone)]
pub struct Entry {
    pub key: String,
    pub key_span: Range<usize>,
    pub node: Node,
}

impl Node {
    /// Whether this is an explicit or implied `null`.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_null())
    }
}

impl Scalar {
    pub fn is_null(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

/// The one document of a file.
pub fn parse(source: &SourceText) -> Result<Node, Box<Problem>> {
    let limits = options! {
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut tree = Tree::new(source);
    for event in Parser::new_from_str_with_options(&source.text, limits) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker().byte_offset().unwrap_or(source.text.len());
            let spot = source.spot(at..at + 1, error.kind().to_string());
            Box::new(Problem::new("this is not YAML that can be read").at(spot))
        })?;
        tree.take(event, span.byte_range().unwrap_or(0..0))?;
    }
    Ok(tree.root.unwrap_or(Node {
        span: 0..0,
        value: Value::Scalar(Scalar {
            text: String::new(),
            plain: true,
        }),
    }))
}

/// A finished node and what it weighs.
#[derive(Clone)]
struct Built {
    node: Node,
    /// Of all that it holds.
    weight: Weight,
    /// Of a scalar 1.
    depth: usize,
    /// Written as `<<` without quotes.
    merges: bool,
}

/// A list or map that is not finished.
struct Open {
    start: Range<usize>,
    anchor: usize,
    value: Value,
    /// Of a map: the key whose value comes next.
    key: Option<Key>,
    /// Values of `<<`.
    merged: Vec<Node>,
    weight: Weight,
    depth: usize,
}

/// What nodes cost.
#[derive(Clone, Copy, Default)]
struct Weight {
    nodes: usize,
    bytes: usize,
}

impl Weight {
    const ONE: Self = Self { nodes: 1, bytes: 0 };
}

impl AddAssign for Weight {
    fn add_assign(&mut self, other: Self) {
        self.nodes += other.nodes;
        self.bytes += other.bytes;
    }
}

struct Key {
    text: String,
    span: Range<usize>,
    merges: bool,
}

struct Tree<'a> {
    source: &'a SourceText,
    open: Vec<Open>,
    anchors: HashMap<usize, Built>,
    root: Option<Node>,
    documents: usize,
    /// Of everything that was made so far, copies for aliases included.
    weight: Weight,
}

impl<'a> Tree<'a> {
    fn new(source: &'a SourceText) -> Self {
        Self {
            source,
            open: Vec::new(),
            anchors: HashMap::new(),
            root: None,
            documents: 0,
            weight: Weight::default(),
        }
    }

    fn take(&mut self, event: Event<'_>, span: Range<usize>) -> Result<(), Box<Problem>> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(self.problem(span, "there is a second document", "one is read"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && self.is_typed(tag.as_deref(), &span)?;
                let merges = style == ScalarStyle::Plain && text == "<<";
                let text = text.into_owned();
                let weight = Weight {
                    nodes: 1,
                    bytes: text.len(),
                };
                let value = Value::Scalar(Scalar { text, plain });
                let built = Built {
                    node: Node { span, value },
                    weight,
                    depth: 1,
                    merges,
                };
                self.finish(built, anchor, weight)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.is_typed(tag.as_deref(), &span)?;
                self.begin(span, anchor, Value::List(Vec::new()))?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.is_typed(tag.as_deref(), &span)?;
                self.begin(span, anchor, Value::Map(Vec::new()))?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&span)?,
            Event::Alias(anchor) => {
                let Some(mut built) = self.anchors.get(&anchor).cloned() else {
                    return Err(self.problem(span, "this alias stands inside what it names", ""));
                };
                if matches!(built.node.value, Value::Scalar(_)) {
                    built.node.span = span;
                }
                let weight = built.weight;
                self.finish(built, 0, weight)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a tag leaves it to the value what type it has.
    fn is_typed(&self, tag: Option<&Tag>, span: &Range<usize>) -> Result<bool, Box<Problem>> {
        match tag {
            None => Ok(true),
            Some(tag) if tag.is_yaml_core_schema() => Ok(!tag.is_yaml_core_schema_tag("str")),
            Some(tag) => {
                let message = format!("the tag `{}` has no meaning here", tag.original());
                Err(self.problem(span.clone(), message, ""))
            }
        }
    }

    fn begin(
        &mut self,
        start: Range<usize>,
        anchor: usize,
        value: Value,
    ) -> Result<(), Box<Problem>> {
        if self.open.len() >= DEEPEST {
            return Err(self.too_deep(start));
        }
        self.open.push(Open {
            start,
            anchor,
            value,
            key: None,
            merged: Vec::new(),
            weight: Weight::ONE,
            depth: 1,
        });
        Ok(())
    }

    fn close(&mut self, end: &Range<usize>) -> Result<(), Box<Problem>> {
        let Some(mut open) = self.open.pop() else {
            return Ok(());
        };
        if let Value::Map(entries) = &mut open.value {
            merge(entries, std::mem::take(&mut open.merged))
                .map_err(|(span, message)| self.problem(span, message, ""))?;
        }
        let built = Built {
            node: Node {
                span: open.start.start..end.end.max(open.start.end),
                value: open.value,
            },
            weight: open.weight,
            depth: open.depth,
            merges: false,
        };
        self.finish(built, open.anchor, Weight::ONE)
    }

    /// Puts a finished node where it belongs; `new` is what of it was not counted
    /// before.
    fn finish(&mut self, built: Built, anchor: usize, new: Weight) -> Result<(), Box<Problem>> {
        self.weigh(&built, new)?;
        if anchor != 0 {
            self.weigh(&built, built.weight)?;
            self.anchors.insert(anchor, built.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(built.node);
            return Ok(());
        };
        open.weight += built.weight;
        open.depth = open.depth.max(built.depth + 1);
        match (&mut open.value, open.key.take()) {
            (Value::List(items), _) => items.push(built.node),
            (Value::Map(_), Some(key)) if key.merges => open.merged.push(built.node),
            (Value::Map(entries), Some(key)) => entries.push(Entry {
                key: key.text,
                key_span: key.span,
                node: built.node,
            }),
            (Value::Map(_), None) => {
                let span = built.node.span;
                let Value::Scalar(scalar) = built.node.value else {
                    return Err(self.problem(span, "a key must be a word", ""));
                };
                open.key = Some(Key {
                    text: scalar.text,
                    span,
                    merges: built.merges,
                });
            }
            (Value::Scalar(_), _) => {}
        }
        Ok(())
    }

    fn weigh(&mut self, built: &Built, new: Weight) -> Result<(), Box<Problem>> {
        self.weight += new;
        let at = || built.node.span.clone();
        if self.open.len() + built.depth > DEEPEST {
            return Err(self.too_deep(at()));
        }
        if self.weight.nodes > MOST_NODES || self.weight.bytes > MOST_BYTES {
            let message = "this file is too large, or grows too large by its aliases";
            let label = format!("at most {MOST_NODES} values");
            return Err(self.problem(at(), message, &label));
        }
        Ok(())
    }

    fn too_deep(&self, span: Range<usize>) -> Box<Problem> {
        let message = format!("this lies deeper than {DEEPEST} levels");
        self.problem(span, message, "")
    }

    fn problem(&self, span: Range<usize>, message: impl Into<String>, label: &str) -> Box<Problem> {
        Box::new(Problem::new(message).at(self.source.spot(span, label)))
    }
}

/// Adds what `<<` brings: what stands there itself goes first, then the earlier
/// of the merged maps. No key twice.
fn merge(entries: &mut Vec<Entry>, merged: Vec<Node>) -> Result<(), (Range<usize>, String)> {
    let mut keys: HashSet<String> = HashSet::with_capacity(entries.len());
    for entry in entries.iter() {
        if !keys.insert(entry.key.clone()) {
            let message = format!("`{}` stands twice in one place", entry.key);
            return Err((entry.key_span.clone(), message));
        }
    }
    for node in merged {
        let maps = match node.value {
            Value::List(maps) => maps,
            _ => vec![node],
        };
        for map in maps {
            let Value::Map(brought) = map.value else {
                return Err((map.span, "`<<` takes maps".to_string()));
            };
            entries.extend(
                brought
                    .into_iter()
                    .filter(|entry| keys.insert(entry.key.clone())),
            );
        }
    }
    Ok(())
}
