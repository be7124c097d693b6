//! The policy in force as pages and programs see it: its rules, what those in shadow would have
//! raised, who brought it into force, what is proposed in its place. A proposal changes nothing: a
//! second person agrees to it where all matters for two are answered.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tidewaiter_people::matter::Matter;
use tidewaiter_people::role::Permission;
use tidewaiter_risk::policy::{PolicyError, PolicyPack};
use tidewaiter_risk::rule::lint::lint;
use tidewaiter_risk::rule::status::{StatusError, with_status};
use tidewaiter_risk::rule::{Rule, Status};

use super::AppState;
use super::second::{AskError, Asking};
use crate::law::{PackFile, as_policy, completed};
use crate::people::Actor;
use crate::store::{Activation, ApprovalRow, Note, ShadowCount, StoreError};

/// The policy in force, and what is proposed.
#[derive(Clone, Debug)]
pub struct PolicyView {
    /// Versions of the policy and the lists, by name.
    pub versions: BTreeMap<String, String>,
    /// Its rules, in the order of their files.
    pub rules: Vec<RuleView>,
    /// What waits for a second person.
    pub proposals: Vec<Proposal>,
    /// What came into force when and by whom, the latest first.
    pub activations: Vec<Activation>,
    /// Whether this person may propose another.
    pub may_propose: bool,
}

/// A rule of the policy in force.
#[derive(Clone, Debug)]
pub struct RuleView {
    /// The rule.
    pub rule: Rule,
    /// In shadow: what it would have raised, compared with the policy in force.
    pub shadow: Option<ShadowCount>,
}

/// A policy that waits for a second person.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Who asks, and why; its object is the version.
    pub row: ApprovalRow,
    /// How it differs from the one in force.
    pub changes: Changes,
    /// Whether this person may answer.
    pub may_answer: bool,
}

/// How two policies differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Rules that are not the same in both.
    pub rules: Vec<RuleChange>,
    /// Files other than rules whose text differs.
    pub files: Vec<String>,
}

/// A rule that is not the same in two policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleChange {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Its status in the one in force; none where it is not in it.
    pub before: Option<Status>,
    /// Its status in the other; none where it is not in it.
    pub after: Option<Status>,
    /// Whether more than its status differs under the same version.
    pub rewritten: bool,
}

/// What somebody proposes: a whole pack, or another status for one rule of the one in force.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Proposed {
    /// Text of the pack's files by name; those that are not given are built in.
    pub files: BTreeMap<String, String>,
    /// The rule.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// Its new status.
    pub status: String,
    /// Why.
    pub reason: String,
}

/// Why a proposal was not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProposeError {
    /// Neither a pack nor a rule, or both.
    #[error("propose either files of a pack or a rule with another status")]
    NotOne,
    /// Not a status.
    #[error("{0:?} is no status: draft, shadow, active, retired")]
    Status(String),
    /// The rule cannot get it.
    #[error(transparent)]
    Rule(#[from] StatusError),
    /// The pack has faults, in the order of its files.
    #[error("the pack has {} faults; {}, line {}: {}", .0.len(), .0[0].file, .0[0].line, .0[0].what)]
    Faults(Vec<PolicyError>),
    /// It is the one in force.
    #[error("the policy {0} is in force already")]
    InForce(String),
    /// It could not be asked for.
    #[error(transparent)]
    Ask(#[from] AskError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AppState {
    /// The policy in force with what is known of its rules; that it was read is kept.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn policy(&self, actor: &Actor) -> Result<PolicyView, StoreError> {
        let law = self.law();
        let counts = self.store().shadow_counts().await?;
        let shadow = |rule: &Rule| {
            let own = |count: &&ShadowCount| count.rule == rule.id && count.version == rule.version;
            let nothing = || ShadowCount {
                rule: rule.id.clone(),
                version: rule.version.clone(),
                ..ShadowCount::default()
            };
            (rule.status == Status::Shadow)
                .then(|| counts.iter().find(own).cloned().unwrap_or_else(nothing))
        };
        let rules: Vec<RuleView> = law
            .pack
            .rules
            .iter()
            .map(|rule| RuleView { rule: rule.clone(), shadow: shadow(rule) })
            .collect();
        let mut proposals = Vec::new();
        for row in self.store().open_approvals("").await? {
            if row.matter != Matter::ActivatePolicy {
                continue;
            }
            let Some(files) = self.store().pack(&row.object).await? else { continue };
            let files: Vec<PackFile> =
                files.into_iter().map(|(name, text)| PackFile { name, text }).collect();
            let changes = Changes::between(&law.files, &files).unwrap_or_default();
            let hands = self.store().approval_hands(&row.id).await?;
            let (asked, site) = (&row.asked_by, &row.site);
            let may_answer = row.matter.agree(asked, &actor.account, site, &hands).is_ok();
            proposals.push(Proposal { row, changes, may_answer });
        }
        Ok(PolicyView {
            versions: law.versions(),
            rules,
            proposals,
            activations: self.store().activations(ACTIVATIONS_SHOWN).await?,
            may_propose: actor.session.is_some()
                && actor.account.may_at(Permission::PolicyWrite, EVERYWHERE),
        })
    }

    /// Keeps a proposed policy and asks a second person; gives its version and the matter's id.
    ///
    /// # Errors
    /// [`ProposeError`]; then nothing was asked.
    pub async fn propose(
        &self,
        actor: &Actor,
        proposed: Proposed,
    ) -> Result<(String, String), ProposeError> {
        let law = self.law();
        let reason = proposed.reason.clone();
        let files = completed(&proposed.files_from(&law.files)?);
        let faults = lint(&as_policy(&files));
        if !faults.is_empty() {
            return Err(ProposeError::Faults(faults));
        }
        let pack = PolicyPack::from_files(&as_policy(&files))
            .map_err(|fault| ProposeError::Faults(vec![fault]))?;
        let version = pack.version;
        if version == law.pack.version {
            return Err(ProposeError::InForce(version));
        }
        // Who asks in vain leaves nothing behind.
        let may = actor.account.may_at(Permission::PolicyWrite, EVERYWHERE);
        if may && actor.session.is_some() && !reason.trim().is_empty() {
            let files = files.into_iter().map(|file| (file.name, file.text)).collect();
            let now = self.people().now();
            self.store().put_pack(&version, &files, &actor.account.id, now).await?;
            let note = Note::done(actor.id(), "policy_proposed", version.clone());
            self.store().note(note, now).await?;
        }
        let asking = Asking {
            matter: Matter::ActivatePolicy,
            object: version.clone(),
            site: EVERYWHERE.to_owned(),
            reason,
            minutes: None,
        };
        let id = self.ask_second(actor, asking).await?;
        Ok((version, id))
    }
}

