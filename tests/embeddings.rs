//! Documents found by what they mean: embedded once, in the background, and never waited for in a call.

use std::{path::Path, sync::Arc};

use serde_json::{Value, json};
use webox::{
    domain::{Actor, Assistant, Found, Secret},
    operations::{
        assistants,
        knowledge::{self, Library, embed_due},
    },
    providers::{
        breaker::Breakers,
        llm::{Models, ProviderSettings},
    },
    store::{Store, embeddings},
};

use crate::support::{
    cmd::Webox,
    daemon::{Daemon, sid, spoken},
    fake_anthropic::FakeAnthropic,
    fake_embeddings::{self, answer, asked, texts},
    fake_http::{KEY, say},
    receiver::{Receiver, Reply},
    seed,
};

const MODEL: &str = "openai/text-embedding-3-small";

/// A restaurant that says little in the words of its callers.
const FR: &[(&str, &str)] = &[
    ("Régimes", "Plusieurs plats sont adaptés aux cœliaques, dont le risotto."),
    ("Venir", "Le garage de la place est à cent mètres."),
    ("Compagnie", "Les chiens tenus en laisse sont acceptés."),
    ("Familles", "Chaises hautes et coloriages vous attendent."),
    ("Régler", "Nous prenons les cartes et les chèques-vacances, pas les espèces."),
    ("Entrée", "Une rampe mène à la porte."),
    ("Groupes", "Dès douze convives, un acompte de cent euros est dû."),
    ("Confort", "Le wifi est libre."),
    ("Terrasse", "Elle est chauffée de novembre à mars."),
    ("Fêtes", "Notre pâtissière écrit une dédicace à la demande."),
    ("Formule", "La formule du midi comprend un plat et un café, 18 €."),
    ("Horaires", "La cuisine ferme à 22 h 30, la nuit du samedi à minuit."),
];

/// What French callers say, in other words; and a word of the passage that answers.
const ASKED_FR: &[(&str, &str)] = &[
    ("vous faites des trucs sans gluten ?", "cœliaques"),
    ("où est-ce que je laisse ma voiture", "garage"),
    ("je peux venir avec mon labrador ?", "laisse"),
    ("ma fille a deux ans, vous êtes équipés ?", "coloriages"),
    ("on peut payer en liquide ?", "espèces"),
    ("mon père est en fauteuil", "rampe"),
    ("il faut avancer de l'argent ?", "acompte"),
    ("on capte internet chez vous ?", "wifi"),
    ("on ne va pas avoir froid dehors ?", "chauffée"),
    ("c'est pour un anniversaire, avec un gâteau", "dédicace"),
    // In the document's own words: nothing may get worse.
    ("la formule du midi, c'est combien ?", "18 €"),
    ("vous prenez les chèques-vacances ?", "chèques"),
    ("la terrasse est ouverte ?", "novembre"),
];

const IT: &[(&str, &str)] = &[
    ("Diete", "Molti piatti sono adatti ai celiaci, anche il risotto."),
    ("Arrivare", "C'è un'autorimessa in piazza, a cento metri."),
    ("Compagnia", "Al guinzaglio sono benvenuti."),
    ("Famiglie", "Abbiamo seggioloni e matite colorate."),
    ("Pagare", "Accettiamo carte e bancomat."),
    ("Ingresso", "Nessun gradino fino alla sala."),
    ("Gruppi", "Da dodici persone chiediamo una caparra."),
    ("Comodità", "La rete è libera."),
    ("Veranda", "È riscaldata da novembre a marzo."),
    ("Feste", "Prepariamo una torta con dedica."),
    ("Pranzo", "Il menù di mezzogiorno costa 16 €."),
    ("Sala", "La sala al piano di sopra è la più tranquilla."),
];

const ASKED_IT: &[(&str, &str)] = &[
    ("avete qualcosa senza glutine?", "celiaci"),
    ("dove posso lasciare la macchina?", "autorimessa"),
    ("posso venire con il cane?", "guinzaglio"),
    ("veniamo con due bambini piccoli", "seggioloni"),
    ("si può pagare in contanti?", "bancomat"),
    ("mia nonna è in carrozzina", "gradino"),
    ("bisogna dare un anticipo?", "caparra"),
    ("si riesce a navigare da voi?", "rete"),
    ("fuori fa freddo la sera?", "riscaldata"),
    ("è per un compleanno", "torta"),
    ("quanto costa il menù di mezzogiorno?", "16 €"),
    ("non vorrei un posto rumoroso", "tranquilla"),
];

