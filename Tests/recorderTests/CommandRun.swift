import EventModel
import Foundation
import RecorderTesting
import Testing

extension RecorderCommand.Result {
    /// The lines of standard output, as JSON.
    func json() throws -> [JSONValue] { try lines.map { try JSONValue(json: Array($0.utf8)) } }
}

/// Lines of events for tests.
enum Lines {
    /// One event as a line, with fields put in or replaced by others, as JSON text.
    static func event(stream: StreamID, type: String = "note.taken", _ others: (name: String, json: String)...)
        -> String
    {
        let fields = [("stream", "\"\(stream)\""), ("type", "\"\(type)\"")].filter { field in
            !others.contains { $0.name == field.0 }
        }
        return "{" + (fields + others).map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}"
    }

    /// So many events of one stream, each with an id.
    static func events(stream: StreamID, count: Int) -> [String] {
        (0..<count).map { index in
            event(stream: stream, ("id", "\"\(EventID.generate(at: .now()))\""), ("data", "{\"number\": \(index)}"))
        }
    }

    /// A new stream.
    static func stream() -> StreamID { .generate(at: .now()) }
}

/// Makes a pipe with a name for `body`, and removes it behind it.
func withPipe(_ body: (_ path: String) async throws -> Void) async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "pipe-\(UUID().uuidString)")
        .path(percentEncoded: false)
    try #require(unsafe mkfifo(path, 0o600) == 0)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await body(path)
}
