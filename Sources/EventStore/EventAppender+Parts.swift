internal import EventModel

extension EventAppender {
    /// Appends of one lane that are put into its queue together.
    struct Part {
        let lane: Int
        var places: [Int] = []
        var size = 0

        mutating func add(_ place: Int, size: Int) {
            places.append(place)
            self.size += size
        }
    }

    /// The most bytes that are put into a queue at once, so that producers with many appends take turns.
    private static let partSize = 256 << 10

    /// Divides appends into parts of one lane each, in their order.
    func parts(of appends: [some StreamAppend]) -> [Part] {
        var parts: [Part] = []
        var open = [Int?](repeating: nil, count: lanes)
        for (place, append) in appends.enumerated() {
            let lane = lane(of: append.stream)
            let size = AppendRequest.size(of: append)
            if let part = open[lane], parts[part].size + size <= Self.partSize {
                parts[part].add(place, size: size)
            } else {
                open[lane] = parts.count
                parts.append(Part(lane: lane))
                parts[parts.count - 1].add(place, size: size)
            }
        }
        return parts
    }
}
