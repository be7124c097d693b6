//! Who may run which command: one table, held against the commands that there are by a test, and
//! printed in SECURITY.md.
//!
//! A command is run by whoever the operating system lets: it reads files that only their owner may
//! read. What a command does to a store stands in that store's audit, under the name of the account
//! at the machine.

use std::fmt;

use crate::clock::Clock;
use crate::store::{Note, Store};

/// Who the operating system must let.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nobody in particular: it reads what it is given and touches no store.
    Anybody,
    /// The account that the service runs under: the data directory is its alone (0700).
    Service,
}

/// A command with who may run it, and what it leaves in the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandRight {
    /// The command, with its subcommand.
    pub command: &'static str,
    /// Who.
    pub needs: Needs,
    /// The action in the audit of the store that it works on; none where it works on none.
    pub audit: Option<&'static str>,
}

const fn of(command: &'static str, needs: Needs, audit: Option<&'static str>) -> CommandRight {
    CommandRight { command, needs, audit }
}

/// Every command.
pub const RIGHTS: &[CommandRight] = &[
    of("run", Needs::Service, Some("server_started")),
    of("enrol", Needs::Service, Some("station_enrolled")),
    of("assess", Needs::Anybody, None),
    of("backtest", Needs::Service, Some("backtest")),
    of("screen", Needs::Anybody, None),
    of("match", Needs::Anybody, None),
    of("lists import", Needs::Anybody, None),
    of("policy lint", Needs::Anybody, None),
    of("people setup-code", Needs::Service, Some("setup_code_made")),
    of("people audit", Needs::Service, Some("audit_checked")),
    of("hq run", Needs::Service, Some("server_started")),
    of("verify", Needs::Anybody, None),
];

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anybody => "anybody at the machine",
            Self::Service => "the service's own account",
        })
    }
}

/// Keeps in a store's audit that somebody ran a command on it.
///
/// # Errors
/// When the store cannot keep it; then the command does nothing.
pub(crate) async fn note(store: &Store, action: &'static str, object: &str) -> anyhow::Result<()> {
    let note = Note::done(&at_the_machine(), action, object);
    // The audit's time is the machine's, also in a demonstration.
    Ok(store.note(note, Clock::system().now()).await?)
}

/// The account at the machine, as the audit names it: `os:NAME`, or its number.
pub fn at_the_machine() -> String {
    let id = user_number();
    let names = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = names.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number == id).then(|| name.to_owned())
    });
    format!("os:{}", name.unwrap_or(id))
}

/// The user's number, from the kernel's own word on this process.
fn user_number() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    line.and_then(|ids| ids.split_whitespace().next()).unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::{RIGHTS, at_the_machine};
    use crate::command::Cli;
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    /// The names of all commands that do something, as a person types them.
    fn commands() -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for command in Cli::command().get_subcommands() {
            let own = command.get_name().to_owned();
            let below: Vec<_> = command.get_subcommands().collect();
            if below.is_empty() {
                names.insert(own.clone());
            }
            names.extend(below.iter().map(|sub| format!("{own} {}", sub.get_name())));
        }
        names
    }

    #[test]
    fn every_command_is_in_the_table_once_and_in_the_document() {
        let stated: Vec<&str> = RIGHTS.iter().map(|right| right.command).collect();
        let unique: BTreeSet<String> = stated.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(unique.len(), stated.len(), "a command stands there twice");
        assert_eq!(unique, commands());
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../SECURITY.md");
        let document = std::fs::read_to_string(file).unwrap();
        for right in RIGHTS {
            let audit = right.audit.map_or("–".to_owned(), |action| format!("`{action}`"));
            let row = format!("| `{}` | {} | {audit} |", right.command, right.needs);
            assert!(document.contains(&row), "SECURITY.md lacks: {row}");
        }
    }

    #[test]
    fn whoever_runs_a_command_has_a_name() {
        let name = at_the_machine();
        assert!(name.starts_with("os:") && name.len() > 3, "{name}");
    }
}
