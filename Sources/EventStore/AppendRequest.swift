internal import EventModel

/// An append that waits to be written, and whom to tell.
struct AppendRequest: Sendable {
    let appends: [EncodedAppend]
    /// About how much memory it holds: what was reserved for it in the queue.
    let size: Int
    /// Told exactly once how the append ended.
    let settle: @Sendable (Result<[AppendReceipt], any Error>) -> Void

    /// How many events it has.
    var events: Int { appends.reduce(0) { $0 + $1.events.count } }

    /// About how much memory appends will hold when they are encoded; an upper bound.
    static func size(of appends: [Append]) -> Int {
        appends.reduce(0) { $0 + size(of: $1) }
    }

    /// About how much memory an append will hold when it is encoded; an upper bound.
    static func size(of append: Append) -> Int {
        append.events.reduce(384) { $0 + $1.data.count + $1.metadata.count + 160 }
    }
}

/// How an append ended, on its way to whoever waits for it.
struct AppendSettlement: Sendable {
    let request: AppendRequest
    let result: Result<[AppendReceipt], any Error>

    /// Tells them.
    func tell() { request.settle(result) }
}
