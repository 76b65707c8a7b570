//! Services in the order of their conditions, each as early as its own allow.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::time::Instant;

use super::error::Ill;
use super::{Project, ProjectError};
use crate::sandbox::project::{
    Condition, Dependency, Health, Running, ServiceMount, ServiceSpec, ServiceState,
};

/// How soon a service is looked at again, and how late.
const SOON: Duration = Duration::from_millis(20);
const LATE: Duration = Duration::from_millis(250);

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    Healthy,
    Completed,
    /// It runs, healthy where that is probed, or it ended well.
    Settled,
}

impl Project {
    /// Starts everything that does not come after main, and waits until main may
    /// start.
    ///
    /// # Errors
    /// A service that ended, is unhealthy or is not so far within `limit` although
    /// others wait for it; with its last words. What was started goes on until
    /// [`stop`](Self::stop).
    pub async fn up_to_main(&self, limit: Duration) -> Result<(), ProjectError> {
        let deadline = Deadline::within(limit);
        let main = self.ready(&self.spec.main.after, &deadline);
        let (services, main) = (self.stage(&self.stages.to_main, &deadline), main);
        tokio::try_join!(services, main).map(drop)
    }

    /// Starts what comes after main, which runs by now; `healthy` says whether its
    /// probe says so, or that it needs none.
    ///
    /// # Errors
    /// As [`up_to_main`](Self::up_to_main); and where a service needs main to be
    /// healthy and it is not.
    pub async fn after_main(&self, healthy: bool, limit: Duration) -> Result<(), ProjectError> {
        let main = &self.spec.main.name;
        for index in &self.stages.after_main {
            let service = &self.spec.services[*index];
            let needs = |dependency: &&Dependency| {
                dependency.name == *main
                    && dependency.required
                    && dependency.condition == Condition::Healthy
            };
            if !healthy && service.after.iter().find(needs).is_some() {
                return Err(ProjectError::MainUnhealthy {
                    service: service.name.clone(),
                    main: main.clone(),
                });
            }
        }
        let deadline = Deadline::within(limit);
        self.stage(&self.stages.after_main, &deadline).await
    }

    async fn stage(&self, services: &[usize], deadline: &Deadline) -> Result<(), ProjectError> {
        let each = services.iter().enumerate().map(async |(place, index)| {
            let service = &self.spec.services[*index];
            self.before_in_volumes(service, &services[..place]).await;
            self.create(*index).await?;
            self.ready(&service.after, deadline).await?;
            self.launch(service).await?;
            match self.spec.await_all {
                true => self.until(&service.name, Goal::Settled, deadline).await,
                false => Ok(()),
            }
        });
        try_join_all(each).await.map(drop)
    }

    /// An empty volume takes on what the image of the first container with it has
    /// there; so that it is always the same one, they are made one after another.
    async fn before_in_volumes(&self, service: &ServiceSpec, earlier: &[usize]) {
        let volumes = volumes_of(service);
        let shares =
            |other: &ServiceSpec| volumes_of(other).iter().any(|name| volumes.contains(name));
        let earlier = earlier.iter().map(|index| &self.spec.services[*index]);
        let made = earlier.filter(|other| shares(other)).map(async |other| {
            let mut created = self.created.subscribe();
            let made = created.wait_for(|names| names.contains(&other.name));
            // Its end is that of the project, whose futures are dropped then.
            drop(made.await);
        });
        join_all(made).await;
    }

    /// Waits until every condition holds.
    async fn ready(&self, after: &[Dependency], deadline: &Deadline) -> Result<(), ProjectError> {
        let all = after.iter().map(async |dependency| {
            let name = &dependency.name;
            if self.spec.service(name).is_none() {
                // Main, which runs, or what nobody needs.
                return Ok(());
            }
            let mut started = self.started.subscribe();
            drop(started.wait_for(|names| names.contains(name)).await);
            let goal = match dependency.condition {
                Condition::Started => return Ok(()),
                Condition::Healthy => Goal::Healthy,
                Condition::Completed => Goal::Completed,
            };
            match self.until(name, goal, deadline).await {
                Err(error @ ProjectError::Service { .. }) if !dependency.required => {
                    tracing::warn!(%error, "what comes after it starts nevertheless");
                    Ok(())
                }
                other => other,
            }
        });
        try_join_all(all).await.map(drop)
    }

