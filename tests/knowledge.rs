//! Documents that assistants look things up in: applied, changed, found, told, and kept apart.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use webox::{
    domain::{Actor, Found},
    operations::{
        assistants,
        knowledge::{self, Library},
    },
    provision,
    store::{Options, Store},
};

use crate::support::{
    api::{Who, World},
    cmd::Webox,
    daemon::{Daemon, sid, spoken},
    fake_http::{KEY, say, tool},
    fake_openai::FakeOpenAi,
    seed,
};

const FILE: &str = "# Le bistro\nname = \"bistro\"\nclient = \"Bistro\"\nphone = \"+33123456789\"\n\
    context = \"Un bistro.\"\nknowledge = [\"menu.md\", \"faq/*.md\"]  # la carte\n[voice]\nlanguage = \"fr-FR\"\n";
const MENU: &str =
    "# La carte\n\n## Desserts\n\n- Tarte Tatin, crème crue — 12 €\n- Sorbet citron — 9 €\n";
const DOGS: &str =
    "# Les chiens sont-ils admis ?\n\nOui, les petits chiens sont admis en terrasse.\n";

/// A home with the files of the bistro.
fn bistro(webox: Webox) -> Webox {
    webox.file("clients/bistro.toml", FILE);
    webox.file("clients/menu.md", MENU);
    webox.file("clients/faq/chiens.md", DOGS);
    webox
}

fn applied(webox: Webox) -> Webox {
    let webox = bistro(webox);
    webox.run(["apply", "--yes", "clients"]).ok();
    webox
}

async fn asks(daemon: &Daemon, n: u32, turn: u32, words: &str) -> String {
    spoken(&daemon.say(&sid(n), turn, words).await)
}

fn turns(webox: &Webox, n: u32) -> Value {
    tokio::task::block_in_place(|| {
        webox.run(["calls", "show", sid(n).as_str(), "-o", "json"]).ok().json()["turns"].clone()
    })
}

