//! Facts about filters.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;

fn fields(name: &str) -> Option<Value> {
    let text = |text: &str| Some(Value::Text(text.to_owned()));
    match name {
        "repo" => text("sympy/sympy"),
        "difficulty" => text("<15 min fix"),
        "created_at" => text("2022-03-03T15:14:54Z"),
        "version" => text("3.10"),
        "pass_to_pass" => Some(Value::Number(50.0)),
        "datasets" => Some(Value::List(vec![
            Value::Text("lite".to_owned()),
            Value::Text("verified".to_owned()),
        ])),
        _ => None,
    }
}

fn holds(text: &str) -> bool {
    match Expression::parse(text).and_then(|filter| filter.holds(&fields)) {
        Ok(holds) => holds,
        Err(error) => panic!("{}", error.render(false)),
    }
}

fn told(text: &str) -> String {
    match Expression::parse(text) {
        Ok(filter) => match filter.check(&["repo", "difficulty", "version"]) {
            Ok(()) => filter.holds(&fields).unwrap_err().render(false),
            Err(error) => error.render(false),
        },
        Err(error) => error.render(false),
    }
}

#[test]
fn comparisons_hold_as_they_say() {
    for text in [
        r#"repo = "sympy/sympy" & difficulty != ">4 hours""#,
        "repo = sympy/sympy",
        "repo == sympy/sympy && repo ~ 'sympy*'",
        "repo ~ *py",
        "repo ~ '{django,sympy}/*'",
        "repo in [django/django, \"sympy/sympy\",]",
        "!(repo = django/django) & !!repo=sympy/sympy",
        "repo = a | repo = b | repo = sympy/sympy",
        "repo = a & repo = b | repo = sympy/sympy",
        "created_at < 2023",
        "created_at >= 2022-03-03",
        "created_at > 2022-03-02T23:59:59Z",
        "version > 3.9",
        "version >= 3.10 & version <= 3.10 & version < 4",
        "pass_to_pass > 9 & pass_to_pass <= 50 & pass_to_pass = 50.0 & pass_to_pass ~ 5?",
        "datasets = lite & datasets != full & datasets ~ veri* & datasets in [x, verified]",
        "nothing != x",
    ] {
        assert!(holds(text), "{text}");
    }
    for text in [
        "nothing = x",
        "nothing < x",
        "nothing ~ *",
        "repo in []",
        "repo ~ sympy",
        "repo = a & (repo = b | repo = sympy/sympy)",
        "pass_to_pass = fifty",
        "version > 3.10",
        "datasets != lite",
    ] {
        assert!(!holds(text), "{text}");
    }
}

#[test]
fn fields_are_listed_once() {
    let filter = Expression::parse("b = 1 & (a = 2 | !b ~ 3)").unwrap();
    assert_eq!(filter.fields(), ["a", "b"]);
}

#[test]
fn globs_on_names_are_no_expression() {
    for text in [
        "repo/*",
        "a,b",
        "{x,glob}-star",
        "astropy__astropy-1[0-9]*",
        "[!a]*",
        "in[ab]",
        "",
        "\"a = b\"",
        "it's",
    ] {
        assert!(!Expression::looks_like_one(text), "{text}");
    }
    for text in [
        "repo = x",
        "repo=x",
        "a<3",
        "a ~ b",
        "a in [\"b\"]",
        "a | b",
        "a = 'b",
    ] {
        assert!(Expression::looks_like_one(text), "{text}");
    }
}

