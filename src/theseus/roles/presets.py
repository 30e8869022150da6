"""The tables of roles: `PRESETS` may be named in `context.role`, `ROLES` are all."""

from theseus.roles.ads_research import ADS_RESEARCH
from theseus.roles.analysis import ANALYSIS
from theseus.roles.browser_use import BROWSER_USE
from theseus.roles.chat import CHAT
from theseus.roles.critic import CRITIC
from theseus.roles.data_analytics import DATA_ANALYTICS
from theseus.roles.developer import DEVELOPER
from theseus.roles.financial_news import FINANCIAL_NEWS
from theseus.roles.generalist import GENERALIST
from theseus.roles.judge import JUDGE
from theseus.roles.lead import LEAD
from theseus.roles.planner import PLANNER
from theseus.roles.remembering import REMEMBERER
from theseus.roles.research import RESEARCH
from theseus.roles.researching import RESEARCH_ROLES, RESEARCHER
from theseus.roles.role import AnyRole, Plain
from theseus.roles.router import ROUTER
from theseus.roles.summarizer import SUMMARIZER
from theseus.roles.synthesizer import SYNTHESIZER
from theseus.roles.thinking import EXPLORER, REVIEWER
from theseus.roles.writer import WRITER

PRESETS: dict[str, Plain] = {
    role.name: role
    for role in (
        *(GENERALIST, CHAT, ANALYSIS, RESEARCH, WRITER, CRITIC, DEVELOPER),
        *(BROWSER_USE, DATA_ANALYTICS, ADS_RESEARCH, FINANCIAL_NEWS),
    )
}

WORKERS: dict[str, Plain] = {**PRESETS, RESEARCHER.name: RESEARCHER}
"""Roles whose words are results."""

ROLES: dict[str, AnyRole] = {
    **PRESETS,
    **{role.name: role for role in RESEARCH_ROLES},
    **{
        role.name: role
        for role in (ROUTER, SUMMARIZER, PLANNER, SYNTHESIZER, JUDGE, REVIEWER, EXPLORER, LEAD, REMEMBERER)
    },
}


def role_named(name: str) -> AnyRole:
    """The role of this name.

    Raises:
        KeyError: there is none.
    """
    return ROLES[name]
