//! A real PKCS#11 module for tests: SoftHSM 2, each test in a process and with tokens of its own.
//!
//! The module is looked for where packages put it, else Debian's package is fetched and unpacked into the build's folder (no
//! administrator is needed). Where neither works, the tests say so and do nothing; with CONSIGNEE_REQUIRE_PKCS11=1 they fail.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11 as Context},
    error::{Error as Fault, RvError},
    object::{Attribute, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    types::AuthPin,
};

const MODULE: &str = "CONSIGNEE_TEST_PKCS11_MODULE";
const FOLDER: &str = "CONSIGNEE_TEST_PKCS11_FOLDER";
pub const PIN: &str = "pin-canary-4711";

/// Where packages put the module, by distribution and architecture.
const PLACES: [&str; 6] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

fn module() -> Option<&'static PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = || PLACES.into_iter().map(PathBuf::from).find(|path| path.exists()).or_else(fetched);
    FOUND.get_or_init(found).as_ref()
}

fn fetched() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("softhsm");
    let unpacked = folder.join("usr/lib/softhsm/libsofthsm2.so");
    if !unpacked.exists() {
        fs::create_dir_all(&folder).ok()?;
        let run = |program: &str, arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments).current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().ok().filter(|status| status.success())
        };
        run("apt-get", &["download", "libsofthsm2"])?;
        let package = fs::read_dir(&folder).ok()?.flatten().map(|entry| entry.file_name());
        let package =
            package.filter_map(|name| name.into_string().ok()).find(|name| name.ends_with(".deb"))?;
        run("dpkg", &["-x", &package, "."])?;
    }
    unpacked.exists().then_some(unpacked)
}

/// Runs the test `name` again in a process whose SoftHSM keeps its tokens in a folder of its own, or, in that process, `test`:
/// the module reads the environment once, and what one test pulls out would be missing in another.
pub fn on_softhsm(name: &str, test: fn(&Hsm)) {
    if let (Some(module), Some(folder)) = (env::var_os(MODULE), env::var_os(FOLDER)) {
        return test(&Hsm::new(module.into(), folder.into()));
    }
    let Some(module) = module() else {
        let message = format!("{name} DID NOT RUN: there is no SoftHSM 2 here, and it cannot be fetched\n");
        assert!(env::var_os("CONSIGNEE_REQUIRE_PKCS11").is_none(), "{message}");
        // Past the harness, which keeps what passing tests print.
        std::io::stderr().write_all(message.as_bytes()).unwrap();
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    fs::create_dir(&tokens).unwrap();
    let configuration = folder.path().join("softhsm2.conf");
    let text = format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nlog.level = ERROR\n",
        tokens.display()
    );
    fs::write(&configuration, text).unwrap();
    let ran = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env("SOFTHSM2_CONF", &configuration)
        .env(MODULE, module)
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(ran.status.success() && said.contains("1 passed"), "{said}");
}

/// SoftHSM with tokens, and a place for a vault.
pub struct Hsm {
    pub module: PathBuf,
    pub folder: PathBuf,
    pub context: Context,
}

impl Hsm {
    fn new(module: PathBuf, folder: PathBuf) -> Self {
        let context = Context::new(&module).unwrap();
        context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
        let hsm = Self { module, folder, context };
        hsm.add_token("shop");
        hsm
    }

    pub fn add_token(&self, label: &str) {
        let officer = AuthPin::new("officer".into());
        let is_new = |slot: &_| !self.context.get_token_info(*slot).unwrap().token_initialized();
        let slot = self.context.get_all_slots().unwrap().into_iter().find(is_new).unwrap();
        self.context.init_token(slot, &officer, label).unwrap();
        let session = self.context.open_rw_session(slot).unwrap();
        session.login(UserType::So, Some(&officer)).unwrap();
        session.init_pin(&AuthPin::new(PIN.into())).unwrap();
        session.logout().unwrap();
    }

    /// A session beside the library's, logged in.
    pub fn session(&self, token: &str) -> Session {
        let mut slots = self.context.get_slots_with_initialized_token().unwrap().into_iter();
        let slot = slots.find(|slot| self.context.get_token_info(*slot).unwrap().label() == token).unwrap();
        let session = self.context.open_rw_session(slot).unwrap();
        match session.login(UserType::User, Some(&AuthPin::new(PIN.into()))) {
            Ok(()) | Err(Fault::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => session,
            Err(e) => panic!("{e}"),
        }
    }

    pub fn keys(&self, session: &Session) -> Vec<ObjectHandle> {
        session.find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)]).unwrap()
    }
}
