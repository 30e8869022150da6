"""Sources that cannot both be right are found, in any language; those that can are left in peace: other years, things, units, parts."""

import pytest

from theseus.contracts.research import Card, Contradiction, FacetRow, Source
from theseus.domain.research.amounts import amounts
from theseus.domain.research.contradictions import contradictions

REAL = [
    ("The bridge of Varn is 412 metres long.", "The bridge of Varn is 398 metres long."),
    ("The bridge of Varn is 412 metres long.", "The bridge of Varn has a length of 398 metres."),
    ("The bridge of Varn is 412 metres long.", "The bridge of Varn is 1,200 feet long."),
    ("The bridge was opened in 1987.", "The bridge was opened in 1989."),
    ("The bridge was opened on 1 May 1987.", "The bridge was opened on 3 May 1987."),
    ("The bridge, opened in 1987, is 412 m long.", "The bridge, opened in 1989, is 412 m long."),
    ("The bridge, opened in 1987, is 412 metres long.", "The bridge, opened in 1987, is 398 metres long."),
    ("In 2020 Varn had 4,100 inhabitants.", "In 2020 Varn had 5,300 inhabitants."),
    ("In 2020 Varn had 4,100 inhabitants.", "The population of Varn was 5,300 people in 2020."),
    ("Acme sold 4.2 million bikes in 2020, up from 4.0 million in 2019.", "Acme sold 4.0 million bikes in 2020."),
    ("About 400 people work for Acme.", "Some 900 people work for Acme."),
    ("Between 400 and 450 people work for Acme.", "Acme employs 520 people."),
    ("More than 500 people work for Acme.", "412 people work for Acme."),
    ("The mast cost 3 million euros.", "The mast cost 5,000,000 euros."),
    ("According to Reuters, the flood killed 12 people.", "The flood killed 19 people, the BBC reports."),
    ("Freight is 12 % of the income of Varn.", "31 per cent of the income of Varn are from freight."),
    ("The plant uses 40 litres of water per day.", "The plant uses 55 litres of water every day."),
    ("The reactor runs at 300 °C.", "The reactor runs at 340 °C."),
    ("Die Brücke von Varn ist 412 Meter lang.", "Die Länge der Brücke von Varn beträgt 398 Meter."),
    ("Varn hatte 2020 rund 12.500 Einwohner.", "Varn hatte 2020 etwa 18.200 Einwohner."),
    ("Der Bau der Brücke kostete 3,5 Millionen Euro.", "Der Bau der Brücke kostete 4,1 Mio. Euro."),
    ("Die Brücke wurde 1987 eröffnet.", "Die Brücke wurde am 1. Mai 1989 eröffnet."),
    ("ヴァルン橋の全長は412メートルである。", "ヴァルン橋の長さは398メートルです。"),
    ("東京の人口は約1400万人である。", "東京の人口は1100万人である。"),
    ("同社の売上高は3億5千万円だった。", "同社の売上高は5億円だった。"),
    ("その橋は1987年5月に開通した。", "その橋は1989年に開通した。"),
    ("The bridge of Varn is 412 metres long.", "The bridge at Varn is some 500 metres long."),
]
INNOCENT = [
    # other times
    ("In 2020 Varn had 4,100 inhabitants.", "In 2010 Varn had 3,600 inhabitants."),
    ("Acme sold 4.2 million bikes in May 2020.", "Acme sold 3.1 million bikes in June 2020."),
    ("Acme sold 4.2 million bikes in 2020, up from 4.0 million in 2019.", "Acme sold 4.0 million bikes in 2019."),
    ("Acme made 12 million euros in the first quarter.", "Acme made 15 million euros in the second quarter."),
    ("The bridge was opened in the 1980s.", "The bridge was opened in 1987."),
    ("The bridge was opened around 1985.", "The bridge was opened in 1987."),
    ("The bridge was built from 1985 to 1987.", "The bridge was built in 1986."),
    # other things
    ("The bridge of Varn is 412 metres long.", "The bridge of Osk is 398 metres long."),
    ("Acme sold 4 million bikes.", "Bolt sold 5 million bikes."),
    ("The bridge of Varn is 412 metres long.", "The bridge of Varn is 20 metres wide."),
    ("The revenue of Acme was 12 million euros.", "The profit of Acme was 3 million euros."),
    ("The flood killed 12 people.", "The flood injured 40 people."),
    ("The plant has 3 reactors in two halls.", "The plant has 4 turbines in two halls."),
    ("Construction of the bridge began in 1985.", "Construction of the bridge was completed in 1989."),
    ("The bridge was opened in 1987.", "The bridge was rebuilt in 2003."),
    ("The bridge is planned to cost 3 million euros.", "The bridge cost 5 million euros."),
    # other units
    ("Sales of Acme rose by 5 %.", "Sales of Acme rose by 3 points."),
    ("The mast cost 3 million euros.", "The mast cost 3.3 million dollars."),
    ("The plant uses 40 litres of water per day.", "The plant uses 1,200 litres of water a month."),
    ("The bridge of Varn is 1.2 km long.", "The bridge of Varn is 1,200 metres long."),
    ("The bridge of Varn is 412 metres long.", "The bridge of Varn is 1,352 feet long."),
    # a part of it
    ("Acme has 5,000 employees in total.", "Acme has 1,200 employees."),
    ("Acme has 5,000 employees.", "Acme has 1,200 employees in Peru."),
    ("The bridge of Varn is 1,100 metres long.", "The main span of the bridge of Varn is 412 metres long."),
    ("Varn has 12 schools.", "Varn has 4 primary schools."),
    # less exact
    ("Between 400 and 450 people work for Acme.", "412 people work for Acme."),
    ("400-450 people work for Acme.", "Acme employs 430 people."),
    ("About 400 people work for Acme.", "412 people work for Acme."),
    ("More than 400 people work for Acme.", "412 people work for Acme."),
    ("Acme sold 4.2 million bikes.", "Acme sold 4,213,000 bikes."),
    ("Varn has 4,100 inhabitants.", "Varn has 4,137 inhabitants."),
    ("It cost 3 million euros.", "It cost 3,000,000 euros."),
    # other languages
    ("Varn hatte 2020 rund 12.500 Einwohner.", "Varn hatte 2020 genau 12.731 Einwohner."),
    ("Varn hatte 2020 12.500 Einwohner.", "Varn hatte 2011 11.900 Einwohner."),
    ("Die Brücke ist 412 Meter lang.", "Die Brücke ist 20 Meter breit."),
    ("Der Bau der Brücke kostete 3,5 Millionen Euro.", "Der Bau der Brücke kostete 3.500.000 Euro."),
    ("Acme hat mehr als 5.000 Mitarbeiter.", "Acme hat 5.312 Mitarbeiter, davon 1.200 in Peru."),
    ("Der Umsatz von Acme betrug 3,5 Mrd. Euro.", "Der Gewinn von Acme betrug 0,4 Mrd. Euro."),
    ("東京の人口は約1400万人である。", "大阪の人口は880万人である。"),
    ("東京の人口は約1400万人である。", "東京の人口は13,960,000人である。"),
    ("2020年の売上高は3億円だった。", "2021年の売上高は5億円だった。"),
    ("同社の売上高は3億円だった。", "同社の純利益は5千万円だった。"),
    ("ヴァルン橋の全長は400〜450メートルである。", "ヴァルン橋の全長は412メートルである。"),
    ("従業員は500人以上である。", "従業員は620人である。"),
]


