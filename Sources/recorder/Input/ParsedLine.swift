import EventModel
import FoundationEssentials

/// An event that was read from a line of input.
struct ParsedLine: Sendable {
    /// The number of its line, from 1.
    let number: Int
    /// The event and where it goes.
    let line: EventLine
    /// Whether the event came without an id and got a random one, which it would not get again.
    let hasNewID: Bool

    /// Reads a line of a chunk.
    ///
    /// - Parameters:
    ///   - index: Which line of the chunk.
    ///   - chunk: The lines.
    ///   - source: What to call the input in the error.
    ///   - path: The line's file, as an absolute path without links: an event without an id gets one derived from the
    ///     path, the line and the line's number, so that the same file, read again, gives the same ids. With `nil` it
    ///     gets a new one.
    /// - Throws: ``CommandError`` with code `.input`, which names the source, the line, the field and the reason.
    init(
        _ index: Int,
        of chunk: LineSource.Chunk,
        source: String,
        derivingIDFrom path: String?
    ) throws(CommandError) {
        number = chunk.firstNumber + index
        let range = chunk.lines[index]
        do throws(EventModelError) {
            let (line, hasID) = try EventLine.parse(chunk.bytes, in: range)
            hasNewID = !hasID && path == nil
            guard let path, !hasID else {
                self.line = line
                return
            }
            self.line = Self.identified(line, by: chunk.bytes.span.extracting(range), number, in: path)
        } catch {
            throw CommandError(.input, "\(source):\(number): \(error.message)", cause: error)
        }
    }

    /// The same event with a UUIDv7 of its time as its id, in which a hash of the line and its place takes the place of
    /// the random bits.
    private static func identified(
        _ line: EventLine,
        by bytes: Span<UInt8>,
        _ number: Int,
        in path: String
    ) -> EventLine {
        var hash = FNV1a128()
        for byte in path.utf8 { hash.combine(byte) }
        // No path holds a NUL.
        hash.combine(0 as UInt8)
        hash.combine(UInt64(number))
        for index in bytes.indices { hash.combine(bytes[index]) }
        let moment = line.event.occurredAt ?? Timestamp(microseconds: 0)
        let id = UUID(version7At: moment, randomHigh: hash.high, randomLow: hash.low)
        return EventLine(
            stream: line.stream,
            expectedVersion: line.expectedVersion,
            event: line.event.identified(as: EventID(id))
        )
    }
}