fn document(passages: &[(&str, &str)]) -> String {
    let passage = |(heading, text): &(&str, &str)| format!("# {heading}\n\n{text}\n\n");
    passages.iter().map(passage).collect::<Vec<_>>().concat()
}

fn file(model: &str, language: &str) -> String {
    format!(
        "name = \"bistro\"\nclient = \"Bistro\"\nphone = \"+33123456789\"\ncontext = \"Un bistro.\"\n\
         knowledge = [\"*.md\"]\n[ai]\nmodel = \"claude-3\"\nembeddings = \"{model}\"\n\
         [voice]\nlanguage = \"{language}\"\n"
    )
}

/// A home with the bistro, whose models are asked at a double.
fn bistro(embeddings: &Receiver) -> Webox {
    let webox = Webox::new()
        .env("OPENAI_API_KEY", KEY)
        .env("OPENAI_BASE_URL", format!("{}/v1", embeddings.url()));
    webox.file("clients/bistro.toml", &file(MODEL, "fr-FR"));
    webox.file("clients/carte.md", &document(FR));
    webox
}

fn apply(webox: &Webox) {
    webox.run(["apply", "--yes", "clients"]).ok();
}

/// How many passages there are, how many are embedded, and why not all.
fn progress(webox: &Webox) -> (u64, u64, Option<String>) {
    let listed = webox.run(["knowledge", "list", "bistro", "-o", "json"]).ok().json();
    let documents = listed["documents"].as_array().unwrap();
    let sum = |key: &str| documents.iter().map(|one| one[key].as_u64().unwrap()).sum();
    let why = documents.iter().find_map(|one| one["failure"].as_str().map(str::to_owned));
    (sum("passages"), sum("embedded"), why)
}

