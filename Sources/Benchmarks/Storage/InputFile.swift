internal import Foundation

/// Events as a file, for programs that read one.
enum InputFile {
    /// Runs `body` with a file, which is removed afterwards.
    ///
    /// - Parameter write: Passes the file's lines, one after another, to the function that it is given.
    static func with<R>(
        _ write: ((BenchmarkInput.Line) throws -> Void) throws -> Void,
        _ body: (_ path: String) async throws -> R
    ) async throws -> R {
        let path = FileManager.default.temporaryDirectory
            .appending(path: "recorder-bench-\(UUID().uuidString).jsonl").path(percentEncoded: false)
        guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
        else { throw BenchmarkError(.input, "\(path) cannot be written: is the disk full?") }
        defer { try? FileManager.default.removeItem(atPath: path) }
        var buffer = Data()
        try write { line in
            buffer.append(contentsOf: line.json)
            buffer.append(0x0A)
            guard buffer.count > 1 << 20 else { return }
            try file.write(contentsOf: buffer)
            buffer.removeAll(keepingCapacity: true)
        }
        try file.write(contentsOf: buffer)
        try file.close()
        return try await body(path)
    }
}
