import ArgumentParser
import EventModel
import EventStore

/// Where `tail` continues: a place in the log, and the last event that was printed before it.
///
/// A database that was taken back to an earlier state, and has since come as far again, accepts the place; but it lacks
/// the event.
struct TailCursor: Sendable, LosslessStringConvertible, ExpressibleByArgument {
    /// An event by which the log is recognized.
    struct Witness: Sendable {
        let stream: StreamID
        let version: Int
        let id: EventID
    }

    let place: LogCursor
    /// `nil` if nothing was printed yet.
    let last: Witness?

    init(_ place: LogCursor, last: Witness? = nil) {
        self.place = place
        self.last = last
    }

    /// The cursor after a batch.
    init(_ batch: LogBatch, after before: TailCursor) {
        place = batch.cursor
        last = batch.events.last.map { Witness(stream: $0.stream, version: $0.version, id: $0.id) } ?? before.last
    }

    /// The text form: the place, then `=` and the event's stream, version and id.
    var description: String { last.map { "\(place)=\($0.stream)/\($0.version)/\($0.id)" } ?? place.description }

    /// Reads the text form; `nil` for anything else.
    init?(_ description: String) {
        let parts = description.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let place = LogCursor(String(parts[0])) else { return nil }
        guard parts.count == 2 else {
            self.init(place)
            return
        }
        let words = parts[1].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 3, let stream = StreamID(words[0]), let version = Int(words[1]), let id = EventID(words[2])
        else { return nil }
        self.init(place, last: Witness(stream: stream, version: version, id: id))
    }
}
