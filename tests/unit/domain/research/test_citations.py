"""Of errors planted in a report the rules find at least 95 %, and call no more than 5 % of true sentences wrong."""

# ruff: noqa: RUF001 - texts in many scripts

import random

import pytest

from theseus.contracts.research import Card, SentenceCheck, Source, Support
from theseus.domain.research.citations import Bank, check

TOWNS = [
    "Arden",
    "Belmont",
    "Corvale",
    "Dunmore",
    "Eastwick",
    "Fernhill",
    "Glenrock",
    "Harwell",
    "Inverlea",
    "Kelby",
    "Larkspur",
    "Marlow",
]
FIRMS = ("Acme Works", "Bolt Motors", "Crane Foods", "Delta Glass", "Ember Labs", "Fjord Shipping")
PEOPLE = ("Jane Roe", "Omar Haddad", "Li Wei", "Ana Souza", "Piet Bakker", "Ruth Cohen")


def facts(chance: random.Random) -> list[tuple[str, str, str]]:
    """Three ways to say a fact: a source's words, a claim, and a report's sentence; from a seed."""
    made: list[tuple[str, str, str]] = []
    for town in TOWNS:
        firm, who = chance.choice(FIRMS), chance.choice(PEOPLE)
        year, count = chance.randint(1950, 2024), chance.randint(13, 980) * 1000
        length, share = chance.randint(20, 900), chance.randint(13, 97)
        made += [
            (
                f"The bridge of {town}, built by {firm} in {year}, is {length} metres long.",
                f"{firm} built a bridge of {length} metres in {town}.",
                f"In {town}, {firm} built a bridge of {length} metres in {year}",
            ),
            (
                f"A census found that {count:,} people lived in {town} in {year + 1}, mayor {who} said.",
                f"{town} had {count} inhabitants.",
                f"{town} had {count / 1000:g} thousand inhabitants in {year + 1}, according to {who}",
            ),
            (
                f"“We do not sell water,” {who} of {town} told the council; {share} per cent of wells are dry.",
                f"{share}% of wells of {town} are dry.",
                f"{share} % of the wells of {town} are dry, and “we do not sell water” was the answer of {who}",
            ),
        ]
    return made


def bank_of(made: list[tuple[str, str, str]]) -> Bank:
    return Bank(
        [
            Card(
                id=f"c{n}",
                claim=claim,
                quote=quote,
                window=quote,
                source=Source(id=f"s{n}", url=f"https://{n}.example"),
            )
            for n, (quote, claim, _) in enumerate(made)
        ]
    )


def spoilt(sentence: str, number: int, made: list[tuple[str, str, str]], how: str, chance: random.Random) -> str:
    """The sentence with an error of that kind, cited as if nothing were wrong."""
    match how:
        case "a swapped number":
            digits = [word for word in sentence.replace("%", "").split() if word.strip(",").isdigit()]
            wrong = str(int(digits[0].strip(",")) + chance.randint(1, 9))
            return f"{sentence.replace(digits[0].strip(','), wrong, 1)} [[c{number}]]."
        case "another source":
            return f"{sentence} [[c{(number + 3 * chance.randint(1, 9)) % len(made)}]]."
        case "no source":
            return f"{sentence}."
        case "a source that is none":
            return f"{sentence} [[c999]]."
        case "another name":
            town = next(town for town in TOWNS if town in sentence)
            return (
                f"{sentence.replace(town, chance.choice([other for other in TOWNS if other != town]))} [[c{number}]]."
            )
        case _:
            return f"{sentence}, “in words that nobody has ever said there” [[c{number}]]."


KINDS = (
    "a swapped number",
    "another source",
    "no source",
    "a source that is none",
    "another name",
    "words nobody said",
)


def judged(draft: str, bank: Bank) -> SentenceCheck:
    (found,) = check(draft, bank)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_planted_errors_are_found_and_true_sentences_are_left_alone(seed: int) -> None:
    chance = random.Random(seed)
    made = facts(chance)
    bank = bank_of(made)
    alarms = [
        found
        for number, (_, _, sentence) in enumerate(made)
        if (found := judged(f"{sentence} [[c{number}]].", bank)).support is not Support.SUPPORTED
    ]
    assert len(alarms) <= 0.05 * len(made), alarms
    for how in KINDS:
        missed = [
            draft
            for number, (_, _, sentence) in enumerate(made)
            if judged(draft := spoilt(sentence, number, made, how, chance), bank).support is Support.SUPPORTED
        ]
        assert len(missed) <= 0.05 * len(made), (how, missed)


