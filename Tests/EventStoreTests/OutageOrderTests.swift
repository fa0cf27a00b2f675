import EventModel
import PayloadCodec
import Postgres
import RecorderTesting
import Testing

@testable import EventStore

/// An appender that gives up on the server fails all that was handed over until then: what comes later in a stream is
/// not stored before it.
@Suite struct OutageOrderTests {
    @Test(.timeLimit(.minutes(5)))
    func `nothing is stored behind what failed because the server was away`() async throws {
        try await withStoppedServer { configuration, stop, start in
            let streams = (0..<4).map { _ in StreamID.fresh() }
            try await withStore(configuration) { store in
                let limits = EventAppender.Limits(groupSize: 1, patience: .seconds(1))
                try await store.withAppender(limits: limits) { appender in
                    for stream in streams { _ = try await appender.append(.of(to: stream)) }
                    let before = appender.outages
                    await stop()
                    var underWay: [AppendOutcomes] = []
                    for _ in 0..<10 {
                        let round = try streams.map { try Append.of(to: $0) }
                        underWay.append(try await appender.handOver(appends: round))
                    }
                    // As soon as the first has failed, the server is there for the second.
                    var ended = [await underWay.removeFirst().all()]
                    try await start()
                    for outcomes in underWay { ended.append(await outcomes.all()) }
                    for (place, stream) in streams.enumerated() {
                        let failed = ended.map { $0[place] }.drop { (try? $0.get()) != nil }
                        #expect(failed.allSatisfy { (try? $0.get()) == nil }, "\(stream)")
                    }
                    // Whoever has not heard of it yet is told, and who has begins anew.
                    let more = try streams.map { try Append.of(to: $0) }
                    let late = try await appender.handOver(appends: more, since: before)
                    for result in await late.all() {
                        #expect(throws: EventStoreError.self) { try result.get() }
                    }
                    for stream in streams { _ = try await appender.append(.of(to: stream)) }
                }
                for stream in streams { #expect(try await store.read(stream).count == 2, "\(stream)") }
            }
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `nothing is stored behind an append whose key could not be looked up`() async throws {
        let keys = SealingKeys([LocalKeyEncryptionKey()])
        try await withStoppedServer { configuration, stop, start in
            try await SealedLog.withPool(configuration) { pool in
                _ = try await KeyAdministration(pool, keys: keys).initialise()
            }
            let stream = StreamID.fresh()
            try await withStore(configuration, keys: keys) { store in
                try await store.withAppender(limits: .init(patience: .seconds(5))) { appender in
                    _ = try await appender.append(.of(to: .fresh()))
                    await stop()
                    let personal = try SealedLog.draft(.turnTranscribed, #"{"userTranscript":"\#(SealedLog.secret)"}"#)
                    let appends = [Append(stream: stream, events: [personal]), try Append.of(to: stream)]
                    // Ends when the key was waited for in vain; the other append could be stored from then on.
                    let outcomes = try await appender.handOver(appends: appends)
                    try await start()
                    for result in await outcomes.all() {
                        let error = #expect(throws: EventStoreError.self) { try result.get() }
                        #expect(error?.code == .unavailable)
                    }
                    for result in try await appender.append(independently: appends) { _ = try result.get() }
                    #expect(try await store.read(stream).map(\.id) == appends.map { $0.events[0].id })
                }
            }
        }
    }
}
