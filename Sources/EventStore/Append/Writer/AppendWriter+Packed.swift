internal import EventModel
internal import Postgres

/// Checks what was packed before the connection that is to store it.
extension AppendWriter {
    private static let unreadableReason =
        "the server lacks the dictionary or the key that the append, or one before it to the same stream, was packed with: "
        + "it was lost in a failover, or the key was destroyed meanwhile; append the same events again, with the same ids"

    /// Whether some appends may have been packed with what another server had.
    func areOlder(_ requests: [AppendRequest]) -> Bool {
        let generation = packings.current.generation
        return requests.contains { $0.parcel.packing.generation != generation }
    }

    /// Settles the appends of a group that nobody could read from this server, and those behind them in the same
    /// streams, so that the order stays when they are repeated. The others stay open.
    mutating func checkPacked(_ attempt: inout AppendAttempt, on connection: isolated PostgresConnection) async throws {
        guard areOlder(attempt.open) else { return }
        let generation = packings.current.generation
        let older = attempt.open.filter { $0.parcel.packing.generation != generation }
        let unreadable = try await packings.unreadable(among: older, on: connection)
        guard !unreadable.isEmpty else { return }
        var next = unreadable[...]
        var held: Set<StreamID> = []
        var (kept, settled): ([AppendRequest], [AppendRequest]) = ([], [])
        for request in attempt.open {
            let isUnreadable = next.first == request
            if isUnreadable { next.removeFirst() }
            if isUnreadable || request.parts.contains(where: { held.contains($0.stream) }) {
                held.formUnion(request.parts.lazy.map(\.stream))
                settled.append(request)
            } else {
                kept.append(request)
            }
        }
        attempt.open = kept
        settle(settled, failed: .unavailable, nil, Self.unreadableReason)
    }
}
