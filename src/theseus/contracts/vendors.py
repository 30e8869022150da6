"""What vendors' adapters serve: the tools of the roles that need one, and which platform each belongs to. Inner contract."""

from collections.abc import Mapping

PLATFORM_TOOLS: Mapping[str, tuple[str, ...]] = {
    "google": ("ads_serp_extract", "ads_transparency_search"),
    "yahoo_jp": ("yahoo_jp_ads",),
    "meta": ("meta_ad_library",),
}
"""The tools of each platform that `context.platforms` turns on and off."""

ADS_TOOLS = tuple(name for names in PLATFORM_TOOLS.values() for name in names)
NEWS_TOOLS = ("news_aggregator", "alpaca_news", "sec_filings", "twitter_sentiment")
