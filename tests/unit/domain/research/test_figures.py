"""A figure is the same however it is written, and another as soon as its value, its unit or its date is another."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.domain.research.figures import figures, not_shown


@pytest.mark.parametrize(
    ("claimed", "shown"),
    [
        ("4,200,000 dollars", "rose to 4.2 million dollars"),
        ("$4.2m", "4.2 million dollars"),
        ("1.234 units", "1,234 units"),
        ("1 234 567 people", "1,234,567 people"),
        ("3,5 percent", "3.5 %"),
        ("12 GB", "12 gigabytes"),
        ("a 3-day trip", "it took three days"),
        ("on 1 May 2020", "on May 1, 2020"),
        ("on the 1st of May 2020", "2020-05-01"),
        ("in May 2020", "on 2020-05-01"),
        ("in 2020", "on 1 May 2020"),
        ("on 4 July", "July 4, 1999"),
        ("minus 5 degrees", "5 degrees below"),
        ("version 3", "three versions"),
        ("no figures at all", ""),
        ("Length: 412 m", "the bridge is 412 metres long"),
        ("4.2m bikes", "4.2 million bikes"),
        ("1.2 km", "1,200 metres"),
        ("thirty-two bikes", "32 bikes"),
        ("one hundred and twenty people", "120 people"),
        ("two dozen boats", "24 boats"),
        ("in the twenty-first century", "in the 21st century"),
        ("In 2020 400 people came", "400 people came in 2020"),
        ("on 01/05/2020", "on 1 May 2020"),
        ("on 1.5.2020", "on May 1, 2020"),
        ("In 2020\u00b9 it rose", "in 2020 it rose"),
    ],
)
def test_the_same_in_other_words_is_shown(claimed: str, shown: str) -> None:
    assert not_shown(figures(claimed), [figures(shown)]) == []


@pytest.mark.parametrize(
    ("claimed", "shown", "missing"),
    [
        ("4.8 million dollars", "4.2 million dollars", ["4.8 million dollars"]),
        ("5 km away", "5 miles away", ["5 km"]),
        ("5 % of it", "5 points of it", ["5 %"]),
        ("on 2 May 2020", "on 1 May 2020", ["2 May 2020"]),
        ("in June 2020", "on 1 May 2020", ["June 2020"]),
        ("in 2021", "on 1 May 2020", ["2021"]),
        ("five bikes", "three bikes", ["five"]),
        ("4.2 billion", "4.2 million", ["4.2 billion"]),
        ("thirty-three bikes", "32 bikes", ["thirty-three"]),
        ("nineteen boats", "fifteen boats", ["nineteen"]),
        ("1.2 km", "1,300 metres", ["1.2 km"]),
        ("412 m", "412 feet", ["412 m"]),
        ("version 1.2.3", "version 1.2.4", ["3"]),
        ("on 13/05/2020", "on 5 May 2020", ["13/05/2020"]),
        ("on 01/05/2020", "on 2 May 2020", ["01/05/2020"]),
    ],
)
def test_another_value_unit_or_date_is_missing_and_named(claimed: str, shown: str, missing: list[str]) -> None:
    assert not_shown(figures(claimed), [figures(shown)]) == missing


LANGUAGES = [
    ("Es wurden 3,5 Millionen Räder verkauft", "3.5 million bikes were sold"),
    ("Der Bau der Brücke kostete 1.234.567 Euro", "building the bridge cost 1,234,567 euros"),
    ("Die Staatsschuld ist auf 2 Billionen Euro gestiegen", "the debt of the state has risen to 2 trillion euros"),
    ("Es sind 12,5 Prozent der Wähler", "12.5 per cent of the voters"),
    ("Das sind 3 Prozentpunkte mehr", "that is 3 percentage points more"),
    ("Die Brücke wurde am 1. März 2020 eröffnet", "the bridge was opened on March 1, 2020"),
    ("Im Dezember 2019 war das der Fall", "that was so in December 2019"),
    ("In der Stadt wohnen einundzwanzigtausend Menschen", "21,000 people live in the town"),
    ("Le pont a coûté 3,5 millions d'euros", "the bridge cost 3.5 million euros"),
    ("Le budget est de 12 milliards d\u2019euros", "the budget is 12 billion euros"),
    ("Ce sont 20 pour cent des habitants", "20 % of the inhabitants"),
    ("La ville a 1 234 567 habitants et un maire", "the city has 1,234,567 inhabitants"),
    ("Il est né le 1er août 1987 et est mort en 2001", "born on 1 August 1987, died in 2001"),
    ("Dans la ville il y a quatre-vingt-dix-sept écoles", "there are 97 schools in the town"),
    ("El puente costó 3,5 millones de euros según el alcalde", "the bridge cost 3.5 million euros"),
    ("El presupuesto es de 2 mil millones de euros", "the budget is 2 billion euros"),
    ("El 15 por ciento de los hogares", "15 percent of the households"),
    ("El puente fue abierto el 1 de mayo de 1987", "the bridge was opened on 1 May 1987"),
    ("En el puerto hay treinta y dos barcos", "there are 32 boats in the harbour"),
    ("A cidade tem 2,5 milhões de habitantes e não mais", "the city has 2.5 million inhabitants"),
    ("O orçamento é de 3 bilhões de dólares para o ano", "the budget is 3 billion dollars"),
    ("São 40 por cento dos eleitores", "40 per cent of the voters"),
    ("A ponte foi aberta em 7 de setembro de 1822 pelo rei", "the bridge was opened on 7 September 1822"),
    ("Il ponte è costato 3,5 milioni di euro", "the bridge cost 3.5 million euros"),
    ("Il bilancio della città è di 4 miliardi di euro", "the budget of the city is 4 billion euros"),
    ("Il 30 per cento delle famiglie", "30 % of the families"),
    ("Il ponte è stato aperto il 1º maggio 1987", "the bridge was opened on 1 May 1987"),
    ("Nel porto ci sono trentadue barche della città", "there are 32 boats in the harbour"),
    ("同社の売上高は3億5千万円だった。", "its sales were 350 million yen"),
    ("その橋は1987年5月1日に開通した。", "the bridge was opened on 1 May 1987"),
]


@pytest.mark.parametrize(("foreign", "english"), LANGUAGES)
def test_a_figure_is_the_same_in_every_language(foreign: str, english: str) -> None:
    assert not_shown(figures(foreign), [figures(english)]) == []
    assert not_shown(figures(english), [figures(foreign)]) == []


@pytest.mark.parametrize(
    ("claimed", "shown", "missing"),
    [
        ("Es wurden 3,6 Millionen Räder verkauft", "3.5 million bikes were sold", ["3,6 Millionen"]),
        ("Es wurden 3,5 Milliarden Räder verkauft", "3.5 million bikes were sold", ["3,5 Milliarden"]),
        ("Die Schuld ist auf 2 Billionen Euro gestiegen", "the debt rose to 2 billion euros", ["2 Billionen Euro"]),
        ("Es sind 12,5 Prozent der Wähler", "12.5 percentage points of them", ["12,5 Prozent"]),
        ("Die Brücke wurde am 1. März 2020 eröffnet", "it was opened on May 1, 2020", ["1. März 2020"]),
        ("In der Stadt wohnen zweiundzwanzigtausend Menschen", "21,000 people", ["zweiundzwanzigtausend"]),
        ("Le budget est de 12 milliards d'euros", "the budget is 12 million euros", ["12 milliards d'euros"]),
        ("Dans la ville il y a quatre-vingt-dix-huit écoles", "97 schools", ["quatre-vingt-dix-huit"]),
        ("El puente fue abierto el 1 de junio de 1987", "it was opened on 1 May 1987", ["1 de junio de 1987"]),
        ("A cidade tem 2,5 milhões de habitantes e não mais", "2.4 million inhabitants", ["2,5 milhões"]),
        ("Il bilancio della città è di 4 miliardi di euro", "4 billion dollars", ["4 miliardi di euro"]),
        ("同社の売上高は3億5千万円だった。", "its sales were 360 million yen", ["3億5千万円"]),
    ],
)
def test_a_wrong_figure_is_wrong_in_every_language(claimed: str, shown: str, missing: list[str]) -> None:
    assert not_shown(figures(claimed), [figures(shown)]) == missing


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("two three-day trips of ten and twenty people", [2, 3, 10, 20]),
        ("several million, a few hundred and one of them", []),
        ("In der Zweigstelle, einst dreimal so groß, gibt es mehrere hundert Plätze und ein Zimmer", []),
        ("the once and future due sei neuf", []),
        ("ein Treffen von zwei und drei Leuten, die das nicht sind", [2, 3]),
        ("cinq cents des sept mille hommes et un cheval dans le pré", [500, 7000]),
    ],
)
def test_words_that_are_no_numbers_make_none(text: str, values: list[int]) -> None:
    assert [int(value) for number in figures(text).numbers for value in number.values] == values


@pytest.mark.parametrize(
    "claimed",
    ["it grew by 20 %", "20 more than before", "220 in all", "1.2 times as many", "110 on average", "-20"],
)
def test_what_follows_from_two_shown_figures_is_shown_where_reckoning_is_allowed(claimed: str) -> None:
    shown = [figures("from 100 in May"), figures("to 120 in June")]
    assert not_shown(figures(claimed), shown, derives=True) == []
    assert not_shown(figures(claimed), shown) != []


@given(st.integers(13, 10**12), st.sampled_from(["{:,}", "{}"]))
def test_a_whole_number_is_itself_however_it_is_grouped(value: int, form: str) -> None:
    assert not_shown(figures(f"about {form.format(value)} of them"), [figures(f"{value} of them")]) == []
    assert not_shown(figures(f"about {form.format(value)} of them"), [figures(f"{value + 1} of them")]) != []


@given(st.text(max_size=200))
def test_any_text_has_figures_or_none(text: str) -> None:
    found = figures(text)
    assert not_shown(found, [found]) == []


@pytest.mark.parametrize(
    "words", ["1 ", "12,", "千1万", "1.1", "two-", "zwei", "vent", "quatre-vingt-", "5 million ", "1 may ", "3億", "€5"]
)
@pytest.mark.parametrize("language", ["en", "de", "fr", "it"])
def test_a_model_that_says_one_figure_for_ever_holds_up_no_worker(words: str, language: str) -> None:
    began = time.process_time()
    figures((words * 48_000)[:48_000], language)
    assert time.process_time() - began < 1.5, "Temporal takes a workflow that is silent for two seconds for dead"
