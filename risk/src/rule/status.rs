//! Another status for one rule, in the text of its file: all else stays as it was written.

use super::{Rule, Status};
use crate::policy::{PolicyError, PolicyFile, PolicyPack};

/// Why a rule did not get another status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatusError {
    /// The pack cannot be read.
    #[error(transparent)]
    Pack(#[from] PolicyError),
    /// It has no such rule.
    #[error("there is no rule {id} of version {version}")]
    Unknown {
        /// Its id.
        id: String,
        /// Its version.
        version: String,
    },
    /// It has that status already.
    #[error("the rule {id} is {status} already")]
    Same {
        /// Its id.
        id: String,
        /// The status.
        status: &'static str,
    },
    /// Its file does not write the status on a line of its own.
    #[error("{file}, line {line}: the status of {id} is not on a line of its own")]
    NotALine {
        /// The file.
        file: String,
        /// Where the rule begins.
        line: usize,
        /// Its id.
        id: String,
    },
}

impl Status {
    /// All of them, in the order of a rule's life.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Shadow, Self::Active, Self::Retired];

    /// Its name in data.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Shadow => "shadow",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }

    /// The status with this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Name and new text of the file in which the rule stands, with this status.
///
/// # Errors
/// [`StatusError`].
pub fn with_status(
    files: &[PolicyFile<'_>],
    id: &str,
    version: &str,
    status: Status,
) -> Result<(String, String), StatusError> {
    let files = PolicyPack::completed(files);
    let rules = PolicyPack::from_files(&files)?.rules;
    let is_it = |rule: &&Rule| rule.id == id && rule.version == version;
    let rule = rules
        .iter()
        .find(is_it)
        .ok_or_else(|| StatusError::Unknown { id: id.to_owned(), version: version.to_owned() })?;
    if rule.status == status {
        return Err(StatusError::Same { id: id.to_owned(), status: status.name() });
    }
    let not_a_line = || StatusError::NotALine {
        file: rule.place.file.clone(),
        line: rule.place.line,
        id: id.to_owned(),
    };
    let file = files.iter().find(|file| file.name == rule.place.file).ok_or_else(not_a_line)?;
    let at = line_of_status(file.text, rule.place.line).ok_or_else(not_a_line)?;
    let lines = file.text.split_inclusive('\n').enumerate().map(|(place, line)| {
        if place == at { format!("status = \"{}\"\n", status.name()) } else { line.to_owned() }
    });
    let text: String = lines.collect();
    // What was meant to change has changed, and nothing else.
    let changed = PolicyFile { name: file.name, text: &text };
    let others = files.iter().filter(|other| other.name != file.name).copied();
    let read = PolicyPack::from_files(&others.chain([changed]).collect::<Vec<_>>())?.rules;
    let wanted = rules
        .iter()
        .map(|rule| if is_it(&rule) { Rule { status, ..rule.clone() } } else { rule.clone() });
    if !read.into_iter().eq(wanted) {
        return Err(not_a_line());
    }
    Ok((file.name.to_owned(), text))
}

/// The line, from 0, on which the rule that begins on `line`, from 1, says its status.
fn line_of_status(text: &str, line: usize) -> Option<usize> {
    let of_rule = text.lines().enumerate().skip(line.saturating_sub(1));
    of_rule
        .take_while(|(place, text)| *place < line || !text.starts_with('['))
        .find(|(_, text)| {
            text.trim_start()
                .strip_prefix("status")
                .is_some_and(|r| r.trim_start().starts_with('='))
        })
        .map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::{StatusError, with_status};
    use crate::policy::{PolicyFile, PolicyPack};
    use crate::rule::Status;

    #[test]
    fn one_rule_gets_another_status_and_all_else_stays_as_written() {
        let files = PolicyPack::built_in_files();
        let (name, text) = with_status(files, "inspect-2270-18", "1", Status::Retired).unwrap();
        let before = files.iter().find(|file| file.name == name).unwrap().text;
        let changed: Vec<(&str, &str)> =
            before.lines().zip(text.lines()).filter(|(a, b)| a != b).collect();
        assert_eq!(changed, [("status = \"active\"", "status = \"retired\"")]);
        assert_eq!(before.lines().count(), text.lines().count());
        let pack = PolicyPack::from_files(&[
            PolicyFile { name: &name, text: &text },
            *files.iter().find(|file| file.name == "rules/travellers.toml").unwrap(),
        ])
        .unwrap();
        let retired: Vec<&str> = pack
            .rules
            .iter()
            .filter(|rule| rule.status == Status::Retired)
            .map(|rule| rule.id.as_str())
            .collect();
        assert_eq!(retired, ["inspect-2270-18"]);
    }

    #[test]
    fn what_is_not_there_or_is_so_already_is_refused() {
        let files = PolicyPack::built_in_files();
        let status = |id, version, status| with_status(files, id, version, status).unwrap_err();
        let unknown = status("nothing", "1", Status::Active);
        assert_eq!(unknown.to_string(), "there is no rule nothing of version 1");
        assert!(matches!(
            status("inspect-2270-18", "9", Status::Retired),
            StatusError::Unknown { .. }
        ));
        let same = status("inspect-2270-18", "1", Status::Active);
        assert_eq!(same.to_string(), "the rule inspect-2270-18 is active already");
        let inline = PolicyFile {
            name: "rules/one.toml",
            text: r#"rule = [{ id = "x", version = "1", title = "t", status = "draft",
    code = "route_high_risk", severity = "low", owner = "o", text = "t.", legal_basis = "l",
    when = { field = "direction", is = "exit" } }]
"#,
        };
        let refused = with_status(&[inline], "x", "1", Status::Active).unwrap_err();
        assert!(matches!(refused, StatusError::NotALine { .. }), "{refused}");
    }
}
