import Synchronization

/// A line on standard error that shows how far work has come; nothing where standard error is no terminal.
///
/// It is drawn at most ten times a second and removed at the end.
final class ProgressBar: Sendable {
    private struct State {
        var lastDrawn: ContinuousClock.Instant?
        var isDrawn = false
    }

    private let noun: String
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    /// - Parameter noun: What is counted, such as `event`.
    init(_ noun: String) { self.noun = noun }

    /// Shows how far the work has come.
    ///
    /// - Parameters:
    ///   - count: How much was done.
    ///   - fraction: Which part of the whole that is, 0 … 1; nil if the whole is not known.
    ///   - note: What else to say, after the rate.
    func show(_ count: Int, fraction: Double? = nil, note: String = "") {
        guard StandardError.isTerminal else { return }
        let now = ContinuousClock.now
        let isDue = state.withLock { state in
            if let last = state.lastDrawn, last.duration(to: now) < .milliseconds(100) { return false }
            state.lastDrawn = now
            state.isDrawn = true
            return true
        }
        guard isDue else { return }
        let bar = fraction.map { "\(Self.bar($0)) " } ?? ""
        StandardError.write("\r\u{1B}[K\(bar)\(Counted.text(count, noun)), \(rate(of: count, until: now))\(note)")
    }

    /// Removes the line.
    func finish() {
        if state.withLock({ $0.isDrawn }) { StandardError.write("\r\u{1B}[K") }
    }

    /// The rate since the bar was made: `52,100 events/s`.
    func rate(of count: Int, until now: ContinuousClock.Instant = .now) -> String {
        let seconds = max(start.duration(to: now) / .seconds(1), 0.000_001)
        return "\(Counted.grouped(Int(Double(count) / seconds))) \(noun)s/s"
    }

    private static func bar(_ fraction: Double) -> String {
        let width = 30
        let filled = Int(Double(width) * min(1, max(0, fraction)))
        let percent = Int(100 * min(1, max(0, fraction)))
        return "[\(String(repeating: "#", count: filled))\(String(repeating: " ", count: width - filled))] \(percent) %"
    }
}
