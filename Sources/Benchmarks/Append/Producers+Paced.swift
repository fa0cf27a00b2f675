internal import EventModel
internal import EventStore

extension Producers {
    private static let tick = Duration.milliseconds(2)

    /// Appends lines at a rate: each when it is due, whether or not the ones before were acknowledged.
    ///
    /// - Parameters:
    ///   - rate: How many are due per second.
    ///   - acknowledged: Called when the lines that were due at the same time are acknowledged; returns what to keep of
    ///     them.
    /// - Returns: What was kept.
    static func paced<Kept: Sendable>(
        _ lines: [BenchmarkInput.Line],
        rate: Double,
        with appender: EventAppender,
        _ acknowledged: @escaping @Sendable (_ due: ContinuousClock.Instant, [AppendReceipt]) -> [Kept]
    ) async throws -> [Kept] {
        let perTick = max(1, Int(rate * tick.seconds))
        return try await withThrowingTaskGroup(of: [Kept].self) { group in
            var due = ContinuousClock.now
            for start in stride(from: 0, to: lines.count, by: perTick) {
                due += tick
                try await Task.sleep(until: due, tolerance: .zero)
                let parsed = try lines[start..<min(start + perTick, lines.count)].map { try EventLine($0.json) }
                group.addTask { [due] in
                    acknowledged(due, try await appender.append(independently: parsed).map { try $0.get() })
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }
}
