internal import EventModel

/// What waited in vain for another session's open transaction, for a while: streams to which that has appended, and types that it
/// has made. Appends that need one of them are tried apart from the others, so that only they wait for it again.
struct BlockedAppends: Sendable {
    private var streams: [StreamID: ContinuousClock.Instant] = [:]
    private var types: [EventType: ContinuousClock.Instant] = [:]

    /// For how long it is remembered.
    private static let memory = Duration.seconds(5)

    /// Divides a group into those that need nothing of it and those that do, each in their order. What stands behind one that does
    /// and goes to one of its streams is held back with it.
    mutating func divide(_ group: [AppendRequest]) -> (free: [AppendRequest], blocked: [AppendRequest]) {
        guard !streams.isEmpty || !types.isEmpty else { return (group, []) }
        let now = ContinuousClock.now
        streams = streams.filter { $0.value > now }
        types = types.filter { $0.value > now }
        var (free, blocked): ([AppendRequest], [AppendRequest]) = ([], [])
        var held: Set<StreamID> = []
        for request in group {
            if needs(request) || request.parts.contains(where: { held.contains($0.stream) }) {
                held.formUnion(request.parts.lazy.map(\.stream))
                blocked.append(request)
            } else {
                free.append(request)
            }
        }
        return (free, blocked)
    }

    private func needs(_ request: AppendRequest) -> Bool {
        request.parts.contains { part in
            streams[part.stream] != nil || request.events(of: part).contains { types[$0.type] != nil }
        }
    }

    /// Notes what some appends have waited for in vain.
    ///
    /// - Parameter known: The types that have their numbers.
    mutating func note(_ requests: [AppendRequest], known: EventTypes) {
        let end = ContinuousClock.now + Self.memory
        for request in requests {
            for part in request.parts {
                streams[part.stream] = end
                for event in request.events(of: part) where known[event.type] == nil { types[event.type] = end }
            }
        }
    }

    /// Forgets what some appends needed: they were stored.
    mutating func forget(_ requests: [AppendRequest]) {
        for request in requests {
            for part in request.parts {
                streams[part.stream] = nil
                for event in request.events(of: part) { types[event.type] = nil }
            }
        }
    }
}
