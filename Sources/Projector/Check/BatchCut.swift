/// One way of delivering sample events to a projection. Every way must produce the same read model.
struct BatchCut: Sendable {
    /// One batch.
    struct Delivery: Sendable {
        /// The indices of its sample events, in the batch's order.
        var rows: [Int]
        /// The value of `recorder.shard`.
        var shard = 0
        /// Whether it is rolled back, because its events are delivered again afterwards.
        var isRedelivered = false
    }

    /// What sets it apart, for messages.
    let name: String
    let deliveries: [Delivery]

    /// All events in one batch, in the log's order: the reference for the other ways.
    static func whole(_ rows: Range<Int>) -> BatchCut {
        BatchCut(name: "all in one batch", deliveries: [Delivery(rows: Array(rows))])
    }

    /// Every split of a few events into two batches, and each event on its own.
    static func splits(of rows: [Int], name: String) -> [BatchCut] {
        let cuts = rows.indices.dropFirst().map { place in
            BatchCut(
                name: "\(name) cut between its events \(place) and \(place + 1)",
                deliveries: [Delivery(rows: Array(rows[..<place])), Delivery(rows: Array(rows[place...]))]
            )
        }
        return cuts + [BatchCut(name: "\(name), each event a batch", deliveries: rows.map { Delivery(rows: [$0]) })]
    }

    /// The whole sample in other ways: one by one, in random pieces, shuffled, by stream, by shard, redelivered.
    ///
    /// - Parameters:
    ///   - streams: For each sample event, the number of its stream.
    ///   - random: Decides pieces and orders.
    static func ways(_ streams: [Int], random: inout some RandomNumberGenerator) -> [BatchCut] {
        let rows = Array(streams.indices)
        var cuts = [BatchCut(name: "each event a batch", deliveries: rows.map { Delivery(rows: [$0]) })]
        cuts.append(
            BatchCut(
                name: "one batch with its rows shuffled",
                deliveries: [Delivery(rows: rows.shuffled(using: &random))]
            )
        )
        for (number, mean) in [2, 5, 12, 30, 80, 200].enumerated() {
            let pieces = pieces(rows, mean: mean, random: &random)
            cuts.append(
                BatchCut(
                    name: "random cut \(number + 1): shuffled batches of \(sizes(pieces))",
                    deliveries: pieces.map { Delivery(rows: $0.shuffled(using: &random)) }
                )
            )
            cuts.append(
                BatchCut(
                    name:
                        "random redelivery \(number + 1): batches of \(sizes(pieces)), each rolled back and delivered in halves",
                    deliveries: pieces.flatMap { halves($0) }
                )
            )
        }
        let byStream = Dictionary(grouping: rows) { streams[$0] }.sorted { $0.key < $1.key }.map(\.value)
        cuts.append(
            BatchCut(
                name: "one stream after another, in batches of 7",
                deliveries: byStream.flatMap { chunks($0, of: 7) }.map { Delivery(rows: $0) }
            )
        )
        let shards = (0..<3).map { shard in rows.filter { streams[$0] % 3 == shard } }
        cuts.append(
            BatchCut(
                name: "streams on three shards, in batches of 11",
                deliveries: shards.enumerated().flatMap { shard, rows in
                    chunks(rows, of: 11).map { Delivery(rows: $0, shard: shard) }
                }
            )
        )
        return cuts
    }

    /// The whole batch, which is rolled back, and then its two halves.
    private static func halves(_ rows: [Int]) -> [Delivery] {
        let middle = (rows.count + 1) / 2
        var deliveries = [Delivery(rows: rows, isRedelivered: true)]
        deliveries.append(Delivery(rows: Array(rows[..<middle])))
        if middle < rows.count { deliveries.append(Delivery(rows: Array(rows[middle...]))) }
        return deliveries
    }

    private static func pieces(_ rows: [Int], mean: Int, random: inout some RandomNumberGenerator) -> [[Int]] {
        var pieces: [[Int]] = []
        var rest = rows[...]
        while !rest.isEmpty {
            let size = Int.random(in: 1...(2 * mean), using: &random)
            pieces.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return pieces
    }

    private static func chunks(_ rows: [Int], of size: Int) -> [[Int]] {
        stride(from: 0, to: rows.count, by: size).map { Array(rows[$0..<min($0 + size, rows.count)]) }
    }

    private static func sizes(_ pieces: [[Int]]) -> String {
        pieces.prefix(8).map { String($0.count) }.joined(separator: ", ") + (pieces.count > 8 ? ", …" : "")
    }
}
