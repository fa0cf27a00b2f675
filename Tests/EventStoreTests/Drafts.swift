import EventModel
import EventStore
import Foundation
import PayloadCodec
import Postgres
import RecorderTesting

@testable import EventStore

extension StreamID {
    /// A new stream, as a session's id would name it.
    static func fresh() -> StreamID { StreamID(UUID(version7At: .now())) }
}

extension StreamID {
    /// A new stream whose id says nothing of time, as some user's id.
    static func random() -> StreamID { StreamID(UUID()) }
}

extension EventID {
    /// A new event id of any order.
    static func fresh() -> EventID { EventID(UUID()) }

    /// An id that sorts by its number.
    static func numbered(_ number: Int) -> EventID {
        EventID(UUID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000 + UInt64(number)))
    }
}

extension EventDraft {
    /// An event whose data says who wrote it.
    static func turn(_ id: EventID = .fresh(), data: String = #"{"turnId":"t"}"#) throws -> EventDraft {
        try EventDraft(id: id, type: .turnStarted, data: Array(data.utf8))
    }
}

extension Append {
    /// An append of events with these ids.
    static func of(
        _ ids: [EventID] = [.fresh()],
        to stream: StreamID,
        expecting expected: ExpectedVersion = .any
    ) throws -> Append {
        Append(stream: stream, expectedVersion: expected, events: try ids.map { try .turn($0) })
    }
}

extension AppendParcel {
    /// A parcel that nobody waits for.
    static func of(_ appends: [Append], isOneAppend: Bool = false, size: Int = 1) throws -> AppendParcel {
        var contents = AppendParcelContents(
            packing: AppendPacking(encoder: PayloadEncoder()),
            size: size,
            appends: appends.count
        )
        for (place, append) in appends.enumerated() { try contents.add(append, place: place, key: nil) }
        return AppendParcel(
            contents,
            isOneAppend: isOneAppend,
            size: size,
            outcomes: AppendOutcomes(count: appends.count)
        )
    }
}

/// A store on a test's database, closed when the body ends.
func withStore<R>(
    _ configuration: PostgresConfiguration,
    keys: SealingKeys = .none,
    _ body: (PostgresEventStore) async throws -> R
) async throws -> R {
    try await PostgresEventStore.with(
        configuration,
        keys: keys,
        limits: .init(size: 4),
        logger: TestServer.silent,
        body
    )
}

/// Runs a test with a store on a database of its own.
func withStore<R>(_ body: (PostgresEventStore, PostgresConfiguration) async throws -> R) async throws -> R {
    try await withTestDatabase { configuration in
        try await withStore(configuration) { store in try await body(store, configuration) }
    }
}

/// The error that an append ends with; `nil` if it succeeds or fails otherwise.
func failure(_ body: () async throws -> some Any) async -> EventStoreError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? EventStoreError
    }
}
