//! Tools of a task's own: where they run, and what of them reaches the verdict.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::yard::{Yard, bash, call};

/// A till: `add` puts coins in, `total` says how many there are. The hidden check
/// wants 5 in it, and to have been told so.
fn till(yard: &Yard, rules: &str) -> PathBuf {
    // Not which calls were made, which is what the rules are for.
    let check = "python3 - <<'END'\nimport json, os, stat\n\
        coins = json.load(open('/tools/state.json'))\n\
        lines = [json.loads(line) for line in open('/verifier/calls.jsonl')]\n\
        told = [line['output'] for line in lines if line.get('tool') == 'add' and line['ok']]\n\
        kept = stat.S_IMODE(os.stat('/verifier/calls.jsonl').st_mode) == 0o444\n\
        right = kept and coins == 5 and told[-1:] == ['5\\n'] and lines[-1] == {'final': 'five'}\n\
        open('/logs/verifier/reward.txt', 'w').write(str(int(right)))\nEND";
    let tools = format!(
        "[tools]\nfiles = \"tools\"\n{rules}\n\
        [[tools.custom]]\nname = \"add\"\ndescription = \"Puts coins in.\"\nparameters = \"tools/add.json\"\ncommand = [\"python3\", \"/tools/till.py\", \"add\"]\n\
        [[tools.custom]]\nname = \"total\"\ndescription = \"Says how many there are.\"\nparameters = \"tools/total.json\"\ncommand = [\"python3\", \"/tools/till.py\", \"total\"]\n"
    );
    let task = yard.task("till", &tools, "true", check);
    yard.image(&task, "FROM proofyard/python");
    std::fs::remove_file(task.join("solution/solve.sh")).unwrap();
    let write = |name: &str, text: &str| {
        let path = task.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("tools/state.json", "0");
    write(
        "tools/till.py",
        "import json, sys\nasked = json.load(sys.stdin)\ncoins = json.load(open('/tools/state.json'))\n\
        if sys.argv[1] == 'add':\n    if asked['coins'] > 9:\n        sys.exit('the till takes 9 coins at most')\n\
        \x20   coins += asked['coins']\n    json.dump(coins, open('/tools/state.json', 'w'))\nprint(coins)\n",
    );
    let schema = |properties: Value, required: Value| {
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
            .to_string()
    };
    let coins = json!({"coins": {"type": "integer", "minimum": 1}});
    write("tools/add.json", &schema(coins, json!(["coins"])));
    write("tools/total.json", &schema(json!({}), json!([])));
    write(
        "solution/calls.jsonl",
        "{\"tool\":\"add\",\"arguments\":{\"coins\":5}}\n{\"tool\":\"total\"}\n{\"tool\":\"submit\",\"arguments\":{\"message\":\"five\"}}\n",
    );
    task
}

const RULES: &str = "require = [{ tool = \"add\", arguments = { coins = 5 } }]\nafter = [[\"add\", \"total\"]]\nforbid = [{ tool = \"bash\", command = \"*state.json*\" }]";

fn add(coins: Value) -> Value {
    call("add", json!({ "coins": coins }))
}

fn submit() -> Value {
    call("submit", json!({"message": "five"}))
}

#[test]
fn their_state_and_the_calls_reach_the_hidden_check() {
    for place in ["beside", "inside"] {
        let yard = Yard::new();
        let task = till(&yard, &format!("where = \"{place}\"\n{RULES}"));
        // With the reference run: the solution passes, and doing nothing does not.
        let (trials, code) = yard.run(&task, &["-a", "oracle", "-a", "nop"]);
        assert_eq!(code, Some(0));
        for trial in &trials {
            let oracle = trial["agent"]["name"] == "oracle";
            let expected = if oracle { "resolved" } else { "unresolved" };
            assert_eq!(trial["outcome"], expected, "{place}: {trial:#}");
            assert!(trial["error"].is_null());
        }
        let oracle = trials
            .iter()
            .find(|trial| trial["agent"]["name"] == "oracle")
            .unwrap();
        assert_eq!(
            (&oracle["clean"], &oracle["tool_use"]["score"]),
            (&json!(true), &json!(1.0))
        );
        let nop = trials
            .iter()
            .find(|trial| trial["agent"]["name"] == "nop")
            .unwrap();
        assert_eq!(nop["tool_use"]["score"], 0.0);
        assert_eq!(yard.left(), Vec::<String>::new());
    }
}

#[test]
fn the_agents_shell_cannot_reach_them() {
    let yard = Yard::new();
    let task = till(&yard, RULES);
    let calls = [
        add(json!(5)),
        call("total", json!({})),
        bash(
            "ls /tools 2>/dev/null; mkdir -p /tools /verifier; echo 99 > /tools/state.json; echo '{}' > /verifier/calls.jsonl; ls -A /tools",
        ),
        submit(),
    ];
    let script = yard.script("calls.jsonl", &calls);
    let trial = yard.one(&task, &script, &["--no-check"]);
    // What it laid there counts for nothing, and trying is not clean.
    assert_eq!(
        (&trial["outcome"], &trial["clean"]),
        (&json!("resolved"), &json!(false)),
        "{trial:#}"
    );
    assert_eq!(trial["verdict"]["flags"][0]["kind"], "forbidden_call");
    let seen = &yard.results(&trial)[2];
    assert_eq!(
        seen.output.as_deref().unwrap().lines().next_back(),
        Some("state.json")
    );
}

#[test]
fn what_the_task_asks_of_calls_decides_with_the_check() {
    let yard = Yard::new();
    let task = till(&yard, RULES);
    for (calls, outcome, reason) in [
        (
            vec![add(json!(5)), call("total", json!({})), submit()],
            "resolved",
            Value::Null,
        ),
        // The state is right in both: only the rules see the difference.
        (
            vec![add(json!(2)), add(json!(3)), submit()],
            "unresolved",
            json!("required_call_missing"),
        ),
        (
            vec![call("total", json!({})), add(json!(5)), submit()],
            "unresolved",
            json!("call_order"),
        ),
    ] {
        let script = yard.script("calls.jsonl", &calls);
        let trial = yard.one(&task, &script, &["--no-check"]);
        assert_eq!(trial["outcome"], outcome, "{trial:#}");
        assert_eq!(
            (&trial["reward"], &trial["verdict"]["reason"]),
            (&json!(1.0), &reason),
            "{trial:#}"
        );
    }
}

#[test]
fn wrong_arguments_never_reach_the_program_and_its_refusal_is_told() {
    let yard = Yard::new();
    let task = till(&yard, RULES);
    let calls = [
        add(json!("five")),
        add(json!(50)),
        add(json!(5)),
        call("total", json!({"all": 1})),
        submit(),
    ];
    let script = yard.script("calls.jsonl", &calls);
    let trial = yard.one(&task, &script, &["--no-check"]);
    let errors: Vec<String> = yard
        .results(&trial)
        .into_iter()
        .filter_map(|result| result.error)
        .collect();
    assert!(
        errors[0].contains("not of type \"integer\"") && errors[0].contains("coins (integer)"),
        "{errors:?}"
    );
    assert_eq!(errors[1], "the till takes 9 coins at most");
    assert!(errors[2].contains("It takes no arguments"), "{errors:?}");
    assert_eq!(
        (&trial["tool_use"]["invalid"], &trial["tool_use"]["failed"]),
        (&json!(2), &json!(1)),
        "{trial:#}"
    );
}