fn revision(webox: &Webox) -> Value {
    webox.run(["assistants", "show", "bistro", "-o", "json"]).ok().json()["assistant"]["revision"]
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_plainly_in_a_document_is_said_and_seen_in_the_transcript() {
    let webox = applied(Webox::new());
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    let told = asks(&daemon, 1, 1, "Combien coûte la tarte Tatin ?").await;
    assert!(told.contains("Tarte Tatin, crème crue, 12 euros"), "{told}");
    assert!(!told.contains("Sorbet") && !told.contains('#') && !told.contains("- "), "{told}");
    let told = asks(&daemon, 1, 2, "est-ce que vous acceptez les chiens").await;
    assert!(told.contains("Oui, les petits chiens sont admis en terrasse."), "{told}");
    let unknown = asks(&daemon, 1, 3, "Vous faites aussi des mariages à la montagne ?").await;
    assert!(!unknown.contains("Tatin") && !unknown.contains("chiens"), "{unknown}");
    let turns = turns(&webox, 1);
    let tool = &turns[1]["tools"][0];
    assert_eq!(tool["tool"], "search_knowledge");
    let read = |key: &str| serde_json::from_str::<Value>(tool[key].as_str().unwrap()).unwrap();
    assert_eq!(read("arguments"), json!({ "query": "Combien coûte la tarte Tatin ?" }));
    let place = json!({ "document": "menu.md", "heading": "La carte › Desserts" });
    assert_eq!(read("result"), json!({ "passages": [place] }));
    assert_eq!(turns[3]["tools"], json!([]));
    tokio::task::block_in_place(|| {
        webox.run(["calls", "show", sid(1).as_str(), "-o", "text"]).ok().prints("search_knowledge");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_document_is_a_new_version_and_a_call_keeps_its_own() {
    let webox = applied(Webox::new());
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    tokio::task::block_in_place(|| {
        assert_eq!(revision(&webox), 1);
        webox.run(["apply", "--yes", "clients"]).ok().says("No changes");
        webox.file("clients/menu.md", &MENU.replace("12 €", "14 €"));
        webox.file("clients/faq/wifi.md", "# Wifi\n\nLe wifi est gratuit.\n");
        let plan = webox.run(["plan", "clients"]).ok();
        let plan = plan.prints("~ menu.md").prints("+ faq/wifi.md").stdout;
        assert!(!plan.contains("14 €") && !plan.contains("chiens"), "{plan}");
        webox.run(["plan", "clients", "--out", "plan.json"]).ok();
        // What was looked at is applied, whatever became of the files.
        webox.file("clients/menu.md", &MENU.replace("12 €", "99 €"));
        webox.run(["apply", "--plan", "plan.json"]).ok();
        assert_eq!(revision(&webox), 2);
    });
    daemon.ring(&sid(2)).await;
    let (old, new) = (
        asks(&daemon, 1, 1, "Combien coûte la tarte Tatin ?").await,
        asks(&daemon, 2, 1, "Combien coûte la tarte Tatin ?").await,
    );
    assert!(old.contains("12 euros"), "{old}");
    assert!(new.contains("14 euros"), "{new}");
    let (old, new) = (
        asks(&daemon, 1, 2, "Vous avez le wifi ?").await,
        asks(&daemon, 2, 2, "Vous avez le wifi ?").await,
    );
    assert!(!old.contains("gratuit") && new.contains("Le wifi est gratuit."), "{old} | {new}");
    tokio::task::block_in_place(|| {
        // Back to the first version, with the documents of then.
        webox.run(["rollback", "bistro", "--yes"]).ok();
        let found =
            webox.run(["knowledge", "search", "bistro", "tarte Tatin", "-o", "json"]).ok().json();
        assert!(found["passages"][0]["text"].as_str().unwrap().contains("12 €"), "{found}");
        let listed = webox.run(["knowledge", "list", "bistro", "-o", "json"]).ok().json();
        assert_eq!(listed["documents"].as_array().unwrap().len(), 2);
        webox.run(["knowledge", "show", "bistro", "menu.md"]).ok().prints("crème crue — 12 €");
        webox.run(["knowledge", "show", "bistro", "faq/wifi.md"]).code(1).says("has no document");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_told_what_was_found_as_data_and_may_look_for_more() {
    let provider = FakeOpenAi::start(vec![
        say("Douze euros."),
        tool("search_knowledge", r#"{"query":"chiens terrasse"}"#),
        say("Oui, en terrasse."),
        say("Au revoir."),
    ]);
    let webox = Webox::new().env("OPENAI_API_KEY", KEY).env("OPENAI_BASE_URL", provider.url());
    let webox = bistro(webox);
    webox.file("clients/bistro.toml", &format!("{FILE}[ai]\nmodel = \"gpt-4\"\n"));
    webox.run(["apply", "--yes", "clients"]).ok();
    let daemon = Daemon::start(&webox);
    daemon.ring(&sid(1)).await;
    asks(&daemon, 1, 1, "Combien coûte la tarte Tatin ?").await;
    asks(&daemon, 1, 2, "Mon labrador peut venir avec moi alors ?").await;
    asks(&daemon, 1, 3, "Merci").await;
    let asked = provider.requests();
    let messages = |n: usize| asked[n].json["messages"].as_array().unwrap().clone();
    let first = messages(0);
    let system = first[0]["content"].as_str().unwrap();
    assert!(system.contains("# Documents") && !system.contains("Tatin"), "{system}");
    let said = first.last().unwrap()["content"].as_str().unwrap();
    let (words, data) = said.split_once("\n\n[found in the documents").unwrap();
    assert_eq!(words, "Combien coûte la tarte Tatin ?");
    let data = &data[data.find('[').unwrap()..data.len() - 1];
    let data: Value = serde_json::from_str(data).unwrap();
    assert_eq!(
        (&data[0]["document"], &data[0]["heading"]),
        (&json!("menu.md"), &json!("La carte › Desserts"))
    );
    assert!(data[0]["text"].as_str().unwrap().contains("12 €"));
    let tools = asked[0].json["tools"].to_string();
    assert!(tools.contains("search_knowledge"), "{tools}");
    // Nothing has these words: nothing is added. What the tool finds is told whole, and kept by its place.
    assert_eq!(messages(1).last().unwrap()["content"], "Mon labrador peut venir avec moi alors ?");
    let answered = messages(2).last().unwrap()["content"].as_str().unwrap().to_owned();
    assert!(answered.contains("les petits chiens sont admis en terrasse"), "{answered}");
    let later = Value::from(messages(3)).to_string();
    assert!(
        !later.contains("crème crue") && !later.contains("faq/chiens.md"),
        "told once: {later}"
    );
    let turns = turns(&webox, 1);
    assert_eq!(turns[1]["tools"][0]["tool"], "search_knowledge");
    let kept = turns[2]["tools"][0]["result"].as_str().unwrap();
    assert!(kept.contains("faq/chiens.md") && !kept.contains("petits chiens"), "{kept}");
    assert_eq!(turns[3]["tools"], json!([]));
}

#[test]
fn documents_come_back_beside_the_file() {
    let webox = applied(Webox::new());
    webox
        .run(["export", "--dir", "clients", "--check"])
        .ok()
        .says("0 files not as the store has it");
    webox.run(["export", "bistro"]).ok().prints("knowledge = [").says("--dir");
    // Into an empty folder: a folder of its own, which says the same.
    webox.run(["export", "--dir", "out"]).ok();
    let read = |path: &str| std::fs::read_to_string(webox.home().join(path)).unwrap();
    assert_eq!(
        (read("out/bistro/menu.md"), read("out/bistro/faq/chiens.md")),
        (MENU.to_owned(), DOGS.to_owned())
    );
    webox.run(["plan", "out", "--detailed-exitcode"]).ok();
    // An existing file keeps its patterns and comments, as long as they match what is to be there.
    webox.file("more/bistro.toml", FILE);
    webox.file("more/menu.md", "# Autre carte\n");
    webox.file("more/faq/chiens.md", DOGS);
    webox.run(["export", "--dir", "more"]).ok();
    assert_eq!(
        (read("more/bistro.toml"), read("more/menu.md")),
        (FILE.to_owned(), MENU.to_owned())
    );
    webox.file("more/faq/new.md", "# Nouveau\n\nTexte.\n");
    webox.run(["export", "--dir", "more"]).ok();
    assert!(read("more/bistro.toml").contains("\"faq/chiens.md\""), "{}", read("more/bistro.toml"));
    webox.run(["export", "--dir", "more", "--check"]).ok();
    // Never out of the folder.
    webox.file("away/x.md", "x");
    std::fs::create_dir_all(webox.home().join("linked/bistro")).unwrap();
    std::os::unix::fs::symlink(webox.home().join("away"), webox.home().join("linked/bistro/faq"))
        .unwrap();
    webox.run(["export", "--dir", "linked"]).code(65).says("lies outside of");
    assert!(!webox.home().join("away/chiens.md").exists());
}

#[test]
fn mistakes_are_told_with_their_place() {
    let webox = bistro(Webox::new());
    let text = FILE.replace("\"menu.md\"", "\"carte.md\"").replace("faq/*", "fap/*");
    webox.file("clients/bistro.toml", &text);
    let told = webox.run(["validate", "clients"]).code(65).stderr;
    assert!(told.contains("clients/bistro.toml:6:14") && told.contains("carte.md"), "{told}");
    assert!(told.contains("`fap/*.md` matches no document") && told.contains("6:26"), "{told}");
    let one = "name = \"a\"\nclient = \"A\"\nphone = \"+33123456780\"\ncontext = \"x\"\nknowledge = [\"a.md\"]\n";
    webox.run_with_stdin(one, ["validate", "-"]).code(65).says("needs a file to stand beside");
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_travel_over_the_network_and_are_their_owners_alone() {
    let world = World::new();
    let far = bistro(world.far(Who::Other));
    far.file("clients/bistro.toml", &FILE.replace("+33123456789", "+33123456780"));
    tokio::task::block_in_place(|| {
        far.run(["apply", "--yes", "clients"]).ok();
        far.run(["apply", "--yes", "clients"]).ok().says("No changes");
        far.run(["knowledge", "list", "bistro"]).ok().prints("faq/chiens.md");
        far.run(["knowledge", "search", "bistro", "les", "chiens"])
            .ok()
            .prints("admis en terrasse");
        far.run(["export", "--dir", "out"]).ok();
        let menu = std::fs::read_to_string(far.home().join("out/bistro/menu.md")).unwrap();
        assert_eq!(menu, MENU);
        // By hand, without a word of the documents.
        far.run(["assistants", "edit", "bistro", "--greeting", "Allô ?"]).ok();
        far.run(["knowledge", "show", "bistro", "menu.md"]).ok().prints("Tarte Tatin");
        far.run_with_stdin("Combien coûte la tarte Tatin ?\n", ["try", "bistro"])
            .ok()
            .prints("12 euros");
    });
    let listed = world.get(Who::Other, "/api/voice/assistants/bistro/knowledge").await.ok();
    let menu = listed["documents"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["path"] == "menu.md")
        .unwrap();
    assert_eq!(menu["text"], Value::Null);
    // A digest that is somebody else's names nothing.
    let stolen = json!({ "knowledge": [{ "path": "mine.md", "sha256": menu["sha256"] }] });
    let refused =
        world.ask(Who::Owner, "PUT", "/api/voice/assistants/le-gourmet", Some(stolen)).await;
    assert!(refused.status(400).text.contains("did not come along"));
    for path in ["knowledge", "knowledge?texts=true", "knowledge/search?q=tarte"] {
        let path = format!("/api/voice/assistants/bistro/{path}");
        assert!(!world.get(Who::Owner, &path).await.status(404).text.contains("Tatin"));
    }
    // By hand, with its text.
    let mine =
        json!({ "knowledge": [{ "path": "mine.md", "text": "# Vins\n\nPommard — 48 €\n" }] });
    let path = "/api/voice/assistants/le-gourmet";
    world.ask(Who::Owner, "PUT", path, Some(mine)).await.status(200);
    let found = world.get(Who::Owner, &format!("{path}/knowledge/search?q=pommard")).await.ok();
    assert_eq!(found["passages"][0]["document"], "mine.md");
    let played = json!({ "says": ["Combien coûte le Pommard ?"] });
    let played =
        world.ask(Who::Owner, "POST", &format!("{path}/rehearse"), Some(played)).await.ok();
    assert!(played["turns"][1]["said"].as_str().unwrap().contains("48 euros"), "{played}");
    world.get(Who::Owner, &format!("{path}/knowledge/search?q=%20")).await.status(400);
    let none = json!({ "knowledge": [] });
    world.ask(Who::Owner, "PUT", path, Some(none)).await.status(200);
    let found = world.get(Who::Owner, &format!("{path}/knowledge/search?q=pommard")).await.ok();
    assert_eq!(found["passages"], json!([]));
}

/// A store with assistants from files; the folder must outlive it.
fn stored(paths: &[&Path]) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("webox.db"), Options::terminal()).unwrap();
    let paths: Vec<_> = paths.iter().map(|path| path.to_path_buf()).collect();
    for loaded in provision::load(&paths, None, &mut std::io::empty()).unwrap() {
        let now = jiff::Timestamp::now();
        assistants::create(&store, &Actor::webox("test"), loaded.file.spec, None, now).unwrap();
    }
    (folder, store)
}

fn search(store: &Store, name: &str, said: &str) -> Vec<Found> {
    let (library, actor) = (Library::by_words(), Actor::webox("test"));
    let found = knowledge::search(store, &library, &actor, name, said, jiff::Timestamp::now());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(found).unwrap()
}

#[test]
fn realistic_questions_find_their_passage() {
    let shipped = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("assistants").join(name);
    let (_folder, store) =
        stored(&[&shipped("hotel-miramar.toml"), &shipped("garage-dupont.toml")]);
    let mut missed = Vec::new();
    let asked = [
        (
            "hotel-miramar",
            "Bonjour, je voulais savoir si vous avez un lit pour un bébé",
            "guests.fr.md",
            "lits bébé",
        ),
        (
            "hotel-miramar",
            "jusqu'à quelle heure on peut dîner au restaurant ?",
            "guests.fr.md",
            "Le dîner est servi",
        ),
        ("hotel-miramar", "C'est combien la location d'un vélo ?", "guests.fr.md", "Vélos"),
        (
            "hotel-miramar",
            "Est-ce que l'hôtel est accessible en fauteuil roulant ?",
            "guests.fr.md",
            "fauteuils roulants",
        ),
        (
            "hotel-miramar",
            "Ma fille est végétarienne, il y a quelque chose pour elle ?",
            "guests.fr.md",
            "végétariens",
        ),
        ("hotel-miramar", "Do you have a cot for our baby?", "guests.en.md", "Baby cots"),
        (
            "hotel-miramar",
            "Can you get my shirts washed, is there a laundry?",
            "guests.en.md",
            "Laundry",
        ),
        (
            "hotel-miramar",
            "How much is an airport transfer for four?",
            "guests.en.md",
            "Airport transfer",
        ),
        ("hotel-miramar", "am I allowed to smoke on the balcony", "guests.en.md", "no smoking"),
        (
            "hotel-miramar",
            "¿Tienen platos vegetarianos para la cena?",
            "guests.es.md",
            "vegetarianos",
        ),
        (
            "hotel-miramar",
            "Quería alquilar unas bicicletas, ¿cuánto cuesta?",
            "guests.es.md",
            "Bicicletas",
        ),
        ("hotel-miramar", "mi madre va en silla de ruedas", "guests.es.md", "silla de ruedas"),
        ("hotel-miramar", "Haben Sie ein Babybett für unser Zimmer?", "guests.de.md", "Babybetten"),
        ("hotel-miramar", "Gibt es glutenfreies Essen?", "guests.de.md", "Glutenfreie"),
        ("hotel-miramar", "Kann man bei Ihnen Fahrräder mieten?", "guests.de.md", "Fahrräder"),
        (
            "garage-dupont",
            "Combien vous prenez pour changer les plaquettes de frein ?",
            "garage-dupont/tarifs.md",
            "Plaquettes avant",
        ),
        (
            "garage-dupont",
            "ma clim ne marche plus, une recharge de climatisation c'est combien",
            "tarifs.md",
            "Recharge",
        ),
        ("garage-dupont", "J'ai un impact sur le pare-brise", "tarifs.md", "pare-brise"),
        (
            "garage-dupont",
            "vous vous occupez des voitures électriques ?",
            "questions.md",
            "électriques",
        ),
        (
            "garage-dupont",
            "je peux laisser la voiture tôt le matin avec la clé dans une boîte",
            "questions.md",
            "boîte à clés",
        ),
    ];
    for (name, said, document, part) in asked {
        let found = search(&store, name, said);
        let hit = found.first().is_some_and(|one| {
            one.passage.document.as_str().ends_with(document) && one.passage.text.contains(part)
        });
        if !hit {
            let first =
                found.first().map(|one| format!("{} {}", one.passage.document, one.passage.text));
            missed.push(format!("{said}: {first:?}"));
        }
    }
    assert!(
        missed.is_empty(),
        "{} of {} missed:\n{}",
        missed.len(),
        asked.len(),
        missed.join("\n")
    );
    for said in ["Bonjour", "Oui, merci, au revoir", "Vous vendez des hélicoptères ?"] {
        assert!(search(&store, "garage-dupont", said).is_empty(), "{said}");
    }
}

#[test]
fn nothing_that_is_said_is_more_than_words() {
    let webox = bistro(Webox::new());
    let (_folder, store) = stored(&[&webox.home().join("clients")]);
    for said in [
        "\"",
        "' OR 1=1 --",
        "chiens\" OR \"x",
        "NEAR(chiens terrasse, 5)",
        "heading : chiens",
        "chiens AND NOT terrasse",
        "* chiens^2 {} () -x +y",
        "\u{0}chiens",
        "ﬁn ǅ ª º ² ٣ 犬 किताब",
        "a\u{301}\u{301}",
        "whose : a1",
    ] {
        search(&store, "bistro", said);
    }
    assert_eq!(
        search(&store, "bistro", "chiens\" OR \"x")[0].passage.document.as_str(),
        "faq/chiens.md"
    );
    proptest!(ProptestConfig::with_cases(200), |(said in "(?s).{0,120}", more in "[\"'*():^{}+\\- a-zé]{0,60}")| {
        search(&store, "bistro", &said);
        search(&store, "bistro", &format!("chiens {more}"));
    });
}

#[test]
fn many_documents_of_many_clients_stay_apart_and_are_dropped_when_nobody_needs_them() {
    let webox = Webox::new();
    for n in 0..3 {
        let text = format!(
            "name = \"c{n}\"\nclient = \"C\"\nphone = \"+3312345670{n}\"\ncontext = \"x\"\nknowledge = [\"c{n}/*.md\"]\n"
        );
        webox.file(&format!("clients/c{n}.toml"), &text);
        for d in 0..70 {
            webox.file(
                &format!("clients/c{n}/{d}.md"),
                &format!("# Sujet {d}\n\nLe secret du client {n} est {d}.\n"),
            );
        }
    }
    webox.run(["apply", "--yes", "clients"]).ok();
    let store = seed::store(&webox);
    let found = search(&store, "c1", "Quel est le secret du sujet 42 ?");
    assert!(found[0].passage.text.contains("client 1 est 42"), "{found:?}");
    assert!(found.iter().all(|one| one.passage.text.contains("client 1")), "{found:?}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert_eq!(runtime.block_on(knowledge::drop_unused(&store)).unwrap(), 0, "all are in use");
    for d in 1..70 {
        std::fs::remove_file(webox.home().join(format!("clients/c1/{d}.md"))).unwrap();
    }
    webox.run(["apply", "--yes", "clients"]).ok();
    webox.run(["assistants", "delete", "c2", "--yes"]).ok();
    let mut dropped = 0;
    loop {
        match runtime.block_on(knowledge::drop_unused(&store)).unwrap() {
            0 => break,
            some => dropped += some,
        }
    }
    assert_eq!(dropped, 69 + 70);
    assert!(search(&store, "c1", "secret")[0].passage.text.contains("client 1 est 0"));
    assert_eq!(search(&store, "c0", "secret 42").len().min(1), 1);
    // Their texts stay for the versions that name them, and are looked up again when one is in force.
    webox.run(["rollback", "c1", "--yes"]).ok();
    webox.run(["rollback", "c2", "--yes"]).ok();
    let found = search(&store, "c1", "le secret du sujet 42");
    assert!(found[0].passage.text.contains("client 1 est 42"), "{found:?}");
    assert_eq!(
        search(&store, "c2", "le secret du sujet 37")[0].passage.document.as_str(),
        "c2/37.md"
    );
}
