"""A real browser for agents: an installed Chromium, driven by Playwright (the extra `browser`).

All that it connects to passes `proxy.py`; nothing of it outlives its worker (`leash.py`); what an agent has open is a
visit, that `visits.py` keeps between its calls.
"""
