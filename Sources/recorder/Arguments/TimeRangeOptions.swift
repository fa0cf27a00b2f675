import ArgumentParser
import EventModel

/// The flags of every command that asks for a range of time.
struct TimeRangeOptions: ParsableArguments {
    private static let microsecondsPerDay: Int64 = 86_400_000_000
    private static let microsecondsPerMinute: Int64 = 60_000_000

    @Option(help: ArgumentHelp("From then on: RFC 3339, or a day, in UTC.", valueName: "time"))
    var from: Timestamp?

    // `--to` is accepted too: scripts use it.
    @Option(name: [.long, .customLong("to")], help: ArgumentHelp("Before then.", valueName: "time"))
    var until: Timestamp?

    /// Refuses a beginning that is later than the end, and an empty range.
    func validate() throws {
        guard let from, let until, from >= until else { return }
        throw ValidationError(
            from > until
                ? "--from \(from) is later than --until \(until): give the earlier time to --from."
                : "--from \(from) is --until \(until), which is not part of the range: for a day, give the next one to --until."
        )
    }

    /// Refuses a range that holds no whole minute, where only whole minutes can be distinguished.
    ///
    /// - Throws: `ValidationError`.
    func checkMinutes() throws {
        guard let from, let until, Self.minute(of: from) == Self.minute(of: until) else { return }
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
    /// - Throws: `ValidationError`.
    func checkDays() throws {
        for (flag, day) in [("--from", from), ("--until", until)] {
            guard let day, day.microseconds % Self.microsecondsPerDay != 0 else { continue }
            let text = day.description
            throw ValidationError(
                "\(flag) \(text) is a time within a day, and costs are kept by day: give a day, such as "
                    + "\(text.prefix { $0 != "T" }), or its midnight in UTC."
            )
        }
    }
}
