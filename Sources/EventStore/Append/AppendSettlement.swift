/// How appends of one parcel ended, on the way to the producers that wait.
struct AppendSettlement: Sendable {
    let parcel: AppendParcel
    /// The result of each part, with its place among the appends that are waited for.
    private(set) var results: [(place: Int, result: AppendResult)] = []

    /// Reports the results to the producers.
    func tell() { parcel.settle(results) }

    fileprivate mutating func add(_ place: Int, _ result: AppendResult) { results.append((place, result)) }
}

/// How an append to one stream ended.
package typealias AppendResult = Result<AppendReceipt, any Error>

extension AppendResult {
    /// Whether it is unknown if the append was stored, because the server was away.
    var isUnavailable: Bool {
        guard case .failure(let error as EventStoreError) = self else { return false }
        return error.code == .unavailable
    }
}

extension [AppendSettlement] {
    /// Adds how a part of an append ended, grouped with a preceding settlement of the same parcel.
    mutating func add(_ part: AppendParcel.Part, of parcel: AppendParcel, _ result: AppendResult) {
        if last?.parcel !== parcel { append(AppendSettlement(parcel: parcel)) }
        self[count - 1].add(part.place, result)
    }

    /// Adds the failure of an append.
    mutating func add(_ request: AppendRequest, failed error: any Error) {
        for part in request.parts { add(part, of: request.parcel, .failure(error)) }
    }
}
