"""The loop through the API, from a received manifest to an inspection's result."""

from isthmus.access.model import Role


def test_a_box_goes_from_the_queue_to_its_result(busy):
    print(busy.ids)
    analyst = busy.client(Role.ANALYST)
    queue = analyst.get("/api/picks").json()
    print(queue["items"][0])
    print(busy.client(Role.TERMINAL).get("/api/holds").json())
    print(busy.client(Role.TERMINAL).get("/api/alerts").json())
    print(analyst.get("/api/units/" + busy.ids["unit"]).json())
