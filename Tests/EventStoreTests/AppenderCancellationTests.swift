import EventModel
import RecorderTesting
import Testing

@testable import EventStore

/// An appender's scope whose task is cancelled while many producers append.
@Suite(.timeLimit(.minutes(10))) struct AppenderCancellationTests {
    @Test func `the scope ends, and whoever was acknowledged is stored`() async throws {
        try await withStore { store, _ in
            for round in 1...10 {
                let acknowledged = Shared<[(stream: StreamID, id: EventID, version: Int)]>([])
                let hasEnded = Shared(false)
                let scope = Task {
                    try await store.withAppender { appender in
                        await withTaskGroup(of: Void.self) { producers in
                            for _ in 0..<32 {
                                producers.addTask { await Self.produce(through: appender, telling: acknowledged) }
                            }
                        }
                    }
                    hasEnded.withLock { $0 = true }
                }
                try await eventually("appends are acknowledged") { acknowledged.withLock { $0.count } > 20 * round }
                scope.cancel()
                try await eventually("the scope ends", within: .seconds(60)) { hasEnded.withLock { $0 } }
                for event in acknowledged.withLock({ $0 }) {
                    let stored = try await store.holds(event.id, at: event.version, of: event.stream)
                    #expect(stored, "round \(round)")
                }
            }
        }
    }

    /// Appends to a stream of its own until an append fails.
    private static func produce(
        through appender: EventAppender,
        telling acknowledged: Shared<[(stream: StreamID, id: EventID, version: Int)]>
    ) async {
        let stream = StreamID.fresh()
        while true {
            let id = EventID.fresh()
            guard let receipt = try? await appender.append(.of([id], to: stream)) else { return }
            acknowledged.withLock { $0.append((stream, id, receipt.firstVersion)) }
        }
    }
}
