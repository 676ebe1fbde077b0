"""Client of the interview platform's REST API.

    with Client("https://interviews.example.com", key) as client:
        invitation = client.send(api.invite(interview_id, candidate_name="Ada"))

`api` describes the calls, `Client` and `AsyncClient` make them, `errors` is what they raise, `types` is what
they return, and `webhooks` checks messages that the platform sends.
"""

from interview_client import api, errors, types
from interview_client.client import AsyncClient, Client
from interview_client.errors import Problem

__all__ = ["AsyncClient", "Client", "Problem", "api", "errors", "types"]
