internal import EventModel

/// Streams and types that another session's open transaction holds, remembered for a while after a wait for it failed.
///
/// Appends that need one of them are tried apart from the others and in turn, so that they do not wait again for each
/// other's transactions, and other appends do not wait for theirs.
struct BlockedAppends: Sendable {
    /// When a wait last failed, and until when that is remembered.
    private struct Wait {
        let last: ContinuousClock.Instant
        var end: ContinuousClock.Instant
    }

    private var streams: [StreamID: Wait] = [:]
    private var types: [EventType: Wait] = [:]

    /// How long a failed wait is remembered.
    private static let rememberedFor = Duration.seconds(5)

    /// Whether nothing is remembered.
    var isEmpty: Bool { streams.isEmpty && types.isEmpty }

    /// Divides a group into appends that need none of it and appends that do, each in order. An append that follows a
    /// blocked one and shares a stream with it counts as blocked too.
    mutating func divide(_ group: [AppendRequest]) -> (free: [AppendRequest], blocked: [AppendRequest]) {
        guard !isEmpty else { return (group, []) }
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

    /// When the latest wait for something that an append needs failed; `nil` if none did.
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

    /// Takes out the append whose turn it is, the least recently tried, with all that share streams with it.
    ///
    /// - Parameter waiting: At least one append; the remaining ones stay in order.
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

    /// Notes what some appends have waited for without success.
    ///
    /// - Parameter known: The types that have their ids.
    mutating func note(_ requests: [AppendRequest], known: EventTypes) {
        let now = ContinuousClock.now
        let wait = Wait(last: now, end: now + Self.rememberedFor)
        for request in requests {
            for part in request.parts {
                streams[part.stream] = wait
                for event in request.events(of: part) where known[event.type] == nil { types[event.type] = wait }
            }
        }
    }

    /// Keeps remembering what untried appends need: their turn comes.
    mutating func keep(_ requests: [AppendRequest]) {
        let end = ContinuousClock.now + Self.rememberedFor
        for request in requests {
            for part in request.parts {
                streams[part.stream]?.end = end
                for event in request.events(of: part) { types[event.type]?.end = end }
            }
        }
    }

    /// Forgets what some appends needed, because they were stored.
    mutating func forget(_ requests: [AppendRequest]) {
        for request in requests {
            for part in request.parts {
                streams[part.stream] = nil
                for event in request.events(of: part) { types[event.type] = nil }
            }
        }
    }
}
