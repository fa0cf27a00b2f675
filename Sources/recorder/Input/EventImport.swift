import EventModel
import EventStore
import Postgres

/// Hands the lines of files over to an appender, batch after batch in the order of the lines.
///
/// It reads on while batches are stored; the appender's queue bounds how far ahead.
struct EventImport {
    /// What has been done so far.
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

    /// Lines that were handed over together.
    private struct Batch {
        let source: String
        var lines: [EventLine] = []
        /// The lines' numbers, from 1.
        var numbers: [Int] = []
        var outcomes: AppendOutcomes?

        mutating func add(_ parsed: ParsedLine) {
            lines.append(parsed.line)
            numbers.append(parsed.number)
        }
    }

    private static let batchSize = 500
    /// The most batches whose outcomes are still to be counted.
    private static let mostUnderWay = 64

    private let appender: EventAppender
    /// Those before it began: behind one that came later nothing more is stored, as it would come too early.
    private let outages: EventAppender.Outages
    private var underWay: [Batch] = []
    /// Whether the warning about events without an id was printed.
    private var hasWarned = false
    /// What has been done so far.
    private(set) var counts = Counts()

    /// - Parameter appender: What stores the events.
    init(appender: EventAppender) { (self.appender, outages) = (appender, appender.outages) }

    /// Imports files, one after another. Events that are refused are reported on standard error.
    ///
    /// - Parameters:
    ///   - paths: The files; `-` is standard input.
    ///   - stop: Ends the reading; what was read before is stored.
    ///   - progress: Called after each chunk with what has been done, and with the fraction of the file that was read
    ///     if its size is known.
    /// - Throws: ``CommandError`` with code `.input` for the first line that breaks the contract, after everything
    ///   before it was stored; `.stopped`; `.file`; `EventStoreError` with `.unavailable`.
    mutating func run(
        _ paths: [String],
        until stop: StopSignal,
        progress: (Counts, _ fraction: Double?) -> Void
    ) async throws {
        var failure: CommandError?
        for path in paths where failure == nil {
            var source = try LineSource(path: path, stop: stop)
            while failure == nil, let chunk = try await source.next() {
                failure = try await handOver(chunk, of: source.name, path: source.path)
                progress(counts, source.size.map { Double(chunk.offset) / Double(max($0, 1)) })
            }
            if source.wasStopped {
                failure = CommandError(.stopped, "stopped in \(source.name) before its end: what was read is stored")
            }
        }
        try await settle(leaving: 0)
        if let failure { throw failure }
    }

    /// Hands over the lines of a chunk.
    ///
    /// - Returns: What is wrong with the first line that breaks the contract; those before it were handed over.
    private mutating func handOver(
        _ chunk: LineSource.Chunk,
        of source: String,
        path: String?
    ) async throws -> CommandError? {
        var failure: CommandError?
        var batch = Batch(source: source)
        for index in chunk.lines.indices where !chunk.isBlank(chunk.lines[index]) {
            do throws(CommandError) {
                let parsed = try ParsedLine(index, of: chunk, source: source, derivingIDFrom: path)
                if parsed.hasNewID { warn(of: source, parsed.number) }
                batch.add(parsed)
            } catch {
                failure = error
                break
            }
            guard batch.lines.count == Self.batchSize else { continue }
            try await handOver(batch)
            batch = Batch(source: source)
        }
        try await handOver(batch)
        return failure
    }

    /// Warns once that this input's events will not be recognised when it is imported again.
    private mutating func warn(of source: String, _ number: Int) {
        guard !hasWarned else { return }
        hasWarned = true
        StandardError.line(
            "recorder: \(source):\(number): an event without an id gets a new one here, and is stored again when the same "
                + "input is imported again: only files are recognised. Give events ids, or import a file"
        )
    }

    private mutating func handOver(_ batch: Batch) async throws {
        guard !batch.lines.isEmpty else { return }
        var batch = batch
        batch.outcomes = try await appender.handOver(batch.lines, since: outages)
        batch.lines = []
        underWay.append(batch)
        try await settle(leaving: Self.mostUnderWay)
    }

    /// Whether no other append would fare better: the database is away, or does not let this login append to this log.
    private static func stopsAll(_ error: EventStoreError) -> Bool {
        guard error.code != .unavailable, error.code != .closed else { return true }
        let sqlState = ErrorCauses.database(of: error)?.sqlState ?? ""
        // RC004: the log was restored from another cluster and is not repaired.
        return sqlState.hasPrefix("42") || sqlState == "RC004"
    }

    /// Counts how the oldest batches ended, waiting for them if need be; all of them, if one could not be stored.
    private mutating func settle(leaving count: Int) async throws {
        var failure: (any Error)?
        while underWay.count > (failure == nil ? count : 0) {
            let batch = underWay.removeFirst()
            for (number, result) in zip(batch.numbers, await batch.outcomes?.all() ?? []) {
                switch result {
                case .success(let receipt) where receipt.wasStoredBefore: counts.storedBefore += 1
                case .success: counts.stored += 1
                case .failure(let error as EventStoreError) where !Self.stopsAll(error):
                    counts.refused += 1
                    StandardError.line("recorder: \(batch.source):\(number): \(error)")
                case .failure(let error): failure = failure ?? error
                }
            }
        }
        if let failure { throw failure }
    }
}
