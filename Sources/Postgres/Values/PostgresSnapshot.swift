/// Which transactions had ended at a certain moment: a `pg_snapshot`.
///
/// Source: PostgreSQL manual, 9.27.11 "Transaction ID and Snapshot Information Functions".
package struct PostgresSnapshot: Hashable, PostgresEncodable, PostgresDecodable, LosslessStringConvertible {
    /// The lowest transaction that was still active; all lower ones had ended.
    package let xmin: UInt64
    /// One past the highest transaction that had ended; this one and all later ones had not begun.
    package let xmax: UInt64
    /// The active transactions between the two, ascending.
    package let active: [UInt64]

    /// - Returns: `nil` unless 0 < xmin ≤ active … < xmax, ascending.
    package init?(xmin: UInt64, xmax: UInt64, active: [UInt64] = []) {
        guard xmin > 0, xmin <= xmax else { return nil }
        guard active.allSatisfy({ $0 >= xmin && $0 < xmax }), zip(active, active.dropFirst()).allSatisfy(<) else {
            return nil
        }
        self.xmin = xmin
        self.xmax = xmax
        self.active = active
    }

    /// The moment before the first transaction: nothing is visible.
    package static let beginning = PostgresSnapshot()

    private init() {
        xmin = 1
        xmax = 1
        active = []
    }

    /// Whether a transaction had ended when this snapshot was taken.
    package func contains(_ transaction: PostgresXID8) -> Bool {
        if transaction.value < xmin { return true }
        return transaction.value < xmax && !active.contains(transaction.value)
    }

    /// Whether every transaction that had ended in this snapshot had also ended in `other`.
    package func isSubset(of other: PostgresSnapshot) -> Bool {
        xmax <= other.xmax && other.active.allSatisfy { $0 >= xmax || !contains(PostgresXID8($0)) }
    }

    /// The server's text form, `xmin:xmax:active,active…`.
    package var description: String {
        "\(xmin):\(xmax):" + active.map(String.init).joined(separator: ",")
    }

    package init?(_ description: String) {
        let parts = description.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let xmin = UInt64(parts[0]), let xmax = UInt64(parts[1]) else { return nil }
        let words = parts[2].isEmpty ? [] : parts[2].split(separator: ",", omittingEmptySubsequences: false)
        let active = words.compactMap { UInt64($0) }
        guard active.count == words.count else { return nil }
        self.init(xmin: xmin, xmax: xmax, active: active)
    }

    package static var postgresType: PostgresType { .pgSnapshot }
    package static func accepts(_ type: PostgresType) -> Bool { type == .pgSnapshot }

    package func encode(into buffer: inout PostgresBuffer) -> Bool {
        buffer.append(Int32(active.count))
        buffer.append(xmin)
        buffer.append(xmax)
        for transaction in active { buffer.append(transaction) }
        return true
    }

    package init?(postgres bytes: UnsafeRawBufferPointer?, type: PostgresType) {
        guard let bytes = unsafe bytes, let count = unsafe bytes.integer(Int32.self, at: 0), count >= 0,
            let xmin = unsafe bytes.integer(UInt64.self, at: 4), let xmax = unsafe bytes.integer(UInt64.self, at: 12)
        else { return nil }
        let active = (0..<Int(count)).compactMap { unsafe bytes.integer(UInt64.self, at: 20 + 8 * $0) }
        guard active.count == Int(count) else { return nil }
        self.init(xmin: xmin, xmax: xmax, active: active)
    }
}
