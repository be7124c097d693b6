//! What strikes now and then, and how it heals.

use std::time::Duration;

use super::oracle::Key;
use super::plan::Strike;
use super::world::{BACKUP_AGE, Event, World};

/// The end of a fault.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Heal {
    Link {
        machine: usize,
    },
    ServerLink,
    ServerHangUp,
    Server,
    Broker,
    Disk {
        machine: usize,
    },
    /// Not an end: a second crash while the first is recovered from.
    CrashAgain {
        machine: usize,
    },
    Clock,
}

impl World {
    pub(crate) fn strike(&mut self) {
        if !self.trouble {
            return;
        }
        let next = 1 + self.rng.below(2 * self.plan.strike_every);
        self.after(next, Event::Strike);
        let which = self.rng.below(self.plan.strikes.len() as u64);
        let strike = self.plan.strikes[usize::try_from(which).unwrap()];
        let i = usize::try_from(self.rng.below(self.machines.len() as u64)).unwrap();
        self.note(|| format!("STRIKE {strike:?} at {i}"));
        self.oracle.figures.strikes += 1;
        match strike {
            Strike::StationCrash => self.crash_station(i),
            Strike::ServerCrash => {
                self.crash_server();
                self.heal_after(20_000, Heal::Server);
            }
            Strike::BrokerCrash => {
                self.crash_broker();
                self.heal_after(10_000, Heal::Broker);
            }
            Strike::LinkDown => self.cut(i, true, true),
            Strike::LinkUpOnly => self.cut(i, false, true),
            Strike::LinkDownOnly => self.cut(i, true, false),
            Strike::ServerLinkDown => self.cut_server(),
            Strike::DiskFull => {
                self.machines[i].ledger.full = true;
                self.heal_after(60_000, Heal::Disk { machine: i });
            }
            Strike::ServerRestore => self.restore_server(),
            Strike::StationRestore => self.restore_station(i),
            Strike::StationClone => self.clone_station(i),
            Strike::ClockJump => self.jump(i),
            Strike::Upgrade => self.upgrade(i),
            Strike::Flood => self.flood(),
        }
        self.judge_kept();
    }

    fn heal_after(&mut self, most: u64, heal: Heal) {
        let wait = 50 + self.rng.below(most);
        self.after(wait, Event::Heal(heal));
    }

    pub(crate) fn heal(&mut self, heal: Heal) {
        match heal {
            Heal::Link { machine } => self.mend(machine),
            Heal::ServerLink => self.server.cut = false,
            Heal::ServerHangUp => {
                if self.broker.server_mute {
                    self.server_lost();
                    self.server.cut = false;
                }
            }
            Heal::Server => self.boot_server(),
            Heal::Broker => {
                self.broker.up = true;
                self.disturbed();
            }
            Heal::Disk { machine } => {
                self.machines[machine].ledger.full = false;
                self.record(machine);
            }
            Heal::CrashAgain { machine } => {
                if self.trouble && self.machines[machine].process.is_none() {
                    self.machines[machine].ledger.crash(&mut self.rng);
                    self.judge_kept();
                }
            }
            Heal::Clock => self.server.clock = 0,
        }
    }

    pub(crate) fn heal_all(&mut self) {
        for machine in 0..self.machines.len() {
            self.mend(machine);
            self.heal(Heal::Disk { machine });
            self.boot(machine);
        }
        self.heal(Heal::ServerHangUp);
        self.heal(Heal::ServerLink);
        self.heal(Heal::Broker);
        self.heal(Heal::Server);
    }

    fn mend(&mut self, i: usize) {
        let machine = &mut self.machines[i];
        if !machine.up.cut && !machine.down.cut {
            return;
        }
        (machine.up.cut, machine.down.cut) = (false, false);
        machine.good_since = self.now;
        self.serve_up(i);
        self.serve_down(i);
    }

    fn crash_station(&mut self, i: usize) {
        self.kill(i);
        self.machines[i].ledger.crash(&mut self.rng);
        if self.rng.below(3) == 0 {
            self.heal_after(500, Heal::CrashAgain { machine: i });
        }
        let wait = 100 + self.rng.below(5_000);
        self.after(wait, Event::Boot { machine: i });
    }

