//! The shell that a task's commands want: activated, before anything is started in it.

use crate::task::Verification;

/// An argument vector, started from the shell that the task enters first; as it is where
/// it enters none. Standard input and every descriptor stay the program's own.
pub fn entered(verification: &Verification, argv: Vec<String>) -> Vec<String> {
    let Some(enter) = &verification.enter else {
        return argv;
    };
    // What activates an environment has no business with the program's input or outputs.
    let script = format!("{{\n{enter}\n}} </dev/null >/dev/null 2>&1\nexec \"$@\"");
    let own = ["bash", "-c", &script, "bash"].map(str::to_owned);
    own.into_iter().chain(argv).collect()
}

/// Lines of the task's for a shell, behind what it enters.
pub fn shell(verification: &Verification, lines: &str) -> Vec<String> {
    match &verification.enter {
        None => ["sh", "-c", lines].map(str::to_owned).to_vec(),
        Some(enter) => {
            let script = format!("{{\n{enter}\n}} </dev/null >/dev/null 2>&1\n{lines}");
            ["bash", "-c", &script].map(str::to_owned).to_vec()
        }
    }
}
