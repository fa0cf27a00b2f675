internal import EventModel
internal import EventStore
package import Postgres

/// Reads whole sessions, one after another in random order, as a program that replays them does.
package enum WholeSessions {
    /// Reads every stream of a log.
    ///
    /// - Throws: ``BenchmarkError`` if a stream is not read whole; what the store throws.
    package static func readLog(of database: PostgresConfiguration) async throws {
        let sizes = try await PostgresConnection.with(database) { try await $0.query(StreamSizes()) }
        try await PostgresEventStore.with(database) { store in try await read(sizes.shuffled(), from: store) }
    }

    /// Reads streams and decodes their events.
    ///
    /// - Parameter streams: Each with the number of its events.
    static func read(_ streams: [(stream: StreamID, events: Int)], from store: PostgresEventStore) async throws {
        for (stream, size) in streams {
            var version = 1
            while version <= size {
                let events = try await store.read(stream, from: version, limit: PostgresEventStore.largestPage)
                guard !events.isEmpty else {
                    throw BenchmarkError(.input, "stream \(stream) ends at version \(version - 1), not at \(size)")
                }
                version += events.count
            }
        }
    }

    private struct StreamSizes: PostgresStatement {
        let sql = "select stream_id, max(version) from events group by stream_id"

        func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> (stream: StreamID, events: Int) {
            (StreamID(try row.uuid(at: 0)), try row.decode(at: 1))
        }
    }
}
