import EventModel
import EventStore

/// Hands many lines over to an appender: several streams at a time, each stream in the order of its lines.
///
/// Streams are divided into lanes. A lane sends a batch when the one before is stored, so memory is bounded and no
/// stream is turned round.
struct EventImport {
    /// What was done so far.
    struct Counts: Sendable {
        /// Events that this import stored.
        var stored = 0
        /// Events that were there already.
        var storedBefore = 0
        /// Events that their stream refused.
        var refused = 0
        /// All of them.
        var total: Int { stored + storedBefore + refused }
    }

    /// A line that waits to be stored, and what its input is called.
    private struct Waiting: Sendable {
        let line: ParsedLine
        let source: String
    }

    /// What became of a lane's batch.
    private struct Ended: Sendable {
        let lane: Int
        let counts: Counts
    }

    private typealias Group = ThrowingTaskGroup<Ended, any Error>

    private static let laneCount = 4
    private static let batchSize = 500

    private let appender: EventAppender
    private var lanes = [[Waiting]](repeating: [], count: laneCount)
    private var isBusy = [Bool](repeating: false, count: laneCount)
    /// What was done so far.
    private(set) var counts = Counts()

    /// - Parameter appender: What stores the events.
    init(appender: EventAppender) { self.appender = appender }

    /// Imports files, one after another. Events that are refused are reported on standard error.
    ///
    /// - Parameters:
    ///   - paths: The files; `-` is standard input.
    ///   - progress: Told after each chunk what was done, and which part of the file was read if its size is known.
    /// - Throws: ``CommandError`` with code `.input` for the first line that breaks the contract, after everything
    ///   before it was stored; `.file`; `EventStoreError` with `.unavailable`.
    mutating func run(_ paths: [String], progress: (Counts, _ fraction: Double?) -> Void) async throws {
        var (lanes, isBusy, counts) = (lanes, isBusy, counts)
        var failure: CommandError?
        defer { (self.lanes, self.isBusy, self.counts) = (lanes, isBusy, counts) }
        let appender = appender
        try await withThrowingTaskGroup(of: Ended.self) { group in
            func settle(_ ended: Ended?) {
                guard let ended else { return }
                isBusy[ended.lane] = false
                counts.stored += ended.counts.stored
                counts.storedBefore += ended.counts.storedBefore
                counts.refused += ended.counts.refused
            }
            func send(_ lane: Int) {
                let batch = lanes[lane]
                guard !batch.isEmpty else { return }
                lanes[lane] = []
                isBusy[lane] = true
                group.addTask { Ended(lane: lane, counts: try await Self.store(batch, with: appender)) }
            }
            reading: for path in paths {
                var source = try LineSource(path: path)
                while let chunk = try await source.next() {
                    for index in chunk.lines.indices where !chunk.isBlank(chunk.lines[index]) {
                        let line: ParsedLine
                        do throws(CommandError) {
                            line = try ParsedLine(index, of: chunk, source: source.name, derivesID: true)
                        } catch {
                            failure = error
                            break reading
                        }
                        let lane = Int(UInt(bitPattern: line.append.stream.hashValue) % UInt(Self.laneCount))
                        lanes[lane].append(Waiting(line: line, source: source.name))
                        guard lanes[lane].count >= Self.batchSize else { continue }
                        while isBusy[lane] { settle(try await group.next()) }
                        send(lane)
                    }
                    progress(counts, source.size.map { Double(chunk.offset) / Double(max($0, 1)) })
                }
            }
            for lane in lanes.indices {
                while isBusy[lane] { settle(try await group.next()) }
                send(lane)
            }
            while let ended = try await group.next() { settle(ended) }
        }
        if let failure { throw failure }
    }

    private static func store(_ batch: [Waiting], with appender: EventAppender) async throws -> Counts {
        var counts = Counts()
        let results = try await appender.append(independently: batch.map(\.line.append))
        for (waiting, result) in zip(batch, results) {
            switch result {
            case .success(let receipt) where receipt.wasStoredBefore: counts.storedBefore += 1
            case .success: counts.stored += 1
            case .failure(let error as EventStoreError) where error.code != .unavailable && error.code != .closed:
                counts.refused += 1
                StandardError.line("recorder: \(waiting.source):\(waiting.line.number): \(error)")
            case .failure(let error): throw error
            }
        }
        return counts
    }
}
