"""The tools of ads_research over `ads`: one row an advertisement, its column `platform` says where it ran."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import Field, JsonValue, ValidationError

from theseus.activities.tools.registry import Tool, ToolContext, ToolError, tool
from theseus.adapters.local_file.rows import Folder, Row, best, one_of
from theseus.contracts.task import AdsPlatforms
from theseus.contracts.tools import Effect

META = ("facebook", "instagram", "messenger", "whatsapp")
SEARCHED = ("advertiser", "title", "text", "product")
LIMIT = timedelta(seconds=30)

Words = Annotated[str, Field(min_length=1, max_length=300)]
Country = Annotated[str, Field(max_length=2)]
Limit = Annotated[int, Field(ge=1, le=100)]


def ads_tools(folder: Folder) -> list[Tool]:
    """The four tools of the role."""

    def ads(platforms: Sequence[str], words: str, columns: Sequence[str], country: str, limit: int) -> JsonValue:
        there = (row for row in folder.rows("ads") if one_of(row, "platform", platforms))
        found = best((row for row in there if not country or one_of(row, "country", [country])), words, columns, limit)
        return _told(found, platforms)

    @tool(effect=Effect.READ, timeout=LIMIT)
    def ads_serp_extract(keywords: Words, country: Country = "", limit: Limit = 20) -> JsonValue:
        """Finds the advertisements, Google Shopping's among them, that Google shows for a search.

        Args:
            keywords: what a buyer would search for
            country: two-letter code of the country; all when empty
            limit: at most so many advertisements
        """
        return ads(["google"], keywords, SEARCHED, country, limit)

    @tool(effect=Effect.READ, timeout=LIMIT)
    def ads_transparency_search(advertiser: Words, limit: Limit = 20) -> JsonValue:
        """Finds what an advertiser runs on Google, as its transparency register has it.

        Args:
            advertiser: the advertiser's name
            limit: at most so many advertisements
        """
        return ads(["google"], advertiser, ["advertiser"], "", limit)

    @tool(effect=Effect.READ, timeout=LIMIT)
    def meta_ad_library(keywords: Words, context: ToolContext, country: Country = "", limit: Limit = 20) -> JsonValue:
        """Finds advertisements in Meta's library, on those of its platforms that the task asks for.

        Args:
            keywords: words of the advertisement or its advertiser
            context: who asks
            country: two-letter code of the country; all when empty
            limit: at most so many advertisements
        """
        wanted = _platforms(context).meta_platform
        return ads(META if wanted == "all" else [wanted], keywords, SEARCHED, country, limit)

    @tool(effect=Effect.READ, timeout=LIMIT)
    def yahoo_jp_ads(keywords: Words, limit: Limit = 20) -> JsonValue:
        """Finds advertisements on Yahoo Japan.

        Args:
            keywords: what a buyer would search for, in the language of the advertisements
            limit: at most so many advertisements
        """
        return ads(["yahoo_jp"], keywords, SEARCHED, "", limit)

    return [ads_serp_extract, ads_transparency_search, meta_ad_library, yahoo_jp_ads]


def _platforms(context: ToolContext) -> AdsPlatforms:
    try:
        return AdsPlatforms.model_validate(context.get("platforms") or {})
    except ValidationError as error:
        raise ToolError("The task's platforms cannot be read.") from error


def _told(found: Sequence[Row], platforms: Sequence[str]) -> JsonValue:
    shown: list[JsonValue] = [{name: value for name, value in row.items() if value} for row in found]
    return {"platforms": list(platforms), "found": len(shown), "ads": shown}
