//! What goes into a pipe is plain, and says nothing it should not.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{CANARIES, Shop, finish, tells_nothing};

#[test]
fn a_piped_run_has_no_escape_codes_and_no_boxes() {
    let shop = Shop::staffed();
    for arguments in [
        ["demo"].as_slice(),
        &["list", "v"],
        &["scopes", "v"],
        &["party", "list", "v"],
        &["ledger", "show", "v"],
        &["doctor", "v"],
        &["inspect", "v", "A-1"],
        &["open", "v", "--party", "shop", "--purpose", "operation", "A-1"],
        &["open", "v", "--party", "Nobody", "--purpose", "operation", "A-1"],
        &["put", "v", "-"],
        &["find", "v", "--party", "agent 17", "--purpose", "after_sale", "consignee.phone=13812345678"],
        &["get", "v", "--party", "shop", "--purpose", "operation", "A-1"],
        &["update", "v", "A-1", "--revision", "1", "-"],
    ] {
        let run = shop.run(arguments);
        let text = run.out + &run.err;
        assert!(!text.is_empty(), "{arguments:?}");
        let plain =
            |c: char| c == '\n' || c == '\t' || !(c.is_control() || ('\u{2500}'..='\u{259f}').contains(&c));
        assert!(text.chars().all(plain), "{arguments:?}: {text:?}");
    }
}

#[test]
fn the_demo_tells_its_story() {
    let begun = std::time::Instant::now();
    let run = Shop::empty().run_without_key(&["demo"]).exits(0);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    assert_eq!(run.err, "");
    let run = run.prints("10 orders").prints("120****0417").prints("林晚舟").prints(" 0 occur in its ");
    let run =
        run.prints("Swift Parcel (courier)").prints("never made this alias").prints("has been shredded");
    let run = run.prints("agent 17 searches").prints("and finds 1 order: ").prints(" consignee.phone\n");
    // Aligned for people: no line is wider than the terminal it is made for.
    let widest = run.out.lines().map(unicode_width::UnicodeWidthStr::width).max();
    assert!(widest <= Some(100), "{widest:?}");
}

#[test]
fn other_roles_and_commands_print_nothing_of_an_order() {
    let shop = Shop::staffed();
    let open =
        |party, purpose| shop.run(&["open", "v", "--party", party, "--purpose", purpose, "A-1"]).exits(0).out;
    let seen = |text: &str| CANARIES.into_iter().filter(|canary| text.contains(canary)).collect::<Vec<_>>();
    assert_eq!(
        seen(&open("Swift", "delivery")),
        ["Canary-Name", "13812345678", "Canary-Street 1", "Canary-City"]
    );
    assert_eq!(seen(&open("Dehua Ltd", "fulfilment")), ["Canary-Cup"]);
    assert_eq!(seen(&open("agent 17", "after_sale")), ["Canary-Teapot", "Canary-Cup"]);
    assert_eq!(seen(&open("books", "accounting")), ["138.00"]);
    for arguments in [
        ["list", "v"].as_slice(),
        &["scopes", "v", "--json"],
        &["party", "list", "v"],
        &["ledger", "show", "v", "--json"],
        &["ledger", "show", "v"],
        &["doctor", "v"],
        &["inspect", "v", "A-1"],
        &["find", "v", "--party", "agent 17", "--purpose", "after_sale", "consignee.phone=13812345678"],
    ] {
        let run = shop.run(arguments).exits(0);
        tells_nothing(&(run.out + &run.err));
    }
}

#[test]
fn what_a_shopper_wrote_does_not_steer_the_terminal() {
    let shop = Shop::new();
    let nasty = common::order("A-1").replacen("Canary-Note", "a\\u001b[2Jb\\nc\\u202ed\\u009be", 1);
    shop.put(&[nasty]);
    shop.staff();
    let open = ["open", "v", "--party", "shop", "--purpose", "operation", "A-1"];
    shop.run(&open).exits(0).prints("note\ta\u{fffd}[2Jb c\u{fffd}d\u{fffd}e\n");
}

#[test]
fn no_colour_is_respected_where_there_is_a_terminal() {
    let shop = Shop::staffed();
    let command = format!("{} doctor v", env!("CARGO_BIN_EXE_consignee"));
    let on_terminal = |no_colour: &str| {
        let mut script = std::process::Command::new("script");
        script.args(["-qec", &command, "/dev/null"]).current_dir(shop.folder.path());
        script.env("CONSIGNEE_KEY_FILE", shop.path("key")).env("TERM", "xterm").env("NO_COLOR", no_colour);
        finish(&mut script, b"").exits(0).out
    };
    if std::process::Command::new("script").arg("--version").output().is_err() {
        common::loudly("no_colour… was NOT RUN: there is no `script` to lend a terminal");
        return;
    }
    assert!(on_terminal("").contains("\x1b[1m") && on_terminal("").contains('│'));
    assert!(!on_terminal("1").contains('\x1b') && on_terminal("1").contains('│'));
}
