internal import EventModel

/// What waited in vain for another session's open transaction, for a while: streams to which that has appended, and
/// types that it has made. Appends that need one of them are tried apart from the others and by turns, so that they do
/// not wait again for each other's transactions, and nobody else for theirs.
struct BlockedAppends: Sendable {
    /// When something was waited for in vain, and until when that is remembered.
    private struct Wait {
        let last: ContinuousClock.Instant
        var end: ContinuousClock.Instant
    }

    private var streams: [StreamID: Wait] = [:]
    private var types: [EventType: Wait] = [:]

    /// For how long it is remembered.
    private static let memory = Duration.seconds(5)

    /// Divides a group into those that need nothing of it and those that do, each in their order. What stands behind
    /// one that does and goes to one of its streams is held back with it.
    mutating func divide(_ group: [AppendRequest]) -> (free: [AppendRequest], blocked: [AppendRequest]) {
        guard !streams.isEmpty || !types.isEmpty else { return (group, []) }
        let now = ContinuousClock.now
        streams = streams.filter { $0.value.end > now }
        types = types.filter { $0.value.end > now }
        var (free, blocked): ([AppendRequest], [AppendRequest]) = ([], [])
        var held: Set<StreamID> = []
        for request in group {
            if lastWait(of: request) != nil || request.parts.contains(where: { held.contains($0.stream) }) {
                held.formUnion(request.parts.lazy.map(\.stream))
                blocked.append(request)
            } else {
                free.append(request)
            }
        }
        return (free, blocked)
    }

    /// When something that an append needs was waited for in vain; `nil` if nothing was.
    private func lastWait(of request: AppendRequest) -> ContinuousClock.Instant? {
        var last: ContinuousClock.Instant?
        func see(_ wait: Wait?) {
            if let wait { last = max(last ?? wait.last, wait.last) }
        }
        for part in request.parts {
            see(streams[part.stream])
            for event in request.events(of: part) { see(types[event.type]) }
        }
        return last
    }

    /// Takes out the append whose turn it is, the one that has not been tried for
    /// longest, with all that share streams with it.
    ///
    /// - Parameter waiting: At least one append; the others stay, in their order.
    func takeTurn(from waiting: inout [AppendRequest]) -> [AppendRequest] {
        let first = waiting.min { one, other in
            guard let one = lastWait(of: one), let other = lastWait(of: other) else { return lastWait(of: one) != nil }
            return one < other
        }
        var shared = Set(first?.parts.map(\.stream) ?? [])
        func isShared(_ request: AppendRequest) -> Bool { request.parts.contains { shared.contains($0.stream) } }
        var count = 0
        while shared.count > count {
            count = shared.count
            for request in waiting where isShared(request) { shared.formUnion(request.parts.lazy.map(\.stream)) }
        }
        defer { waiting.removeAll(where: isShared) }
        return waiting.filter(isShared)
    }

    /// Notes what some appends have waited for in vain.
    ///
    /// - Parameter known: The types that have their numbers.
    mutating func note(_ requests: [AppendRequest], known: EventTypes) {
        let now = ContinuousClock.now
        let wait = Wait(last: now, end: now + Self.memory)
        for request in requests {
            for part in request.parts {
                streams[part.stream] = wait
                for event in request.events(of: part) where known[event.type] == nil { types[event.type] = wait }
            }
        }
    }

    /// Remembers on what some appends need that were not tried: their turn comes.
    mutating func keep(_ requests: [AppendRequest]) {
        let end = ContinuousClock.now + Self.memory
        for request in requests {
            for part in request.parts {
                streams[part.stream]?.end = end
                for event in request.events(of: part) { types[event.type]?.end = end }
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
