import ArgumentParser
import EventModel

/// Refuses time ranges that cannot be meant.
enum TimeRange {
    private static let microsecondsPerDay: Int64 = 86_400_000_000
    private static let microsecondsPerMinute: Int64 = 60_000_000

    /// Refuses a beginning that is later than the end, and an empty range.
    ///
    /// - Throws: `ValidationError`.
    static func check(from: Timestamp?, until: Timestamp?) throws {
        guard let from, let until, from >= until else { return }
        throw ValidationError(
            from > until
                ? "--from \(from) is later than --until \(until): give the earlier time to --from."
                : "--from \(from) is --until \(until), which is not part of the range: for a day, give the next one to --until."
        )
    }

    /// Refuses a range of minutes that holds none, as ``check(from:until:)`` does.
    ///
    /// - Throws: `ValidationError`.
    static func checkMinutes(from: Timestamp?, until: Timestamp?) throws {
        try check(from: from, until: until)
        guard let from, let until, minute(of: from) == minute(of: until) else { return }
        throw ValidationError(
            "--from \(from) and --until \(until) lie in one minute, and latencies are kept by the minute: give the next one to "
                + "--until."
        )
    }

    private static func minute(of time: Timestamp) -> Int64 {
        Int64((Double(time.microseconds) / Double(microsecondsPerMinute)).rounded(.down))
    }

    /// Refuses a time within a day, where only whole days can be distinguished.
    ///
    /// - Parameter flag: The flag's name.
    /// - Throws: `ValidationError`.
    static func checkDay(_ day: Timestamp?, flag: String) throws {
        guard let day, day.microseconds % microsecondsPerDay != 0 else { return }
        let text = day.description
        throw ValidationError(
            "\(flag) \(text) is a time within a day, and costs are kept by day: give a day, such as "
                + "\(text.prefix { $0 != "T" }), or its midnight in UTC."
        )
    }
}
