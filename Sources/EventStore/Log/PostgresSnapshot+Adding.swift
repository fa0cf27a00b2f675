internal import Postgres

extension PostgresSnapshot {
    /// This snapshot, extended so that it sees the ended transactions given and no others.
    ///
    /// - Returns: `nil` if it would name more active transactions than `limit`.
    func adding(_ ended: [UInt64], atMost limit: Int) -> PostgresSnapshot? {
        guard let last = ended.max() else { return self }
        let end = Swift.max(xmax, last + 1)
        guard active.count + Int(end - xmax) - ended.count <= limit else { return nil }
        let gone = Set(ended)
        let left = (active + Array(xmax..<end)).filter { !gone.contains($0) }
        return PostgresSnapshot(xmin: left.first ?? end, xmax: end, active: left)
    }
}