/// Waits until something is so.
#[track_caller]
fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while !is() {
        assert!(std::time::Instant::now() < deadline, "never: {what}");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

fn all_embedded(webox: &Webox) {
    until("all is embedded", || {
        let (passages, embedded, _) = progress(webox);
        passages == embedded
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_meant_is_found_told_to_a_model_and_paid_once() {
    let embeddings = fake_embeddings::start();
    let model =
        FakeAnthropic::start(vec![say("Oui, le risotto."), say("Jusqu'à minuit."), say("Voilà.")]);
    let webox =
        bistro(&embeddings).env("ANTHROPIC_API_KEY", KEY).env("ANTHROPIC_BASE_URL", model.url());
    tokio::task::block_in_place(|| {
        apply(&webox);
        webox.run(["knowledge", "list", "bistro", "-o", "table"]).ok().prints("0/12");
    });
    let daemon = Daemon::start(&webox);
    tokio::task::block_in_place(|| {
        all_embedded(&webox);
        let found = webox.run([
            "knowledge",
            "search",
            "bistro",
            "vous faites des trucs sans gluten ?",
            "-o",
            "text",
        ]);
        found.ok().prints("by what it means").prints("cœliaques");
        let found =
            webox.run(["knowledge", "search", "bistro", "les chiens", "-o", "json"]).ok().json();
        assert_eq!(found["passages"][0]["by"], "both", "{found}");
    });
    let before = asked(&embeddings).len();
    daemon.ring(&sid(1)).await;
    daemon.say(&sid(1), 1, "vous faites des trucs sans gluten ?").await;
    daemon.say(&sid(1), 2, "À quelle heure ferme la cuisine ?").await;
    daemon.say(&sid(1), 3, "et le week-end ?").await;
    let told: Vec<String> = model
        .requests()
        .iter()
        .map(|asked| asked.json["messages"].as_array().unwrap().last().unwrap().to_string())
        .collect();
    assert!(told[0].contains("cœliaques"), "{}", told[0]);
    assert!(told[1].contains("22 h 30"), "{}", told[1]);
    // Its own words are nowhere: the question before is taken along.
    assert!(told[2].contains("22 h 30"), "{}", told[2]);
    let said = asked(&embeddings)[before..].to_vec();
    assert_eq!(said.len(), 3, "each thing said is asked for once: {said:?}");
    assert!(said[2].contains("cuisine") && said[2].contains("week-end"), "{said:?}");
    let calls = tokio::task::block_in_place(|| {
        webox.run(["calls", "show", sid(1).as_str(), "-o", "json"]).ok().json()
    });
    assert_eq!(calls["turns"][1]["tools"][0]["tool"], "search_knowledge", "{calls}");
    tokio::task::block_in_place(|| {
        let before = asked(&embeddings).len();
        webox.file("clients/carte.md", &document(FR).replace("chauffée", "couverte"));
        webox.file("clients/more.md", "# Vins\n\nPommard et Volnay.\n");
        apply(&webox);
        all_embedded(&webox);
        let more = asked(&embeddings)[before..].to_vec();
        assert_eq!(more.len(), 2, "only what is new: {more:?}");
        assert!(more.iter().any(|text| text.contains("couverte")), "{more:?}");
        let ledger = rusqlite::Connection::open(webox.db()).unwrap();
        let tokens = || -> i64 {
            let sum = "SELECT coalesce(sum(e.quantity), 0) FROM ledger_entries e
                       JOIN ledger_rates r ON r.id = e.rate_id WHERE r.product LIKE 'text-embedding%'";
            ledger.query_row(sum, [], |row| row.get(0)).unwrap()
        };
        until("the tokens of all are in the ledger", || {
            let all: usize = asked(&embeddings).iter().map(|text| text.len() / 4 + 1).sum();
            tokens() == i64::try_from(all).unwrap()
        });
    });
}

fn find(store: &Store) -> Assistant {
    assistants::find(store, &Actor::webox("test"), "bistro").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_is_answered_by_words_when_the_endpoint_is_down_or_slow() {
    let embeddings = fake_embeddings::start();
    embeddings.next(&[Reply::status(500), Reply::status(503)]);
    let webox = bistro(&embeddings);
    webox.file("clients/bistro.toml", &file(MODEL, "fr-FR").replace("claude-3", "builtin"));
    tokio::task::block_in_place(|| apply(&webox));
    let daemon = Daemon::start(&webox);
    tokio::task::block_in_place(|| {
        until("the failure is told", || {
            progress(&webox).2.is_some_and(|why| why.contains("server"))
        });
        let listed = webox.run(["knowledge", "list", "bistro", "-o", "table"]).ok();
        if progress(&webox).1 == 0 {
            assert!(listed.stderr.contains("not all is embedded"), "{}", listed.stderr);
        }
    });
    daemon.ring(&sid(1)).await;
    embeddings.next(&[Reply::status(500)]);
    let told = spoken(&daemon.say(&sid(1), 1, "Combien coûte la formule du midi ?").await);
    assert!(told.contains("18 euros"), "{told}");
    // It answers again by itself.
    tokio::task::block_in_place(|| all_embedded(&webox));
    embeddings.next(&[Reply::Nothing]);
    let told = spoken(&daemon.say(&sid(1), 2, "Est-ce que le wifi est libre ?").await);
    assert!(told.contains("Le wifi est libre"), "{told}");
    daemon.logged("no answer within 600 ms");
    // What is only meant is nothing that the concierge could say.
    let unknown = spoken(&daemon.say(&sid(1), 3, "vous faites des trucs sans gluten ?").await);
    assert!(!unknown.contains("cœliaques"), "{unknown}");
}

#[test]
fn a_daemon_that_is_killed_goes_on_where_it_was() {
    let embeddings = fake_embeddings::start();
    let webox = bistro(&embeddings);
    let many: Vec<String> = (0..100)
        .map(|n| format!("# Sujet {n}\n\nLe secret numéro {n} reste entre nous.\n\n"))
        .collect();
    webox.file("clients/carte.md", &many.concat());
    apply(&webox);
    let whole = |texts: Vec<String>| {
        let json = json!({ "input": texts, "model": "text-embedding-3-small" });
        let vectors: Vec<Value> = texts
            .iter()
            .enumerate()
            .map(|(at, text)| json!({ "index": at, "embedding": fake_embeddings::vector(text) }))
            .collect();
        Reply::json(
            200,
            &json!({ "data": vectors, "model": json["model"], "usage": { "prompt_tokens": 1 } }),
        )
    };
    // The first batch comes, the second never does.
    let first: Vec<String> =
        (0..32).map(|n| format!("Sujet {n}\nLe secret numéro {n} reste entre nous.")).collect();
    embeddings.next(&[whole(first.clone()), Reply::Nothing]);
    let daemon = Daemon::start(&webox);
    embeddings.wait_for(2);
    until("the first batch is kept", || progress(&webox).1 == 32);
    daemon.kill();
    assert_eq!(texts(&embeddings.received()[0]), first);
    let before = embeddings.received().len();
    let daemon = Daemon::start(&webox);
    all_embedded(&webox);
    let again: Vec<String> = embeddings.received()[before..].iter().flat_map(texts).collect();
    assert_eq!(again.len(), 68, "what came is not asked for again");
    assert!(again.iter().all(|text| !first.contains(text)));
    assert_eq!(daemon.terminate(), Some(0));
}

#[test]
fn another_model_begins_anew_and_a_refused_passage_is_told() {
    let embeddings = Receiver::answering(|request| {
        if texts(request).iter().any(|text| text.contains("poison")) {
            return Reply::json(
                400,
                &json!({ "error": { "message": "too bad", "type": "invalid_request_error" } }),
            );
        }
        answer(request)
    });
    let webox = bistro(&embeddings);
    webox.file("clients/mauvais.md", "# Mauvais\n\nUn poison.\n\n# Bon\n\nUn remède.\n");
    apply(&webox);
    let daemon = Daemon::start(&webox);
    until("all but one are embedded", || progress(&webox).1 == 13);
    let (passages, _, why) = progress(&webox);
    assert_eq!(passages, 14);
    assert!(why.as_ref().is_some_and(|why| why.contains("too bad")), "{why:?}");
    webox
        .run(["knowledge", "list", "bistro", "-o", "table"])
        .ok()
        .prints("1/2")
        .says("mauvais.md: not all is embedded");
    let asked_for = asked(&embeddings).iter().filter(|text| text.contains("poison")).count();
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let later = asked(&embeddings).iter().filter(|text| text.contains("poison")).count();
    assert_eq!(later, asked_for, "it is not asked for again and again");
    // Another model: everything is asked for with it, and found by it.
    std::fs::remove_file(webox.home().join("clients/mauvais.md")).unwrap();
    webox.file("clients/bistro.toml", &file("compatible/other", "fr-FR"));
    apply(&webox);
    all_embedded(&webox);
    let last = embeddings.received().last().unwrap().json();
    assert_eq!(last["model"], "other", "{last}");
    webox
        .run(["knowledge", "search", "bistro", "sans gluten", "-o", "text"])
        .ok()
        .prints("by what it means");
    drop(daemon);
    // The vectors of the first are of no use to anybody.
    let store = seed::store(&webox);
    let bistro = find(&store);
    let count = |model: &str| {
        let model = model.parse().unwrap();
        store.read(|tx| embeddings::of_version(tx, &bistro, &model)).unwrap().0.len()
    };
    assert_eq!((count(MODEL), count("compatible/other")), (12, 12));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(knowledge::drop_unused(&store)).unwrap();
    assert_eq!((count(MODEL), count("compatible/other")), (0, 12));
}

#[test]
fn rehearsals_ask_nobody_and_a_file_without_the_key_stays_as_it_was() {
    let embeddings = fake_embeddings::start();
    let webox = bistro(&embeddings);
    webox.file("clients/bistro.toml", &file(MODEL, "fr-FR").replace("claude-3", "builtin"));
    apply(&webox);
    webox.run_with_stdin("La formule du midi ?\n", ["try", "bistro"]).ok().prints("18 euros");
    assert_eq!(embeddings.received().len(), 0);
    let plain = file(MODEL, "fr-FR").replace(&format!("embeddings = \"{MODEL}\"\n"), "");
    webox.file("clients/bistro.toml", &plain);
    apply(&webox);
    let store = seed::store(&webox);
    let kept = serde_json::to_value(&find(&store).spec).unwrap();
    assert_eq!(kept["ai"].get("embeddings"), None, "{kept}");
    let listed = webox.run(["knowledge", "list", "bistro", "-o", "table"]).ok().stdout;
    assert!(!listed.to_lowercase().contains("embedded"), "{listed}");
    webox.file("clients/bistro.toml", &file("anthropic/claude", "fr-FR"));
    webox
        .run(["validate", "clients"])
        .code(65)
        .says("clients/bistro.toml:8:14")
        .says("ai.embeddings");
}

/// A library that asks a double, of a store of one's own.
fn asking(embeddings: &Receiver) -> Library {
    let models = Models::new(ProviderSettings {
        openai_api_key: Some(Secret::new(KEY)),
        openai_base_url: Some(format!("{}/v1", embeddings.url())),
        ..ProviderSettings::default()
    });
    Library::asking(models, Breakers::default())
}

#[test]
fn a_long_outage_gives_nothing_up_and_a_text_that_breaks_its_server_keeps_no_others_back() {
    let embeddings = Receiver::answering(|request| {
        let breaks = texts(request).iter().any(|text| text.contains("Sujet 7"));
        if breaks { Reply::status(500) } else { answer(request) }
    });
    let webox = bistro(&embeddings);
    let many: Vec<String> =
        (0..40).map(|n| format!("# Sujet {n}.\n\nLe plat numéro {n} est servi.\n\n")).collect();
    webox.file("clients/carte.md", &many.concat().replace("Sujet 7.", "Sujet 7"));
    apply(&webox);
    let (store, library) = (seed::store(&webox), asking(&embeddings));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut now = jiff::Timestamp::now();
    let mut looks = |count: u32, every: jiff::SignedDuration| {
        for _ in 0..count {
            now += every;
            runtime.block_on(embed_due(&store, &library, now)).unwrap();
        }
    };
    // Everything fails for hours, also what would be answered.
    embeddings.next(&vec![Reply::status(500); 30]);
    looks(30, jiff::SignedDuration::from_hours(1));
    // Then all but one: each by itself, a second after the other.
    looks(1, jiff::SignedDuration::from_hours(1));
    looks(60, jiff::SignedDuration::from_secs(1));
    let (passages, embedded, _) = progress(&webox);
    assert_eq!((passages, embedded), (40, 39));
    let waits: i64 = rusqlite::Connection::open(webox.db())
        .unwrap()
        .query_row("SELECT count(*) FROM embeddings WHERE due_at IS NOT NULL", [], |row| row.get(0))
        .unwrap();
    assert_eq!(waits, 1, "it is asked for again, once its server is mended");
}

/// How many of some questions have their passage among what is found, by words alone and by both.
fn recall(language: &str, passages: &[(&str, &str)], asked: &[(&str, &str)]) -> (usize, usize) {
    let embeddings = fake_embeddings::start();
    let webox = bistro(&embeddings);
    webox.file("clients/bistro.toml", &file(MODEL, language));
    webox.file("clients/carte.md", &document(passages));
    apply(&webox);
    let store = seed::store(&webox);
    let library = asking(&embeddings);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bistro = Arc::new(find(&store));
    let hits = |library: &Library| {
        let has =
            |found: &[Found], word: &str| found.iter().any(|one| one.passage.text.contains(word));
        asked
            .iter()
            .filter(|(said, word)| {
                let found = runtime.block_on(library.look_up(&store, &bistro, said, None));
                has(&found, word)
            })
            .count()
    };
    let by_words = hits(&Library::by_words());
    while runtime.block_on(embed_due(&store, &library, jiff::Timestamp::now())).unwrap() {}
    (by_words, hits(&library))
}

/// The double knows the synonyms that are asked for: this measures that what a model knows is found, kept
/// and merged without losing what words find, and nothing about how much a real model knows.
#[test]
fn what_a_model_knows_is_found_and_nothing_that_words_find_is_lost() {
    let (words, both) = recall("fr-FR", FR, ASKED_FR);
    eprintln!("French: {words} of {} by words, {both} with meaning", ASKED_FR.len());
    assert!(words >= 3 && words <= ASKED_FR.len() / 2, "the questions are in other words: {words}");
    assert_eq!(both, ASKED_FR.len());
    let (words, both) = recall("it-IT", IT, ASKED_IT);
    eprintln!("Italian: {words} of {} by words, {both} with meaning", ASKED_IT.len());
    assert!(words >= 1 && words <= ASKED_IT.len() / 2, "{words}");
    assert_eq!(both, ASKED_IT.len());
}

#[test]
fn the_shipped_documents_lose_nothing_to_a_model_that_knows_nothing() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("assistants");
    let embeddings = fake_embeddings::start();
    let webox = bistro(&embeddings);
    for entry in std::fs::read_dir(shipped.join("garage-dupont")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        webox.file(&format!("clients/{name}"), &std::fs::read_to_string(&path).unwrap());
    }
    apply(&webox);
    let daemon = Daemon::start(&webox);
    all_embedded(&webox);
    for (said, part) in [
        ("Combien vous prenez pour changer les plaquettes de frein ?", "Plaquettes avant"),
        ("J'ai un impact sur le pare-brise", "pare-brise"),
        ("vous vous occupez des voitures électriques ?", "électriques"),
    ] {
        let found = webox.run(["knowledge", "search", "bistro", said, "-o", "json"]).ok().json();
        let is =
            |one: &Value| one["text"].as_str().unwrap().contains(part) && one["by"] != "meaning";
        assert!(found["passages"].as_array().unwrap().iter().any(is), "{said}: {found}");
    }
    drop(daemon);
}
