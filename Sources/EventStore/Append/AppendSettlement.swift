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
