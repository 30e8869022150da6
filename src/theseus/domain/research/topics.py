"""What a claim is about: its words, the names in it, and which of several aspects it tells of, in English, German, Japanese, Chinese."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from theseus.domain.research.words import listed, stems_of

Group = Mapping[str, str]

# of each group, a claim tells of one aspect: claims that tell of different ones do not contradict each other
_ASPECTS: Mapping[str, Group] = {
    "size": {
        "length": "length long lang länge lange langen längste 長さ 全長 延長 长度 全长",
        "width": "width wide breit breite 幅 宽",
        "height": "height high tall altitude elevation hoch höhe 高さ 標高 高度",
        "depth": "depth deep tief tiefe 深さ 水深",
        "diameter": "diameter durchmesser 直径",
        "area": "area fläche 面積 面积",
        "distance": "distance entfernung 距離",
        "span": "span spans spannweite 支間 径間",
    },
    "money": {
        "cost": "cost costs price prices priced kostet kostete kosten preis baukosten 費用 総工費 価格 値段 建設費 费用 价格",
        "revenue": "revenue revenues turnover umsatz 売上 売上高 収入 营收 收入",
        "profit": "profit profits gewinn 利益 純利益 营业利益 利润",
        "loss": "loss losses verlust 損失 赤字 亏损",
        "budget": "budget haushalt 予算 预算",
        "debt": "debt debts schulden 負債 债务",
        "pay": "salary salaries wage wages pay gehalt lohn 給与 給料 年収 工资",
        "investment": "investment investments invested investition investitionen investiert 投資 投资",
        "subsidy": "subsidy subsidies subvention förderung 補助金 补贴",
    },
    "fate": {
        "dead": "dead deaths died killed fatalities tote todesopfer getötet 死者 死亡 死亡者",
        "injured": "injured wounded injuries verletzte verletzt 負傷者 負傷 けが人",
        "missing": "missing vermisst vermisste 行方不明",
        "ill": "infected infections cases infiziert 感染者 感染",
    },
    "sex": {
        "men": "men male males boys männer männlich 男性 男子",
        "women": "women female females girls frauen weiblich 女性 女子",
    },
    "ages": {"children": "children pupils kinder 子供 児童", "adults": "adults erwachsene 大人 成人"},
    "trade": {
        "export": "export exports exported ausfuhr exporte 輸出 出口",
        "import": "import imports imported einfuhr importe 輸入 进口",
    },
    "side": {
        "north": "north northern nord nördlich 北 北部",
        "south": "south southern süd südlich 南 南部",
        "east": "east eastern ost östlich 東 東部",
        "west": "west western westlich 西 西部",
    },
    "place in a row": {
        "1": "first 1st q1 erste ersten erstes 第一 第1",
        "2": "second 2nd q2 zweite zweiten zweites 第二 第2",
        "3": "third 3rd q3 dritte dritten drittes 第三 第3",
        "4": "fourth 4th q4 vierte vierten viertes 第四 第4",
    },
    "extreme": {
        "most": "maximum max highest peak maximal höchste höchstgeschwindigkeit 最大 最高",
        "least": "minimum min lowest minimal niedrigste 最小 最低",
        "mean": "average mean median durchschnitt durchschnittlich mittlere 平均 平均的",
    },
    "kind of sum": {"gross": "gross brutto 総", "net": "net netto 純"},
    "stance": {
        "for": "favour favor support supports supported agree agreed approve dafür zustimmung 賛成",
        "against": "against oppose opposes opposed disagree disagreed disapprove dagegen ablehnung 反対",
    },
    "land": {"urban": "urban städtisch 都市部", "rural": "rural ländlich 農村部"},
    "event": {
        "begin": "began begun begins start started starts commenced begann beginn baubeginn begonnen 着工 開始 始まった",
        "build": "built constructed erbaut gebaut errichtet 建設 建てられた 建造",
        "end": "completed finished ended fertiggestellt vollendet 完成 竣工 終了",
        "open": "opened opening inaugurated eröffnet eröffnung 開通 開業 開館 開場 开通 开业",
        "close": "closed shut closure geschlossen schließung 閉鎖 閉館 廃止",
        "found": "founded established gegründet gründung 設立 創業 創立 成立",
        "rebuild": "rebuilt renovated restored refurbished extended widened renoviert saniert restauriert erweitert 改修 再建 改築",
        "birth": "born geboren 生まれ 誕生",
        "death": "died dies gestorben starb 死去 没",
        "announce": "announced proposed approved angekündigt beschlossen genehmigt 発表 承認",
        "destroy": "destroyed demolished collapsed zerstört abgerissen eingestürzt 破壊 解体 崩壊",
        "buy": "acquired übernommen 買収 売却",
    },
}
# words for one thing, besides those above
_SAME: Group = {
    "people": "inhabitants inhabitant residents resident people population populated persons citizens einwohner einwohnerzahl bevölkerung "
    "menschen personen bewohner 人口 住民 人 居民",
    "staff": "employees employee staff workers employs employed employ workforce mitarbeiter beschäftigte beschäftigt angestellte "
    "belegschaft 従業員 社員 员工 職員",
    "speed": "speed geschwindigkeit tempo 速度 時速",
    "weight": "weight weighs weigh mass gewicht wiegt 重さ 重量 体重",
    "age": "age aged old alter alt 年齢",
}
_EACH = r"(?<!^)(?<!\bof )(?<!\bis )(?<!\bfor )(?<!\bwas )(?<!\bwith )a"
# what makes a figure another kind of figure: claims have to agree in whether they have it
_MARKS: Mapping[str, re.Pattern[str]] = {
    "planned": re.compile(
        r"\b(?:planned|plans? to|expected|expects?|forecasts?|projected|projections?|predicted|target\w*|goal|will|would|should|scheduled"
        r"|geplant\w*|erwartet\w*|soll|sollen|wird|prognos\w+|ziel)\b|予定|計画|見込|目標|予測|预计|计划",
        re.IGNORECASE,
    ),
    "formerly": re.compile(
        r"\b(?:original\w*|initial\w*|at first|former\w*|previous\w*|used to|once|ursprünglich\w*|anfangs|früher\w*|ehemals|damals)\b"
        r"|当初|以前は|かつて|原来",
        re.IGNORECASE,
    ),
    "a day": re.compile(
        rf"\b(?:(?:{_EACH}|per|each|every|pro|je|am)\s(?:day|tag)|daily|täglich)\b|毎日|1日|一日|日に", re.IGNORECASE
    ),
    "a week": re.compile(
        rf"\b(?:(?:{_EACH}|per|each|every|pro|je)\s(?:week|woche)|weekly|wöchentlich)\b|毎週|週に", re.IGNORECASE
    ),
    "a month": re.compile(
        rf"\b(?:(?:{_EACH}|per|each|every|pro|je|im)\s(?:month|monat)|monthly|monatlich)\b|毎月|月に|月間",
        re.IGNORECASE,
    ),
    "a year": re.compile(
        rf"\b(?:(?:{_EACH}|per|each|every|pro|je|im)\s(?:year|annum|jahr(?!\s\d))|yearly|annual\w*|jährlich)\b|毎年|年間|年に",
        re.IGNORECASE,
    ),
    "a head": re.compile(
        r"\b(?:per (?:capita|head|person|inhabitant)|pro kopf|je einwohner)\b|当たり|あたり|人均", re.IGNORECASE
    ),
    "grew": re.compile(
        r"\b(?:rose|ris\w+ by|grew by|grow\w*|increas\w+|fell by|decreas\w+|declin\w+|dropped|more than in|stieg\w*|wuchs|sank\w*|zunahme)\b"
        r"|増加|減少|増え|減った|増长",
        re.IGNORECASE,
    ),
}
TOTAL = re.compile(
    r"\b(?:in total|total|overall|altogether|in all|worldwide|globally|combined|entire|whole|insgesamt|gesamt\w*|weltweit|alle)\b"
    r"|合計|全体|全国|総|世界|总共|全部",
    re.IGNORECASE,
)
PART = re.compile(
    r"\b(?:of which|of whom|of them|of these|including|among them|alone|only in|part of|section|segment|portion|main span|phase|branch"
    r"|subsidiary|of its|(?:first|second|third|fourth|last) (?:quarter|half|month)|q[1-4]|quartal\w*|halbjahr|davon|allein|darunter|teil\w*|abschnitt\w*|hauptspannweite|tochter\w*)\b|うち|そのうち|だけで|一部|区間|其中|四半期|半期",
    re.IGNORECASE,
)
_WHERE = re.compile(
    r"\b(?:in|at|from|across|within|outside|im|bei|aus)\s(?:the\s|der\s|den\s)?([A-ZÄÖÜ][\w'\u2019-]+)|([ァ-ヴー]{2,}|[\u4e00-\u9fff]{2,})(?:では|における|での|内の)"
)
_SAID = re.compile(
    r"(?i:\b(?:according to|laut|nach angaben(?: von| des| der)?|as reported by|reported by))\s(?:(?:the|der|die|das)\s)?(?:[A-Z][\w.'\u2019-]*\s?)+"
    r"|,?\s?(?:[A-Z][\w.'\u2019-]*\s){1,4}(?:said|says|say|reports|reported|writes|wrote|estimates|sagte|berichtet|schreibt)\b(?:\sthat\b)?"
    r"|[\u4e00-\u9fffァ-ヴーA-Za-z]{1,20}によると"
)
_FIGURE_WORDS = frozenset(
    listed(
        "about around roughly approximately approx nearly almost some circa ca rund etwa ungefähr knapp fast more less least most up over under between "
        "and to thousand million millions billion trillion bn mn millionen million mio mrd milliarde milliarden tausend prozent percent per cent year "
        "years jahr jahre month day total km metre metres meter meters kilometre kilometres feet euro euros dollar dollars pound pounds yen the der die "
        "das den dem des ein eine einen einer ist sind war waren hat hatte hatten haben im in am von vom zum zur mit und für auf als bei beträgt betrug "
        "has had have was were is are be it its there amount amounted amounts number numbered counted count zählt zählte mehr weniger both"
    )
)
_NO_NAMES = _FIGURE_WORDS | frozenset(
    listed(
        "a an this that these those on at of by for from with after before since during until as when while according january february march april may "
        "june july august september october november december januar februar märz mai juni juli oktober dezember he she they we his her their our "
        "er sie es wir seit nach vor bis laut today now heute"
    )
)
_TOKEN = re.compile(
    r"[\u4e00-\u9fff々]+|[ァ-ヴー]{2,}|[^\W\d_\u3040-\u30ff\u4e00-\u9fff][^\W_'\u2019\u3040-\u30ff\u4e00-\u9fff]*"
)
_CJK = re.compile(r"[\u4e00-\u9fff々ァ-ヴー]+")
_CLASS = {
    word: f"={name}" for group in (*_ASPECTS.values(), _SAME) for name, words in group.items() for word in words.split()
}
_GROUP_OF = {
    (group, word): name
    for group, aspects in _ASPECTS.items()
    for name, words in aspects.items()
    for word in words.split()
}
_COUNTERS = frozenset("年月日人名円台件個本社戸校回歳度億万千兆以上下未満約")


@dataclass(frozen=True)
class Topic:
    """What a claim is about. `aspects` has the aspects that it tells of, by their group; `words` are alike in all languages' forms."""

    words: frozenset[str]
    names: frozenset[str]
    places: frozenset[str]
    aspects: Mapping[str, frozenset[str]]
    marks: frozenset[str]
    is_part: bool
    is_total: bool
    small: frozenset[str]

    def others(self, other: "Topic") -> frozenset[str]:
        """The names that the other has not."""
        return frozenset(name for name in self.names if name not in other.names and name.lower() not in other.small)

    def is_other(self, other: "Topic") -> bool:
        """Whether they tell of different things: of other aspects, of other names, or in another way."""
        if self.marks != other.marks or (self.others(other) and other.others(self)):
            return True
        return any(not mine & theirs for group, mine in self.aspects.items() if (theirs := other.aspects.get(group)))


