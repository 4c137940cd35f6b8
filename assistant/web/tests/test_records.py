"""Links to what an answer speaks of."""

from assistant.web.records import of_results, spoken_of


def test_of_a_vehicles_requests_the_one_whose_test_is_spoken_of_is_linked():
    rows = [
        {"vehicle": "412W101", "vehicle_id": 1, "test_type": test, "url": f"/requests/{pk}/"}
        for pk, test in ((5, "Brake"), (6, "Emission"))
    ]
    records = of_results([{"requests": rows}])
    links = spoken_of("412W101 waits for a place: Emission, 3 days.", records)
    assert [(link.kind, link.label, link.url) for link in links] == [("Request", "412W101, Emission", "/requests/6/")]
    assert spoken_of("Move 412W101 to NPG 1", records) == []
