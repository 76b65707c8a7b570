//! Whether what was planned is still what is there: before `resume` goes on.

use super::plan::{Contender, PlanError};
use crate::record::RunRecord;
use crate::task::Task;

/// Holds a frozen plan against the tasks as they are now, before `resume`.
///
/// # Errors
/// [`PlanError::TaskChanged`] or [`PlanError::TaskGone`]: going on would mix
/// results of two different tasks under one name.
pub fn check_unchanged(run: &RunRecord, tasks: &[Task]) -> Result<(), PlanError> {
    for planned in &run.tasks {
        match tasks.iter().find(|task| task.id == planned.name) {
            None => {
                return Err(PlanError::TaskGone {
                    task: planned.name.clone(),
                });
            }
            Some(task) if task.digest != planned.digest => {
                return Err(PlanError::TaskChanged {
                    task: planned.name.clone(),
                    planned: planned.digest.clone(),
                    now: task.digest.clone(),
                });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The tasks of a frozen plan, called as they were when it was made: the folder of an
/// instance does not know which data set it is of.
pub fn as_planned(run: &RunRecord, tasks: Vec<Task>) -> Vec<Task> {
    let named = |task: Task| {
        let mut planned = run.tasks.iter();
        match planned.find(|planned| planned.name == task.id) {
            Some(planned) => Task {
                source: planned.source.clone(),
                ..task
            },
            None => task,
        }
    };
    tasks.into_iter().map(named).collect()
}

/// Holds a frozen plan against who would take part now, before `resume`: a script,
/// a prompt or a scripted model whose file was edited is somebody else.
///
/// # Errors
/// [`PlanError::ContenderChanged`].
pub fn check_same_contenders(run: &RunRecord, now: &[Contender]) -> Result<(), PlanError> {
    let agents = run.agents.iter().map(|planned| {
        let mut now = now.iter().map(|contender| &contender.agent);
        let now = now.find(|agent| agent.name == planned.name);
        let digest = now.and_then(|agent| agent.digest.as_ref());
        (
            format!("the agent `{}`", planned.name),
            &planned.digest,
            digest,
        )
    });
    let models = run.models.iter().map(|planned| {
        let mut now = now.iter().filter_map(|contender| contender.model.as_ref());
        let now = now.find(|model| model.id == planned.id);
        let digest = now.and_then(|model| model.digest.as_ref());
        (
            format!("the model `{}`", planned.id),
            &planned.digest,
            digest,
        )
    });
    for (who, planned, now) in agents.chain(models) {
        // A plan of an older version has no digests.
        if let (Some(planned), Some(now)) = (planned, now)
            && planned != now
        {
            return Err(PlanError::ContenderChanged {
                who,
                planned: planned.clone(),
                now: now.clone(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Digest, ModelRef};
    use crate::run::fixture::{agent, input, task};
    use crate::run::{PlanInput, plan};

    #[test]
    fn a_task_that_changed_stops_a_resume() {
        let run = plan(input(&[task("a")])).unwrap();
        assert!(check_unchanged(&run, &[task("a")]).is_ok());
        assert!(matches!(
            check_unchanged(&run, &[]),
            Err(PlanError::TaskGone { .. })
        ));
        let mut changed = task("a");
        changed.digest = Digest::new("sha256:00");
        let refused = check_unchanged(&run, &[changed]);
        assert!(matches!(refused, Err(PlanError::TaskChanged { .. })));
    }

    #[test]
    fn an_edited_script_is_somebody_else() {
        let of = |digest: &str| {
            let mut contender = agent("script:a.jsonl");
            contender.agent.digest = Some(Digest::new(digest));
            contender.model = Some(ModelRef {
                id: "scripted:m.toml".into(),
                provider: "scripted".into(),
                digest: Some(Digest::new("sha256:01")),
            });
            contender
        };
        let tasks = [task("a")];
        let run = plan(PlanInput {
            contenders: vec![of("sha256:00")],
            ..input(&tasks)
        })
        .unwrap();
        check_same_contenders(&run, &[of("sha256:00")]).unwrap();
        let error = check_same_contenders(&run, &[of("sha256:0f")]).unwrap_err();
        assert!(error.to_string().contains("`script:a.jsonl` is no longer"));
        let mut other = of("sha256:00");
        other.model.as_mut().unwrap().digest = Some(Digest::new("sha256:02"));
        let error = check_same_contenders(&run, &[other]).unwrap_err();
        assert!(error.to_string().contains("`scripted:m.toml` is no longer"));
    }
}
