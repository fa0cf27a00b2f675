package import Metrics
internal import Synchronization

/// What the program's counters, gauges and timers have counted so far, as Prometheus reads it.
///
/// Source: Prometheus documentation, "Exposition formats", "Text-based format".
package final class MetricsRegistry: Sendable {
    private struct Series: Hashable {
        let name: String
        /// As they are written, within the braces.
        let labels: String
    }

    private let common: [(String, String)]
    private let tallies = Mutex<[Series: Tally]>([:])

    /// - Parameter labels: The labels that every line carries.
    package init(labels: [(String, String)] = []) { common = labels }

    /// Makes all counters, gauges and timers that the process creates from now on count here. Call it once in a
    /// process.
    package func bootstrap() { MetricsSystem.bootstrap(self) }

    /// All that was counted, by name.
    package var text: String {
        let sorted = tallies.withLock { Array($0) }.sorted {
            ($0.key.name, $0.key.labels) < ($1.key.name, $1.key.labels)
        }
        var text = ""
        var name: String?
        for (series, tally) in sorted {
            if series.name != name { text += "# TYPE \(series.name) \(tally.kind.rawValue)\n" }
            name = series.name
            let labels = series.labels.isEmpty ? "" : "{\(series.labels)}"
            for (suffix, value) in tally.values { text += "\(series.name)\(suffix)\(labels) \(Self.number(value))\n" }
        }
        return text
    }

    private static func number(_ value: Double) -> String {
        switch value {
        case .infinity: "+Inf"
        case -.infinity: "-Inf"
        case _ where value.isNaN: "NaN"
        case _ where value == value.rounded() && value.magnitude < 1e15: "\(Int(value))"
        default: "\(value)"
        }
    }

    /// A name without the characters for which Prometheus would refuse the whole file.
    private static func name(_ label: String) -> String {
        let name = String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        return name.first?.isNumber == true ? "_\(name)" : name
    }

    private static func quoted(_ value: String) -> String {
        let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        return "\"\(escaped)\""
    }

    private func tally(_ label: String, _ dimensions: [(String, String)], _ kind: Tally.Kind) -> Tally {
        let labels = (common + dimensions).map { "\(Self.name($0))=\(Self.quoted($1))" }.joined(separator: ",")
        let series = Series(name: Self.name(label), labels: labels)
        return tallies.withLock { tallies in
            if let tally = tallies[series] { return tally }
            let tally = Tally(kind)
            tallies[series] = tally
            return tally
        }
    }

    private func remove(_ handler: AnyObject) {
        tallies.withLock { tallies in tallies = tallies.filter { $0.value !== handler } }
    }
}

extension MetricsRegistry: MetricsFactory {
    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        tally(label, dimensions, .counter)
    }

    package func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        tally(label, dimensions, aggregate ? .summary : .gauge)
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        tally(label, dimensions, .summary)
    }

    package func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    package func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    package func destroyTimer(_ handler: any TimerHandler) { remove(handler) }
}

/// One counter, gauge or timer: those that are made with the same name and dimensions share it.
private final class Tally: CounterHandler, RecorderHandler, TimerHandler {
    enum Kind: String {
        case counter, gauge, summary
    }

    private struct State {
        var count = 0
        var sum = 0.0
        var last = 0.0
    }

    let kind: Kind
    private let state = Mutex(State())

    init(_ kind: Kind) { self.kind = kind }

    /// Its lines: the suffix of the name, and the figure.
    var values: [(suffix: String, value: Double)] {
        let state = state.withLock { $0 }
        return switch kind {
        case .counter: [("", state.sum)]
        case .gauge: [("", state.last)]
        case .summary: [("_sum", state.sum), ("_count", Double(state.count))]
        }
    }

    func increment(by amount: Int64) { record(Double(amount)) }
    func reset() { state.withLock { $0 = State() } }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        state.withLock { state in
            state.count += 1
            state.sum += value
            state.last = value
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1_000_000_000) }
}
