import ArgumentParser
import EventModel

/// Refuses ranges of time that cannot be meant.
enum TimeRange {
    private static let microsecondsPerDay: Int64 = 86_400_000_000

    /// Refuses a beginning that lies behind the end.
    ///
    /// - Throws: `ValidationError`.
    static func check(from: Timestamp?, until: Timestamp?) throws {
        guard let from, let until, from > until else { return }
        throw ValidationError("--from \(from) is later than --until \(until): give the earlier time to --from.")
    }

    /// Refuses a time within a day, where only whole days can be told apart.
    ///
    /// - Parameter flag: What its flag is called.
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