#[test]
fn an_error_shows_the_place() {
    assert_snapshot!(told("repo = \"sympy/sympy\" difficulty = x"), @r#"
    error: this is not a filter
      ┌─ --filter:1:22
      │
    1 │ repo = "sympy/sympy" difficulty = x
      │                      ^^^^^^^^^^ `&` or `|` comes here
    "#);
    assert_snapshot!(told("repo = "), @r"
    error: the filter ends too early
      ┌─ --filter:1:7
      │
    1 │ repo = 
      │       ^ a value comes here: a word, or a text in quotes
    ");
    assert_snapshot!(told("repo"), @r#"
    error: `repo` is compared with nothing
      ┌─ --filter:1:5
      │
    1 │ repo
      │     ^ =, !=, <, <=, >, >=, ~ or in ["a", "b"] comes here
    "#);
    assert_snapshot!(told("(repo = a & repo = b"), @r"
    error: this is not a filter
      ┌─ --filter:1:1
      │
    1 │ (repo = a & repo = b
      │ ^ this is not closed
    ");
    assert_snapshot!(told("repo = 'a"), @r"
    error: this is not a filter
      ┌─ --filter:1:8
      │
    1 │ repo = 'a
      │        ^ this quote is not closed
    ");
    assert_snapshot!(told("repo ~ '[a'"), @r"
    error: this is not a filter
      ┌─ --filter:1:8
      │
    1 │ repo ~ '[a'
      │        ^^^^ unclosed character class; missing ']'
    ");
}

#[test]
fn an_unknown_field_names_the_nearest() {
    assert_snapshot!(told("repo = a & (dificulty = b | colour = c)"), @r"
    error: there is no field `dificulty`
      ┌─ --filter:1:13
      │
    1 │ repo = a & (dificulty = b | colour = c)
      │             ^^^^^^^^^ did you mean `difficulty`?
    error: there is no field `colour`
      ┌─ --filter:1:29
      │
    1 │ repo = a & (dificulty = b | colour = c)
      │                             ^^^^^^ fields are repo, difficulty, version
    ");
}

#[test]
fn what_has_no_order_is_an_error_at_its_place() {
    let error = |text: &str| {
        let filter = Expression::parse(text).unwrap();
        filter.holds(&fields).unwrap_err().to_string()
    };
    assert_eq!(
        error("repo = sympy/sympy & datasets < 3"),
        "--filter:1:22: `datasets` cannot be compared so; it is a list, which has no order"
    );
    assert_eq!(
        error("pass_to_pass < many"),
        "--filter:1:1: `pass_to_pass` cannot be compared so; it is the number 50, and `many` is none"
    );
}

#[test]
fn depth_and_length_are_bounded() {
    assert!(Expression::parse(&format!("{}a = b", "!".repeat(100_000))).is_err());
    assert!(Expression::parse(&format!("{}a = b", "(".repeat(60_000))).is_err());
    let long = vec!["a = b"; 5_000].join(" | ");
    assert!(Expression::parse(&long).is_ok());
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9/._-]{1,6}", "\\PC{0,8}", "[\"'\\\\ =!&|a]{0,6}"]
}

fn node() -> impl Strategy<Value = Node> {
    let test = prop_oneof![
        value().prop_map(Test::Equal),
        value().prop_map(Test::Differs),
        value().prop_map(|text| Test::Order(compare::Order::AtMost, text)),
        value().prop_map(|text| Test::Order(compare::Order::More, text)),
        proptest::collection::vec(value(), 0..3).prop_map(Test::In),
        "[a-z*?]{0,5}"
            .prop_map(|glob| { Test::Like(globset::Glob::new(&glob).unwrap().compile_matcher()) }),
    ];
    let is = ("[a-z_]{1,6}", test).prop_map(|(field, test)| {
        Node::Is(Comparison {
            field,
            span: 0..0,
            test,
        })
    });
    is.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|node| Node::Not(Box::new(node))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Node::All),
            proptest::collection::vec(inner, 2..4).prop_map(Node::Any),
        ]
    })
}

/// As reading makes it: nothing of a kind directly in its like.
fn flat(node: Node) -> Node {
    let parts = |nodes: Vec<Node>, of: fn(Node) -> Vec<Node>| {
        let nodes = nodes.into_iter().map(flat);
        nodes.flat_map(of).collect()
    };
    match node {
        Node::All(nodes) => Node::All(parts(nodes, |node| match node {
            Node::All(nodes) => nodes,
            other => vec![other],
        })),
        Node::Any(nodes) => Node::Any(parts(nodes, |node| match node {
            Node::Any(nodes) => nodes,
            other => vec![other],
        })),
        Node::Not(node) => Node::Not(Box::new(flat(*node))),
        is => is,
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "\\PC{0,60}|[a-c =!<>~&|()\\[\\],\"'\\\\\n]{0,40}") {
        match Expression::parse(&text) {
            Ok(filter) => drop(filter.holds(&fields)),
            Err(error) => prop_assert!(error.render(false).starts_with("error: ")),
        }
        Expression::looks_like_one(&text);
    }

    #[test]
    fn what_is_printed_reads_back_as_it_was(node in node()) {
        let node = flat(node);
        let printed = node.to_string();
        let read = Expression::parse(&printed);
        let read = read.map_err(|error| TestCaseError::fail(error.render(false)))?;
        prop_assert_eq!(&read.node, &node, "{}", printed);
        prop_assert!(Expression::looks_like_one(&printed));
    }

    #[test]
    fn the_order_of_texts_is_one(texts in proptest::collection::vec("[0-9a.]{0,5}", 3)) {
        let filter = |order: &str, text: &str| {
            Expression::parse(&format!("a {order} \"{text}\"")).unwrap()
        };
        let less = |one: &str, other: &str| {
            filter("<", other).holds(&|_| Some(Value::Text(one.to_owned()))).unwrap()
        };
        let (a, b, c) = (&texts[0], &texts[1], &texts[2]);
        prop_assert!(!(less(a, b) && less(b, a)));
        prop_assert!(less(a, b) || less(b, a) || a == b);
        prop_assert!(!(less(a, b) && less(b, c)) || less(a, c));
    }
}
