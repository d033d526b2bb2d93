//! A real process on a disk that fails at a chosen call, or that dies there: `disk.c`, preloaded.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::host_endian_bytes, clippy::unwrap_used)]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Off = 0,
    /// The sync fails as on a broken disk, once.
    NoSync = 1,
    /// And every later one.
    NoSyncEver = 2,
    /// The write fails as on a full disk, once.
    NoSpace = 3,
    /// And every later one.
    NoSpaceEver = 4,
    /// The process is killed instead of the write or the sync.
    Kill = 5,
}

/// What both sides read and write: mode, at which call, counted calls, whether it was done, files created elsewhere.
pub struct Disk(PathBuf);

impl Disk {
    /// The library, built; none where it cannot be, which is said.
    pub fn built(place: &Path) -> Option<Self> {
        let (source, library) =
            (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faulty/disk.c"), place.join("disk.so"));
        let mut build = Command::new("cc");
        build.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
        let built = cfg!(target_os = "linux") && build.output().is_ok_and(|output| output.status.success());
        if !built {
            let text = "\n*** NOT RUN: no failing disk, for there is no Linux or no `cc` ***\n\n";
            std::io::stderr().write_all(text.as_bytes()).unwrap();
            return None;
        }
        let disk = Self(place.join("disk.control"));
        disk.set(Mode::Off, 0);
        Some(disk)
    }

    /// Puts a process on this disk, whose calls on files below `folder` count.
    pub fn under<'a>(&self, command: &'a mut Command, folder: &Path) -> &'a mut Command {
        command
            .env("LD_PRELOAD", self.0.with_file_name("disk.so"))
            .env("FAULTY_CONTROL", &self.0)
            .env("FAULTY_FOLDER", folder)
    }

    /// For the process itself.
    pub fn of_this_process() -> Self {
        Self(std::env::var_os("FAULTY_CONTROL").unwrap().into())
    }

    /// From now on, the `at`-th call, counted from 1, fails.
    pub fn set(&self, mode: Mode, at: i32) {
        // In place: the process has this file mapped.
        let numbers = [mode as i32, at, 0, 0, 0].map(i32::to_ne_bytes).concat();
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(false).open(&self.0).unwrap();
        file.write_all(&numbers).unwrap();
    }

    fn number(&self, at: usize) -> i32 {
        let bytes = fs::read(&self.0).unwrap();
        i32::from_ne_bytes(bytes[at * 4..][..4].try_into().unwrap())
    }

    /// Nothing fails any more; returns whether a call did.
    pub fn mend(&self) -> bool {
        let done = self.number(3) == 1;
        self.set(Mode::Off, 0);
        done
    }

    /// The call that was set.
    pub fn at(&self) -> i32 {
        self.number(1)
    }

    pub fn created_elsewhere(&self) -> i32 {
        self.number(4)
    }
}
