//! People: accounts and their rights, how they prove who they are, and the chain of the audit.
//!
//! Pure: no store, no clock, no network. Server and station keep what is made here and ask it.
//!
//! | module | owns |
//! |---|---|
//! | [`role`] | roles, permissions, and which role has which |
//! | [`account`] | a person's account: roles by site, and what they reach |
//! | [`matter`] | what takes two persons |
//! | [`password`] | passwords: what is good enough, hashing, checking |
//! | [`totp`] | the second factor |
//! | [`lockout`] | how long to wait after wrong passwords |
//! | [`session`] | tokens of sessions, and how long one lasts |
//! | [`station`] | accounts that a station signs people in with, signed and dated |
//! | [`setup`] | the one-time code of the first start |
//! | [`audit`] | who did and read what: entries in a chain |

pub mod account;
pub mod audit;
pub mod lockout;
pub mod matter;
pub mod password;
pub mod role;
pub mod session;
pub mod setup;
pub mod station;
pub mod totp;
