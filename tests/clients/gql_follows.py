"""Concord itself, judged by the public GraphQL client gql: it checks its documents against the schema that
the server tells, starts a run over HTTP, and follows it over a WebSocket by graphql-transport-ws.

Environment:
    CONCORD   the program; its demo is served on ports of its own until the script ends
"""

import asyncio
import os
import re
import subprocess

from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

CONNECTIONS = gql("{ connections { edges { node { id runs(first: 1) { edges { node { id } } } } } } }")
RUN = gql(
    "mutation($id: ID!) { connectionRun(connectionId: $id) { userErrors { message } } }"
)
FOLLOW = gql(
    "subscription($id: ID!) { runProgress(runId: $id) { id state endedAt counts { items } } }"
)
TOKEN = re.compile(r"GraphiQL:\s+(\S+)/#token=(\S+)")


def serve():
    """Starts the demo. Gives the process, its address and a token, once its story has been played."""
    arguments = ["demo", "--contacts", "60"]
    process = subprocess.Popen(
        [os.environ["CONCORD"], *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if found := TOKEN.search(line):
            return process, *found.groups()
    raise AssertionError(f"the demo ended with {process.wait()}")


async def last_run(session):
    """The only connection, and the id of its newest run."""
    answer = await session.execute(CONNECTIONS)
    (edge,) = answer["connections"]["edges"]
    return edge["node"]["id"], edge["node"]["runs"]["edges"][0]["node"]["id"]


async def follow(address, token):
    bearer = {"Authorization": f"Bearer {token}"}
    http = HTTPXAsyncTransport(url=f"{address}/graphql", headers=bearer)
    url = address.replace("http:", "ws:") + "/graphql/ws"
    protocols = [WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL]
    socket = WebsocketsTransport(url=url, init_payload=bearer, subprotocols=protocols)
    async with (
        Client(transport=http, fetch_schema_from_transport=True) as session,
        Client(transport=socket) as following,
    ):
        connection, before = await last_run(session)
        done = await session.execute(RUN, variable_values={"id": connection})
        assert done["connectionRun"]["userErrors"] == [], done
        run = before
        while run == before:
            await asyncio.sleep(0.05)
            _, run = await last_run(session)
        events = [
            event["runProgress"]
            async for event in following.subscribe(FOLLOW, variable_values={"id": run})
        ]
        assert events and all(event["id"] == run for event in events), events
        assert events[-1]["state"] == "FINISHED" and events[-1]["endedAt"], events
        assert all(event["state"] == "RUNNING" for event in events[:-1]), events
        print(f"runProgress: {len(events)} events, the last one FINISHED")
        try:
            async for event in following.subscribe(FOLLOW, variable_values={"id": "run_nobody"}):
                raise AssertionError(event)
        except TransportQueryError as error:
            assert error.errors[0]["extensions"]["code"] == "NOT_FOUND", error.errors
        print("a run that is not there: NOT_FOUND")


def main():
    process, address, token = serve()
    try:
        asyncio.run(asyncio.wait_for(follow(address, token), 60))
    finally:
        process.kill()
        process.wait()


main()