    /// One direction or both carry nothing; sometimes both ends notice at once.
    fn cut(&mut self, i: usize, up: bool, down: bool) {
        let machine = &mut self.machines[i];
        (machine.up.cut, machine.down.cut) = (machine.up.cut || up, machine.down.cut || down);
        let most = [2_000, 20_000, 60_000, 300_000];
        let most = most[usize::try_from(self.rng.below(4)).unwrap()];
        if up && down && self.rng.below(2) == 0 {
            let conn = self.machines[i].process.as_ref().and_then(|process| process.conn);
            if let Some(conn) = conn {
                self.gone(i, conn);
                self.lost(i);
            }
        }
        self.heal_after(most, Heal::Link { machine: i });
    }

    fn cut_server(&mut self) {
        self.server.cut = true;
        if self.rng.below(2) == 0 && self.broker.server.is_some() {
            // It hears and is not heard, until it misses an answer itself.
            self.broker.server_mute = true;
            self.heal_after(20_000, Heal::ServerHangUp);
        } else {
            self.server_lost();
            self.heal_after(30_000, Heal::ServerLink);
        }
    }

    fn restore_server(&mut self) {
        let which = self.rng.below(self.server.backups.len() as u64);
        let Some((at, store)) = self.server.backups.get(usize::try_from(which).unwrap()) else {
            return;
        };
        if at + BACKUP_AGE < self.now {
            return;
        }
        let store = store.clone();
        self.crash_server();
        self.server.store = store;
        self.oracle.server_rewound = true;
        if self.oracle.rewound {
            // Both copies went back: nobody can have what only the newer ones had.
            self.destroyed();
        }
        self.heal_after(20_000, Heal::Server);
    }

    fn restore_station(&mut self, i: usize) {
        let which = self.rng.below(self.machines[i].images.len() as u64);
        let Some(image) = self.machines[i].images.get(usize::try_from(which).unwrap()) else {
            return;
        };
        let image = image.clone();
        self.kill(i);
        self.machines[i].ledger = image;
        self.oracle.rewound = true;
        let name = self.machines[i].name;
        self.destroyed();
        let (epoch, head) = self.machines[i].ledger.head();
        if self.server.store.last(&self.names[name]) > (epoch, head.seq) {
            self.oracle.to_notice.insert(name);
        } else {
            // Back where it was before anybody could have seen it.
            self.oracle.to_notice.remove(&name);
        }
        let wait = 100 + self.rng.below(5_000);
        self.after(wait, Event::Boot { machine: i });
    }

    /// What was recorded and went with a disk.
    fn destroyed(&mut self) {
        let recorded = self.oracle.recorded.keys().copied();
        let gone: Vec<Key> = recorded.filter(|key| !self.is_kept(*key)).collect();
        let known = self.oracle.destroyed.len();
        self.oracle.destroyed.extend(gone);
        self.oracle.figures.destroyed += (self.oracle.destroyed.len() - known) as u64;
    }

    fn clone_station(&mut self, i: usize) {
        if self.machines.len() > self.plan.stations {
            return;
        }
        let Some(image) = self.machines[i].images.last().cloned() else { return };
        let clone = self.add(self.machines[i].name, image);
        self.oracle.rewound = true;
        (self.machines[i].rival, self.machines[clone].rival) = (true, true);
        self.readings(clone, self.plan.records / 2, self.plan.record_every);
    }

    fn jump(&mut self, i: usize) {
        const DAY: i64 = 86_400_000;
        let jumps = [-3 * DAY, 3_600_000, -60_000, 3_650 * DAY, -17_000 * DAY, 0];
        let jump = jumps[usize::try_from(self.rng.below(6)).unwrap()];
        if self.rng.below(2) == 0 {
            self.machines[i].clock = jump;
        } else {
            self.server.clock = jump;
            if self.rng.below(2) == 0 {
                self.heal_after(60_000, Heal::Clock);
            }
        }
    }

    /// An orderly stop, and a start with other settings: of a station, or of the server.
    fn upgrade(&mut self, i: usize) {
        if self.rng.below(3) == 0 {
            self.crash_server();
            self.heal_after(3_000, Heal::Server);
            return;
        }
        self.kill(i);
        self.machines[i].ledger.boot();
        let pace = &mut self.machines[i].pace;
        pace.fresh_tail = 4 + self.rng.below(20);
        pace.backlog_batches = usize::try_from(1 + self.rng.below(8)).unwrap();
        pace.spread = Duration::from_millis(self.rng.below(10_000));
        let wait = 100 + self.rng.below(3_000);
        self.after(wait, Event::Boot { machine: i });
    }
}
