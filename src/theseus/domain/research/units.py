"""Units in the languages that the rules read: of which kind, and how large in the basic unit of that kind."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit. `kind` is what it measures, "" for what is only counted; `size` in the kind's basic unit."""

    kind: str = ""
    size: Decimal = Decimal(1)


COUNT = Unit()
METRE = Unit("length")

UNITS: dict[str, Unit] = {
    alias: Unit(kind, Decimal(size))
    for kind, size, aliases in (
        ("%", "1", "% percent pct per-cent prozent pour-cent por-ciento por-cento per-cento percento v.h. パーセント"),
        (
            "points",
            "1",
            "points percentage-point percentage-points prozentpunkt prozentpunkte prozentpunkten point-de-pourcentage points-de-pourcentage "
            "punto-porcentual puntos-porcentuales ponto-percentual pontos-percentuais punto-percentuale punti-percentuali ポイント",
        ),
        ("length", "1", "metre metres meter meters metern m mètre mètres metros metri メートル 米"),
        (
            "length",
            "1000",
            "km kilometre kilometres kilometer kilometers kilometern kilomètre kilomètres kilómetro kilómetros quilômetro quilômetros "
            "quilómetro quilómetros chilometro chilometri キロメートル 公里",
        ),
        (
            "length",
            "0.01",
            "cm centimetre centimetres centimeter centimeters zentimeter centimètre centimètres centímetro centímetros centimetro "
            "centimetri センチ センチメートル 厘米",
        ),
        (
            "length",
            "0.001",
            "mm millimetre millimetres millimeter millimeters millimètre millimètres milímetros millimetri ミリ",
        ),
        ("length", "0.3048", "ft foot feet fuß"),
        ("length", "1609.344", "mi mile miles meile meilen milla millas milha milhas miglia マイル"),
        (
            "mass",
            "1",
            "kg kilo kilos kilogram kilograms kilogramm kilogramme kilogrammes kilogramo kilogramos quilo quilos キログラム 公斤",
        ),
        (
            "mass",
            "1000",
            "tonne tonnes tonnen ton tons tonelada toneladas tonnellata tonnellate トン 吨",
        ),
        ("mass", "0.4536", "lb lbs pound-weight"),
        (
            "area",
            "1",
            "m² m2 sqm square-metre square-metres square-meter square-meters quadratmeter quadratmetern mètres-carrés metros-cuadrados "
            "metros-quadrados metri-quadrati 平方メートル 平方米",
        ),
        (
            "area",
            "1e6",
            "km² km2 square-kilometre square-kilometres square-kilometer square-kilometers quadratkilometer quadratkilometern "
            "kilomètres-carrés kilómetros-cuadrados quilômetros-quadrados quilómetros-quadrados chilometri-quadrati 平方キロメートル 平方公里",
        ),
        ("area", "1e4", "ha hectare hectares hektar hectárea hectáreas ettari ヘクタール 公顷"),
        ("usd", "1", "$ us$ usd dollar dollars us-dollar us-dollars dólar dólares dollari ドル 美元"),
        ("eur", "1", "€ eur euro euros ユーロ 欧元"),
        ("gbp", "1", "£ gbp pound pounds pfund ポンド 英镑"),
        ("yen", "1", "¥ yen jpy 円"),
        ("yuan", "1", "yuan rmb cny 元 人民元"),
        ("celsius", "1", "°c celsius 度"),
        ("fahrenheit", "1", "°f fahrenheit"),
        ("time", "1", "second seconds sec secs sekunde sekunden seconde secondes segundo segundos secondi 秒"),
        ("time", "60", "minute minutes min mins minuten minuto minutos minuti 分"),
        ("time", "3600", "hour hours stunde stunden heure heures hora horas ore 時間 小时"),
        ("time", "86400", "day days tag tage tagen jour jours día días dia dias giorno giorni 日間 天"),
        ("time", "604800", "week weeks woche wochen semaine semaines semana semanas settimana settimane 週間 周"),
        (
            "time",
            "2629800",
            "month months monat monate monaten mois mes meses mês mese mesi か月 ヶ月 カ月 个月",
        ),
        ("time", "31557600", "year years jahr jahre jahren ans année années año años ano anos anno anni 年間"),
        ("age", "1", "year-old 歳 岁"),
        ("power", "1", "kw kilowatt kilowatts キロワット"),
        ("power", "1e3", "mw megawatt megawatts mégawatts megavatios メガワット"),
        ("power", "1e6", "gw gigawatt gigawatts gigavatios ギガワット"),
        ("energy", "1", "kwh kilowattstunden"),
        ("energy", "1e3", "mwh"),
        ("energy", "1e6", "gwh gigawattstunden"),
        ("data", "1", "mb megabyte megabytes"),
        ("data", "1e3", "gb gigabyte gigabytes"),
        ("data", "1e6", "tb terabyte terabytes"),
        ("volume", "1", "litre litres liter liters litern litro litros litri リットル"),
    )
    for alias in aliases.split()
}
LONGEST_SIGNS = 3
"""Of scripts without spaces, a unit's name is looked for in the first so many signs."""


def unit_of(name: str) -> Unit | None:
    """The unit of a word, a sign or words joined by hyphens, in lower case; None where it is none."""
    found = UNITS.get(name)
    if found is not None or not name:
        return found
    if name[0] >= "\u3040":
        shorter = (name[:length] for length in (LONGEST_SIGNS, 2, 1))
        return next((UNITS[each] for each in shorter if each in UNITS), None)
    begin = name.partition("-")[0]
    return UNITS.get(name.rstrip(".")) or (UNITS.get(begin) if len(begin) > 1 else None)