def test_a_sentence_that_cites_the_wrong_source_is_told_the_right_one() -> None:
    made = facts(random.Random(1))
    bank = bank_of(made)
    right = [
        judged(f"{sentence} [[c{(number + 3) % len(made)}]].", bank).better[:1] == (f"c{number}",)
        for number, (_, _, sentence) in enumerate(made)
    ]
    assert sum(right) >= 0.95 * len(right)


CARDS = Bank(
    [
        Card(
            id=name,
            claim=claim,
            quote=quote,
            window=quote,
            source=Source(id=f"s-{name}", url=f"https://{name}.example", title="Annual report"),
        )
        for name, claim, quote in (
            (
                "sales",
                "Acme sold 4.2 million bikes",
                "In 2020 Acme sold 4.2 million bikes in Peru, up from 4.0 million in 2019.",
            ),
            ("river", "It did not freeze", "The river did not freeze in 2018, a report of the Dana Institute says."),
        )
    ]
)


@pytest.mark.parametrize(
    ("draft", "support", "reason"),
    [
        ("Acme sold 4.2 million bikes in 2020 [[sales]].", "supported", ""),
        ("Sales of Acme rose by 5 % to 4.2 million [[sales]].", "supported", ""),
        ("Acme sold 4.8 million bikes in 2020 [[sales]].", "unsupported", "4.8 million is not in what it cites"),
        ("In 2020, Bolt sold 4.2 million bikes [[sales]].", "unsupported", "Bolt is not in what it cites"),
        ("Acme sold 4.2 million bikes in Peru.", "unsupported", "it claims something and cites nothing"),
        ("Acme sold bikes in Peru [[none]].", "unsupported", "cites none, which is no evidence that was found"),
        ("The river froze in 2018 [[river]].", "weak", "it denies what the cited words say, or says what they deny"),
        ("The river did not freeze in 2018 [[river]].", "supported", ""),
        ("Who sold bikes in Peru in 2020?", "supported", ""),
    ],
)
def test_each_rule_says_what_is_wrong(draft: str, support: str, reason: str) -> None:
    found = judged(draft, CARDS)
    assert (found.support.value, "".join(found.reasons[:1])) == (support, reason)


ROW = "| firm | where | sold |\n|---|---|---|\n"


@pytest.mark.parametrize(
    ("draft", "support", "reason"),
    [
        ("- **Market Share:** Acme sold 4.2 million bikes [[sales]].", "supported", ""),
        ("- **Growth of Sales**: From 4.0 million in 2019 to 4.2 million [[sales]].", "supported", ""),
        (f"{ROW}| Acme | Worldwide | 4.2 million [[sales]] |", "supported", ""),
        (f"{ROW}| Bolt Motors | Peru | many [[sales]] |", "unsupported", "Motors is not in what it cites"),
        (f"{ROW}| Acme | Ada Quill | many |", "unsupported", "it claims something and cites nothing"),
        (f"{ROW}| small | large | many |", "supported", ""),
    ],
)
def test_what_begins_an_item_or_a_cell_is_no_name_and_names_in_tables_are(
    draft: str, support: str, reason: str
) -> None:
    found = judged(draft, CARDS)
    assert (found.support.value, "".join(found.reasons[:1])) == (support, reason)


def test_in_a_language_of_capital_nouns_a_word_that_is_not_there_is_a_doubt() -> None:
    quote = "Die Brücke von Varn wurde 1987 eröffnet und ist 412 Meter lang."
    source = Source(id="s", url="https://varn.example", title="Bauten")
    bank = Bank([Card(id="varn", claim=quote, quote=quote, window=quote, source=source)])
    same = judged("Das Bauwerk in Varn ist 412 Meter lang und wurde 1987 eröffnet [[varn]].", bank)
    assert (same.support, same.reasons) == (Support.WEAK, ("Bauwerk is not in what it cites",))
    assert judged("Die Brücke von Varn ist 412 Meter lang [[varn]].", bank).support is Support.SUPPORTED
    assert judged("Die Brücke von Varn ist 421 Meter lang und offen [[varn]].", bank).support is Support.UNSUPPORTED


def test_what_claims_nothing_still_may_not_cite_what_is_not_there() -> None:
    assert judged("Who sold it [[none]]?", CARDS).support is Support.UNSUPPORTED


def test_a_word_that_begins_a_sentence_of_a_source_is_no_name() -> None:
    card = CARDS.cards["river"]
    window = f"There are gauges at the bridge. In spring it is high. {card.quote} Gauges are read daily."
    bank = Bank(
        [card.model_copy(update={"id": name, "window": window if name == "b" else card.quote}) for name in "ab"]
    )
    for draft in ("There the river did not freeze in 2018 [[a]].", "In 2018 the river did not freeze [[a]]."):
        assert judged(draft, bank).support is Support.SUPPORTED, draft