    /// Waits until a service is so far.
    async fn until(&self, name: &str, goal: Goal, deadline: &Deadline) -> Result<(), ProjectError> {
        let mut wait = SOON;
        loop {
            let state = self.state(name).await?;
            let ill = match reached(&state, goal) {
                Reached::Yes => return Ok(()),
                Reached::Never(ill) => ill,
                Reached::NotYet if deadline.is_over() => deadline.missed(goal),
                Reached::NotYet => {
                    tokio::time::sleep(wait).await;
                    wait = (wait * 3 / 2).min(LATE);
                    continue;
                }
            };
            return Err(ProjectError::Service {
                service: name.to_owned(),
                ill,
                last: self.last_words(name).await,
            });
        }
    }
}

fn volumes_of(service: &ServiceSpec) -> Vec<&String> {
    let mounts = service.mounts.iter();
    let named = mounts.filter_map(|mount| match mount {
        ServiceMount::Volume(mount) => Some(&mount.volume),
        ServiceMount::Anonymous { .. } => None,
    });
    named.collect()
}

/// When waiting ends.
struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Deadline {
    fn within(limit: Duration) -> Self {
        Self {
            at: Instant::now() + limit,
            limit,
        }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.at
    }

    fn missed(&self, goal: Goal) -> Ill {
        let seconds = self.limit.as_secs();
        match goal {
            Goal::Completed => Ill::NotEndedWithin { seconds },
            Goal::Healthy | Goal::Settled => Ill::NotHealthyWithin { seconds },
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Reached {
    Yes,
    NotYet,
    Never(Ill),
}

fn reached(state: &ServiceState, goal: Goal) -> Reached {
    match (state.running, goal) {
        (Running::NotYet, _) => Reached::NotYet,
        (Running::Ended(0), Goal::Completed | Goal::Settled) => Reached::Yes,
        (Running::Ended(status), _) => Reached::Never(Ill::Ended {
            status,
            out_of_memory: state.out_of_memory,
        }),
        (Running::Yes, Goal::Completed) => Reached::NotYet,
        (Running::Yes, _) => match state.health {
            Health::Healthy => Reached::Yes,
            Health::Starting => Reached::NotYet,
            Health::Unhealthy => Reached::Never(Ill::Unhealthy),
            Health::Unprobed if goal == Goal::Settled => Reached::Yes,
            Health::Unprobed => Reached::Never(Ill::NoProbe),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(running: Running, health: Health) -> ServiceState {
        ServiceState {
            running,
            health,
            out_of_memory: false,
        }
    }

    #[test]
    fn a_service_without_a_probe_is_never_healthy_and_yet_settled() {
        let runs = state(Running::Yes, Health::Unprobed);
        assert_eq!(reached(&runs, Goal::Healthy), Reached::Never(Ill::NoProbe));
        assert_eq!(reached(&runs, Goal::Settled), Reached::Yes);
    }

    #[test]
    fn only_an_end_with_status_0_completes() {
        let ended = |status| state(Running::Ended(status), Health::Unprobed);
        assert_eq!(reached(&ended(0), Goal::Completed), Reached::Yes);
        for (status, goal) in [(1, Goal::Completed), (1, Goal::Settled), (0, Goal::Healthy)] {
            let ill = Ill::Ended {
                status,
                out_of_memory: false,
            };
            assert_eq!(reached(&ended(status), goal), Reached::Never(ill));
        }
    }

    #[test]
    fn what_starts_is_waited_for() {
        let starts = state(Running::Yes, Health::Starting);
        for goal in [Goal::Healthy, Goal::Settled, Goal::Completed] {
            assert_eq!(reached(&starts, goal), Reached::NotYet);
        }
    }
}
