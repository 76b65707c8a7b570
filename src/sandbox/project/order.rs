//! Whether a project can be made at all, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use super::{Condition, Dependency, ProjectSpec, ServiceMount, ServiceSpec};

/// Why a project cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecFault {
    #[error("two of a project are called {name}")]
    Twice { name: String },
    #[error("the service {service} has to come after {name}, which there is not")]
    NoService { service: String, name: String },
    #[error("the service {service} is on the network {name}, which there is not")]
    NoNetwork { service: String, name: String },
    #[error("the service {service} has the volume {name}, which there is not")]
    NoVolume { service: String, name: String },
    #[error("these have to come after each other: {}", names.join(", "))]
    Circle { names: Vec<String> },
    #[error("{service} waits for the end of {main}, which does not end by itself")]
    MainNeverEnds { service: String, main: String },
    #[error("the service {service} asks for the capability {capability}, which no service gets")]
    Capability { service: String, capability: String },
}

/// What root keeps in a service: Docker's default set, since images of databases
/// change users, owners and their own sets of capabilities, but for MKNOD and NET_RAW.
pub const SERVICE_CAPABILITIES: [&str; 12] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// The services by when they may start: before main, and because of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stages {
    /// Indices into the services, those first that others come after.
    pub to_main: Vec<usize>,
    pub after_main: Vec<usize>,
}

impl ProjectSpec {
    /// The order of the services.
    ///
    /// # Errors
    /// Names that are not there or twice, circles, capabilities that nobody gets. A
    /// dependency that is not required need not be there.
    pub fn stages(&self) -> Result<Stages, SpecFault> {
        self.check_names()?;
        for service in &self.services {
            self.check_service(service)?;
        }
        let main = &self.main;
        let known = main.volumes.iter().map(|mount| &mount.volume);
        self.check_known(&main.name, &main.after, &main.networks, known)?;
        let order = self.sorted()?;
        let mut because: BTreeSet<&str> = BTreeSet::from([main.name.as_str()]);
        let mut stages = Stages::default();
        for index in order {
            let service = &self.services[index];
            match service
                .after
                .iter()
                .any(|dependency| because.contains(dependency.name.as_str()))
            {
                true => {
                    because.insert(&service.name);
                    stages.after_main.push(index);
                }
                false => stages.to_main.push(index),
            }
        }
        Ok(stages)
    }

    /// The service of a name.
    pub fn service(&self, name: &str) -> Option<&ServiceSpec> {
        self.services.iter().find(|service| service.name == name)
    }

    fn check_names(&self) -> Result<(), SpecFault> {
        let services = self.services.iter().map(|service| &service.name);
        let networks = self.networks.iter().map(|network| &network.name);
        unique(services.chain([&self.main.name]))?;
        unique(networks)?;
        unique(self.volumes.iter())
    }

    fn check_service(&self, service: &ServiceSpec) -> Result<(), SpecFault> {
        let volumes = service.mounts.iter().filter_map(|mount| match mount {
            ServiceMount::Volume(mount) => Some(&mount.volume),
            ServiceMount::Anonymous { .. } => None,
        });
        let (name, after) = (&service.name, &service.after);
        self.check_known(name, after, &service.networks, volumes)?;
        let ends = |dependency: &&Dependency| {
            dependency.name == self.main.name && dependency.condition == Condition::Completed
        };
        if after.iter().find(ends).is_some() {
            return Err(SpecFault::MainNeverEnds {
                service: name.clone(),
                main: self.main.name.clone(),
            });
        }
        for capability in &service.cap_add {
            let upper = capability.to_uppercase();
            let plain = upper.trim_start_matches("CAP_");
            if !SERVICE_CAPABILITIES.contains(&plain) {
                return Err(SpecFault::Capability {
                    service: name.clone(),
                    capability: capability.clone(),
                });
            }
        }
        Ok(())
    }

