import EventModel
import EventStore
import FoundationEssentials
import PayloadCodec
import Postgres
import Simulator

/// Payloads to train a dictionary on, and where they came from.
struct DictionarySamples: CustomStringConvertible, Sendable {
    /// The payloads, in the order of the log.
    let payloads: [DictionarySample]
    /// Where they came from.
    let description: String

    /// The most payloads to train on; more make training slower and no better.
    private static let largest = 10_000
    /// How many events of one stream are read: a session has about as many.
    private static let streamLength = 100

    /// Simulated events, the same every time.
    static func simulated(sessions: Int) -> DictionarySamples {
        var simulator = ConversationSimulator(
            seed: 1,
            startingAt: Timestamp(microseconds: 1_772_438_400_000_000)  // 2026-03-02 08:00 UTC
        )
        var payloads: [DictionarySample] = []
        for _ in 0..<sessions {
            payloads += simulator.nextSession().events.map { line in
                DictionarySample(payload: line.event.data + line.event.metadata, event: line.event.id.uuid)
            }
        }
        return DictionarySamples(
            payloads: thinned(payloads),
            description: Counted.text(sessions, "simulated session")
        )
    }

    /// Events of streams that are picked evenly from the log. Of sealed events, only what is not personal is taken, so
    /// that no dictionary keeps what an erasure must remove.
    ///
    /// - Throws: `PostgresError`; `EventStoreError`.
    static func log(events: Int, pool: PostgresPool, store: PostgresEventStore) async throws -> DictionarySamples {
        let count = max(1, (events + streamLength - 1) / streamLength)
        var payloads: [DictionarySample] = []
        var seen: Set<StreamID> = []
        for stream in try await pool.query(SelectStreamsEvenly(count: count)) where seen.insert(stream).inserted {
            for event in try await store.readPublicPart(of: stream, limit: streamLength) {
                payloads.append(DictionarySample(payload: event.data + event.metadata, event: event.id.uuid))
            }
        }
        let taken = thinned(Array(payloads.prefix(events)))
        return DictionarySamples(payloads: taken, description: "\(Counted.text(taken.count, "event")) of the log")
    }

    /// Picks payloads at equal distances if there are too many.
    private static func thinned(_ payloads: [DictionarySample]) -> [DictionarySample] {
        guard payloads.count > largest else { return payloads }
        return (0..<largest).map { payloads[$0 * payloads.count / largest] }
    }
}

/// Selects streams at equal distances in the order of their ids, which for UUIDv7 is the order of time.
private struct SelectStreamsEvenly: PostgresStatement {
    let count: Int

    let sql = """
        select stream_id
        from (
            select stream_id, row_number() over (order by stream_id) as number, count(*) over () as total
            from events where version = 1
        ) as streams
        where (number * $1) / total > ((number - 1) * $1) / total
        order by number
        """

    func bind(_ parameters: inout PostgresParameters) throws(PostgresError) { try parameters.append(count) }

    func decode(_ row: borrowing PostgresRow) throws(PostgresError) -> StreamID {
        StreamID(try row.uuid(at: 0))
    }
}