impl Proposed {
    /// The files of the pack it proposes, given those of the one in force.
    fn files_from(self, in_force: &[PackFile]) -> Result<Vec<PackFile>, ProposeError> {
        match (self.files.is_empty(), self.rule.is_empty()) {
            (false, true) => {
                Ok(self.files.into_iter().map(|(name, text)| PackFile { name, text }).collect())
            }
            (true, false) => {
                let status = Status::find(&self.status).ok_or(ProposeError::Status(self.status))?;
                let (name, text) =
                    with_status(&as_policy(in_force), &self.rule, &self.version, status)?;
                let mut files = in_force.to_vec();
                for file in files.iter_mut().filter(|file| file.name == name) {
                    file.text.clone_from(&text);
                }
                Ok(files)
            }
            (true, true) | (false, false) => Err(ProposeError::NotOne),
        }
    }
}

impl Changes {
    /// What differs from one pack to another.
    ///
    /// # Errors
    /// [`PolicyError`] when one of them cannot be read.
    pub fn between(before: &[PackFile], after: &[PackFile]) -> Result<Self, PolicyError> {
        let rules = |files: &[PackFile]| -> Result<BTreeMap<(String, String), Rule>, PolicyError> {
            let rules = PolicyPack::from_files(&as_policy(files))?.rules;
            let named = |rule: Rule| ((rule.id.clone(), rule.version.clone()), rule);
            Ok(rules.into_iter().map(named).collect())
        };
        let (old, new) = (rules(before)?, rules(after)?);
        let names: BTreeSet<&(String, String)> = old.keys().chain(new.keys()).collect();
        let changed = names.into_iter().filter_map(|name| {
            let (old, new) = (old.get(name), new.get(name));
            let (before, after) = (old.map(|rule| rule.status), new.map(|rule| rule.status));
            let rewritten = old.zip(new).is_some_and(|(old, new)| {
                // Where a rule stands is not what it says.
                *new != Rule { status: new.status, place: new.place.clone(), ..old.clone() }
            });
            let (id, version) = name.clone();
            (before != after || rewritten).then_some(RuleChange {
                id,
                version,
                before,
                after,
                rewritten,
            })
        });
        let data = |files: &[PackFile]| -> BTreeMap<String, String> {
            let data = files.iter().filter(|file| !tidewaiter_risk::policy::is_rules(&file.name));
            data.map(|file| (file.name.clone(), file.text.clone())).collect()
        };
        let (old, new) = (data(before), data(after));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let differ = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
        Ok(Self { rules: changed.collect(), files: differ.cloned().collect() })
    }
}

/// A policy holds at every site: so must the rights of those who change it.
const EVERYWHERE: &str = "*";
const ACTIVATIONS_SHOWN: i64 = 50;
