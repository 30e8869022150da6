"""The health endpoint says the truth: 200 while all is well, 503 with the reason when not."""

import asyncio

import httpx2

from tests.support.servers import free_port
from theseus import health


async def test_it_says_what_is_wrong() -> None:
    wrong: list[str | None] = [None]

    async def check() -> str | None:
        return wrong[0]

    port = free_port()
    async with (
        health.endpoint(f"127.0.0.1:{port}", check),
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
    ):
        assert (await http.get("/healthz")).status_code == 200
        wrong[0] = "Temporal does not answer"
        answer = await http.get("/healthz")
        assert (answer.status_code, answer.text) == (503, "Temporal does not answer\n")
        assert (await http.get("/other")).status_code == 404
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x00\xff\n")
        writer.close()
        assert (await http.get("/healthz")).status_code == 503