def shown_by(quote: str, **more: str) -> Bank:
    source = Source(id="s", url="https://varn.example", title="Notes")
    window = more.get("window", quote)
    return Bank([Card(id="c", claim=more.get("claim", quote), quote=quote, window=window, source=source)])


GERMANY = "In 2020 some 3.5 million bikes were sold in Germany, and the share of Acme was 12.5 per cent of all of them."
FOREIGN = [
    "In Deutschland wurden im Jahr 2020 rund 3,{} Millionen Räder verkauft, und der Anteil von Acme war 12,5 Prozent [[c]].",
    "En 2020, 3,{} millions de vélos ont été vendus en Allemagne, et la part d'Acme était de 12,5 pour cent [[c]].",
    "En 2020 se vendieron 3,{} millones de bicicletas en Alemania, y la parte de Acme fue del 12,5 por ciento [[c]].",
    "Em 2020 foram vendidos 3,{} milhões de bicicletas na Alemanha, e a parte da Acme foi de 12,5 por cento [[c]].",
    "Nel 2020 sono stati venduti 3,{} milioni di biciclette in Germania, e la parte di Acme era del 12,5 per cento [[c]].",
]


@pytest.mark.parametrize("sentence", FOREIGN)
def test_a_report_may_be_in_another_language_than_its_sources_and_wrong_figures_are_found(sentence: str) -> None:
    bank = shown_by(GERMANY)
    assert judged(sentence.format(5), bank).support is not Support.UNSUPPORTED
    wrong = judged(sentence.format(6), bank)
    assert wrong.support is Support.UNSUPPORTED and "3,6 " in wrong.reasons[0]


def test_a_name_that_another_language_may_write_otherwise_is_a_doubt_and_one_of_the_same_language_is_wrong() -> None:
    french = "Le pont de Varn a été construit à Londres en 1987, selon le maire de la ville."
    assert judged("The bridge of Varn was built in London in 1987 [[c]].", shown_by(french)).support is Support.WEAK
    wrong = judged("Le pont de Varn a été construit à Paris en 1987 [[c]].", shown_by(french))
    assert (wrong.support, wrong.reasons) == (Support.UNSUPPORTED, ("Paris is not in what it cites",))
    russian = "Мост построен в Москве в 1987 году, и он стоит 5 миллионов рублей."
    assert judged("The bridge was built in Moscow in 1987 [[c]].", shown_by(russian)).support is Support.WEAK


@pytest.mark.parametrize(
    ("sentence", "quote", "is_doubted"),
    [
        (
            "Der Fluss ist 2018 nicht zugefroren, wie der Bericht sagt [[c]].",
            "Der Fluss ist 2018 nicht zugefroren.",
            False,
        ),
        ("Der Fluss ist 2018 zugefroren, wie der Bericht sagt [[c]].", "Der Fluss ist 2018 nicht zugefroren.", True),
        ("La rivière n'a pas gelé en 2018, selon le rapport [[c]].", "The river did not freeze in 2018.", False),
        ("La rivière a gelé en 2018, selon le rapport [[c]].", "The river did not freeze in 2018.", True),
        ("El río no se heló en 2018, según el informe [[c]].", "The river froze in 2018.", True),
        ("Nobody crossed the river in 2018 [[c]].", "People crossed the river in 2018.", True),
    ],
)
def test_what_denies_is_known_in_every_language(sentence: str, quote: str, *, is_doubted: bool) -> None:
    reasons = judged(sentence, shown_by(quote)).reasons
    assert ("it denies what the cited words say, or says what they deny" in reasons) is is_doubted


DENIED = "it denies what the cited words say, or says what they deny"


@pytest.mark.parametrize(
    "sentence",
    [
        "It is false that Acme sold 400 bikes in Peru",
        "It is untrue that Acme sold 400 bikes in Peru",
        "Acme was unable to sell 400 bikes in Peru",
        "Acme denied that it sold 400 bikes in Peru",
        "Acme declined to sell 400 bikes in Peru",
        "Acme lacks the 400 bikes that were sold in Peru",
        "That Acme sold 400 bikes in Peru was wrong",
    ],
)
def test_words_that_deny_without_a_not_are_known(sentence: str) -> None:
    assert judged(f"{sentence} [[c]].", shown_by("Acme sold 400 bikes in Peru.")).reasons == (DENIED,)


