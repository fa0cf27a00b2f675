/// Exact percentiles of sorted values.
enum Percentile {
    /// The value below which a part of the values lies, by the nearest rank.
    ///
    /// - Parameters:
    ///   - part: 0 … 1.
    ///   - sorted: In ascending order.
    static func of(_ part: Double, _ sorted: [Double]) -> Double {
        guard !sorted.isEmpty else { return .nan }
        let rank = Int((part * Double(sorted.count)).rounded(.up))
        return sorted[min(max(rank, 1), sorted.count) - 1]
    }

    /// The middle value, or the mean of the two in the middle.
    static func median(_ sorted: [Double]) -> Double {
        guard !sorted.isEmpty else { return .nan }
        let middle = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}