def topic(claim: str) -> Topic:
    """What a claim is about, whose figures were taken out."""
    told = _SAID.sub(" ", claim)
    tokens = _TOKEN.findall(told)
    lower = [token.lower() for token in tokens]
    return Topic(
        words=frozenset(_words(lower)),
        names=frozenset(_names(tokens)),
        places=frozenset(
            name for match in _WHERE.finditer(told) if (name := match[1] or match[2]).lower() not in _NO_NAMES
        ),
        aspects={group: found for group in _ASPECTS if (found := _aspects(group, lower, told))},
        marks=frozenset(name for name, mark in _MARKS.items() if mark.search(told)),
        is_part=PART.search(told) is not None,
        is_total=TOTAL.search(told) is not None,
        small=frozenset(token for token in tokens if not token[:1].isupper()),
    )


def meanings(words: Iterable[str]) -> set[str]:
    """Stems of words, with one for all words that mean the same."""
    return set(_words([word.lower() for word in words]))


def _words(lower: Iterable[str]) -> Iterable[str]:
    for word in lower:
        if word in _FIGURE_WORDS or (len(word) == 1 and word in _COUNTERS):
            continue
        if word in _CLASS:
            yield _CLASS[word]
        elif _CJK.fullmatch(word):
            yield word
        else:
            yield from stems_of(word)


def _names(tokens: Iterable[str]) -> Iterable[str]:
    for token in tokens:
        low = token.lower()
        if low in _NO_NAMES or low in _CLASS or low in _COUNTERS or set(token) <= _COUNTERS:
            continue
        if token[:1].isupper() or (_CJK.fullmatch(token) and len(token) > 1):
            yield token


def _aspects(group: str, lower: Iterable[str], told: str) -> frozenset[str]:
    found = {name for word in lower if (name := _GROUP_OF.get((group, word))) is not None}
    # words of scripts without spaces stand inside longer runs
    found |= {name for (of, word), name in _CJK_ASPECTS.items() if of == group and word in told}
    return frozenset(found)


_CJK_ASPECTS = {
    key: name for key, name in _GROUP_OF.items() if len(key[1]) > 1 and not key[1][0].isascii() and _CJK.match(key[1])
}
