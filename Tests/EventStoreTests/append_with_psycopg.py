"""Appends 300 events to streams, in single calls and in calls for two streams, and prints what it was told.

Every tenth call is made twice: the second must answer as the first did.
"""

import json, random, sys, uuid
import psycopg

url, streams, number = sys.argv[1], sys.argv[2].split(","), int(sys.argv[3])
random.seed(number)
with psycopg.connect(url, autocommit=True, options="-c search_path=recorder") as connection:
    for call in range(100):
        one, two = random.sample(streams, 2)
        ids = [str(uuid.uuid4()) for _ in range(3)]
        events = [
            {"stream": stream, "id": id, "type": "turn.started", "data": {"by": "psycopg", "text": "zażółć 😀"}}
            for stream, id in zip((one, two), ids)
        ]
        answers = []
        for _ in range(2 if call % 10 == 0 else 1):
            rows = connection.execute(
                "select stream, event_id, version from append_events(%s)", [json.dumps(events)]
            ).fetchall()
            version = connection.execute(
                "select version from append_event(%s, 'turn.started', %s, event_id => %s)",
                [one, json.dumps({"by": "psycopg"}), ids[2]],
            ).fetchone()[0]
            answers.append(rows + [(one, ids[2], version)])
        assert all(answer == answers[0] for answer in answers), answers
        for stream, id, version in answers[0]:
            print(stream, id, version)
    try:
        connection.execute(
            "select * from append_event(%s, 'turn.started', '{}', expected_version => 0)", [streams[0]]
        )
        sys.exit("a wrong expected version was accepted")
    except psycopg.Error as error:
        assert error.sqlstate == "RC001", error
