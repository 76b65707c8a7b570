//! Models by the names that users give: an endpoint of theirs, a table of
//! `harness.toml`, or a script that is served from here.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Failure;
use crate::agent::{Agent, Loop, LoopOptions, Prompt};
use crate::config::{ModelSettings, Price, Settings};
use crate::diagnose::printable;
use crate::model::scripted::{Endpoint, Script};
use crate::model::{Model, ModelError, OpenAi, OpenAiError, price_digest};

/// What a model that is played from a file is called by.
const SCRIPTED: &str = "scripted:";

/// How long an endpoint may take to be greeted without a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// An agent, and the name of the model that it talks to.
pub type WithModel = (String, Arc<dyn Agent>);

/// Models that are ready to be talked to, and what serves them.
#[derive(Default)]
pub struct Models {
    models: Vec<Named>,
    /// Scripted endpoints live as long as these.
    _endpoints: Vec<Endpoint>,
}

struct Named {
    name: String,
    /// The id at the endpoint, which prices go by.
    id: String,
    model: Arc<dyn Model>,
}

impl Models {
    /// Opens each model and greets its endpoint; nothing has been made yet that
    /// would have to be taken away.
    pub async fn open(names: &[String], settings: &Settings) -> Result<Self, Failure> {
        let mut opened = Self::default();
        for name in names {
            let (id, model) = match name.strip_prefix(SCRIPTED) {
                Some(file) => opened.play(name, file, &settings.model).await?,
                None => reach(name, settings)?,
            };
            greeted(name, model.as_ref())
                .await
                .map_err(Failure::Model)?;
            let name = name.clone();
            opened.models.push(Named { name, id, model });
        }
        Ok(opened)
    }

    /// Serves a script on a port of its own.
    async fn play(
        &mut self,
        name: &str,
        file: &str,
        settings: &ModelSettings,
    ) -> Result<(String, Arc<dyn Model>), Failure> {
        let script = Script::load(Path::new(file))?;
        let key = script.key().map(str::to_owned);
        let digest = script.digest().clone();
        let id = match script.model() {
            "*" => name.to_owned(),
            id => id.to_owned(),
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let endpoint = Endpoint::start(script, address)
            .await
            .map_err(Failure::Serve)?;
        let settings = ModelSettings {
            base_url: endpoint.base_url(),
            id: Some(id.clone()),
            ..settings.clone()
        };
        self._endpoints.push(endpoint);
        let model = OpenAi::new(name, settings, key.as_deref())?.scripted(digest);
        Ok((id, Arc::new(model)))
    }

    /// The loop with each model, by the model's name.
    ///
    /// # Errors
    /// A prompt that cannot be read; a budget for a model without a price.
    pub fn loops(&self, settings: &Settings) -> Result<Vec<WithModel>, Failure> {
        let prompt = match &settings.built_in.prompt {
            None => Prompt::built_in(),
            Some(path) => Prompt::read(path).map_err(|source| Failure::Prompt {
                path: path.clone(),
                source,
            })?,
        };
        let budget = settings.run.max_cost.or(settings.limits.max_trial_cost);
        let of = |named: &Named| {
            let price: Option<Price> = settings.prices.models.get(&named.id).copied();
            if price.is_none() && budget.is_some() {
                return Err(Failure::Unpriced {
                    id: named.id.clone(),
                });
            }
            let options = LoopOptions {
                price_digest: price_digest(&settings.prices, &named.id),
                ..LoopOptions::new(&settings.limits, &settings.built_in, price)
            };
            let agent = Loop::new(named.model.clone(), prompt.clone(), options);
            Ok((named.name.clone(), Arc::new(agent) as Arc<dyn Agent>))
        };
        self.models.iter().map(of).collect()
    }
}

/// Greets a model, and says so where that takes a while.
async fn greeted(name: &str, model: &dyn Model) -> Result<(), ModelError> {
    let greeting = model.greet();
    tokio::pin!(greeting);
    tokio::select! {
        greeted = &mut greeting => return greeted,
        () = tokio::time::sleep(PATIENCE) => {}
    }
    let waiting = format!("waiting for the endpoint of `{name}`");
    let _ = writeln!(std::io::stderr(), "{}", printable(&waiting));
    greeting.await
}

/// A model behind an endpoint of the user's.
fn reach(name: &str, settings: &Settings) -> Result<(String, Arc<dyn Model>), Failure> {
    let of = settings.models.get(name).unwrap_or(&settings.model).clone();
    let key = match &of.key_env {
        None => None,
        Some(variable) => match std::env::var(variable) {
            Ok(key) if !key.is_empty() => Some(key),
            // A server on this machine mostly wants none.
            _ if is_local(&of.base_url) => None,
            _ => {
                let name = variable.clone();
                return Err(OpenAiError::NoKey { name }.into());
            }
        },
    };
    let id = of.id.clone().unwrap_or_else(|| name.to_owned());
    let model = OpenAi::new(name, of, key.as_deref())?;
    Ok((id, Arc::new(model)))
}

fn is_local(base_url: &str) -> bool {
    let host = base_url.split("://").nth(1).unwrap_or_default();
    ["localhost", "127.", "[::1]"]
        .iter()
        .any(|local| host.starts_with(local))
}