@pytest.mark.parametrize(
    ("sentence", "is_doubted"),
    [
        ("Acme sold 400 bikes in Peru", False),
        ("Acme did not sell 400 bikes in Peru", True),
        ("Acme sold 400 bikes in Peru, but it has no shop there", False),
        ("Acme has a shop in Peru", True),
        ("Acme has no shop in Peru", False),
        ("Acme did not sell 400 bikes in Peru, but has no shop there", True),
    ],
)
@pytest.mark.parametrize("quote", ["Acme sold 400 bikes in Peru, {}", "Acme, they say, sold 400 bikes in Peru; {}"])
def test_what_denies_is_held_to_what_is_said_of_the_same_thing(sentence: str, quote: str, *, is_doubted: bool) -> None:
    bank = shown_by(quote.format("but Acme has no shop there."))
    assert (DENIED in judged(f"{sentence} [[c]].", bank).reasons) is is_doubted


@pytest.mark.parametrize(
    ("sentence", "quote", "is_shown"),
    [
        ("The work cost 1.2 billion USD in 2020", "In 2020 the work cost $1.2bn.", True),
        ("The work cost 1.2 billion US dollars in 2020", "In 2020 the work cost $1.2bn.", True),
        ("The work cost US$1.2 billion in 2020", "In 2020 the work cost $1.2bn.", True),
        ("The work cost EUR 5 million in 2020", "In 2020 the work cost €5 million.", True),
        ("The work cost EUR 5 million in 2020", "In 2020 the work cost $5 million.", False),
        ("The plant makes 10 MW of power", "The plant makes 10 megawatts of power.", True),
        ("The plant makes 10 MW of power", "The plant makes 10 gigawatts of power.", False),
        ("The disk has 4 GB of room", "The disk has 4 gigabytes of room.", True),
        ("It was so until 1987 Miles came", "It was so until 1987 Omar came.", False),
        ("The disk was sold in GB by the firm", "The disk was sold in Peru by the firm.", False),
        ("The US and the UK signed it in 1999", "The U.S. and the U.K. signed it in 1999.", True),
        ("The U.S. and the U.K. signed it in 1999", "The US and the UK signed it in 1999.", True),
        ("The US and the UK signed it in 1999", "The U.S. and Peru signed it in 1999.", False),
    ],
)
def test_a_unit_in_capitals_is_one_of_the_figure_and_an_abbreviation_is_one_name_with_or_without_stops(
    sentence: str, quote: str, *, is_shown: bool
) -> None:
    assert (judged(f"{sentence} [[c]].", shown_by(quote)).support is Support.SUPPORTED) is is_shown


ABROAD = "The bridge of Łódź, built by the firm Ørsted in 1987, is 412 metres long, and the mayor of Århus has seen it."


@pytest.mark.parametrize(
    ("draft", "support", "reason"),
    [
        ("The bridge of Łódź is 412 metres long [[c]].", "supported", ""),
        ("The bridge of Lodz was built by Orsted in 1987 [[c]].", "supported", ""),
        ("The bridge of Århus is 412 metres long, and it was built in 1987 [[c]].", "supported", ""),
        ("The bridge of Ústí is 412 metres long [[c]].", "unsupported", "Ústí is not in what it cites"),
        (
            "The bridge, built by the firm Ćosić in 1987, is there [[c]].",
            "unsupported",
            "Ćosić is not in what it cites",
        ),
        ("The bridge is near the town of Łódź.", "unsupported", "it claims something and cites nothing"),
        ("There are nineteen bridges here.", "unsupported", "it claims something and cites nothing"),
    ],
)
def test_a_name_is_one_whatever_letter_it_begins_with(draft: str, support: str, reason: str) -> None:
    found = judged(draft, shown_by(ABROAD))
    assert (found.support.value, "".join(found.reasons[:1])) == (support, reason)


@pytest.mark.parametrize(
    ("sentence", "quote", "stranger"),
    [
        (
            "В Москве мост построил Иван Петров в 1987 году [[c]].",
            "Москва: мост построен Иваном Петровым в 1987 году.",
            "",
        ),
        (
            "В Москве мост построил Сергей Петров в 1987 году [[c]].",
            "Москва: мост построен Иваном Петровым в 1987 году.",
            "Сергей",
        ),
        ("Το 1987 η γέφυρα της Πάτρας άνοιξε [[c]].", "Πάτρα: η γέφυρα άνοιξε το 1987.", ""),
        ("Το 1987 η γέφυρα της Λάρισας άνοιξε [[c]].", "Πάτρα: η γέφυρα άνοιξε το 1987.", "Λάρισας"),
    ],
)
def test_where_names_are_inflected_one_that_begins_otherwise_is_a_doubt(
    sentence: str, quote: str, stranger: str
) -> None:
    found = judged(sentence, shown_by(quote))
    assert found.support is not Support.UNSUPPORTED
    assert [reason for reason in found.reasons if "is not in what it cites" in reason] == (
        [f"{stranger} is not in what it cites"] if stranger else []
    )
