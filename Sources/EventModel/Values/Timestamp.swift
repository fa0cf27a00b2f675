public import FoundationEssentials

/// A moment in microseconds since 1970-01-01 UTC, the resolution that PostgreSQL stores.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01 00:00:00 UTC, negative before it.
    public let microseconds: Int64

    /// The moment this many microseconds after 1970-01-01 00:00:00 UTC.
    public init(microseconds: Int64) { self.microseconds = microseconds }

    /// The moment of a date, rounded to the nearest microsecond. A date out of range becomes the nearest moment, and
    /// one that is NaN the last moment.
    public init(_ date: Date) {
        let value = (date.timeIntervalSince1970 * 1_000_000).rounded()
        microseconds = Int64(exactly: value) ?? (value < 0 ? .min : .max)
    }

    /// Reads an RFC 3339 time such as `2026-03-02T08:00:09.6616+01:00`; nil for anything else.
    public init?(_ text: String) {
        let bytes = [UInt8](text.utf8)
        guard let moment = try? Timestamp.parse(bytes.span, in: 0..<bytes.count) else { return nil }
        self = moment
    }

    /// The current time by the system's clock.
    public static func now() -> Timestamp { Timestamp(Date()) }

    /// The same moment as a Foundation `Date`.
    public var date: Date { Date(timeIntervalSince1970: Double(microseconds) / 1_000_000) }

    /// Orders moments by time.
    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    /// The moment after `duration`, which may be negative; a moment out of range becomes the nearest one.
    public func advanced(by duration: Duration) -> Timestamp {
        let inMicrosecond: Int128 = 1_000_000_000_000
        let (sum, overflow) = (Int128(microseconds) * inMicrosecond).addingReportingOverflow(duration.attoseconds)
        guard !overflow else { return Timestamp(microseconds: duration < .zero ? .min : .max) }
        return Timestamp(microseconds: Int64(clamping: sum / inMicrosecond))
    }

    /// The time that passed since an earlier moment.
    public func duration(since earlier: Timestamp) -> Duration {
        Duration.microseconds(microseconds) - Duration.microseconds(earlier.microseconds)
    }
}
