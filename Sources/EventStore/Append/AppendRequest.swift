internal import EventModel

/// An append on its way to be written: all or nothing.
struct AppendRequest: Sendable {
    let parcel: AppendParcel
    /// Its parts, each for another stream, among the parcel's.
    private let range: Range<Int>

    init(parcel: AppendParcel, parts: Range<Int>) {
        self.parcel = parcel
        range = parts
    }

    /// Its parts, each for another stream.
    var parts: ArraySlice<AppendParcel.Part> { parcel.parts[range] }

    /// The events of one of its parts.
    func events(of part: AppendParcel.Part) -> ArraySlice<AppendParcel.Event> { parcel.events[part.events] }

    /// About how much memory appends will hold when they are packed; an upper bound.
    static func size(of appends: some Sequence<some StreamAppend>) -> Int {
        appends.reduce(0) { $0 + size(of: $1) }
    }

    /// About how much memory an append will hold when it is packed; an upper bound.
    static func size(of append: some StreamAppend) -> Int {
        append.events.reduce(128) { $0 + $1.jsonCount + 160 }
    }
}

/// How appends of one parcel ended, on its way to whoever waits for them.
struct AppendSettlement: Sendable {
    let parcel: AppendParcel
    /// For each of some parts, its place among those that are waited for.
    private(set) var results: [(place: Int, result: AppendResult)] = []

    /// Tells them.
    func tell() { parcel.settle(results) }

    fileprivate mutating func add(_ place: Int, _ result: AppendResult) { results.append((place, result)) }
}

/// How an append to one stream ended.
package typealias AppendResult = Result<AppendReceipt, any Error>

extension [AppendSettlement] {
    /// Adds how a part of an append ended, together with others of the same parcel that come just before.
    mutating func add(_ part: AppendParcel.Part, of parcel: AppendParcel, _ result: AppendResult) {
        if last?.parcel !== parcel { append(AppendSettlement(parcel: parcel)) }
        self[count - 1].add(part.place, result)
    }

    /// Adds the failure of an append.
    mutating func add(_ request: AppendRequest, failed error: any Error) {
        for part in request.parts { add(part, of: request.parcel, .failure(error)) }
    }
}
