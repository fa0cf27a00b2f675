import EventModel
import Postgres
import RecorderTesting
import Testing

@testable import ReadModel

/// Queries on an installed schema.
@Suite struct ReadModelsTests {
    @Test func `empty read models answer, and what is missing is said`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(url: database.url)
            #expect(try await models.sessions().isEmpty)
            #expect(try await models.turns(of: .generate(at: .now())).isEmpty)
            #expect(try await models.costs(by: [.day, .provider]).isEmpty)
            #expect(try await models.costs(by: []).map(\.calls) == [0])
            #expect(try await models.audit().isEmpty)
            #expect(try await models.verifyAudit().isEmpty)
            let latency = try await models.latency(of: [.turn, .asr], percentiles: [50])
            #expect(latency.map(\.count) == [0, 0])
            #expect(latency.map(\.percentilesMs) == [[nil], [nil]])
            #expect(try await models.latencySeries(of: .llm, step: .seconds(3600)).isEmpty)
            let error = await #expect(throws: ReadModelError.self) { try await models.session(.generate(at: .now())) }
            #expect(error?.code == .notFound)
            await models.close()
        }
    }

    @Test func `a server that says nothing is left in the end`() async {
        let models = ReadModels(url: "")
        #expect(models.pool.configuration.answerTimeout == .seconds(600))
        await models.close()
    }

    @Test func `a series has a row for each step, also where nothing was measured`() async throws {
        try await withTestDatabase { database in
            let models = ReadModels(url: database.url)
            var filter = LatencyFilter()
            filter.from = Timestamp("2026-03-02T00:00:00Z")
            filter.until = Timestamp("2026-03-03T00:00:00Z")
            let buckets = try await models.latencySeries(of: .llm, step: .seconds(3600), filter)
            #expect(buckets.count == 24)
            #expect(buckets.allSatisfy { $0.count == 0 && $0.meanMs == nil })
            for step in [Duration.seconds(1), .seconds(59), .seconds(Int64.max), .seconds(Int64.min), .zero] {
                let error = await #expect(throws: ReadModelError.self) {
                    try await models.latencySeries(of: .llm, step: step, filter)
                }
                #expect(error?.code == .invalidArgument)
            }
            filter.until = Timestamp("2036-03-03T00:00:00Z")
            let error = await #expect(throws: ReadModelError.self) {
                try await models.latencySeries(of: .llm, step: .seconds(60), filter)
            }
            #expect(error?.code == .invalidArgument)
            let long = try await models.latencySeries(of: .llm, step: .seconds(10_000 * 365 * 86_400), filter)
            #expect(long.count == 1)
            let (first, last) = (Timestamp(microseconds: .min), Timestamp(microseconds: .max))
            for (from, until) in [(first, last), (first, first.advanced(by: .seconds(1))), (Timestamp.now(), last)] {
                (filter.from, filter.until) = (from, until)
                let error = await #expect(throws: ReadModelError.self) {
                    try await models.latencySeries(of: .llm, step: .seconds(60), filter)
                }
                #expect(error?.code == .invalidArgument)
            }
            await models.close()
        }
    }

    @Test func `an open series begins where hours and days do that outlived their minutes`() async throws {
        try await withTestDatabase { database in
            try await withConnection(database) { connection in
                for (resolution, moments) in [
                    ("minutes", ["2026-03-04 10:31", "2026-03-05 11:07"]),
                    ("hours", ["2026-03-03 09:00", "2026-03-04 10:00", "2026-03-05 11:00"]),
                    ("days", ["2026-03-01", "2026-03-03", "2026-03-04", "2026-03-05"]),
                ] {
                    let rows = moments.map { "('\($0)+00', 'llm', 'p', 'm', false, 0, 1, 5, 5, 5, '{1}', '{1}')" }
                    try await connection.run(
                        unsafeSQL: """
                            insert into latency_metrics_\(resolution)_v1 (bucket_start, stage, provider, model, interrupted,
                                shard, count, sum_ms, min_ms, max_ms, bins, counts)
                            values \(rows.joined(separator: ", "))
                            """
                    )
                }
            }
            let models = ReadModels(url: database.url)
            for (step, first, last) in [
                (60, "2026-03-04T10:31:00Z", "2026-03-05T11:07:00Z"),
                (3600, "2026-03-03T09:00:00Z", "2026-03-05T11:00:00Z"),
                (86_400, "2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z"),
            ] {
                let series = try await models.latencySeries(of: .llm, step: .seconds(step))
                #expect(series.first?.start == Timestamp(first))
                #expect(series.last?.start == Timestamp(last))
                #expect(series.first?.count == 1 && series.last?.count == 1)
            }
            await models.close()
        }
    }

    @Test func `an open series begins with the first step, also before 1970`() async throws {
        try await withTestDatabase { database in
            try await withConnection(database) { connection in
                for (resolution, moment) in [("minutes", "23:30"), ("hours", "23:00"), ("days", "00:00")] {
                    try await connection.run(
                        unsafeSQL: """
                            insert into latency_metrics_\(resolution)_v1 (bucket_start, stage, shard, count, sum_ms, min_ms,
                                max_ms, bins, counts)
                            values ('1969-12-31 \(moment)+00', 'llm', 0, 1, 5, 5, 5, '{109}', '{1}')
                            """
                    )
                }
            }
            let models = ReadModels(url: database.url)
            for (step, start) in [(3600, "1969-12-31T23:00:00Z"), (86_400, "1969-12-31T00:00:00Z")] {
                let series = try await models.latencySeries(of: .llm, step: .seconds(step))
                #expect(series.map(\.start) == [Timestamp(start)] && series.map(\.count) == [1])
            }
            await models.close()
        }
    }

    @Test func `pages of sessions join, also where several begin at once and some never began`() async throws {
        try await withTestDatabase { database in
            let connection = try await PostgresConnection.connect(database)
            try await connection.run(
                unsafeSQL: """
                    insert into conversation_sessions_v1 (session_id, is_session, first_event_at, started_at, last_event_at,
                        version, total_turns, measured_turns, latency_ms, uncosted_calls, interrupted_turns, error_count,
                        anomalies, time_in_state, total_cost)
                    select gen_random_uuid(), true, now(), case when n % 10 > 0 then '2026-03-02'::timestamptz
                        + n / 5 * interval '1 minute' end, now(), 1, 0, 0, 0, 0, 0, 0, 0, '{}', 0.1 * n
                    from generate_series(1, 57) n
                    """
            )
            await connection.close()
            let models = ReadModels(url: database.url)
            let all = try await models.sessions(SessionFilter(limit: 1_000))
            #expect(all.count == 57)
            var filter = SessionFilter(limit: 4)
            var pages: [Session] = []
            while true {
                let page = try await models.sessions(filter)
                pages += page
                try #require(pages.count <= all.count, "a page came again")
                guard let last = page.last else { break }
                filter.after = SessionFilter.Place(after: last)
            }
            #expect(pages == all)
            #expect(all.suffix(5).allSatisfy { $0.startedAt == nil })
            var dear = SessionFilter(limit: 100)
            dear.minimumCost = Money("5.6")
            #expect(try await models.sessions(dear).count == 2)
            await models.close()
        }
    }

    @Test func `a session and its turns are of one moment`() async throws {
        try await withTestDatabase { database in
            let id = StreamID.generate(at: .now())
            try await withConnection(database) { writer in
                try await writer.run(
                    unsafeSQL: """
                        insert into conversation_sessions_v1 (session_id, is_session, first_event_at, last_event_at, version,
                            total_turns, measured_turns, latency_ms, uncosted_calls, interrupted_turns, error_count, anomalies,
                            time_in_state)
                        values ('\(id)', true, now(), now(), 1, 1, 0, 0, 0, 0, 0, 0, '{}');
                        insert into conversation_turns_v1 (session_id, turn_id, status, interrupted)
                        values ('\(id)', gen_random_uuid(), 'started', false)
                        """
                )
                try await writer.run(
                    unsafeSQL: """
                        begin;
                        lock table conversation_turns_v1;
                        update conversation_sessions_v1 set version = 2;
                        update conversation_turns_v1 set status = 'completed'
                        """
                )
                let models = ReadModels(url: database.url)
                async let read = models.sessionWithTurns(id)
                // It has read the session, and waits for the turns. A transaction
                // sees pg_stat_activity as it was at first.
                let blocked =
                    "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
                try await withConnection(database) { watcher in
                    try await eventually("it waits for the turns") {
                        try await !watcher.text(unsafeSQL: blocked).isEmpty
                    }
                }
                try await writer.run(unsafeSQL: "commit")
                let (session, turns) = try await read
                #expect(session.version == 1 && turns.map(\.status) == ["started"])
                let later = try await models.sessionWithTurns(id)
                #expect(later.session.version == 2 && later.turns.map(\.status) == ["completed"])
                await models.close()
            }
        }
    }

    @Test func `without migrations the error says what to do`() async throws {
        try await withTestDatabase(.empty) { database in
            let models = ReadModels(url: database.url)
            let error = await #expect(throws: ReadModelError.self) { try await models.sessions() }
            #expect(error?.code == .notInstalled)
            #expect(error?.description.contains("recorder migrate up") == true)
            await models.close()
        }
    }
}