def told(first: str, second: str) -> list[Contradiction]:
    """What is found between two claims of one facet, of two websites."""
    cards = [
        Card(
            id=name,
            claim=claim,
            quote=claim,
            source=Source(id=name, url="u", domain=f"{name}.org"),
            question="q",
            facet="f",
        )
        for name, claim in (("a", first), ("b", second))
    ]
    return contradictions([FacetRow(question="q", facet="f", text="f", cards=("a", "b"))], cards)


@pytest.mark.parametrize(("first", "second"), REAL)
def test_figures_that_cannot_both_be_true_are_found_whoever_comes_first(first: str, second: str) -> None:
    assert told(first, second) and told(second, first)


@pytest.mark.parametrize(("first", "second"), INNOCENT)
def test_figures_that_can_both_be_true_are_none(first: str, second: str) -> None:
    assert told(first, second) == [] and told(second, first) == []


@pytest.mark.parametrize("number", ["1" + "0" * 400, "9" * 400, "0." + "0" * 400 + "1", f"1,{'000,' * 110}000"])
def test_a_number_beyond_all_reckoning_is_no_fault(number: str) -> None:
    for told in (f"The plant uses {number} litres of water.", f"The plant has {number} pumps."):
        assert [number in each.text for each in amounts(told)] == [True]
