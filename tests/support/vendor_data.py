"""A folder of a vendor's data, as the adapter `local_file` reads it."""

import json
from pathlib import Path
from typing import Any

ADS: list[dict[str, Any]] = [
    {
        "platform": platform,
        "advertiser": f"{brand} on {platform}",
        "title": title,
        "price": price,
        "country": "JP" if platform == "yahoo_jp" else "US",
        "first_seen": "2025-08-01",
    }
    for platform in ("google", "yahoo_jp", "facebook", "instagram", "messenger", "whatsapp")
    for brand, title, price in (
        ("Glow", "organic skincare set", 29.9),
        ("Beat", "wireless earbuds 40 h", 59.0),
        ("Mode", "fashion brand autumn coats", 120),
    )
]

NEWS = """provider,symbol,title,text,published,form,sentiment
news,AAPL,Apple opens a new campus,Staff move in,2025-10-01,,
news,"MSFT,AAPL",Two chip makers agree,A treaty,2025-10-03,,
alpaca,AAPL,Shares rise,After results,2025-10-02,,
sec,AAPL,Annual report,Revenue grew,2025-09-30,10-K,
sec,AAPL,Current report,A director left,2025-10-05,8-K,
twitter,AAPL,love it,,2025-10-02,,0.8
twitter,AAPL,meh,,2025-10-04,,-0.2
"""

VISITS = """profile_id,day,source,visits
49598h6e,2025-08-01,search,100
49598h6e,2025-08-02,search,150
49598h6e,2025-08-02,mail,50
other,2025-08-01,search,9999
"""


def vendor_data(folder: Path) -> Path:
    """The folder, filled."""
    (folder / "tables").mkdir(parents=True)
    (folder / "ads.json").write_text(json.dumps(ADS))
    (folder / "news.csv").write_text(NEWS)
    (folder / "tables" / "visits.csv").write_text(VISITS)
    return folder
