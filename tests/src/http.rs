//! JSON over HTTP to the programs' own pages, as a browser on the same machine would send it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// One page's address, `http://127.0.0.1:PORT`.
#[derive(Clone, Debug)]
pub struct Site {
    base: String,
    agent: ureq::Agent,
}

impl Site {
    /// The site on this port of the loopback.
    pub fn at(port: u16) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(10)))
            .http_status_as_error(false)
            .build()
            .new_agent();
        Self { base: format!("http://127.0.0.1:{port}"), agent }
    }

    /// The address people open.
    pub fn url(&self) -> String {
        format!("{}/", self.base)
    }

    /// Reads a JSON document.
    ///
    /// # Errors
    /// When there is no answer, it is no JSON, or its status is not a success.
    pub fn get(&self, path: &str) -> Result<Value> {
        let answer = self
            .agent
            .get(format!("{}{path}", self.base))
            .call()
            .with_context(|| format!("no answer from {}{path}", self.base))?;
        read(path, answer)
    }

    /// Reads a page as text, with its status.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn text(&self, path: &str) -> Result<(u16, String)> {
        let mut answer = self
            .agent
            .get(format!("{}{path}", self.base))
            .call()
            .with_context(|| format!("no answer from {}{path}", self.base))?;
        Ok((answer.status().as_u16(), answer.body_mut().read_to_string()?))
    }

    /// Sends a JSON document.
    ///
    /// # Errors
    /// When there is no answer, it is no JSON, or its status is not a success.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("Origin", &self.base)
            .header("Sec-Fetch-Site", "same-origin")
            .send_json(body)
            .with_context(|| format!("no answer from {}{path}", self.base))?;
        read(path, answer)
    }
}

fn read(path: &str, mut answer: ureq::http::Response<ureq::Body>) -> Result<Value> {
    let status = answer.status();
    let text = answer.body_mut().read_to_string()?;
    if !status.is_success() {
        bail!("{path}: {status}: {text}");
    }
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).with_context(|| format!("{path}: not JSON: {text}"))
}