    fn check_known<'a>(
        &self,
        service: &str,
        after: &[Dependency],
        networks: &[(String, Vec<String>)],
        volumes: impl Iterator<Item = &'a String>,
    ) -> Result<(), SpecFault> {
        let service = service.to_owned();
        for Dependency { name, required, .. } in after {
            if *required && *name != self.main.name && self.service(name).is_none() {
                let name = name.clone();
                return Err(SpecFault::NoService { service, name });
            }
        }
        for (name, _) in networks {
            if !self.networks.iter().any(|network| network.name == *name) {
                let name = name.clone();
                return Err(SpecFault::NoNetwork { service, name });
            }
        }
        for name in volumes {
            if !self.volumes.contains(name) {
                let name = name.clone();
                return Err(SpecFault::NoVolume { service, name });
            }
        }
        Ok(())
    }

    /// Services, each after all that it comes after; else as they were named.
    fn sorted(&self) -> Result<Vec<usize>, SpecFault> {
        let main = (&self.main.name, &self.main.after);
        let services = self.services.iter().map(|one| (&one.name, &one.after));
        let all: BTreeMap<&String, &Vec<Dependency>> = services.chain([main]).collect();
        let named: Vec<&String> = self.services.iter().map(|one| &one.name).collect();
        let mut placed: BTreeSet<&String> = BTreeSet::new();
        let mut order = Vec::new();
        loop {
            let ready = |name: &&String| {
                let waits = |dependency: &Dependency| {
                    let there = all.get_key_value(&dependency.name);
                    there.is_some_and(|(other, _)| !placed.contains(other))
                };
                !placed.contains(name) && !all[*name].iter().any(waits)
            };
            let next: Vec<&String> = all.keys().copied().filter(|name| ready(name)).collect();
            if next.is_empty() {
                break;
            }
            placed.extend(&next);
            order.extend((0..named.len()).filter(|index| next.contains(&named[*index])));
        }
        let left = all.keys().filter(|name| !placed.contains(**name));
        let names: Vec<String> = left.map(|name| (*name).clone()).collect();
        match names.is_empty() {
            true => Ok(order),
            false => Err(SpecFault::Circle { names }),
        }
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), SpecFault> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(SpecFault::Twice { name: name.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Services with what each comes after; main is called `main`.
    fn project(services: &[(&str, &[&str])], main: &[&str]) -> ProjectSpec {
        let after = |names: &[&str]| -> Vec<Dependency> {
            let names = names.iter().map(|name| Dependency {
                name: (*name).to_owned(),
                condition: Condition::Started,
                required: true,
            });
            names.collect()
        };
        let mut spec = ProjectSpec::default();
        spec.main.name = "main".into();
        spec.main.after = after(main);
        for (name, earlier) in services {
            spec.services.push(ServiceSpec {
                name: (*name).to_owned(),
                after: after(earlier),
                ..ServiceSpec::default()
            });
        }
        spec
    }

    #[test]
    fn what_comes_after_main_is_a_stage_of_its_own() {
        let spec = project(
            &[
                ("watch", &["main", "db"]),
                ("late", &["watch"]),
                ("api", &["db"]),
                ("db", &[]),
                ("alone", &[]),
            ],
            &["api"],
        );
        let stages = spec.stages().unwrap();
        assert_eq!(stages.to_main, [3, 4, 2]);
        assert_eq!(stages.after_main, [0, 1]);
    }

    #[test]
    fn a_circle_is_told_with_its_members_also_by_way_of_main() {
        let spec = project(&[("a", &["b"]), ("b", &["a"]), ("c", &[])], &[]);
        let names = vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(spec.stages(), Err(SpecFault::Circle { names }));
        let spec = project(&[("a", &["main"])], &["a"]);
        assert!(matches!(spec.stages(), Err(SpecFault::Circle { .. })));
    }

    #[test]
    fn what_is_not_there_is_told_by_name_unless_it_is_not_required() {
        let mut spec = project(&[("a", &["gone"])], &[]);
        let told = spec.stages().unwrap_err().to_string();
        assert!(told.contains("a has to come after gone"), "{told}");
        spec.services[0].after[0].required = false;
        assert_eq!(spec.stages().unwrap().to_main, [0]);
        spec.services[0].networks = vec![("net".into(), Vec::new())];
        assert!(matches!(spec.stages(), Err(SpecFault::NoNetwork { .. })));
    }

    #[test]
    fn a_capability_beyond_what_services_have_is_refused() {
        let mut spec = project(&[("a", &[])], &[]);
        for name in ["SYS_ADMIN", "SYS_PTRACE", "NET_RAW", "MKNOD", "ALL"] {
            spec.services[0].cap_add = vec![name.into()];
            assert!(matches!(spec.stages(), Err(SpecFault::Capability { .. })));
        }
        spec.services[0].cap_add = vec!["CAP_CHOWN".into(), "setuid".into()];
        assert!(spec.stages().is_ok());
    }

    #[test]
    fn nobody_can_wait_for_the_end_of_main() {
        let mut spec = project(&[("a", &["main"])], &[]);
        spec.services[0].after[0].condition = Condition::Completed;
        assert!(matches!(
            spec.stages(),
            Err(SpecFault::MainNeverEnds { .. })
        ));
    }
}
