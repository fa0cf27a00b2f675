import EventModel
import Foundation
import Synchronization

@testable import Simulator

/// A service that appends what happens: a `recorder append` that is fed simulated sessions, and started again and given
/// again what it has not acknowledged whenever it was killed.
final class Producer: Sendable {
    /// One event of one stream.
    struct Key: Hashable, Sendable {
        let stream: String
        let id: String
    }

    /// What a producer has seen.
    struct Report: Sendable {
        /// The version that each event was acknowledged at.
        var acknowledged: [Key: Int] = [:]
        /// How often the process was started.
        var starts = 0
        /// Events that had no acknowledgement when the process that was given them ended.
        var unanswered: Set<Key> = []
        /// Events whose acknowledgement says "stored before": they were repeated after a kill, and had been stored.
        var repeated: Set<Key> = []
        /// What must not be.
        var faults: [String] = []
    }

    let number: Int
    /// What its sessions are called in the server.
    let name: String
    private let databaseURL: String
    private let log: URL
    private let state = Mutex(State())

    private struct State {
        var report = Report()
        var child: RecorderProcess?
        var injected: [[EventLine]] = []
        /// What the process was given and has not acknowledged.
        var open: [Key] = []
        /// Whether it could not store some of it in time: then its status says so at the end.
        var wasLate = false
    }

    init(_ number: Int, databaseURL: String, folder: URL) {
        self.number = number
        name = "producer-\(number)"
        self.databaseURL = "\(databaseURL) application_name=\(name)"
        log = folder.appending(path: "producer-\(number).log")
    }

    /// The process that runs now.
    var child: RecorderProcess? { state.withLock { $0.child } }

    /// What it has seen so far.
    var report: Report { state.withLock { $0.report } }

    /// What the process was given and has not acknowledged yet.
    var open: [Key] { state.withLock { $0.open } }

    /// Puts events before those that it makes up.
    func inject(_ lines: [EventLine]) { state.withLock { $0.injected.append(lines) } }

    /// Appends until a moment has come, at most so many events a second.
    ///
    /// - Throws: `CancellationError`; what starting a process throws.
    func run(seed: UInt64, until end: ContinuousClock.Instant, rate: Int) async throws {
        var source = SeededSource(seed: seed)
        var simulator = ConversationSimulator(seed: source.next(), startingAt: .now())
        var sessions: [ArraySlice<EventLine>] = []
        let start = ContinuousClock.now
        var sent = 0
        defer { child?.send(SIGKILL) }
        while ContinuousClock.now < end {
            try Task.checkCancellation()
            var lines = state.withLock { state in
                defer { state.injected = [] }
                return Array(state.injected.joined())
            }
            for _ in 0..<source.within(1...4) {
                if sessions.count < 6 { sessions.append(simulator.nextSession().events[...]) }
                let index = source.below(sessions.count)
                let count = source.within(1...12)
                lines += sessions[index].prefix(count)
                sessions[index] = sessions[index].dropFirst(count)
                if sessions[index].isEmpty { sessions.remove(at: index) }
            }
            try await deliver(lines)
            sent += lines.count
            try await Task.sleep(until: start + .seconds(1) * (Double(sent) / Double(rate)))
        }
        guard let child else { return }
        child.send(SIGCONT)
        child.closeInput()
        let status = await child.ended()
        let expected = state.withLock { $0.wasLate } ? 1 : 0
        if status != expected && status != -SIGKILL { fault("ended with status \(status) instead of \(expected)") }
    }

    /// Appends lines until each is acknowledged.
    private func deliver(_ lines: [EventLine]) async throws {
        var left = lines
        while !left.isEmpty {
            try Task.checkCancellation()
            let child = try await running()
            state.withLock { $0.open = left.map { Key($0) } }
            var bytes: [UInt8] = []
            for line in left {
                line.appendJSON(to: &bytes)
                bytes.append(0x0A)
            }
            await child.write(bytes)
            var answers = 0
            // One stream of lines for each process; nobody else reads it.
            var answered = child.lines.makeAsyncIterator()
            while answers < left.count, let line = await answered.next() {
                answers += 1
                take(line)
            }
            let report = report
            let given = left.count
            left.removeAll { report.acknowledged[Key($0)] != nil }
            if answers < given {
                state.withLock { [left] state in
                    state.child = nil
                    state.report.unanswered.formUnion(left.map { Key($0) })
                }
            }
        }
    }

    private func running() async throws -> RecorderProcess {
        if let child { return child }
        let child = try await RecorderProcess.start(["append", "--json"], databaseURL: databaseURL, log: log)
        state.withLock { state in
            state.child = child
            state.wasLate = false
            state.report.starts += 1
        }
        return child
    }

    private func take(_ line: String) {
        guard let answer = try? JSONValue(json: Array(line.utf8)), let stream = answer["stream"]?.string,
            let id = answer["id"]?.string
        else { return fault("cannot be understood: \(line)") }
        if let error = answer["error"] {
            // The only thing that may be asked again is what the server could not be reached for.
            if error["code"]?.string != "unavailable" { fault("was refused: \(line)") }
            return state.withLock { $0.wasLate = true }
        }
        guard let version = answer["version"]?.integer else { return fault("cannot be understood: \(line)") }
        let key = Key(stream: stream, id: id)
        state.withLock { state in
            let before = state.report.acknowledged.updateValue(Int(version), forKey: key)
            if answer["storedBefore"]?.bool == true { state.report.repeated.insert(key) }
            if let before, before != Int(version) {
                state.report.faults.append("\(stream) \(id) was acknowledged at \(before), then at \(version)")
            }
        }
    }

    private func fault(_ text: String) { state.withLock { $0.report.faults.append("producer \(number) \(text)") } }
}

extension Producer.Key {
    init(_ line: EventLine) {
        self.init(stream: line.stream.description, id: line.event.id.description)
    }
}
